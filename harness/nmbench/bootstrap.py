"""Bootstrap intervals of repetitions that may depend on one another.

Queries that follow one another are alike: the clock of a CPU rises and falls, a neighbour comes and goes. So
blocks of consecutive queries are drawn, round the end of the series (circular block bootstrap: Politis &
Romano 1992, in Exploring the Limits of Bootstrap, 263), as long as the series' own memory asks
(`block_length`); of independent repetitions the blocks are single ones, and this is Efron's bootstrap. The
interval is the percentile one (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13; Davison &
Hinkley 1997, 5.3): BCa would rest on the jackknife, which fails for quantiles (Efron & Tibshirani, 11.6), and
quantiles are what is asked for.

Long series are cut into `SECTIONS` and the statistic's spread over them gives the interval (sectioning:
Asmussen & Glynn 2007, Stochastic Simulation, III.5): as sound there, and hundreds of times quicker.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from nmbench.stats import Samples, Values, percentile_place

Statistic = Callable[[Values], Values]
"""Takes ``[..., n]``, a series along the last axis, and returns ``[...]``."""

LONGEST = 20_000
"""Repetitions up to which blocks are drawn; longer series are cut into sections."""

SECTIONS = 32
DRAWS = 2000
CHUNK = 500_000
"""Numbers that are drawn at once: 4 MiB of each series."""


def bootstrap_interval(
    samples: Samples,
    statistic: Statistic,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    block: int | None = None,
) -> tuple[float, float]:
    """Return an interval of a statistic of a series of repetitions, in the order in which they ran.

    Parameters
    ----------
    samples
        ``[n]`` or ``[series, n]``: several series are drawn together, the same places of each.
    statistic
        Of many draws at once: from ``[draws, n]`` (``[series, draws, n]``) to ``[draws]``; and of the whole.
        `quantile` makes one.
    block
        Length of the blocks; the longest that one of the series asks for by `block_length` where None.

    Raises
    ------
    ValueError
        Fewer than two repetitions, or one that is not finite.
    """
    values = np.asarray(samples, dtype=np.float64)
    n = values.shape[-1]
    if n < 2 or not np.isfinite(values).all():
        raise ValueError(f"a bootstrap needs two finite repetitions or more, not {values.shape}")
    if n > LONGEST:
        return _sections(values, statistic, confidence)
    length = block or max(block_length(series) for series in np.atleast_2d(values))
    drawn = np.concatenate([statistic(values[..., p]) for p in _places(n, length, draws, seed)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def quantile(p: float) -> Statistic:
    """Return the statistic `nmbench.stats.percentile`."""

    def value(series: Values) -> Values:
        place = percentile_place(series.shape[-1], p)
        return np.asarray(np.partition(series, place, axis=-1)[..., place], dtype=np.float64)

    return value


def block_length(series: Values) -> int:
    """Return how long blocks of a series have to be: 1 where its repetitions do not depend on one another.

    The rule of Politis & White 2004 (Econometric Reviews 23:53, corrected by Patton, Politis & White 2009,
    28:372) for the circular block bootstrap, on the normal scores of the ranks: latencies have outliers,
    which hide the correlation of the rest.
    """
    n = len(series)
    if n < 8 or series.min() == series.max():
        return 1
    need = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = math.ceil(math.sqrt(n)) + need
    correlation = _autocorrelation(_normal_scores(series), min(most + need, n - 1))
    clear = np.abs(correlation[1:]) >= 2 * math.sqrt(math.log10(n) / n)
    memory = _memory(clear, need)
    if memory == 0:
        return 1
    widest = min(2 * memory, most, n - 1)
    lags = np.arange(1, widest + 1)
    weights = np.minimum(1.0, 2 * (1 - lags / widest))  # the flat-top window
    level = 1 + 2 * float((weights * correlation[1 : widest + 1]).sum())
    slope = 2 * float((weights * lags * correlation[1 : widest + 1]).sum())
    longest = math.ceil(min(3 * math.sqrt(n), n / 3))
    if level <= 0:  # repetitions that alternate: blocks as long as their memory keep that
        return min(memory, longest)
    length = (2 * slope**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3)
    return int(min(max(math.ceil(length), 1), longest))


def _memory(clear: npt.NDArray[np.bool_], need: int) -> int:
    """Return the last lag before the first ``need`` lags in a row whose correlation is not clear."""
    unclear = 0
    for lag, is_clear in enumerate(clear.tolist(), start=1):
        unclear = 0 if is_clear else unclear + 1
        if unclear == need:
            return lag - need
    return int(np.flatnonzero(clear)[-1]) + 1 if clear.any() else 0


def _normal_scores(series: Values) -> Values:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(series) / (len(series) + 1)), dtype=np.float64)


def _autocorrelation(series: Values, most: int) -> Values:
    """Return the correlations at lags 0 to ``most``, by the Fourier transform of the power spectrum."""
    centred = series - series.mean()
    size = 1 << (2 * len(series) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    covariance = np.fft.irfft(power, size)[: most + 1]
    return np.asarray(covariance / covariance[0], dtype=np.float64)


def _places(n: int, length: int, draws: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the places of the draws, ``[draws at once, n]``: blocks from random starts on, round the end."""
    rng = np.random.default_rng(seed)
    blocks = -(-n // length)
    at_once = max(1, CHUNK // n)
    for first in range(0, draws, at_once):
        starts = rng.integers(n, size=(min(at_once, draws - first), blocks, 1))
        places = starts if length == 1 else (starts + np.arange(length)) % n
        yield places.reshape(len(starts), -1)[:, :n]


def _sections(values: Values, statistic: Statistic, confidence: float) -> tuple[float, float]:
    """Return the statistic of the whole, give or take what its values over the sections say."""
    from scipy.stats import t

    n = values.shape[-1] // SECTIONS * SECTIONS
    whole = float(statistic(values))
    parts = statistic(values[..., :n].reshape(*values.shape[:-1], SECTIONS, -1))
    variance = float(((parts - whole) ** 2).sum()) / (SECTIONS - 1) / SECTIONS
    reach = float(t.ppf((1 + confidence) / 2, SECTIONS - 1)) * math.sqrt(variance)
    return whole - reach, whole + reach
