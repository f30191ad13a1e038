"""Costs of a tiny network by family, against arithmetic written out here with the papers' numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from nmbench.counts import EventCounts
from nmbench.energy.akida import price_akida
from nmbench.energy.card import load_card
from nmbench.energy.cost import Cost
from nmbench.energy.crossbar import price_crossbar
from nmbench.energy.dense import price_dense
from nmbench.energy.host import price_host
from nmbench.energy.loihi import price_loihi
from nmbench.energy.loihi2 import price_loihi2
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.spinnaker import price_spinnaker, row_messages
from nmbench.energy.spinnaker2 import choices, paths, price_spinnaker2
from nmbench.network.network import Network
from nmbench.simulator.engine import compile

# two steps; spikes of (input 6, hidden 5, out 3): 3 2 0, then 1 0 0
SPIKES = np.array([[[3, 2, 0], [1, 0, 0]]])
UPDATES, SPIKED, MESSAGES = 2 * (5 + 3), 2, 3 + 1 + 2
INTO_HIDDEN, INTO_OUT = (3 + 1) * 5, 2 * 3
EVENTS = INTO_HIDDEN + INTO_OUT


@pytest.fixture
def network() -> Network:
    return tiny.mlp()


@pytest.fixture
def counts(network: Network) -> EventCounts:
    return tiny.counts(network, SPIKES)


def placed(network: Network, card: str) -> Mapping:
    mapping = place(network, load_card(card))
    assert isinstance(mapping, Mapping)
    return mapping


def joules(cost: Cost) -> dict[str, float]:
    return {name: float(term.values[0]) for name, term in cost.energy_j.items()}


def seconds(cost: Cost) -> dict[str, float]:
    return {name: float(term.values[0]) for name, term in cost.latency_s.items()}


def test_loihi(network: Network, counts: EventCounts) -> None:
    cost = price_loihi(counts, placed(network, "loihi"), load_card("loihi"))
    busiest = (3 * 16 + 15 * 3.8 + 5 * 9.7 + 2 * 30 + 2 * 5.1) + (16 + 5 * 3.8 + 5 * 9.7)
    run_s = (busiest + 2 * (4.1 + 6.5) / 3 + 2 * 600) * 1e-9
    io_s = 2 * sum(load_card("loihi").value(f"t_io_{part}") for part in ("base", "per_input_core"))
    assert cost.latency("chip_dynamic")[0] == pytest.approx(run_s)
    assert cost.latency("system_with_io")[0] == pytest.approx(io_s)
    wait_s, on_w = io_s - run_s, 2 * 5e-5
    assert joules(cost) == pytest.approx(
        {
            "neuron_updates": UPDATES * 72.8e-12,
            "synaptic_events": EVENTS * 35.5e-12,
            "spikes": SPIKED * 69.3e-12,
            "messages": MESSAGES * 111e-12,
            "hops": MESSAGES * (3.0 + 4.2) / 3 * 1e-12,
            "cores_on": on_w * run_s,
            "static": 0.0296 * run_s,
            "management": 0.07 * run_s,
            "host_io": load_card("loihi").value("p_io") * io_s,
            "cores_on_during_io": on_w * wait_s,
            "static_during_io": 0.0296 * wait_s,
            "management_during_io": 0.07 * wait_s,
        }
    )


def test_loihi2(network: Network, counts: EventCounts) -> None:
    cost = price_loihi2(counts, placed(network, "loihi2"), load_card("loihi2"))
    barrier = 1.164e-6 + (1.77e-6 - 1.164e-6) * (8 - 2) / (200 - 2)
    host_s = 2 * (6 * 1.5e-6 - barrier)
    assert seconds(cost) == pytest.approx({"barrier": 2 * barrier, "busiest_core": 0.0, "host_io": host_s})
    dynamic = joules(cost)
    assert dynamic["step_floor"] == pytest.approx(2 * 30e-9)
    # 5 targets x 20 bits: 1 header and 2 words as a matrix; the list has no index of its own, so it ties
    assert dynamic["synaptic_events"] == pytest.approx(EVENTS * 35.5e-12)
    assert dynamic["static"] == pytest.approx(0.23 * 2 * barrier)
    assert dynamic["static_during_io"] == pytest.approx(0.23 * host_s)


def test_loihi2_waits_for_its_busiest_core() -> None:
    network = tiny.mlp(hidden=4000)
    counts = tiny.counts(network, SPIKES * [1, 0, 0])
    mapping = placed(network, "loihi2")
    per_core = -(-4000 // mapping.placements[1].cores)
    cost = price_loihi2(counts, mapping, load_card("loihi2"))
    assert cost.latency("chip_total")[0] == pytest.approx(2 * per_core * 4.85e-9)


def test_spinnaker(network: Network, counts: EventCounts) -> None:
    cost = price_spinnaker(counts, placed(network, "spinnaker"), load_card("spinnaker"))
    assert seconds(cost) == pytest.approx({"real_time": 2e-3, "slow_down": 0.0})
    assert joules(cost) == pytest.approx(
        {
            "cores_on": 2 * load_card("spinnaker").value("p_core_on") * 2e-3,
            "neuron_updates": UPDATES * 4.0e-9,
            "synaptic_events": EVENTS * 5.8e-9,
            "rows": MESSAGES * load_card("spinnaker").value("e_row"),
            "input": 4 * 3.2e-6,
            "spikes": SPIKED * 10.4e-9,
            "packets": MESSAGES * 2 / 3 * 1e-9,
            "chips_idle": 0.35 * 2e-3,
            "boards_idle": (26.84 - 0.35) * 2e-3,
            "supplies": 5.04 * 2e-3,
        }
    )


def test_spinnaker_keeps_single_synapses_in_its_cores(network: Network, counts: EventCounts) -> None:
    """A projection with no more synapses than sources is one-to-one: no row has to be fetched."""
    card = load_card("spinnaker")
    weight = np.eye(6, 5, dtype=np.float32)
    weight[5, 0] = 1
    single = replace(
        network, projections=(replace(network.projections[0], weight=weight), network.projections[1])
    )
    weight = weight.copy()
    weight[0, 4] = 1
    double = replace(
        network, projections=(replace(network.projections[0], weight=weight), network.projections[1])
    )
    found = [row_messages(counts, placed(n, "spinnaker")) for n in (single, double)]
    reached = [(3 + 1) * (1 - (1 - synapses / 30) ** 5) for synapses in (6, 7)]
    assert [float(part[0]) for pair in found for part in pair] == pytest.approx(
        [2, reached[0], reached[1] + 2, 0]
    )
    rows = joules(price_spinnaker(counts, placed(single, "spinnaker"), card))["rows"]
    assert rows == pytest.approx(reached[0] * 88e-9 + 2 * card.value("e_row"))


def test_spinnakers_cores_draw_no_more_than_when_they_never_rest(network: Network) -> None:
    """Of the work, and of the input's own cores: 22 mW a core in use and 16 mW of work."""
    card = load_card("spinnaker")
    busy = joules(price_spinnaker(tiny.counts(network, SPIKES * 10**4), placed(network, "spinnaker"), card))
    run_s = busy["cores_on"] / (2 * card.value("p_core_on"))
    done = sum(busy[n] for n in ("neuron_updates", "synaptic_events", "rows", "spikes", "packets"))
    assert done == pytest.approx(2 * 0.016 * run_s)
    assert busy["input"] == pytest.approx((0.016 + card.value("p_core_on")) * run_s)


