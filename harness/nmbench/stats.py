"""Statistics of repetitions: percentiles as MLPerf takes them, and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], p: float) -> float:
    """Return ``sorted(samples)[int(n * p)]``, without interpolation, as MLPerf's LoadGen does.

    Raises
    ------
    ValueError
        If there are no samples or ``p`` is outside 0..1.
    """
    if not samples or not 0 <= p <= 1:
        raise ValueError(f"percentile {p} of {len(samples)} samples")
    return sorted(samples)[min(int(len(samples) * p), len(samples) - 1)]


def percentile_interval(samples: Sequence[float], p: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval of a percentile from order statistics, free of any distribution.

    The number of samples below the true percentile is binomial(n, p): the ranks that hold
    ``confidence`` of it bound the percentile (David & Nagaraja, Order Statistics, 2003, 7.1). With few
    samples the bounds are the least and the largest one, and cover less.
    """
    from scipy.stats import binom

    ordered = sorted(samples)
    n = len(ordered)
    tail = (1 - confidence) / 2
    low = int(binom.ppf(tail, n, p)) - 1
    high = int(binom.ppf(1 - tail, n, p))
    value = percentile(samples, p)
    return min(ordered[max(low, 0)], value), max(ordered[min(high, n - 1)], value)


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, 95 % by default (Wilson 1927, JASA 22:209)."""
    if n == 0:
        raise ValueError("an interval of a proportion needs samples")
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
