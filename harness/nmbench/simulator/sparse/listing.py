"""The synapses of a layout one by one: for the oracle, and for other simulators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.simulator.sparse.build import Layout
from nmbench.simulator.sparse.plan import Longs
from nmbench.simulator.sparse.rows import read_rows


@dataclass(frozen=True)
class SynapseList:
    """Synapses one by one: ids of neurons (int64), weights (pA or mV, float64), delays (steps, int64)."""

    source: Longs
    target: Longs
    weight: npt.NDArray[np.float64]
    delay: Longs


def synapse_list(layout: Layout) -> SynapseList:
    """Return all synapses, sorted by source."""
    neurons = layout.network.size
    heads = int(layout.segments @ np.array([q.size for q in layout.network.populations]))
    parts = []
    for p in range(layout.partitions):
        row = p * neurons
        held = int(layout.start[row + neurons] - layout.start[row]) - heads
        target, weight, delay, source = (np.empty(held, np.int32) for _ in range(4))
        read_rows(layout.rows, layout.start, row, neurons, layout.min_delay, target, weight, delay, source)
        parts.append(
            SynapseList(
                source.astype(np.int64),
                _global_ids(layout, p)[target],
                (weight * layout.unit).astype(np.float64),
                delay.astype(np.int64),
            )
        )
    source_id = np.concatenate([part.source for part in parts])
    order = np.argsort(source_id, kind="stable")
    return SynapseList(
        source_id[order],
        np.concatenate([part.target for part in parts])[order],
        np.concatenate([part.weight for part in parts])[order],
        np.concatenate([part.delay for part in parts])[order],
    )


def _global_ids(layout: Layout, p: int) -> Longs:
    """Return the neuron of each state position of a partition; -1 in the padding."""
    ids = np.full(layout.base[p + 1] - layout.base[p], -1, dtype=np.int64)
    for first, size, neuron in zip(layout.first[p], layout.size[p], layout.neuron[p], strict=True):
        ids[first : first + size] = np.arange(neuron, neuron + size)
    return ids