def test_spinnaker_slows_down_by_whole_ticks() -> None:
    network = tiny.mlp(inputs=500, hidden=200)
    counts = tiny.counts(network, np.array([[[100, 0, 0], [1, 0, 0]], [[1, 0, 0], [1, 0, 0]]]))
    cost = price_spinnaker(counts, placed(network, "spinnaker"), load_card("spinnaker"))
    busiest_s = 200 * 0.32e-6 + 100 * 200 * 0.22e-6 + 100 * 2.5e-6
    assert 4e-3 < busiest_s < 5e-3
    assert cost.latency("chip_dynamic") == pytest.approx([2 * 5e-3, 2e-3])


def test_spinnaker2(network: Network, counts: EventCounts) -> None:
    card = load_card("spinnaker2")
    cost = joules(price_spinnaker2(counts, placed(network, "spinnaker2"), card))
    by_macs = (30 + 15) * 2 * 34.2e-12
    assert cost["neuron_updates"] == pytest.approx(UPDATES * 2.19e-9)
    assert (cost["event_path"], cost["mac_array"]) == pytest.approx((0.0, by_macs))
    assert cost["static"] == pytest.approx(1.0 * 2e-3)


def test_spinnaker2_takes_the_cheaper_path_of_each_layer_and_names_it(network: Network) -> None:
    counts = tiny.counts(network, np.array([[[1, 0, 0], [0, 2, 0], [0, 0, 0]]]))
    card = load_card("spinnaker2")
    by_events, by_macs = paths(counts, card)
    assert by_events[0] == pytest.approx([5 * 0.45e-9, 6 * 0.45e-9])
    assert by_macs[0] == pytest.approx([90 * 34.2e-12, 45 * 34.2e-12])
    mapping = placed(network, "spinnaker2")
    cost = joules(price_spinnaker2(counts, mapping, card))
    assert cost["event_path"] == pytest.approx(5 * 0.45e-9)
    assert cost["mac_array"] == pytest.approx(45 * 34.2e-12)
    assert choices(counts, mapping, card) == {"in-hidden": "event_path", "hidden-out": "mac_array"}


