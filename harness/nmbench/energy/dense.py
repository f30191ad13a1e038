r"""Cost of inferences on an engine that computes every multiply-accumulate: a framework on a GPU or a CPU.

A roofline for the arithmetic, the launches, which rule at batch 1, and what the host does for each sample
(fitted on Blouw 2019). A batch of n samples takes

.. math::
    t = t_{call} + n\,t_{sample} + T\,[n_{kernels} t_{launch} + \max(2 n\,MACs / F,\; bytes / B)]

    E = \frac{1}{n} \{ P_{idle}\,t + (P_{launch} - P_{idle})(t_{call} + t_{launches})
        + (P_{load} - P_{idle})(n\,t_{sample} + t_{arithmetic}) \}

Kernels a step: one a pair of populations, with the delays between them as columns of one matrix, and one a
population. Step by step, as a stream arrives: an engine that sees the whole recording at once can fuse
steps and launch less. Bytes: every weight once a step, every sample's neurons' states too. The count of
spikes does not matter: a dense engine multiplies zeros too, also those of synapses that another delay has.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample
from nmbench.energy.mapping import Mapping
from nmbench.energy.phases import Phase, Phases, cost_of

FLOP_PER_MAC = 2


def price_dense(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences in batches of `Conditions.batch` like ones."""
    return cost_of(dense_phases(counts, mapping, card), card, mapping.conditions.batch)


def dense_phases(counts: EventCounts, mapping: Mapping, card: Card) -> Phases:
    """Return the phases of a batch: ``call``, ``samples``, ``launches``, ``dense_kernels``."""
    n, sizes = mapping.conditions.batch, mapping.outline
    pairs = {(link.source, link.target) for link in sizes.links}
    kernels = len(pairs) + len(mapping.placements) - 1
    flop = n * FLOP_PER_MAC * float(counts.dense_macs.sum())
    weights = sum(sizes.stored_weights(link) for link in sizes.links) * card.value("synapse_bits") / 8
    moved = weights + n * sizes.neurons * card.value("state_bytes")
    step_s = max(flop / card.value("flop_rate"), moved / card.value("memory_bandwidth"))
    return {
        "call": Phase(_all(counts, card.value("t_call")), "p_launch"),
        "samples": Phase(_all(counts, n * card.value("t_sample")), "p_load"),
        "launches": Phase(_all(counts, counts.steps * kernels * card.value("t_launch")), "p_launch"),
        "dense_kernels": Phase(_all(counts, counts.steps * step_s), "p_load"),
    }


def _all(counts: EventCounts, value: float) -> PerSample:
    return np.full(len(counts), value)
