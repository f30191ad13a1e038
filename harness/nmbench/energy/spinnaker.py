r"""Cost of an inference on SpiNNaker 1.

Power follows the boards that are on and the cores in use, not synaptic events alone (SpiNNaker team's
constants in SpiNNMachine, P038-P041; Ostrau et al. 2022, P044-P047):

.. math::
    E = n_{boards} P_{board} t + P_{core} n_{cores} t + \min(P_{work} n_{cores} t,\; E_{work}) + E_{in}

    E_{work} = e_U U + e_S S + e_{row} M_{row} + e_{single} M_{single} + e_O O + e_{packet} M \cdot hops

and for the input e_I I, at most what its own cores can draw. A message that arrives at a core makes it fetch
a row of synapses from the shared memory; one that feeds a single synapse (one-to-one) finds it in the core's
own memory. A core in use draws most of its power whether or not there is work: on a 4-chip board without a
spike (Ostrau), and where 806 cores of a 48-chip board run (P039). Work adds no more than what a core draws
that never rests: in Ostrau's three busiest benchmarks a core draws 35 to 38 mW, whatever it does. That is
why a whole system's energy by synaptic event is near 600 nJ where one more costs near 10 nJ.

A network step takes one tick of real time (``step_s``, or the card's), or a whole number of them where the
busiest core needs longer; the slow-down is set once for a run, by its worst step:

.. math::
    busy_c = t_U U_c + t_S S_c + t_M M_c

Boards that a measurement says are on beyond those that the network fills were switched on to spread it:
all their cores are in use, with even shares of the updates and events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.graded import refuse_graded
from nmbench.energy.mapping import Mapping
from nmbench.energy.percore import PerStep, core_counts, on_targets


@dataclass(frozen=True)
class InUse:
    """What of a machine a run uses."""

    chips: int
    cores: int


def price_spinnaker(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences in real time; the board beyond its chips counts as system.

    Raises
    ------
    ValueError
        If a projection is graded.
    """
    refuse_graded(counts, card.title)
    used = in_use(mapping, card)
    real_time, slow_down = ticks(counts, mapping, card, used.cores)
    run_s = real_time + slow_down
    chips_w = card.value("p_chip_idle") * used.chips
    boards_w = card.value("p_board_idle") * mapping.boards
    work_w, on_w = card.value("p_core_work"), card.value("p_core_on")
    into = card.value("e_input") * counts.spikes[:, :, 0].sum(axis=1)
    energy = {
        "cores_on": Term("chip_dynamic", on_w * used.cores * run_s, standing=True),
        **at_most(work_w * used.cores * run_s, work(counts, mapping, card)),
        **at_most((work_w + on_w) * mapping.input_cores * run_s, {"input": into}),
        "chips_idle": Term("chip_total", chips_w * run_s, static=True),
        "boards_idle": Term("system_without_io", max(0.0, boards_w - chips_w) * run_s, static=True),
        "supplies": Term("system_with_io", card.value("p_supply") * mapping.boards * run_s, static=True),
    }
    latency = {"real_time": Term("chip_dynamic", real_time), "slow_down": Term("chip_dynamic", slow_down)}
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def in_use(mapping: Mapping, card: Card) -> InUse:
    """Return what the network fills, or all of the boards that are on beyond those."""
    chips_per_board = int(card.value("chips_per_board"))
    if mapping.boards <= math.ceil(mapping.chips / chips_per_board):
        return InUse(mapping.chips, mapping.cores)
    chips = mapping.boards * chips_per_board
    return InUse(chips, chips * int(card.value("cores_per_chip")))


def work(counts: EventCounts, mapping: Mapping, card: Card) -> dict[str, PerSample]:
    """Return the joules of what the cores do, by kind, float64 ``[B]`` each."""
    fetched, single = row_messages(counts, mapping)
    return {
        "neuron_updates": card.value("e_update") * counts.neuron_updates.sum(axis=(1, 2)),
        "synaptic_events": card.value("e_synapse") * counts.synaptic_events.sum(axis=(1, 2)),
        "rows": card.value("e_row") * fetched + card.value("e_row_single") * single,
        "spikes": card.value("e_spike") * counts.spikes[:, :, 1:].sum(axis=(1, 2)),
        "packets": card.value("e_packet") * (fetched + single) * sum(mapping.hops),
    }


def at_most(most_j: PerSample, parts: dict[str, PerSample]) -> dict[str, Term]:
    """Return terms that together take no more than ``most_j``; all are cut alike where they would."""
    asked = np.sum(list(parts.values()), axis=0)
    share = np.minimum(1.0, np.divide(most_j, asked, out=np.ones_like(asked), where=asked > 0))
    return {name: Term("chip_dynamic", share * value) for name, value in parts.items()}


def row_messages(counts: EventCounts, mapping: Mapping) -> tuple[PerSample, PerSample]:
    """Return the messages that fetch a row of synapses, and those that feed a single one, float64 ``[B]``."""
    fetched, single = np.zeros(len(counts)), np.zeros(len(counts))
    for stream, link in zip(mapping.streams, mapping.outline.streams, strict=True):
        sent = counts.spikes[:, :, stream.source].sum(axis=1) * stream.destinations
        if link.kind == "dense" and link.synapses <= mapping.outline.groups[link.source].size:
            single += sent
        else:
            fetched += sent
    return fetched, single


def ticks(
    counts: EventCounts, mapping: Mapping, card: Card, cores: int | None = None
) -> tuple[PerSample, PerSample]:
    """Return the seconds in real time, and those that the slow-down adds.

    Parameters
    ----------
    cores
        In use, where the network is spread over more than those that it fills.
    """
    tick = mapping.conditions.step_s or card.value("t_tick")
    spread = max(1.0, (cores or 0) / max(mapping.cores, 1))
    worst = _busy(counts, mapping, card, spread).max(axis=(1, 2))
    factor = np.maximum(1.0, np.ceil(worst / tick))
    real_time = np.full(len(counts), tick * counts.steps)
    return real_time, real_time * (factor - 1)


def _busy(counts: EventCounts, mapping: Mapping, card: Card, spread: float) -> PerStep:
    """Return the seconds of each population's busiest core by step, float64 ``[B, T, P]``."""
    busiest = core_counts(counts, mapping)
    per_event = np.full(len(mapping.routes), card.value("t_synapse"))
    shared = busiest.updates * card.value("t_update") + on_targets(busiest.events, mapping, per_event)
    seconds: PerStep = shared / spread + busiest.messages_in * card.value("t_message_in")
    return seconds
