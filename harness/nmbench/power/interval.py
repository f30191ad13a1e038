"""The median of a few windows, with an interval that supposes nothing of their distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmbench.stats import percentile

ASKED = 0.95


@dataclass(frozen=True)
class Interval:
    """A median between two order statistics.

    Attributes
    ----------
    confidence
        The least probability with which ``lo`` .. ``hi`` holds the median of what the windows are drawn from.
    """

    value: float
    lo: float
    hi: float
    confidence: float


def median_interval(values: Sequence[float]) -> Interval:
    r"""Return the median (`percentile`) and the narrowest symmetric pair of order statistics that has 95 %.

    Each value is below the true median with probability 1/2, so that

    .. math:: P(x_{(k)} \le m \le x_{(n+1-k)}) \ge 1 - 2 \sum_{i<k} \binom{n}{i} 2^{-n}

    (David & Nagaraja, Order Statistics, 2003, 7.1). Five values have 93.75 % between the least and the
    largest, six 96.9 %; fewer than six fall short of 95 %, and ``confidence`` says by how much.

    Raises
    ------
    ValueError
        There are no values.
    """
    ordered, n = sorted(values), len(values)
    value = percentile(ordered, 0.5)
    k = 1
    while 2 * (k + 1) <= n and _confidence(n, k + 1) >= ASKED:
        k += 1
    return Interval(value, ordered[k - 1], ordered[n - k], _confidence(n, k))


def _confidence(n: int, k: int) -> float:
    return 1 - math.ldexp(sum(math.comb(n, i) for i in range(k)), 1 - n)
