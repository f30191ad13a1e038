"""Statistics of repetitions: percentiles as MLPerf takes them, and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Samples = Sequence[float] | Values


def percentile(samples: Samples, p: float) -> float:
    """Return ``sorted(samples)[int(n * p)]``, without interpolation, as MLPerf's LoadGen does.

    Raises
    ------
    ValueError
        If there are no samples or ``p`` is outside 0..1.
    """
    place = percentile_place(len(samples), p)
    return float(np.partition(np.asarray(samples, dtype=np.float64), place)[place])


def percentile_place(n: int, p: float) -> int:
    """Return the place of `percentile` among ``n`` sorted samples, from 0.

    Raises
    ------
    ValueError
        If there are no samples or ``p`` is outside 0..1.
    """
    if not n or not 0 <= p <= 1:
        raise ValueError(f"percentile {p} of {n} samples")
    return min(int(n * p), n - 1)


def percentile_interval(samples: Samples, p: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval of a percentile from order statistics, free of any distribution.

    The number of samples below the true percentile is binomial(n, p): the ranks that hold
    ``confidence`` of it bound the percentile (David & Nagaraja, Order Statistics, 2003, 7.1). With few
    samples the bounds are the least and the largest one, and cover less. The samples count as independent;
    where they are not, `nmbench.bootstrap.bootstrap_interval` has blocks for it.
    """
    from scipy.stats import binom

    n = len(samples)
    place = percentile_place(n, p)
    tail = (1 - confidence) / 2
    low = min(max(int(binom.ppf(tail, n, p)) - 1, 0), place)
    high = max(min(int(binom.ppf(1 - tail, n, p)), n - 1), place)
    ordered = np.partition(np.asarray(samples, dtype=np.float64), sorted({low, high}))
    return float(ordered[low]), float(ordered[high])


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, 95 % by default (Wilson 1927, JASA 22:209)."""
    if n == 0:
        raise ValueError("an interval of a proportion needs samples")
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # rounding may pass by the share itself
