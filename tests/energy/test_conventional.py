"""GPUs and CPUs: dense kernels, event-driven simulators, the cheaper of both, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.counts import EventCounts
from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.cost import Cost
from nmbench.energy.dense import price_dense
from nmbench.energy.either import deliveries, price_either
from nmbench.energy.events import price_events
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS, price
from nmbench.energy.outline import Group, Link, Outline
from nmbench.quantity import NESTED

MODELS_HERE = ("dense", "events", "either")
CARDS = [name for name in card_names() if load_card(name).model in MODELS_HERE]
EITHER = [name for name in CARDS if load_card(name).model == "either"]
EVENT_CARDS = [name for name in CARDS if load_card(name).model != "dense"]


def placed(sizes: Outline, card: Card, conditions: Conditions = USUAL) -> Mapping:
    mapping = place(sizes, card, conditions)
    assert isinstance(mapping, Mapping)
    return mapping


def joules(cost: Cost) -> dict[str, float]:
    return {name: float(term.values[0]) for name, term in cost.energy_j.items()}


def seconds(cost: Cost) -> dict[str, float]:
    return {name: float(term.values[0]) for name, term in cost.latency_s.items()}


def pair(sources: int, targets: int, synapses: int) -> Outline:
    """Return a source population, not the input, and its targets."""
    groups = (
        Group("(no input)", "Input", (1,)),
        Group("a", "LIF", (sources,)),
        Group("b", "LIF", (targets,)),
    )
    return Outline(groups, (Link("a-b", 1, 2, "dense", synapses),))


def counts_of(sizes: Outline, steps: int, spikes: int) -> EventCounts:
    """Spikes of every group that a link leaves, spread over the steps; events by the mean fan-out."""
    per_group = np.array(
        [spikes if any(x.source == g for x in sizes.links) else 0 for g in range(len(sizes.groups))]
    )
    events = np.array(
        [spikes * x.synapses // sizes.groups[x.source].size for x in sizes.links], dtype=np.int64
    )
    updates = np.array([0, *(g.size for g in sizes.groups[1:])])

    def spread(total: np.ndarray) -> np.ndarray:
        made = np.zeros((1, steps, len(total)), np.int64)
        made[0] = total // steps
        made[0, -1] += total % steps
        return made

    return EventCounts(
        populations=tuple(g.name for g in sizes.groups),
        projections=tuple(x.name for x in sizes.links),
        spikes=spread(per_group),
        neuron_updates=np.broadcast_to(updates, (1, steps, len(updates))).copy(),
        synaptic_events=spread(events),
        dense_macs=np.array([sizes.stored_weights(x) for x in sizes.links], np.int64),
    )


@pytest.mark.parametrize("batch", [1, 8])
def test_dense_by_hand(batch: int) -> None:
    """Blouw's network on the K4000: 3 matrices, 3 populations."""
    sizes, card = tiny.keyword_spotter(), load_card("gpu-k4000")
    cost = price_dense(tiny.outline_counts(sizes, 1, {}), placed(sizes, card, Conditions(batch=batch)), card)
    macs = 390 * 256 + 256 * 256 + 256 * 29
    call, launches, samples = card.value("t_call"), 6 * card.value("t_launch"), batch * card.value("t_sample")
    kernels = max(2 * macs * batch / 0.37e12, (4 * macs + 16 * batch * (256 + 256 + 29)) / 134e9)
    assert seconds(cost) == pytest.approx(
        {"call": call, "samples": samples, "launches": launches, "dense_kernels": kernels}
    )
    launch_w, load_w = card.value("p_launch") - 14.97, card.value("p_load") - 14.97
    assert joules(cost) == pytest.approx(
        {
            "call": launch_w * call / batch,
            "samples": load_w * samples / batch,
            "launches": launch_w * launches / batch,
            "dense_kernels": load_w * kernels / batch,
            "idle": 14.97 * (call + samples + launches + kernels) / batch,
        }
    )


