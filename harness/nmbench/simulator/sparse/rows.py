"""How rows of synapses are drawn, in Numba: by source where totals are fixed, by target where in-degrees are.

No list of synapses is ever sorted. With fixed totals each row is drawn by itself and put in the order of its
delays in cache; with fixed in-degrees targets draw their sources twice: to count, and to fill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from nmbench.simulator.sparse.plan import LAST, Ints, Longs, Words

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


class Tables(NamedTuple):
    """Alias tables of R projections, one after the other: weights (in units) and delays (in steps).

    ``cut`` and ``alias`` int32; of table k, int64 ``[2 R]``: ``place`` of its first column, ``columns``
    less 1, and the ``first`` value. Table 2 r is of projection r's weights, 2 r + 1 of its delays.
    """

    cut: Ints
    alias: Ints
    place: Longs
    mask: Longs
    first: Longs


@njit(cache=True, nogil=True)
def _mixed(x: Any) -> Any:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _value(cut: Ints, alias: Ints, place: int, mask: int, first: int, bits: Any) -> Any:
    """Take a value from a table with 32 random bits."""
    column = np.int64(bits) & mask
    if np.int64(bits >> np.uint64(16)) < cut[place + column]:
        return first + column
    return np.int64(alias[place + column])


@njit(cache=True, nogil=True)
def by_source(
    rows: Ints, start: Longs, row: int, numbers: Ints, ids: Longs, first: Longs,
    size: Longs, tables: Tables, keys: Words, min_delay: int, segments: int,
) -> None:  # fmt: skip
    """Draw the rows from ``row`` on; ``numbers`` ``[rows, projections]`` says how many synapses each has.

    ``ids`` are the projections; ``first`` and ``size`` the targets of each in this partition.
    """
    cut, alias, place, mask, least = tables.cut, tables.alias, tables.place, tables.mask, tables.first
    most = 0
    for s in range(numbers.shape[0]):
        most = max(most, numbers[s].sum())
    words, delays = np.empty(most, np.int32), np.empty(most, np.int32)
    cursor = np.empty(segments, np.int64)
    for s in range(numbers.shape[0]):
        counts = np.zeros(segments, np.int64)
        x, n = keys[s], 0
        for m in range(ids.size):
            w, d = 2 * ids[m], 2 * ids[m] + 1
            wp, wm, wf, dp, dm, df = place[w], mask[w], least[w], place[d], mask[d], least[d]
            for _ in range(numbers[s, m]):
                one, two = _mixed(x), _mixed(x + GOLDEN)
                x += GOLDEN + GOLDEN
                target = first[m] + np.int64(((one & LOW) * np.uint64(size[m])) >> HALF)
                delay = _value(cut, alias, dp, dm, df, one >> HALF) - min_delay
                weight = _value(cut, alias, wp, wm, wf, two & LOW)
                words[n] = np.int32((weight << 16) | target)
                delays[n] = delay
                counts[delay] += 1
                n += 1
        at = start[row + s]
        for d in range(segments):
            rows[at] = counts[d] | (LAST if d == segments - 1 else 0)
            cursor[d] = at + 1
            at += 1 + counts[d]
        for k in range(n):
            rows[cursor[delays[k]]] = words[k]
            cursor[delays[k]] += 1


@njit(cache=True, nogil=True)
def count_targets(
    counts: Ints, projection: int, sources: int, source: int, size: int,
    tables: Tables, keys: Words, min_delay: int,
) -> None:  # fmt: skip
    """Count the synapses that each target draws: ``counts`` is ``[neurons, segments]``.

    Each target has ``sources`` of them, from neurons ``source`` to ``source + size``.
    """
    cut, alias, d = tables.cut, tables.alias, 2 * projection + 1
    dp, dm, df = tables.place[d], tables.mask[d], tables.first[d]
    for j in range(keys.size):
        x = keys[j]
        for _ in range(sources):
            one = _mixed(x)
            x += GOLDEN + GOLDEN
            s = source + np.int64(((one & LOW) * np.uint64(size)) >> HALF)
            counts[s, _value(cut, alias, dp, dm, df, one >> HALF) - min_delay] += 1


@njit(cache=True, nogil=True)
def fill_targets(
    rows: Ints, cursor: Longs, target: int, projection: int, sources: int, source: int, size: int,
    tables: Tables, keys: Words, min_delay: int,
) -> None:  # fmt: skip
    """Draw again what `count_targets` counted, and put each synapse where ``cursor`` points."""
    cut, alias, w, d = tables.cut, tables.alias, 2 * projection, 2 * projection + 1
    wp, wm, wf = tables.place[w], tables.mask[w], tables.first[w]
    dp, dm, df = tables.place[d], tables.mask[d], tables.first[d]
    for j in range(keys.size):
        x = keys[j]
        for _ in range(sources):
            one, two = _mixed(x), _mixed(x + GOLDEN)
            x += GOLDEN + GOLDEN
            s = source + np.int64(((one & LOW) * np.uint64(size)) >> HALF)
            delay = _value(cut, alias, dp, dm, df, one >> HALF) - min_delay
            weight = _value(cut, alias, wp, wm, wf, two & LOW)
            rows[cursor[s, delay]] = np.int32((weight << 16) | (target + j))
            cursor[s, delay] += 1


@njit(cache=True, nogil=True)
def open_rows(rows: Ints, start: Longs, row: int, counts: Ints, segments: Longs, cursor: Longs) -> None:
    """Write the heads of rows whose synapses are counted, and point ``cursor`` at their places."""
    for s in range(counts.shape[0]):
        at = start[row + s]
        for d in range(segments[s]):
            rows[at] = counts[s, d] | (LAST if d == segments[s] - 1 else 0)
            cursor[s, d] = at + 1
            at += 1 + counts[s, d]


@njit(cache=True, nogil=True)
def read_rows(
    rows: Ints, start: Longs, row: int, count: int, min_delay: int, targets: Ints, weights: Ints,
    delays: Ints, sources: Ints,
) -> None:  # fmt: skip
    """List the synapses of ``count`` rows: target in its partition, weight in units, delay in steps."""
    n = 0
    for s in range(count):
        at, delay, more = start[row + s], min_delay, True
        while more:
            head = rows[at]
            for k in range(at + 1, at + 1 + (head & (LAST - 1))):
                targets[n], weights[n] = rows[k] & 0xFFFF, rows[k] >> 16
                delays[n], sources[n] = delay, s
                n += 1
            at += 1 + (head & (LAST - 1))
            delay += 1
            more = head < LAST
