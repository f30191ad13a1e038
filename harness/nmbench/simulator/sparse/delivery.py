"""Synapses pulled when they are due: which rows, and their sums."""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.simulator.sparse.plan import LAST, Ints, Longs
from nmbench.simulator.sparse.vector import give_way, load_acquire, prefetch

SPINS = 2000
"""Looks at another thread's progress before giving way: about 20 us."""

AHEAD = 8
"""Segments between asking for a cache line and using it."""


@njit(cache=True, nogil=True, forceinline=True)
def wait(progress: Longs, steps: int, known: int) -> int:
    """Wait until every partition has advanced so many steps; return how many the last one has.

    Where that is ``known`` already nothing is read: the line that another thread writes in every step is
    passed around only once in the least delay.
    """
    if known >= steps:
        return known
    least = 1 << 62
    for p in range(progress.shape[0]):
        advanced, spins = load_acquire(progress, p * progress.shape[1]), 0
        while advanced < steps:
            spins += 1
            if spins > SPINS:
                give_way()
            advanced = load_acquire(progress, p * progress.shape[1])
        least = min(least, advanced)
    return least


@njit(cache=True, nogil=True, forceinline=True)
def take_up(
    active: Longs, p: int, n: int, due: int, start: Longs, row: int, spiked: Ints, listed: Longs
) -> int:
    """Append the rows of step ``due``'s spikes to the n under way in partition p; return their number."""
    if due < 0:
        return n
    slot = due % spiked.shape[1]
    for q in range(spiked.shape[0]):
        for k in range(listed[q, slot]):
            active[p, n] = start[row + spiked[q, slot, k]]
            n += 1
    return n


@njit(cache=True, nogil=True)
def deliver(active: Longs, n: int, rows: Ints, sums: Ints, below: Ints, apart: int) -> int:
    """Add the segment that is due of each of n rows under way; return how many rows go on.

    Where inhibition is kept ``apart``, weights less than 0 go to ``below``.
    """
    kept = 0
    for k in range(n):
        ahead = active[min(k + AHEAD, n - 1)]
        prefetch(rows, ahead)
        prefetch(rows, ahead + 16)
        at = np.uint64(active[k])
        head = rows[at]
        count = head & (LAST - 1)
        if apart:
            for j in range(count):
                word = rows[at + np.uint64(j + 1)]
                if word < 0:
                    below[np.uint64(word & 0xFFFF)] += word >> 16
                else:
                    sums[np.uint64(word & 0xFFFF)] += word >> 16
        else:
            full = count & ~15
            for line in range(0, full, 16):
                prefetch(rows, ahead + 32 + line)
                for j in range(line, line + 16):
                    word = rows[at + np.uint64(j + 1)]
                    sums[np.uint64(word & 0xFFFF)] += word >> 16
            for j in range(full, count):
                word = rows[at + np.uint64(j + 1)]
                sums[np.uint64(word & 0xFFFF)] += word >> 16
        stop = np.int64(at) + 1 + count
        if head < LAST:
            # the next segment is wanted in the next step; until then it waits in the second-level cache
            prefetch(rows, stop + 16)
            prefetch(rows, stop + 32)
            prefetch(rows, stop + 48)
            active[kept] = stop
            kept += 1
    return kept
