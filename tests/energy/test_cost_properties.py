from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.counts import EventCounts
from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.cost import Cost, breakdown
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS
from nmbench.energy.outline import Outline
from nmbench.network.network import Network
from nmbench.platforms.modelled import modelled
from nmbench.platforms.nonconformity import ROUNDING
from nmbench.quantity import NESTED

SLACK = 1 - ROUNDING

PLATFORMS = {name: modelled(name) for name in card_names() if load_card(name).model in MODELS}
NETWORK = tiny.mlp(inputs=40, hidden=30, classes=4)


CHOICES: dict[str, list[object]] = {
    "host_io": [True],
    "input_cores": [1, 8],
    "boards": [1],
    "chips": [1],
    "batch": [8, 64],
    "step_s": [1e-9, 1e-4, 0.1],
    "input_bits": [1, 8],
    "output_bits": [3, 10],
}
"""Of each condition, what a run might state."""


def price(name: str, network: Network | Outline, counts: EventCounts, conditions: Conditions = USUAL) -> Cost:
    platform = PLATFORMS[name]
    mapping = place(network, platform.card, conditions)
    assert isinstance(mapping, Mapping)
    return MODELS[platform.card.model].price(counts, mapping, platform.card)


def no_less(greater: Cost, fewer: Cost) -> None:
    """Check that each energy and each time that both state has not become less."""
    for boundary in NESTED:
        if boundary in fewer.energy_factor:
            assert (greater.energy(boundary) >= SLACK * fewer.energy(boundary)).all()
        if boundary in fewer.latency_factor:
            assert (greater.latency(boundary) >= SLACK * fewer.latency(boundary)).all()


@st.composite
def some_conditions(draw: st.DrawFn, name: str) -> Conditions:
    heeded = sorted(MODELS[PLATFORMS[name].card.model].heeds)
    stated = draw(st.sets(st.sampled_from(heeded))) if heeded else set()
    return replace(USUAL, **{field: draw(st.sampled_from(CHOICES[field])) for field in sorted(stated)})


def spikes_of(draw: st.DrawFn, high: tuple[int, ...]) -> np.ndarray:
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(0, np.array(high) + 1, (*shape, len(high)))


@st.composite
def some_spikes(draw: st.DrawFn) -> np.ndarray:
    return spikes_of(draw, (40, 30, 0))


@pytest.mark.parametrize("name", PLATFORMS)
@given(data=st.data(), spikes=some_spikes(), more=st.integers(1, 50), population=st.integers(0, 1))
@settings(max_examples=25, deadline=None)
def test_energy_and_time_grow_with_spikes(
    name: str, data: st.DataObject, spikes: np.ndarray, more: int, population: int
) -> None:
    conditions = data.draw(some_conditions(name))
    added = spikes.copy()
    added[:, -1, population] += more
    fewer, greater = (price(name, NETWORK, tiny.counts(NETWORK, s), conditions) for s in (spikes, added))
    no_less(greater, fewer)


@pytest.mark.parametrize("name", PLATFORMS)
@given(
    data=st.data(),
    spikes=some_spikes(),
    field=st.sampled_from(["spikes", "neuron_updates", "synaptic_events"]),
    more=st.integers(1, 5000),
)
@settings(max_examples=25, deadline=None)
def test_energy_and_time_grow_with_every_count_alone(
    name: str, data: st.DataObject, spikes: np.ndarray, field: str, more: int
) -> None:
    counts = tiny.counts(NETWORK, spikes)
    values = getattr(counts, field).copy()
    at = tuple(data.draw(st.integers(0, n - 1)) for n in values.shape[1:])
    values[(slice(None), *at)] += more
    no_less(price(name, NETWORK, replace(counts, **{field: values})), price(name, NETWORK, counts))


@pytest.mark.parametrize("name", PLATFORMS)
@given(data=st.data(), spikes=some_spikes())
@settings(max_examples=25, deadline=None)
def test_terms_add_up_and_boundaries_nest(name: str, data: st.DataObject, spikes: np.ndarray) -> None:
    cost = price(name, NETWORK, tiny.counts(NETWORK, spikes), data.draw(some_conditions(name)))
    for terms, factors, total in (
        (cost.energy_j, cost.energy_factor, cost.energy),
        (cost.latency_s, cost.latency_factor, cost.latency),
    ):
        assert all((term.values >= 0).all() for term in terms.values())
        inner = np.zeros(len(spikes))
        for boundary in [b for b in NESTED if b in factors]:
            outer = total(boundary)
            assert (outer >= SLACK * inner).all()
            assert sum(breakdown(terms, boundary).values()) == pytest.approx(outer.mean())
            inner = outer
    for boundary in cost.energy_factor:
        static = {n: t for n, t in cost.energy_j.items() if t.static}
        known = sum(breakdown(static, boundary).values())
        assert cost.dynamic(boundary).mean() + known == pytest.approx(cost.energy(boundary).mean())
        assert (cost.dynamic(boundary) > 0).all()


