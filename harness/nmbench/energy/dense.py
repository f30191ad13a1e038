r"""Cost of an inference on an engine that computes every multiply-accumulate: GPU and CPU, batch 1.

A roofline for the arithmetic, and the launches, which rule at batch 1 (calibrated on Blouw 2019 for the CPU):

.. math::
    t = t_{call} + T\,[\max(2\,MACs / F,\; bytes / B) + n_{kernels} t_{launch}]

    E = P_{idle}\,t + (P_{launch} - P_{idle})(t_{call} + t_{launches}) + (P_{load} - P_{idle})\,t_{arithmetic}

Kernels a step: one a pair of populations, with the delays between them as columns of one matrix, and one a
population. Step by step, as a stream arrives: an engine that sees the whole recording at once can fuse
steps and launch less. Bytes: every weight and every neuron's state once a step. The count of spikes does
not matter: a dense engine multiplies zeros too, also those of synapses that another delay has.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.mapping import Mapping

FLOP_PER_MAC = 2


def price_dense(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences one at a time."""
    pairs = {(link.source, link.target) for link in mapping.outline.links}
    kernels = len(pairs) + len(mapping.placements) - 1
    flop = FLOP_PER_MAC * float(counts.dense_macs.sum())
    moved = mapping.synapse_bytes + mapping.outline.neurons * card.value("state_bytes")
    compute = flop / card.value("flop_rate")
    memory = moved / card.value("memory_bandwidth")
    arithmetic_s = max(compute, memory) * counts.steps
    launch_s = kernels * card.value("t_launch") * counts.steps
    call_s = card.value("t_call")
    idle_w = card.value("p_idle")
    launch_w, load_w = card.value("p_launch") - idle_w, card.value("p_load") - idle_w
    energy = {
        "call": Term("chip_dynamic", _all(counts, launch_w * call_s)),
        "launches": Term("chip_dynamic", _all(counts, launch_w * launch_s)),
        "arithmetic": Term("chip_dynamic", _all(counts, load_w * arithmetic_s)),
        "idle": Term("chip_total", _all(counts, idle_w * (call_s + launch_s + arithmetic_s))),
    }
    latency = {
        "call": Term("chip_dynamic", _all(counts, call_s)),
        "launches": Term("chip_dynamic", _all(counts, launch_s)),
        "arithmetic": Term("chip_dynamic", _all(counts, arithmetic_s)),
    }
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def _all(counts: EventCounts, value: float) -> PerSample:
    return np.full(len(counts), value)
