"""What reaches neurons of the lazy kernel: rows of synapses, one by one or summed first, and outer spikes.

Each function lists in ``risen`` the neurons that rose above threshold and returns their number: a neuron may
stand there more than once, and where the number is above the room, only some do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from nmbench.simulator.sparse.delivery import AHEAD
from nmbench.simulator.sparse.noise import gap
from nmbench.simulator.sparse.plan import LAST, Bytes, Doubles, Flags, Ints, Longs, Words
from nmbench.simulator.sparse.scatter import add16, add16_by_sort, settle16
from nmbench.simulator.sparse.vector import prefetch


@njit(cache=True, nogil=True, forceinline=True)
def _list(risen: Ints, p: int, m: int, target: Any) -> int:
    """Append a neuron where there is room; count it in any case."""
    if m < risen.shape[1]:
        risen[p, m] = target
    return m + 1


@njit(cache=True, nogil=True, forceinline=True)
def add_rows(
    active: Longs, p: int, n: int, rows: Ints, a: int, grown: Doubles, gain: Doubles, bar: Doubles,
    population: Bytes, alike: bool, risen: Ints,
) -> tuple[int, int]:  # fmt: skip
    """Deliver the segment that is due of each of n rows under way.

    Returns how many neurons are listed, and how many rows go on. Where populations are not ``alike``, each
    target's gain and threshold are looked up.
    """
    m, kept = 0, 0
    for k in range(n):
        ahead = active[p, min(k + AHEAD, n - 1)]
        prefetch(rows, ahead)
        prefetch(rows, ahead + 16)
        at = active[p, k]
        head = rows[np.uint64(at)]
        count = head & (LAST - 1)
        full = count & ~15
        for line in range(at + 1, at + 1 + full, 16):
            prefetch(rows, ahead + 32 + line - at)
            if alike:
                some = add16(grown, a, rows, line, gain[p, 0]) >= bar[p, 0]
            else:
                some = add16_by_sort(grown, population, a, rows, line, gain, bar, p)
            if some:
                for j in range(line, line + 16):
                    target = np.uint64(rows[np.uint64(j)] & 0xFFFF)
                    if grown[np.uint64(a) + target] >= bar[p, population[np.uint64(a) + target]]:
                        m = _list(risen, p, m, target)
        for j in range(at + 1 + full, at + 1 + count):
            word = rows[np.uint64(j)]
            target = np.uint64(word & 0xFFFF)
            sort = np.uint8(0) if alike else population[np.uint64(a) + target]
            moved = grown[np.uint64(a) + target] + (word >> 16) * gain[p, sort]
            grown[np.uint64(a) + target] = moved
            if moved >= bar[p, sort]:
                m = _list(risen, p, m, target)
        if head < LAST:
            active[p, kept] = at + 1 + count
            kept += 1
    return m, kept


@njit(cache=True, nogil=True, forceinline=True)
def settle(
    p: int, a: int, first: Longs, size: Longs, sums: Ints, grown: Doubles, gain: Doubles, bar: Doubles,
    risen: Ints,
) -> int:  # fmt: skip
    """Add the sums of what arrived to all neurons of partition p, and clear them."""
    m = 0
    for k in range(size.shape[1]):
        for at in range(first[p, k], first[p, k] + size[p, k], 16):  # populations are padded to 64
            above = settle16(grown, a + at, sums, gain[p, k], bar[p, k])
            while above:
                lane = 0
                while not above >> lane & 1:
                    lane += 1
                m = _list(risen, p, m, at + lane)
                above &= above - 1
    return m


@njit(cache=True, nogil=True, forceinline=True)
def knock_grown(
    t: int, p: int, a: int, first: Longs, size: Longs, rare: Flags, mean: Doubles, weight: Ints, keys: Words,
    at: Doubles, drawn: Longs, grown: Doubles, gain: Doubles, bar: Doubles, risen: Ints, m: int,
) -> int:  # fmt: skip
    """Add the rare Poisson spikes of step t (`gap`), after the m that are listed."""
    for k in range(size.shape[1]):
        if rare[k]:
            begin = float(t) * size[p, k]
            while at[p, k] < begin + size[p, k]:
                target = first[p, k] + int(at[p, k] - begin)
                grown[a + target] += weight[k] * gain[p, k]
                if grown[a + target] >= bar[p, k]:
                    m = _list(risen, p, m, target)
                drawn[p, k] += 1
                at[p, k] += gap(keys[p, k], drawn[p, k]) / mean[k]
    return m