def test_events_by_hand_in_the_cache() -> None:
    sizes, card = pair(100, 1000, 5000), load_card("gpu-rtx2070")
    cost = price_events(counts_of(sizes, 10, 20), placed(sizes, card), card)
    steps = 10 * 2 * card.value("t_population")
    updates = 10 * 1100 * card.value("t_update")
    kernels = 20 * card.value("t_row") + 1000 * card.value("t_event")
    assert seconds(cost) == pytest.approx({"steps": steps, "updates": updates, "event_kernels": kernels})
    launch_w, load_w = card.value("p_launch") - 20.06, card.value("p_load") - 20.06
    total = steps + updates + kernels
    assert joules(cost) == pytest.approx(
        {
            "steps": launch_w * steps,
            "updates": launch_w * updates,
            "event_kernels": load_w * kernels,
            "idle": 20.06 * total,
            "host": 80 * total,
        }
    )


def test_a_large_network_misses_the_cache() -> None:
    sizes, card = pair(10_000, 10_000, 10_000_000), load_card("gpu-rtx2070")
    cost = price_events(counts_of(sizes, 1, 100), placed(sizes, card), card)
    missed = 1 - 4e6 / 80e6
    each = card.value("t_event") + missed * 128 / 448e9
    assert seconds(cost)["event_kernels"] == pytest.approx(100 * card.value("t_row") + 100_000 * each)


def test_full_matrices_stream_and_have_no_rows_to_look_up() -> None:
    sizes, card = pair(1, 1000, 1000), load_card("gpu-rtx2070")
    cost = price_events(counts_of(sizes, 1, 1), placed(sizes, card), card)
    assert seconds(cost)["event_kernels"] == pytest.approx(1000 * card.value("t_stream"))


def test_sockets_are_on_nodes_and_a_gpu_is_alone() -> None:
    sizes = pair(100, 1000, 5000)
    assert placed(sizes, load_card("cpu-epyc-7702"), Conditions(chips=24)).boards == 12
    assert "boards" in getattr(place(sizes, load_card("gpu-v100"), Conditions(boards=2)), "reason", "")


def test_nodes_share_the_work_and_exchange_spikes() -> None:
    sizes, card = pair(100, 1000, 5000), load_card("cpu-xeon-e5-2680v3")
    one, twelve = (
        price_events(counts_of(sizes, 10, 20), placed(sizes, card, Conditions(boards=n)), card)
        for n in (None, 12)
    )
    work = seconds(one)["updates"] + seconds(one)["event_kernels"]
    assert seconds(twelve)["updates"] + seconds(twelve)["event_kernels"] == pytest.approx(work / 12)
    exchange = 10 * 4 * card.value("t_exchange")
    assert seconds(twelve)["steps"] == pytest.approx(seconds(one)["steps"] + exchange)
    watts = float((twelve.energy("system_with_io") / twelve.latency("system_with_io"))[0])
    assert watts == pytest.approx(12 * card.value("p_launch"))


@pytest.mark.parametrize("name", EVENT_CARDS)
def test_zero_activity_costs_the_idle_step(name: str) -> None:
    card = load_card(name)
    sizes = pair(1000, 1000, 10_000)
    mapping = placed(sizes, card)
    silent, longer = (price_events(counts_of(sizes, steps, 0), mapping, card) for steps in (1, 3))
    assert seconds(silent)["event_kernels"] == 0
    assert longer.latency("chip_dynamic") == pytest.approx(3 * silent.latency("chip_dynamic"))
    assert silent.latency("chip_dynamic")[0] > 0


def stated(cost: Cost) -> list[float]:
    energies = [float(cost.energy(b)[0]) for b in NESTED if b in cost.energy_factor]
    return energies + [float(cost.latency(b)[0]) for b in NESTED if b in cost.latency_factor]


def never_less(more: Cost, less: Cost) -> bool:
    return all(a >= b * (1 - 1e-9) for a, b in zip(stated(more), stated(less), strict=True))


@pytest.mark.parametrize("name", CARDS)
@given(
    steps=st.integers(1, 20),
    sources=st.integers(1, 3000),
    targets=st.integers(1, 3000),
    share=st.floats(0.001, 1),
    spikes=st.integers(0, 10**7),
    more=st.integers(1, 10**7),
)
@settings(max_examples=25, deadline=None)
def test_more_spikes_steps_or_neurons_never_cost_less(
    name: str, steps: int, sources: int, targets: int, share: float, spikes: int, more: int
) -> None:
    card = load_card(name)

    def cost(steps: int, spikes: int, by: int) -> Cost:
        synapses = max(1, round(share * sources * targets)) * by * by
        sizes = pair(sources * by, targets * by, synapses)
        return price(counts_of(sizes, steps, spikes * by), placed(sizes, card), card)

    plain = cost(steps, spikes, 1)
    assert never_less(cost(steps, spikes + more, 1), plain)
    assert never_less(cost(steps + 1, spikes, 1), plain)
    assert never_less(cost(steps, spikes, 2), plain)