@pytest.mark.parametrize("name", PLATFORMS)
@given(spikes=some_spikes())
@settings(max_examples=15, deadline=None)
def test_a_sample_is_priced_alone(name: str, spikes: np.ndarray) -> None:
    counts = tiny.counts(NETWORK, spikes)
    together = price(name, NETWORK, counts)
    for b in range(len(counts)):
        alone = price(name, NETWORK, counts.take([b]))
        for term, value in alone.energy_j.items():
            assert value.values[0] == together.energy_j[term].values[b]


@pytest.mark.parametrize("name", PLATFORMS)
def test_twice_the_network_never_costs_less(name: str) -> None:
    small, large = tiny.mlp(20, 30, 4), tiny.mlp(40, 60, 8)
    spikes = np.array([[[10, 7, 0], [3, 20, 0]]])
    one = price(name, small, tiny.counts(small, spikes))
    two = price(name, large, tiny.counts(large, spikes * 2))
    for boundary in one.energy_factor:
        assert (two.energy(boundary) >= one.energy(boundary)).all()
    for boundary in one.latency_factor:
        assert (two.latency(boundary) >= one.latency(boundary)).all()


SIZES = st.tuples(st.integers(1, 60), st.integers(1, 300), st.integers(1, 40))
SHARES = st.tuples(st.floats(0, 0.5), st.floats(0, 0.5))


def spikes_a_step(sizes: Sequence[int], shares: tuple[float, float]) -> list[int]:
    """Return spikes of (input, hidden, out)."""
    return [round(n * share) for n, share in zip(sizes, (*shares, 0.0), strict=True)]


@pytest.mark.parametrize("name", PLATFORMS)
@given(sizes=SIZES, shares=SHARES, steps=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_two_networks_on_one_input_never_cost_less_than_one(
    name: str, sizes: tuple[int, int, int], shares: tuple[float, float], steps: int
) -> None:
    one = tiny.chain(*sizes)
    copies = [replace(group, name=f"again {group.name}") for group in one.groups[1:]]
    again = {0: 0, 1: 3, 2: 4}
    links = [
        replace(x, name=f"again {x.name}", source=again[x.source], target=again[x.target]) for x in one.links
    ]
    two = Outline((*one.groups, *copies), (*one.links, *links))
    spikes = spikes_a_step(sizes, shares)
    greater = price(name, two, tiny.evenly(two, steps, [*spikes, *spikes[1:]]))
    fewer = price(name, one, tiny.evenly(one, steps, spikes))
    assert (greater.energy("chip_dynamic") >= SLACK * fewer.energy("chip_dynamic")).all()
    if PLATFORMS[name].card.model != "either":  # another network may run the other way: slower, for less
        no_less(greater, fewer)


@pytest.mark.parametrize("name", PLATFORMS)
@given(sizes=SIZES, shares=SHARES, steps=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_twice_the_width_never_takes_less_dynamic_energy(
    name: str, sizes: tuple[int, int, int], shares: tuple[float, float], steps: int
) -> None:
    """Time, and static energy with it, may fall: more cores have fewer neurons each."""
    spikes = spikes_a_step(sizes, shares)
    one, two = (
        price(name, network, tiny.evenly(network, steps, [factor * n for n in spikes]))
        for factor in (1, 2)
        for network in [tiny.chain(*(factor * n for n in sizes))]
    )
    assert (two.energy("chip_dynamic") >= SLACK * one.energy("chip_dynamic")).all()


def networks() -> dict[str, Network]:
    """Networks that between them keep weights in each way that there is."""
    sparse = tiny.mlp(200, 100, 30)
    weight = sparse.projections[0].weight * (np.random.default_rng(0).random((200, 100)) < 0.02)
    thin = replace(sparse.projections[0], weight=weight.astype(np.float32))
    return {
        "dense": NETWORK,
        "sparse": replace(sparse, projections=(thin, sparse.projections[1])),
        "conv": tiny.cnn(),
    }


@pytest.mark.parametrize("name", [n for n in card_names() if n != "cpu-host"])
def test_no_constant_of_a_card_lies_idle(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A constant that no equation reads would mislead who reads the card."""
    read: set[str] = set()
    value: Callable[[Card, str], float] = Card.value
    limit: Callable[[Card, str], float | None] = Card.limit
    monkeypatch.setattr(Card, "value", lambda card, key: read.add(key) or value(card, key))
    monkeypatch.setattr(Card, "limit", lambda card, key: read.add(key) or limit(card, key))
    for network in networks().values():
        sizes = [p.size for p in network.populations]
        counts = tiny.counts(network, np.array([[[min(5, n) for n in sizes]]]))
        price(name, network, counts)
    place(tiny.pilotnet_sdnn(), load_card(name))
    card = load_card(name)
    assert (card.constants.keys() | card.limits.keys()) - read == set()
