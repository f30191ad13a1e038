"""What the conditions of a run change in its cost, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from nmbench.counts import EventCounts
from nmbench.energy.card import load_card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.cost import Cost
from nmbench.energy.graded import operations
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS, price
from nmbench.energy.spinnaker import in_use
from nmbench.network.network import Network

SPIKES = np.array([[[3, 2, 0], [1, 0, 0]]])
NETWORK = tiny.mlp()
COUNTS = tiny.counts(NETWORK, SPIKES)


def placed(card: str, conditions: Conditions = USUAL, network: Network = NETWORK) -> Mapping:
    mapping = place(network, load_card(card), conditions)
    assert isinstance(mapping, Mapping)
    return mapping


def cost(card: str, conditions: Conditions = USUAL) -> Cost:
    return price(COUNTS, placed(card, conditions), load_card(card))


@pytest.mark.parametrize("card", ["loihi", "loihi2"])
def test_the_host_paces_the_outermost_boundary_or_with_host_io_all(card: str) -> None:
    free, hosted = cost(card), cost(card, Conditions(host_io=True))
    paced_s = hosted.latency("system_with_io")[0]
    assert free.latency("system_with_io")[0] == pytest.approx(paced_s)
    assert hosted.latency("chip_dynamic")[0] == pytest.approx(paced_s)
    assert free.latency("chip_dynamic")[0] < paced_s
    assert free.energy("system_with_io")[0] == pytest.approx(hosted.energy("system_with_io")[0])
    assert free.energy("chip_total")[0] < hosted.energy("chip_total")[0]


def test_a_hosted_loihi_run_less_static_and_management_is_the_energy_published_without_host() -> None:
    """V019: the host-paced run, without idle power and the management cores."""
    hosted = cost("loihi", Conditions(host_io=True))
    run_s = hosted.latency("system_with_io")[0]
    less = hosted.energy("system_with_io")[0] - (0.0296 + 0.07) * run_s
    assert hosted.dynamic("chip_dynamic")[0] == pytest.approx(less)


@pytest.mark.parametrize("card", ["loihi", "loihi2", "akida"])
def test_a_pace_is_kept_where_it_is_slower_than_the_chip(card: str) -> None:
    assert cost(card, Conditions(step_s=0.5)).latency("chip_dynamic")[0] == pytest.approx(1.0)
    assert cost(card, Conditions(step_s=1e-9)).latency("chip_dynamic")[0] == pytest.approx(
        cost(card).latency("chip_dynamic")[0]
    )


@pytest.mark.parametrize("card", ["loihi", "loihi2-kapoho-point", "spinnaker2"])
def test_chips_that_are_on_cost_static_power_alone(card: str) -> None:
    one, four = cost(card), cost(card, Conditions(chips=4))
    static = [c.energy("chip_total")[0] - c.dynamic("chip_total")[0] for c in (one, four)]
    assert static[1] == pytest.approx(4 * static[0])


def test_boards_beyond_the_network_spread_it_over_all_their_cores() -> None:
    card = load_card("spinnaker")
    assert in_use(placed("spinnaker", Conditions(boards=1)), card).cores == 2
    assert in_use(placed("spinnaker", Conditions(boards=3)), card).cores == 3 * 48 * 16
    wide = tiny.mlp(inputs=500, hidden=200)
    busy = tiny.counts(wide, np.array([[[100, 0, 0]]]))
    slow, spread = (price(busy, placed("spinnaker", Conditions(boards=b), wide), card) for b in (None, 2))
    assert slow.latency_s["slow_down"].values[0] > 0
    assert spread.latency_s["slow_down"].values[0] == 0
    one, two = cost("spinnaker", Conditions(boards=2)), cost("spinnaker", Conditions(boards=4))
    for boundary in one.energy_factor:
        assert two.energy(boundary)[0] > one.energy(boundary)[0]


def test_a_tick_is_real_time() -> None:
    assert cost("spinnaker", Conditions(step_s=1e-4)).latency("chip_total")[0] == pytest.approx(2e-4)
    assert cost("spinnaker").latency("chip_total")[0] == pytest.approx(2e-3)


def test_akida_shares_its_round_trip_over_a_batch() -> None:
    alone, batched = cost("akida"), cost("akida", Conditions(batch=8))
    chip_s = alone.latency("chip_dynamic")[0]
    assert batched.latency("system_with_io")[0] == pytest.approx(8 * (chip_s + 353e-6) + 297e-6)
    assert batched.energy("system_with_io")[0] == pytest.approx(0.94 * (chip_s + 353e-6 + 297e-6 / 8))
    assert batched.energy("chip_dynamic")[0] == pytest.approx(alone.energy("chip_dynamic")[0])


def test_crossbars_cost_by_the_product_of_their_resolutions() -> None:
    energies = [
        cost("memristor-rram", Conditions(input_bits=i, output_bits=o)).energy("chip_dynamic")[0]
        for i, o in ((1, 4), (2, 2), (4, 1), (8, 10))
    ]
    assert energies[:3] == pytest.approx([energies[0]] * 3)
    card = load_card("memristor-rram")
    base, by_bits = card.value("e_mvm_base"), card.value("e_mvm_per_bits")
    assert energies[3] / energies[0] == pytest.approx((base + 80 * by_bits) / (base + 4 * by_bits))


def test_four_reads_cost_four_times_one() -> None:
    card = load_card("memristor-pcm")
    four = price(COUNTS, placed("memristor-pcm"), card.with_limit("phases", 4))
    one = cost("memristor-pcm")
    assert four.energy("chip_dynamic")[0] == pytest.approx(4 * one.energy("chip_dynamic")[0])
    assert four.latency("chip_dynamic")[0] == pytest.approx(4 * one.latency("chip_dynamic")[0])


def graded() -> EventCounts:
    macs = np.zeros_like(COUNTS.synaptic_events)
    macs[:, :, 0] = COUNTS.synaptic_events[:, :, 0]
    silent = COUNTS.spikes * [0, 1, 1]
    return replace(COUNTS, spikes=silent, synaptic_events=COUNTS.synaptic_events - macs, effective_macs=macs)


@pytest.mark.parametrize("card", ["loihi", "spinnaker"])
def test_chips_of_binary_spikes_refuse_values(card: str) -> None:
    with pytest.raises(ValueError, match="in-hidden cannot be priced"):
        price(graded(), placed(card), load_card(card))


@pytest.mark.parametrize("card", ["loihi2", "akida", "memristor-rram"])
def test_values_cost_what_spikes_do_where_hardware_delivers_them(card: str) -> None:
    values, spikes = price(graded(), placed(card), load_card(card)), cost(card)
    assert (operations(graded()) == COUNTS.synaptic_events).all()
    for boundary in spikes.energy_factor:
        assert values.energy(boundary) == pytest.approx(spikes.energy(boundary))


def test_values_leave_spinnaker2_the_mac_array_alone() -> None:
    found = price(graded(), placed("spinnaker2"), load_card("spinnaker2"))
    assert np.isfinite(found.energy("chip_total")).all()
    assert found.energy_j["mac_array"].values[0] >= 60 * 34.2e-12


def test_only_platforms_that_keep_real_time_take_a_networks_step_for_their_tick() -> None:
    assert {name for name, model in MODELS.items() if model.real_time} == {"spinnaker", "spinnaker2"}
