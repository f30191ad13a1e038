"""The loops of `nmbench.datasets.filters`: time-ordered events ``t``, ``x``, ``y`` of samples at ``offsets``.

``size`` is the sensor's columns and rows; each returns which events are kept, bool ``[n_events]``.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@numba.njit(nogil=True)
def rested(t: Int, x: Int, y: Int, offsets: Int, size: tuple[int, int], rest: int) -> Bools:
    """Keep what comes more than ``rest`` microseconds after its address's last."""
    kept = np.ones(len(t), np.bool_)
    last = np.empty((size[1], size[0]), np.int64)
    sample = np.zeros((size[1], size[0]), np.int64)  # that `last` is of, from 1: nothing to clear in between
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            a, b = y[k], x[k]
            if sample[a, b] == s + 1:
                kept[k] = t[k] - last[a, b] > rest
            last[a, b] = t[k]
            sample[a, b] = s + 1
    return kept


@numba.njit(nogil=True)
def supported(t: Int, x: Int, y: Int, offsets: Int, size: tuple[int, int], reach: int) -> Bools:
    """Keep what a neighbour preceded by less than ``reach`` microseconds."""
    kept = np.zeros(len(t), np.bool_)
    # a rim of addresses that never fire stands in for what lies outside
    last = np.empty((size[1] + 2, size[0] + 2), np.int64)
    sample = np.zeros((size[1] + 2, size[0] + 2), np.int64)
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            a, b = y[k] + 1, x[k] + 1
            last[a, b] = t[k]
            sample[a, b] = s + 1
            kept[k] = (
                (sample[a, b - 1] == s + 1 and t[k] - last[a, b - 1] < reach)
                or (sample[a, b + 1] == s + 1 and t[k] - last[a, b + 1] < reach)
                or (sample[a - 1, b] == s + 1 and t[k] - last[a - 1, b] < reach)
                or (sample[a + 1, b] == s + 1 and t[k] - last[a + 1, b] < reach)
            )
    return kept


@numba.njit(nogil=True)
def every(t: Int, x: Int, y: Int, offsets: Int, size: tuple[int, int], n: int) -> Bools:
    """Keep each ``n``-th of an address."""
    kept = np.zeros(len(t), np.bool_)
    count = np.zeros((size[1], size[0]), np.int64)
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            count[y[k], x[k]] += 1
            kept[k] = count[y[k], x[k]] % n == 0
        for k in range(offsets[s], offsets[s + 1]):
            count[y[k], x[k]] = 0
    return kept


@numba.njit(nogil=True)
def cool(t: Int, x: Int, y: Int, offsets: Int, size: tuple[int, int], per_us: float) -> Bools:
    """Keep the addresses that fire at most ``per_us`` times a microsecond."""
    kept = np.zeros(len(t), np.bool_)
    count = np.zeros((size[1], size[0]), np.int64)
    for s in range(len(offsets) - 1):
        first, end = offsets[s], offsets[s + 1]
        for k in range(first, end):
            count[y[k], x[k]] += 1
        for k in range(first, end):
            kept[k] = count[y[k], x[k]] <= per_us * (t[end - 1] - t[first])
        for k in range(first, end):
            count[y[k], x[k]] = 0
    return kept
