"""Statistics of spike trains: rates, regularity, correlation, and the distance of two distributions.

Trains are two arrays of equal length, ``times_ms`` in ascending order and ``ids`` of neurons from 0 on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

LEAST_SPIKES = 3
"""A neuron with fewer has no coefficient of variation that means anything."""

BIN_MS = 2.0
"""Width of the bins that correlations are of (van Albada et al. 2018, Front. Neurosci. 12:291)."""

SAMPLE = 200
"""Neurons of a population whose pairs are correlated."""


@dataclass(frozen=True)
class PopulationStatistics:
    """Distributions over a population.

    ``rates_hz`` are of all neurons, ``cvs`` of those that fire enough, ``correlations`` of the pairs of a
    sample.
    """

    rates_hz: Floats
    cvs: Floats
    correlations: Floats


def rates_hz(ids: Longs, size: int, duration_s: float) -> Floats:
    """Return the firing rate of each neuron."""
    return np.bincount(ids, minlength=size) / duration_s


def cvs(times_ms: Floats, ids: Longs, size: int) -> Floats:
    """Return the coefficient of variation of each neuron's inter-spike intervals; NaN below three spikes.

    Standard deviation (of the population, not the sample) over mean: 1 for a Poisson process.
    """
    order = np.argsort(ids, kind="stable")
    own, interval = ids[order], np.diff(times_ms[order], append=np.nan)
    inside = np.append(own[1:] == own[:-1], False) if own.size else np.zeros(0, bool)
    own, interval = own[inside], interval[inside]
    count = np.bincount(own, minlength=size).astype(float)
    count[count < LEAST_SPIKES - 1] = np.nan
    mean = np.bincount(own, interval, minlength=size) / count
    spread = np.bincount(own, (interval - mean[own]) ** 2, minlength=size) / count
    return np.asarray(np.sqrt(spread) / mean, dtype=np.float64)


def correlations(
    times_ms: Floats, ids: Longs, size: int, duration_ms: float, bin_ms: float = BIN_MS, sample: int = SAMPLE
) -> Floats:
    """Return Pearson's correlation of binned spike counts, of all pairs of a sample of neurons that fire.

    The sample is the first neurons: they are alike by construction.
    """
    firing = np.flatnonzero(np.bincount(ids, minlength=size))[:sample]
    if firing.size < 2:
        return np.zeros(0)
    row = np.full(size, -1)
    row[firing] = np.arange(firing.size)
    chosen = row[ids] >= 0
    bins = round(duration_ms / bin_ms)
    column = np.minimum((times_ms[chosen] / bin_ms).astype(np.int64), bins - 1)
    counts = np.bincount(row[ids[chosen]] * bins + column, minlength=firing.size * bins)
    matrix = np.asarray(np.corrcoef(counts.reshape(firing.size, bins)), dtype=np.float64)
    return matrix[np.triu_indices(firing.size, 1)]


def population_statistics(
    times_ms: Floats, ids: Longs, sizes: list[int], duration_ms: float
) -> list[PopulationStatistics]:
    """Return the statistics of each population; neurons are numbered population after population."""
    edges = np.cumsum([0, *sizes])
    found = []
    for k, size in enumerate(sizes):
        own = (ids >= edges[k]) & (ids < edges[k + 1])
        at, who = times_ms[own], ids[own] - edges[k]
        spread = cvs(at, who, size)
        found.append(
            PopulationStatistics(
                rates_hz(who, size, duration_ms / 1000),
                spread[np.isfinite(spread)],
                correlations(at, who, size, duration_ms),
            )
        )
    return found


def ks_distance(a: Floats, b: Floats) -> float:
    """Return the Kolmogorov-Smirnov distance: the largest gap between two cumulative distributions."""
    if not (a.size and b.size):
        raise ValueError("the distance of an empty sample is not defined")
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    gap = np.searchsorted(a, at, side="right") / a.size - np.searchsorted(b, at, side="right") / b.size
    return float(np.abs(gap).max())
