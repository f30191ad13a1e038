"""Counts of one core per step, from a network's counts and its mapping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.mapping import Mapping

Counts = npt.NDArray[np.int64]
PerStep = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CoreCounts:
    """Of the busiest core of each population: an even split, rounded up; int64 ``[B, T, P]``.

    Attributes
    ----------
    updates, spikes
        Neurons advanced, and spikes that they emit.
    events
        Synaptic events by projection, int64 ``[B, T, R]``: those on the busiest core of its target.
    messages_in, messages_out
        Spikes that arrive, and copies that leave, one a destination core.
    """

    updates: Counts
    spikes: Counts
    events: Counts
    messages_in: Counts
    messages_out: Counts


def core_counts(counts: EventCounts, mapping: Mapping) -> CoreCounts:
    """Split the counts over each population's cores; the input, on no core, has zeros."""
    cores = np.array([placement.cores for placement in mapping.placements], dtype=np.int64)
    targets = [link.target for link in mapping.outline.links]
    messages_in = np.zeros(counts.spikes.shape, dtype=np.int64)
    messages_out = np.zeros(counts.spikes.shape, dtype=np.int64)
    for stream in mapping.streams:
        sent = counts.spikes[:, :, stream.source].astype(np.float64) * stream.destinations
        messages_in[:, :, stream.target] += _shared(sent, cores[stream.target])
        if cores[stream.source]:
            messages_out[:, :, stream.source] += _shared(sent, cores[stream.source])
    return CoreCounts(
        updates=_split(counts.neuron_updates, cores),
        spikes=_split(counts.spikes, cores),
        events=_split(counts.synaptic_events, cores[targets]),
        messages_in=messages_in,
        messages_out=messages_out,
    )


def messages(counts: EventCounts, mapping: Mapping) -> PerStep:
    """Return the messages to destination cores, float64 ``[B, T]``, the input's among them."""
    total = np.zeros(counts.spikes.shape[:2])
    for stream in mapping.streams:
        total += counts.spikes[:, :, stream.source] * stream.destinations
    return total


def on_targets(events: Counts, mapping: Mapping, weight: PerStep) -> PerStep:
    """Add up the projections' events, weighted, at their targets: ``[B, T, R]``, ``[R]`` -> ``[B, T, P]``."""
    total = np.zeros((*events.shape[:2], len(mapping.placements)))
    for i, link in enumerate(mapping.outline.links):
        total[:, :, link.target] += events[:, :, i] * weight[i]
    return total


def _split(values: Counts, cores: Counts) -> Counts:
    shares: Counts = -(-values // np.maximum(cores, 1)) * (cores > 0)
    return shares


def _shared(values: PerStep, cores: np.int64) -> Counts:
    return np.ceil(values / max(int(cores), 1)).astype(np.int64)
