r"""Cost of an inference on Akida AKD1000.

An event-based CNN without membrane state between inputs: one pass, however many steps the sample has.

.. math::
    t_{chip} = \frac{c_0 + \sum_{layers} (c_{layer} + MACs_{active} / (128\, n_{NPU}\, utilisation))}{f},
    \qquad t = n\,(t_{transfer} + t_{chip}) + t_{round}

    E = (P_{board} + P_{dyn})\, t / n

Cycles calibrated on hotSpring's two measured networks (P072: 668 for one layer, 1877 for four); a layer's
active MACs are those of its synaptic events (or values), at most the dense layer's once. Latency
is that of a batch of n, energy a sample's share (P070: 650 us alone, 390 us a sample in batches of 8).
Where conditions give a ``step_s``, inputs arrive no faster than the sample's own time, and the chip stays
on while it waits: so are vendors' powers at a frame rate stated (P073). Third-party hardware measurements
and vendor statements only; nothing comes from BrainChip's software.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.graded import operations
from nmbench.energy.mapping import Mapping


def price_akida(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price one pass; the power of the board, which hides the chip's, counts as system."""
    n = mapping.conditions.batch
    pace_s = (mapping.conditions.step_s or 0.0) * counts.steps
    fixed, active = cycles(counts, mapping, card)
    clock = card.value("clock")
    chip_s = (fixed + active) / clock
    paced = np.maximum(0.0, pace_s - chip_s)
    host_s = np.maximum(0.0, card.value("t_transfer") + card.value("t_round_trip") / n - paced)
    dynamic_w, board_w = card.value("p_dynamic"), card.value("p_board")
    energy = {
        "dynamic": Term("chip_dynamic", dynamic_w * (chip_s + paced), standing=True),
        "board": Term("system_without_io", board_w * (chip_s + paced), static=True),
        "dynamic_during_io": Term("system_with_io", dynamic_w * host_s, standing=True),
        "board_during_io": Term("system_with_io", board_w * host_s, static=True),
    }
    latency = {
        "layer_overhead": Term("chip_dynamic", np.full(len(counts), n * fixed / clock)),
        "active_macs": Term("chip_dynamic", n * active / clock),
        "host_pcie": Term("system_with_io", n * host_s),
    }
    if pace_s:
        latency["paced"] = Term("chip_dynamic", n * paced)
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def cycles(counts: EventCounts, mapping: Mapping, card: Card) -> tuple[float, PerSample]:
    """Return the cycles of a pass: fixed ones, and those of active MACs, float64 ``[B]``."""
    layers = sum(1 for group in range(1, len(mapping.placements)) if mapping.outline.incoming[group])
    fixed = card.value("cycles_base") + layers * card.value("cycles_per_layer")
    active = np.minimum(operations(counts).sum(axis=1), counts.dense_macs)
    npus = np.array([mapping.placements[link.target].cores for link in mapping.outline.links], dtype=np.int64)
    per_cycle = npus * card.value("macs_per_npu_cycle") * card.value("utilisation")
    return fixed, (active / per_cycle).sum(axis=1)
