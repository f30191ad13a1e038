"""How much two things differ: ratios of percentiles and of numbers with intervals, differences of shares.

All intervals are of 95 %. Ratios are taken on the scale of logarithms.

Two starts of one program differ by more than the repetitions of either tell: memory lies elsewhere, the clock
and the neighbours are others (Kalibera & Jones 2013, Rigorous benchmarking in reasonable time, ISMM;
Mytkowicz et al. 2009, Producing wrong data, ASPLOS). A record holds one start, so that this spread comes from
outside: ``starts``, the relative standard deviation between starts (`nmbench.starts`). Without it most
pairs of equal runs would be called different (``python benchmarks/starts.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.bootstrap import DRAWS, bootstrap_interval, quantile
from nmbench.stats import Values, wilson

Z = 1.959964
POWER = 2.801585
"""Standard errors that a true difference needs to show at 5 % in 80 % of comparisons: z(0.975) + z(0.8)."""

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Effect:
    """What the second is against the first.

    Attributes
    ----------
    value, lo, hi
        A ratio, or a difference of shares, with its interval.
    detectable
        The least true difference that would have shown in four of five such comparisons: of a ratio, what is
        above 1.
    real
        Whether no difference is left out by the interval or, where there is one, by the exact test.
    p_value
        Of the exact test.
    """

    value: float
    lo: float
    hi: float
    detectable: float
    real: bool
    p_value: float | None = None


def paired_percentiles(one: Values, other: Values, p: float, starts: float, draws: int = DRAWS) -> Effect:
    """Ratio of a percentile of two runs of the same queries, ``[n]`` each, whose n-th asked for the same.

    Blocks of the same places are drawn of both (paired block bootstrap): what the samples have in common, a
    long one that is long for both, cancels.
    """
    of = quantile(p)

    def log_ratio(both: Values) -> Values:
        return np.asarray(np.log(of(both[1])) - np.log(of(both[0])), dtype=np.float64)

    both = np.stack([one, other])
    return _ratio(float(log_ratio(both)), bootstrap_interval(both, log_ratio, draws=draws), starts)


def unpaired_percentiles(one: Values, other: Values, p: float, starts: float, draws: int = DRAWS) -> Effect:
    """Ratio of a percentile of two runs that have nothing in common."""
    of = quantile(p)
    mine, theirs = (
        (float(of(series)), *bootstrap_interval(series, of, draws=draws)) for series in (one, other)
    )
    return ratio(mine, theirs, starts)


def ratio(one: tuple[float, float, float], other: tuple[float, float, float], starts: float) -> Effect:
    """Ratio of two independent numbers from value, lower and upper end of each (all above 0).

    Their distances add in quadrature on the scale of logarithms (MOVER: Zou & Donner 2008, Statist. Med.
    27:1693).
    """
    (a, a_lo, a_hi), (b, b_lo, b_hi) = (map(math.log, numbers) for numbers in (one, other))
    return _ratio(
        b - a, (b - a - math.hypot(b - b_lo, a_hi - a), b - a + math.hypot(b_hi - b, a - a_lo)), starts
    )


def shares(hits: int, n: int, other_hits: int, other_n: int) -> Effect:
    """Difference of two independent shares (Newcombe 1998, Statist. Med. 17:873, method 10)."""
    one, other = hits / n, other_hits / other_n
    (lo, hi), (other_lo, other_hi) = wilson(hits, n), wilson(other_hits, other_n)
    value = other - one
    low, high = value - math.hypot(other - other_lo, hi - one), value + math.hypot(other_hi - other, one - lo)
    return Effect(value, low, high, _detectable(low, high), real=not low <= 0 <= high)


def paired_shares(one: Right, other: Right) -> Effect:
    """Difference of two shares of right answers to the same samples, ``[n]`` each.

    McNemar's exact test decides: of the samples that one alone got right, half would be either's by chance
    (McNemar 1947, Psychometrika 12:153). The interval is Bonett & Price's (2012, J. Educ. Behav. Stat.
    37:479).
    """
    from scipy.stats import binom

    n, lost, won = len(one), int((one & ~other).sum()), int((other & ~one).sum())
    p_value = min(1.0, 2 * float(binom.cdf(min(lost, won), lost + won, 0.5)))
    up, down = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    reach = Z * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    low, high = up - down - reach, up - down + reach
    return Effect((won - lost) / n, low, high, _detectable(low, high), p_value <= 0.05, p_value)


def _ratio(value: float, interval: tuple[float, float], starts: float) -> Effect:
    """Widen an interval of a log ratio by the spread between starts of either."""
    lo, hi = interval
    between = Z * math.sqrt(2) * starts
    low, high = (
        value - math.hypot(max(value - lo, 0), between),
        value + math.hypot(max(hi - value, 0), between),
    )
    return Effect(
        math.exp(value),
        math.exp(low),
        math.exp(high),
        math.expm1(_detectable(low, high)),
        real=not low <= 0 <= high,
    )


def _detectable(low: float, high: float) -> float:
    return POWER * (high - low) / (2 * Z)
