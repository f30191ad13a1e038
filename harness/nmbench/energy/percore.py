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
    """Of the busiest core of each population: the share of its neurons, rounded up; int64 ``[B, T, P]``.

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
    """Take the fullest core's share of each population's counts; the input, on no core, has zeros.

    All neurons of a population count as equally busy.
    """
    cores = np.array([placement.cores for placement in mapping.placements], dtype=np.int64)
    fullest = np.array([placement.neurons_per_core for placement in mapping.placements], dtype=np.int64)
    sizes = np.array([group.size for group in mapping.outline.groups], dtype=np.int64)
    targets = [link.target for link in mapping.outline.links]
    messages_in = np.zeros(counts.spikes.shape, dtype=np.int64)
    messages_out = np.zeros(counts.spikes.shape, dtype=np.int64)
    for stream in mapping.streams:
        sent = counts.spikes[:, :, stream.source].astype(np.float64) * stream.destinations
        messages_in[:, :, stream.target] += _whole(sent / max(int(cores[stream.target]), 1))
        if cores[stream.source]:
            share = fullest[stream.source] / sizes[stream.source]
            messages_out[:, :, stream.source] += _whole(sent * share)
    return CoreCounts(
        updates=_split(counts.neuron_updates, fullest, sizes),
        spikes=_split(counts.spikes, fullest, sizes),
        events=_split(counts.synaptic_events, fullest[targets], sizes[targets]),
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


def _split(values: Counts, fullest: Counts, sizes: Counts) -> Counts:
    shares: Counts = -(-values * fullest // sizes)
    return shares


def _whole(values: PerStep) -> Counts:
    # a share times a count may come out a rounding above the whole number that it is
    return np.ceil(values * (1 - 1e-12)).astype(np.int64)
