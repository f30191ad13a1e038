r"""Cost of an inference on Loihi 2.

After Timcheck, Pierro, Shrestha (arXiv 2601.10035): the work of a step overlaps, the slowest part rules.
Memory reads and links, which that model has too, have no published coefficients:

.. math::
    t_{step} = \max(t_{barrier}, \max_c t_U U_c, \max_c t_S S_c, \max_c t_O O_c)

Energy: no operation's is published (P034), so Loihi 1's equation by a factor k, and a floor a step and
chip that was measured (P028). The management cores are in the static power. A host that passes a step's
input in takes it value by value, whether or not there are spikes (a dense vector a step in Lava; V045):

.. math::
    t_{io} = t_{value} n_{inputs}

A run that its conditions say is paced (``host_io``, or a ``step_s`` of its own: the frames of a camera) is
so at every boundary; any other runs as fast as it can, and waits for the host at ``system_with_io`` alone.
A graded spike's payload costs next to nothing (P035): values are priced as spikes.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, Term
from nmbench.energy.graded import values_as_spikes
from nmbench.energy.loihi import by_storage, events, waiting
from nmbench.energy.mapping import Mapping
from nmbench.energy.percore import PerStep, core_counts, on_targets

BARRIER_NEURONS = (2, 200)
"""Neurons at which the shortest step was measured; between them it is interpolated, beyond held."""


def price_loihi2(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences."""
    counts = values_as_spikes(counts, mapping.outline)
    conditions = mapping.conditions
    neurons = [mapping.outline.neurons]
    barrier = np.interp(neurons, BARRIER_NEURONS, [card.value("t_barrier_2"), card.value("t_barrier_200")])
    work = _work(counts, mapping, card)
    per_step = np.maximum(barrier, work)
    at_barrier = np.full(len(counts), float(barrier[0]) * counts.steps)
    io_s = card.value("t_io_per_input") * mapping.outline.groups[0].size
    pace_s = max(conditions.step_s or 0.0, io_s if conditions.host_io else 0.0)
    paced = waiting(per_step, pace_s)
    latency = {
        "barrier": Term("chip_dynamic", at_barrier),
        "busiest_core": Term("chip_dynamic", np.maximum(0.0, work - barrier).sum(axis=1)),
        "host_io": Term("system_with_io", waiting(np.maximum(per_step, pace_s), io_s)),
    }
    if pace_s:
        latency["paced"] = Term("chip_dynamic", paced)

    run_s = per_step.sum(axis=1) + paced
    floor_j = card.value("e_step_floor") * counts.steps * mapping.chips
    static_w = card.value("p_static") * mapping.chips
    energy = events(counts, mapping, card, card.value("energy_scale"))
    energy["step_floor"] = Term("chip_dynamic", np.full(len(counts), floor_j))
    energy["static"] = Term("chip_total", static_w * run_s, static=True)
    host_s = latency["host_io"].values
    energy["static_during_io"] = Term("system_with_io", static_w * host_s, static=True)
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def _work(counts: EventCounts, mapping: Mapping, card: Card) -> PerStep:
    """Return the seconds of each step's slowest part, float64 ``[B, T]``."""
    busiest = core_counts(counts, mapping)
    slowest: PerStep = np.max(
        [
            busiest.updates.max(axis=2) * card.value("t_update"),
            on_targets(busiest.events, mapping, by_storage("t_synapse", mapping, card)).max(axis=2),
            busiest.spikes.max(axis=2) * card.value("t_spike"),
        ],
        axis=0,
    )
    return slowest
