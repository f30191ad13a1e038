"""Early stopping as MLPerf's LoadGen does it: how many queries a latency bound or a percentile needs.

Of ``n`` independent queries, the number that are slower than the true percentile ``p`` is binomial(n, 1 - p).
A run has shown that a share ``p`` of queries meets a bound once the number that it saw over the bound, or
fewer, would come with probability ``1 - c`` at most were the share no more than ``p`` (``c`` = 0.99, no
tolerance: ``d`` = 0). The binomial tail is a regularised incomplete beta function (Abramowitz & Stegun 1964,
26.5.24), so that a million queries cost no more than ten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CONFIDENCE = 0.99
"""``c`` of MLPerf."""


@lru_cache(maxsize=4096)
def needed(over: int, percentile: float, confidence: float = CONFIDENCE) -> int:
    """Return the least number of queries that shows a percentile's bound met with ``over`` above it.

    Parameters
    ----------
    over
        Queries slower than the bound.
    percentile
        Share of queries that must meet it, in 0..1 without the ends.

    Examples
    --------
    >>> needed(0, 0.9), needed(10, 0.99)
    (44, 2010)
    """
    _check(over, over, percentile, confidence)

    def enough(n: int) -> bool:
        return _at_most(over, n, percentile) <= 1 - confidence

    most = 2 * (over + 1)
    while not enough(most):
        most *= 2
    return _first(enough, over + 1, most)


@lru_cache(maxsize=4096)
def allowed(n: int, percentile: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the most queries over the bound that ``n`` queries bear; None where they are too few for none.

    The inverse of `needed`: the largest ``over`` with ``needed(over) <= n``.
    """
    _check(n, 0, percentile, confidence)

    def too_many(over: int) -> bool:
        return _at_most(over, n, percentile) > 1 - confidence

    first = _first(too_many, 0, n)
    return first - 1 if first else None


def estimate(
    latencies: Sequence[float] | npt.NDArray[np.float64], percentile: float, confidence: float = CONFIDENCE
) -> float | None:
    """Return a latency that the true percentile does not exceed, with the confidence; None for too few.

    MLPerf's score of SingleStream and MultiStream: the ``t - 1`` slowest are dropped and the largest of the
    rest reported, ``t`` the most over-latency queries that so many bear (`rank`).
    """
    place = rank(len(latencies), percentile, confidence)
    if place is None:
        return None
    import numpy as np

    return float(np.partition(np.asarray(latencies, dtype=np.float64), place)[place])


def rank(n: int, percentile: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the place of `estimate` among ``n`` sorted latencies, from 0; None for too few."""
    most = allowed(n, percentile, confidence)
    return n - most if most else None


def surely_over(n: int, over: int, percentile: float, confidence: float = CONFIDENCE) -> bool:
    """Tell whether the bound is surely missed: that many over it would be no accident were it met.

    True where P(at least ``over`` of ``n``) is at most ``1 - c`` for a share of exactly ``1 - percentile``.
    """
    _check(n, over, percentile, confidence)
    return over > 0 and 1 - _at_most(over - 1, n, percentile) <= 1 - confidence


def _at_most(over: int, n: int, percentile: float) -> float:
    """P(binomial(n, 1 - percentile) <= over)."""
    from scipy.special import betainc

    return 1.0 if over >= n else float(betainc(n - over, over + 1, percentile))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the first number from ``low`` on for which what holds for ``high``, and from some number on."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _check(n: int, over: int, percentile: float, confidence: float) -> None:
    if not 0 <= over <= n or not 0 < percentile < 1 or not 0 < confidence < 1:
        raise ValueError(f"{over} of {n} queries over percentile {percentile} at confidence {confidence}")
