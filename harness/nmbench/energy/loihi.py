r"""Cost of an inference on Loihi 1.

After SANA-FE (Boyle et al., IEEE TCAD 2025; constants fitted to measurements of Nahuku boards):

.. math::
    E_{dyn} = e_U U + e_S S + e_O O + (e_M + e_{ew} w / 3 + e_{ns} h / 3) M + P_{on} n_{cores} t

    t_{step} = \max_c [t_M M_c + t_S S_c + t_U U_c + t_O O_c + t_{out} M^{out}_c]
               + t_{ew} w / 3 + t_{ns} h / 3 + t_{sync}(tiles)

with M messages to destination cores on a used mesh of w x h tiles, placed at random.

Beside that, static power of the chips that are on, the management cores (x86) with the mesh, which
published comparisons take off as the host's (Blouw 2019, Yan 2021), and the host's pace:

.. math::
    t_{io} = t_{base} + t_{core} n_{input\ cores} \quad \text{a step}

A run that its conditions say is paced (``host_io``, or a ``step_s`` of its own) is so at every boundary;
any other runs as fast as it can, and waits for the host at ``system_with_io`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping as Named

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.graded import refuse_graded
from nmbench.energy.mapping import Mapping
from nmbench.energy.percore import CoreCounts, PerStep, core_counts, messages, on_targets

SYNC_TILES = (1, 2, 4, 29)
"""Tiles in use at which the barrier was measured; between them it is interpolated, beyond held."""


def price_loihi(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences.

    Raises
    ------
    ValueError
        If a projection is graded.
    """
    refuse_graded(counts, card.title)
    conditions = mapping.conditions
    steps = step_times(counts, mapping, card)
    latency = {name: Term("chip_dynamic", value.sum(axis=1)) for name, value in steps.items()}
    per_step = np.sum(list(steps.values()), axis=0)
    io_s = card.value("t_io_base") + card.value("t_io_per_input_core") * mapping.input_cores
    pace_s = max(conditions.step_s or 0.0, io_s if conditions.host_io else 0.0)
    paced = waiting(per_step, pace_s)
    if pace_s:
        latency["paced"] = Term("chip_dynamic", paced)
    latency["host_io"] = Term("system_with_io", waiting(np.maximum(per_step, pace_s), io_s))

    run_s = per_step.sum(axis=1) + paced
    host_s = latency["host_io"].values
    static_w = card.value("p_static") * mapping.chips
    on_w = card.value("p_core_on") * mapping.cores
    management_w = card.value("p_management")
    energy = events(counts, mapping, card)
    energy["cores_on"] = Term("chip_dynamic", on_w * run_s, standing=True)
    energy["static"] = Term("chip_total", static_w * run_s, static=True)
    energy["management"] = Term("system_without_io", management_w * run_s, standing=True)
    energy["host_io"] = Term(
        "chip_dynamic" if conditions.host_io else "system_with_io", card.value("p_io") * (run_s + host_s)
    )
    energy["cores_on_during_io"] = Term("system_with_io", on_w * host_s, standing=True)
    energy["static_during_io"] = Term("system_with_io", static_w * host_s, static=True)
    energy["management_during_io"] = Term("system_with_io", management_w * host_s, standing=True)
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def waiting(per_step: PerStep, pace_s: float) -> PerSample:
    """Return the seconds that steps, float64 ``[B, T]``, wait for a pace that is slower than they are."""
    seconds: PerSample = np.maximum(0.0, pace_s - per_step).sum(axis=1)
    return seconds


def step_times(counts: EventCounts, mapping: Mapping, card: Card) -> dict[str, PerStep]:
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
        "synaptic_events": on_targets(busiest.events, mapping, by_storage("t_synapse", mapping, card)),
        "neuron_updates": busiest.updates.astype(np.float64) * card.value("t_update"),
        "spikes": busiest.spikes.astype(np.float64) * card.value("t_spike"),
        "messages_out": busiest.messages_out.astype(np.float64) * card.value("t_message_out"),
    }


def events(counts: EventCounts, mapping: Mapping, card: Card, scale: float = 1.0) -> dict[str, Term]:
    """Return the energy of events by kind; spikes are those of neurons, messages also those of the input."""
    sent = messages(counts, mapping).sum(axis=1)
    columns, rows = mapping.hops
    per_message = columns * card.value("e_hop_ew") + rows * card.value("e_hop_ns")
    through_synapses = counts.synaptic_events.sum(axis=1) * by_storage("e_synapse", mapping, card)
    parts: Named[str, PerSample] = {
        "neuron_updates": counts.neuron_updates.sum(axis=(1, 2)) * card.value("e_update"),
        "synaptic_events": through_synapses.sum(axis=1),
        "spikes": counts.spikes[:, :, 1:].sum(axis=(1, 2)) * card.value("e_spike"),
        "messages": sent * card.value("e_message"),
        "hops": sent * per_message,
    }
    return {name: Term("chip_dynamic", scale * value) for name, value in parts.items()}


def by_storage(name: str, mapping: Mapping, card: Card) -> PerStep:
    """Return a synapse constant by projection, float64 ``[R]``: it depends on how the weights are kept."""
    return np.array([card.value(f"{name}_{route.storage}") for route in mapping.routes])
