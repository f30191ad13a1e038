r"""Cost of an inference on Loihi 1 and Loihi 2.

Loihi 1, after SANA-FE (Boyle et al., IEEE TCAD 2025; constants fitted to measurements of Nahuku boards):

.. math::
    E_{dyn} = e_U U + e_S S + e_O O + (e_M + e_{ew} w / 3 + e_{ns} h / 3) M + P_{on} n_{cores} t

    t_{step} = \max_c [t_M M_c + t_S S_c + t_U U_c + t_O O_c + t_{out} M^{out}_c]
               + t_{ew} w / 3 + t_{ns} h / 3 + t_{sync}(tiles)

with M messages to destination cores on a used mesh of w x h tiles, placed at random.

Loihi 2, after Timcheck, Pierro, Shrestha (arXiv 2601.10035): the work of a step overlaps, the slowest
part rules. Memory reads and links, which that model has too, have no published coefficients:

.. math::
    t_{step} = \max(t_{barrier}, \max_c t_U U_c, \max_c t_S S_c, \max_c t_O O_c)

Both: static power of the chips in use times the time of the run. Management (the x86 cores and the mesh)
counts as host, because published comparisons take it off as the host's (Blouw 2019, Yan 2021).
"""

from __future__ import annotations

from collections.abc import Mapping as Named

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.mapping import Mapping
from nmbench.energy.percore import CoreCounts, PerStep, core_counts, messages, on_targets

SYNC_TILES = (1, 2, 4, 29)
"""Tiles in use at which Loihi 1's barrier was measured; between them it is interpolated, beyond held."""

BARRIER_NEURONS = (2, 200)
"""Neurons at which Loihi 2's shortest step was measured; between them it is interpolated, beyond held."""


def price_loihi(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences on Loihi 1: its own network time, and with spikes from the host (P022)."""
    steps = _steps_of_loihi(counts, mapping, card)
    latency = {name: Term("chip_dynamic", value.sum(axis=1)) for name, value in steps.items()}
    per_step = np.sum(list(steps.values()), axis=0)
    io_s = card.value("t_io_base") + card.value("t_io_per_input_core") * mapping.input_cores
    waiting = np.maximum(0.0, io_s - per_step).sum(axis=1)
    latency["host_io"] = Term("system_with_io", waiting)

    run_s = per_step.sum(axis=1)
    energy = _events(counts, mapping, card, 1.0)
    static_w = card.value("p_static") * mapping.chips
    on_w = card.value("p_core_on") * mapping.cores
    energy["cores_on"] = Term("chip_dynamic", on_w * run_s)
    energy["static"] = Term("chip_total", static_w * run_s)
    energy["management"] = Term("system_without_io", card.value("p_management") * run_s)
    energy["host_io"] = Term("system_with_io", card.value("p_io") * (run_s + waiting))
    energy["cores_on_during_io"] = Term("system_with_io", on_w * waiting)
    energy["static_during_io"] = Term("system_with_io", static_w * waiting)
    energy["management_during_io"] = Term("system_with_io", card.value("p_management") * waiting)
    return _cost(energy, latency, card)


def price_loihi2(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences on Loihi 2: Loihi 1's energies times ``k`` and a floor a step; no host."""
    busiest = core_counts(counts, mapping)
    neurons = [mapping.outline.neurons]
    barrier = np.interp(neurons, BARRIER_NEURONS, [card.value("t_barrier_2"), card.value("t_barrier_200")])
    work = np.max(
        [
            busiest.updates.max(axis=2) * card.value("t_update"),
            on_targets(busiest.events, mapping, _constant("t_synapse", mapping, card)).max(axis=2),
            busiest.spikes.max(axis=2) * card.value("t_spike"),
        ],
        axis=0,
    )
    beyond = np.maximum(0.0, work - barrier).sum(axis=1)
    at_barrier = np.full(len(counts), float(barrier[0]) * counts.steps)
    latency = {"barrier": Term("chip_dynamic", at_barrier), "busiest_core": Term("chip_dynamic", beyond)}

    energy = _events(counts, mapping, card, card.value("energy_scale"))
    energy["step_floor"] = Term(
        "chip_dynamic", np.full(len(counts), card.value("e_step_floor") * counts.steps * mapping.chips)
    )
    energy["static"] = Term("chip_total", card.value("p_static") * mapping.chips * (at_barrier + beyond))
    return _cost(energy, latency, card)


def _steps_of_loihi(counts: EventCounts, mapping: Mapping, card: Card) -> dict[str, PerStep]:
    """Return each step's time by part, float64 ``[B, T]``: its busiest core's, then hops and barrier."""
    parts = _core_seconds(core_counts(counts, mapping), mapping, card)
    total = np.sum(list(parts.values()), axis=0)
    busiest = total.argmax(axis=2)[:, :, None]
    steps = {name: np.take_along_axis(value, busiest, axis=2)[:, :, 0] for name, value in parts.items()}
    columns, rows = mapping.hops
    travelled = columns * card.value("t_hop_ew") + rows * card.value("t_hop_ns")
    steps["hops"] = np.where(messages(counts, mapping) > 0, travelled, 0.0)
    times = [card.value(f"t_sync_{tiles}") for tiles in SYNC_TILES]
    tiles = np.ceil(mapping.cores / card.value("cores_per_router"))
    steps["barrier"] = np.full(counts.spikes.shape[:2], np.interp(tiles, SYNC_TILES, times))
    return steps


def _core_seconds(busiest: CoreCounts, mapping: Mapping, card: Card) -> dict[str, PerStep]:
    """Return the seconds of each population's busiest core by part, float64 ``[B, T, P]``."""
    return {
        "messages_in": busiest.messages_in.astype(np.float64) * card.value("t_message_in"),
        "synaptic_events": on_targets(busiest.events, mapping, _constant("t_synapse", mapping, card)),
        "neuron_updates": busiest.updates.astype(np.float64) * card.value("t_update"),
        "spikes": busiest.spikes.astype(np.float64) * card.value("t_spike"),
        "messages_out": busiest.messages_out.astype(np.float64) * card.value("t_message_out"),
    }


def _events(counts: EventCounts, mapping: Mapping, card: Card, scale: float) -> dict[str, Term]:
    """Return the energy of events by kind; spikes are those of neurons, messages also those of the input."""
    sent = messages(counts, mapping).sum(axis=1)
    columns, rows = mapping.hops
    per_message = columns * card.value("e_hop_ew") + rows * card.value("e_hop_ns")
    through_synapses = counts.synaptic_events.sum(axis=1) * _constant("e_synapse", mapping, card)
    parts: dict[str, PerSample] = {
        "neuron_updates": counts.neuron_updates.sum(axis=(1, 2)) * card.value("e_update"),
        "synaptic_events": through_synapses.sum(axis=1),
        "spikes": counts.spikes[:, :, 1:].sum(axis=(1, 2)) * card.value("e_spike"),
        "messages": sent * card.value("e_message"),
        "hops": sent * per_message,
    }
    return {name: Term("chip_dynamic", scale * value) for name, value in parts.items()}


def _constant(name: str, mapping: Mapping, card: Card) -> PerStep:
    """Return a synapse constant by projection, float64 ``[R]``: it depends on how the weights are kept."""
    return np.array([card.value(f"{name}_{route.storage}") for route in mapping.routes])


def _cost(energy: Named[str, Term], latency: Named[str, Term], card: Card) -> Cost:
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)
