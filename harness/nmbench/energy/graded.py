"""Graded projections: where a value, not a spike, is delivered, and which families can price that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.outline import Outline


def operations(counts: EventCounts) -> npt.NDArray[np.int64]:
    """Return synaptic events, and for graded projections multiply-accumulates, int64 ``[B, T, R]``.

    For hardware on which a payload costs next to nothing more than a spike.
    """
    if counts.effective_macs is None:
        return counts.synaptic_events
    return counts.synaptic_events + counts.effective_macs


def values_as_spikes(counts: EventCounts, outline: Outline) -> EventCounts:
    """Return counts in which a graded value is a spike of its source, and its deliveries are events.

    How many values were sent follows from the multiply-accumulates and the mean fan-out.
    """
    macs = counts.effective_macs
    if macs is None:
        return counts
    spikes = counts.spikes.copy()
    for i, link in enumerate(outline.links):
        sent = np.ceil(macs[:, :, i] * outline.groups[link.source].size / max(link.synapses, 1))
        spikes[:, :, link.source] = np.maximum(spikes[:, :, link.source], sent.astype(np.int64))
    return replace(counts, spikes=spikes, synaptic_events=operations(counts), effective_macs=None)


def graded_projections(counts: EventCounts) -> list[str]:
    """Name the projections that delivered values."""
    if counts.effective_macs is None:
        return []
    totals = counts.effective_macs.sum(axis=(0, 1))
    return [name for name, n in zip(counts.projections, totals, strict=True) if n]


def refuse_graded(counts: EventCounts, hardware: str) -> None:
    """Refuse counts that hold graded multiply-accumulates, which the hardware's equation cannot price.

    Raises
    ------
    ValueError
        That names the graded projections.
    """
    if graded := graded_projections(counts):
        raise ValueError(f"{hardware} delivers spikes, not values: {', '.join(graded)} cannot be priced")
