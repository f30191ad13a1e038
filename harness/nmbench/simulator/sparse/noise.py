"""Poisson spikes from outside: counts of each neuron where they are frequent, places where they are rare."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from nmbench.simulator.sparse.plan import Doubles, Flags, Ints, Longs, Shorts, Words
from nmbench.simulator.sparse.vector import HAS_TABLES, counts64

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Increment of SplitMix64 (`nmbench.simulator.sparse.alias`)."""


@njit(cache=True, nogil=True)
def gap(key: Any, number: Any) -> float:
    """Return draw ``number`` of a stream as an interval between Poisson events, of mean 1.

    Neurons and steps of a population are laid end to end: where spikes are rare, it is their places on this
    line that are drawn, and silent neurons cost nothing.
    """
    x = np.uint64(key) + np.uint64(number) * GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return -math.log((np.float64(x >> np.uint64(11)) + 1.0) * 2.0**-53)


@njit(cache=True, nogil=True, forceinline=True)
def knock(
    t: int, p: int, a: int, first: Longs, size: Longs, rare: Flags, mean: Doubles, weight: Ints, keys: Words,
    at: Doubles, drawn: Longs, sums: Ints,
) -> None:  # fmt: skip
    """Add the rare Poisson spikes of step t in partition p (`gap`); it begins at ``sums[a]``."""
    for k in range(size.shape[1]):
        if rare[k]:
            begin = float(t) * size[p, k]
            while at[p, k] < begin + size[p, k]:
                sums[a + first[p, k] + int(at[p, k] - begin)] += weight[k]
                drawn[p, k] += 1
                at[p, k] += gap(keys[p, k], drawn[p, k]) / mean[k]


@njit(cache=True, nogil=True)
def draw_counts(
    arrived: Ints, at: int, many: int, t: int, cut: Shorts, alias: Shorts, weight: int, keys: Words
) -> None:
    """Fill the Poisson input of a block in step t."""
    for chunk in range(0, many, 64):
        draw = keys[(at + chunk) // 64] + np.uint64(16 * t) * GOLDEN
        if HAS_TABLES:
            counts64(arrived, chunk, cut, alias, weight, draw)
        else:
            counts_plain(arrived, chunk, cut, alias, weight, draw)


@njit(cache=True, nogil=True)
def counts_plain(arrived: Ints, first: int, cut: Shorts, alias: Shorts, weight: int, draw: int) -> None:
    """Fill 64 Poisson inputs (count x weight) from the draws of a stream from ``draw`` on."""
    for lane in range(16):
        x = np.uint64(draw) + np.uint64(lane) * GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
        for part in range(4):
            short = (x >> np.uint64(16 * part)) & np.uint64(0xFFFF)
            column, place = short & np.uint64(31), short >> np.uint64(5)
            count = column if place < np.uint64(cut[column]) else np.uint64(alias[column])
            arrived[first + 4 * lane + part] = np.int32(count) * weight