def test_akida_makes_one_pass(network: Network, counts: EventCounts) -> None:
    mapping, card = placed(network, "akida"), load_card("akida")
    cost = price_akida(counts, mapping, card)
    chip_s = (265 + 2 * 403 + EVENTS / (128 * 0.5)) / 300e6
    assert cost.latency("chip_dynamic")[0] == pytest.approx(chip_s)
    assert cost.latency("system_with_io")[0] == pytest.approx(chip_s + 650e-6)
    assert cost.energy("chip_dynamic")[0] == pytest.approx(0.03 * chip_s)
    assert cost.energy("system_without_io")[0] == pytest.approx((0.91 + 0.03) * chip_s)
    assert cost.energy("system_with_io")[0] == pytest.approx((0.91 + 0.03) * (chip_s + 650e-6))
    busy = tiny.counts(network, np.tile(SPIKES * 2, (1, 50, 1)))
    once = (30 + 15) / (128 * 0.5)
    assert price_akida(busy, mapping, card).latency("chip_dynamic")[0] == pytest.approx((1071 + once) / 300e6)


@pytest.mark.parametrize(
    ("card", "e_mvm", "t_mvm", "e_update", "e_spike", "efficiency"),
    [
        ("memristor-rram", 2 * 128 * 256 / 43.08e12, 2 * 128 * 256 * 48 / 2.12e12, 30e-12, 10e-12, 0.5),
        ("memristor-pcm", 2 * 256 * 256 / 10.5e12, 2 * 256 * 256 * 64 / 63.1e12, 5e-12, 2e-12, 0.9),
    ],
)
def test_crossbar(
    network: Network,
    counts: EventCounts,
    card: str,
    e_mvm: float,
    t_mvm: float,
    e_update: float,
    e_spike: float,
    efficiency: float,
) -> None:
    """Products cost what the papers' TOPS/W and TOPS say, as far as the line through them meets them."""
    cost = price_crossbar(counts, placed(network, card), load_card(card))
    fixed = 4 * e_mvm * 0.34
    rows = 2 * e_mvm * 0.66 * (INTO_HIDDEN / (2 * 30) + INTO_OUT / (2 * 15))
    assert joules(cost) == pytest.approx(
        {
            "converters": fixed,
            "active_rows": rows,
            "accumulation": 0.0,
            "neuron_updates": UPDATES * e_update,
            "routing": SPIKED * e_spike,
            "beyond_macros": (1 / efficiency - 1) * (fixed + rows),
        },
        rel=0.02,
    )
    assert cost.energy("chip_dynamic")[0] == pytest.approx(fixed + rows, rel=0.02)
    assert cost.latency("chip_total")[0] == pytest.approx(2 * 2 * t_mvm, rel=0.02)


def test_crossbar_adds_partial_sums_and_repeats_positions() -> None:
    wide = tiny.mlp(inputs=300)
    cost = price_crossbar(
        tiny.counts(wide, SPIKES * 0), placed(wide, "memristor-rram"), load_card("memristor-rram")
    )
    assert joules(cost)["accumulation"] == pytest.approx(2 * 5 * 2 * 1e-12)  # 3 row tiles: 2 additions
    cnn = tiny.cnn()
    mapping = placed(cnn, "memristor-rram")
    assert [(route.tiles, route.positions) for route in mapping.routes] == [((1, 1), 16), ((1, 1), 1)]


def test_delays_between_two_populations_are_one_kernel(network: Network) -> None:
    first = network.projections[0]
    late = replace(first, name="late", delay=3)
    delayed = replace(network, projections=(first, late, *network.projections[1:]))
    batch = tiny.spike_batch(network)
    card = load_card("gpu-k4000")
    plain, twice = (
        price_dense(compile(n).run(batch).counts, placed(n, "gpu-k4000"), card) for n in (network, delayed)
    )
    assert seconds(plain)["launches"] == seconds(twice)["launches"]


def test_host() -> None:
    cost = price_host(np.array([1e-3, 2e-3]), load_card("cpu-host"), cores=2)
    assert cost.energy("chip_dynamic") == pytest.approx([12e-3, 24e-3])
    assert not cost.latency_s
