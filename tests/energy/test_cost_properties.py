from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.counts import EventCounts
from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.cost import Cost, breakdown
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS
from nmbench.network.network import Network
from nmbench.platforms.conformance import ROUNDING
from nmbench.platforms.modelled import modelled
from nmbench.quantity import NESTED

SLACK = 1 - ROUNDING

PLATFORMS = {name: modelled(name) for name in card_names() if load_card(name).model in MODELS}
NETWORK = tiny.mlp(inputs=40, hidden=30, classes=4)


def price(name: str, network: Network, counts: EventCounts) -> Cost:
    platform = PLATFORMS[name]
    mapping = place(network, platform.card)
    assert isinstance(mapping, Mapping)
    return MODELS[platform.card.model].price(counts, mapping, platform.card)


def spikes_of(draw: st.DrawFn, high: tuple[int, ...]) -> np.ndarray:
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(0, np.array(high) + 1, (*shape, len(high)))


@st.composite
def some_spikes(draw: st.DrawFn) -> np.ndarray:
    return spikes_of(draw, (40, 30, 0))


@pytest.mark.parametrize("name", PLATFORMS)
@given(spikes=some_spikes(), more=st.integers(1, 50), population=st.integers(0, 1))
@settings(max_examples=25, deadline=None)
def test_energy_and_time_grow_with_every_count(
    name: str, spikes: np.ndarray, more: int, population: int
) -> None:
    fewer = price(name, NETWORK, tiny.counts(NETWORK, spikes))
    added = spikes.copy()
    added[:, -1, population] += more
    greater = price(name, NETWORK, tiny.counts(NETWORK, added))
    for boundary in NESTED:
        if boundary in fewer.energy_factor:
            assert (greater.energy(boundary) >= SLACK * fewer.energy(boundary)).all()
        if boundary in fewer.latency_factor:
            assert (greater.latency(boundary) >= SLACK * fewer.latency(boundary)).all()


@pytest.mark.parametrize("name", PLATFORMS)
@given(spikes=some_spikes())
@settings(max_examples=15, deadline=None)
def test_terms_add_up_and_boundaries_nest(name: str, spikes: np.ndarray) -> None:
    cost = price(name, NETWORK, tiny.counts(NETWORK, spikes))
    for terms, factors, total in (
        (cost.energy_j, cost.energy_factor, cost.energy),
        (cost.latency_s, cost.latency_factor, cost.latency),
    ):
        inner = np.zeros(len(spikes))
        for boundary in [b for b in NESTED if b in factors]:
            outer = total(boundary)
            assert (outer >= inner).all()
            assert sum(breakdown(terms, boundary).values()) == pytest.approx(outer.mean())
            inner = outer


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