@pytest.mark.parametrize("name", CARDS)
@given(batch=st.integers(1, 500), spikes=st.integers(0, 10**5))
@settings(max_examples=20, deadline=None)
def test_a_larger_batch_takes_longer_and_less_for_each_sample(name: str, batch: int, spikes: int) -> None:
    card, sizes = load_card(name), tiny.keyword_spotter()
    counts = counts_of(sizes, 3, spikes)
    few, many = (price(counts, placed(sizes, card, Conditions(batch=n)), card) for n in (batch, batch + 1))
    for boundary in card.boundaries:
        energy = few.energy(boundary)[0], many.energy(boundary)[0]
        assert energy[1] <= energy[0] * (1 + 1e-9)
        assert (batch + 1) * energy[1] >= batch * energy[0] * (1 - 1e-9)
        assert many.latency(boundary)[0] >= few.latency(boundary)[0]


@pytest.mark.parametrize("name", EITHER)
def test_the_faster_way_is_taken_and_named(name: str) -> None:
    """Three layers, each the only one to leave its population; one spike of each, then very many."""
    card, sizes = load_card(name), tiny.keyword_spotter()
    mapping = placed(sizes, card)
    layers = [(390 * 256, 256), (256 * 256, 256), (256 * 29, 29)]
    for spikes in (1, 10**8):
        cost = seconds(price_either(counts_of(sizes, 1, spikes), mapping, card))
        dense_s, events_s = 0.0, 0.0
        for macs, fan_out in layers:
            by_kernel = max(2 * macs / card.value("flop_rate"), 4 * macs / card.value("memory_bandwidth"))
            by_events = spikes * (card.value("t_row") + fan_out * card.value("t_event"))
            dense_s += by_kernel * (by_kernel <= by_events)
            events_s += by_events * (by_events < by_kernel)
        assert (cost["dense_kernels"], cost["event_kernels"]) == pytest.approx((dense_s, events_s))
        assert dense_s > 0
        assert cost["steps"] == pytest.approx(4 * card.value("t_population"))


@pytest.mark.parametrize("name", EITHER)
def test_each_layer_goes_its_own_way(name: str) -> None:
    """Two layers leave one population: a wide one where events are few, and one to one neuron."""
    card = load_card(name)
    groups = (*pair(10_000, 10_000, 1).groups, Group("c", "LIF", (1,)))
    links = (Link("a-b", 1, 2, "dense", 10_000), Link("a-c", 1, 3, "dense", 10_000))
    sizes = Outline(groups, links)
    counts = counts_of(sizes, 1, 100)
    dense_s, events_s = deliveries(counts, placed(sizes, card), card)
    small_s = 4 * 10_000 / card.value("memory_bandwidth")
    by_events_s = 100 * card.value("t_event")
    assert events_s[0] == pytest.approx(
        100 * card.value("t_row") + 100 * card.value("t_event") * (1 + (by_events_s <= small_s))
    )
    assert dense_s[0] == pytest.approx(small_s if by_events_s > small_s else 0.0)


def test_lists_fit_where_matrices_do_not() -> None:
    """The microcircuit's 77,169 neurons: 24 GB as matrices, 2.4 GB as lists."""
    sizes = pair(38_000, 38_000, 300_000_000)
    assert place(sizes, load_card("gpu-rtx2070")).__class__ is Mapping
    assert "memory" in getattr(place(sizes, load_card("gpu-k4000")), "reason", "")


def test_a_matrix_must_fit_the_memory() -> None:
    """Matrices too large for the device leave the events alone, however many there are."""
    card = load_card("gpu-a100")
    sizes = pair(200_000, 200_000, 1_000_000_000)
    cost = price_either(counts_of(sizes, 1, 10**9), placed(sizes, card), card)
    assert seconds(cost)["dense_kernels"] == 0 < seconds(cost)["event_kernels"]


def test_conditions_that_are_heeded() -> None:
    assert {name: set(MODELS[name].heeds) for name in MODELS_HERE} == {
        "dense": {"batch"},
        "events": {"batch", "boards", "chips"},
        "either": {"batch"},
    }
