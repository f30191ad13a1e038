"""Discrete distributions as alias tables, and the counter-based generator that draws from them.

A draw takes one column at random and one of its two values: Walker (1977), ACM Trans. Math. Softw. 3:253.
Random bits are SplitMix64 of a counter (Steele et al. 2014, OOPSLA): any draw can be made without those
before it, so that nothing depends on the order in which threads work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

GOLDEN = 0x9E3779B97F4A7C15
"""Increment of SplitMix64: draw n of the stream ``key`` is ``mix(key + n * GOLDEN)``."""

POISSON_COLUMNS = 32
"""One vector register of 16-bit entries; a count is at most 31."""

POISSON_BITS = 11
"""A 16-bit draw is 5 bits of column and these bits of position inside it."""

MAX_POISSON_MEAN = 8.0
"""Above this more than 1e-9 of a Poisson distribution lies beyond 31."""

TAIL = 2.0**-21
"""Probability that a distribution loses at each end when it is cut to a table."""

DIVISION, ROWS, MEMBRANES, POISSON, RARE, TARGETS = range(6)
"""Purposes of random streams; those of targets go on from `TARGETS`, one a projection."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class AliasTable:
    """Values ``first + column`` and ``alias``; column c keeps its own value below ``cut[c]`` (of 2**bits).

    ``cut`` and ``alias`` are int64 ``[columns]``, ``columns`` a power of two.
    """

    first: int
    cut: npt.NDArray[np.int64]
    alias: npt.NDArray[np.int64]
    bits: int

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the probability of each value from ``first`` on that the table realises exactly."""
        columns = self.cut.size
        chances = np.zeros(columns)
        np.add.at(chances, np.arange(columns), self.cut / 2.0**self.bits)
        np.add.at(chances, self.alias - self.first, 1 - self.cut / 2.0**self.bits)
        return chances / columns


def alias_table(first: int, chances: npt.NDArray[np.float64], columns: int, bits: int) -> AliasTable:
    """Build the table of a distribution over ``first, first + 1, ...``, on a grid of 1/(columns * 2**bits).

    Chances are rounded to the grid such that the mean stays: cumulated chances are rounded, from the
    largest value down.
    """
    total = columns << bits
    tail = np.cumsum(chances[::-1] / chances.sum())
    grid = np.diff(np.round(tail * total).astype(np.int64), prepend=0)[::-1]
    share = np.zeros(columns, dtype=np.int64)
    share[: grid.size] = grid
    unit = 1 << bits
    cut, alias = share.copy(), first + np.arange(columns, dtype=np.int64)
    poor = [c for c in range(columns) if share[c] < unit]
    rich = [c for c in range(columns) if share[c] >= unit]
    while poor:
        low = poor.pop()
        if cut[low] == unit or not rich:
            continue
        high = rich[-1]
        alias[low] = first + high
        cut[high] -= unit - cut[low]
        if cut[high] < unit:
            poor.append(rich.pop())
    return AliasTable(first, cut, alias, bits)


def poisson_table(mean: float) -> AliasTable:
    """Return the table of a Poisson count of that mean (at most `MAX_POISSON_MEAN`)."""
    counts = np.arange(POISSON_COLUMNS)
    return alias_table(0, stats.poisson.pmf(counts, mean), POISSON_COLUMNS, POISSON_BITS)


def normal_table(mean: float, sd: float, low: int, high: int) -> AliasTable:
    """Return the table of a normal distribution rounded to integers and cut to ``low..high``.

    This is what drawing again until the value lies inside gives; with ``sd`` 0 there is one value.
    """
    if sd == 0:
        value = min(max(round(mean), low), high)
        return AliasTable(value, np.array([1 << 16]), np.array([value]), bits=16)
    first = max(low, int(np.floor(stats.norm.isf(1 - TAIL, mean, sd))))
    last = min(high, int(np.ceil(stats.norm.isf(TAIL, mean, sd))))
    edges = np.arange(first, last + 2) - 0.5
    chances = np.diff(stats.norm.cdf(edges, mean, sd))
    return alias_table(first, chances, 1 << int(last - first).bit_length(), 16)


def mix(x: Words) -> Words:
    """Finish a draw of SplitMix64, element by element."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def stream_keys(seed: int, purpose: int, count: int) -> Words:
    """Return the keys of ``count`` streams; ``purpose`` keeps those of different uses apart."""
    return np.random.default_rng([seed, purpose]).integers(0, 2**64, count, dtype=np.uint64)
