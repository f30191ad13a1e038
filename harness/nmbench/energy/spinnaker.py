r"""Cost of an inference on SpiNNaker 1.

Power follows the boards that are on and the cores that work, not synaptic events (SpiNNaker team's
constants in SpiNNMachine, P038-P041):

.. math::
    E = n_{boards} P_{board} t + P_{core} \sum_c busy_c + e_{packet} \cdot packets \cdot hops

    busy_c = t_U U_c + t_S S_c + t_M M_c

A network step takes one tick of real time, or a whole number of them where the busiest core needs longer:
the slow-down is set once for a run, by its worst step.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.mapping import Mapping
from nmbench.energy.percore import PerStep, core_counts, messages, on_targets


def price_spinnaker(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences in real time; the board beyond its chips counts as system."""
    real_time, slow_down = ticks(counts, mapping, card)
    run_s = real_time + slow_down
    columns, rows = mapping.hops
    chips_w = card.value("p_chip_idle") * mapping.chips
    boards_w = card.value("p_board_idle") * mapping.boards
    packets = messages(counts, mapping).sum(axis=1) * (columns + rows)
    energy = {
        "busy_cores": Term("chip_dynamic", card.value("p_core_active") * busy_seconds(counts, mapping, card)),
        "packets": Term("chip_dynamic", card.value("e_packet") * packets),
        "chips_idle": Term("chip_total", chips_w * run_s),
        "boards_idle": Term("system_without_io", (boards_w - chips_w) * run_s),
    }
    latency = {"real_time": Term("chip_dynamic", real_time), "slow_down": Term("chip_dynamic", slow_down)}
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def power_w(boards: float, busy_cores: float, card: Card) -> float:
    """Return the power of boards on which so many cores are busy (sum of their duties), watts."""
    return boards * card.value("p_board_idle") + busy_cores * card.value("p_core_active")


def ticks(counts: EventCounts, mapping: Mapping, card: Card) -> tuple[PerSample, PerSample]:
    """Return the seconds in real time, and those that the slow-down adds."""
    tick = card.value("t_tick")
    worst = _busy(counts, mapping, card).max(axis=(1, 2))
    factor = np.maximum(1.0, np.ceil(worst / tick))
    real_time = np.full(len(counts), tick * counts.steps)
    return real_time, real_time * (factor - 1)


def busy_seconds(counts: EventCounts, mapping: Mapping, card: Card) -> PerSample:
    """Add up the seconds that all cores work, float64 ``[B]``."""
    seconds: PerSample = (
        counts.neuron_updates.sum(axis=(1, 2)) * card.value("t_update")
        + counts.synaptic_events.sum(axis=(1, 2)) * card.value("t_synapse")
        + messages(counts, mapping).sum(axis=1) * card.value("t_message_in")
    )
    return seconds


def _busy(counts: EventCounts, mapping: Mapping, card: Card) -> PerStep:
    """Return the seconds of each population's busiest core by step, float64 ``[B, T, P]``."""
    busiest = core_counts(counts, mapping)
    per_event = np.full(len(mapping.routes), card.value("t_synapse"))
    seconds: PerStep = (
        busiest.updates * card.value("t_update")
        + on_targets(busiest.events, mapping, per_event)
        + busiest.messages_in * card.value("t_message_in")
    )
    return seconds
