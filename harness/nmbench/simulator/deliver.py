"""What a projection brings in a step: the rows of the source's neurons, added up.

Sums over spikes are grouped for speed, so they equal the reference's bit for bit where sums are exact:
weights on a power-of-two grid. Sums over values are not; they keep the reference's order instead.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.records import Ints, Longs

DENSE, BLOCKS, SPARSE, PATTERN = 0, 1, 2, 3
"""How a projection is delivered: whole rows, blocks of a convolution, indexed synapses, or indexed synapses
relative to the spike's place (convolutions with groups or dilation)."""


@njit(cache=True, nogil=True)
def count_events(synapses: Longs, table: int, ids: Ints, lo: int, hi: int) -> int:
    """Count the synaptic events of the spikes listed at lo to hi."""
    count = 0
    for k in range(lo, hi):
        count += synapses[table + ids[k]]
    return count


@njit(cache=True, nogil=True)
def deliver(
    kind: int, table: int, ids: Ints, lo: int, hi: int, arriving: Floats, base: Longs, row: Longs,
    synapses: Longs, entries: Longs, lines: int, length: int, pitch: int, weights: Floats, targets: Ints,
    indexed: Floats,
) -> None:  # fmt: skip
    """Add what one projection brings in this step, in the way that it was laid out for."""
    if kind == DENSE:
        _add_rows(arriving, base[table], length, weights, row, table, ids, lo, hi)
    elif kind == BLOCKS:
        _add_blocks(arriving, base, lines, length, pitch, weights, row, table, ids, lo, hi)
    elif kind == PATTERN:
        for k in range(lo, hi):
            n = table + ids[k]
            for j in range(row[n], row[n] + entries[n]):
                arriving[base[n] + targets[j]] += indexed[j]
    else:
        _add_indexed(arriving, targets, indexed, row, synapses, table, ids, lo, hi)


@njit(cache=True, nogil=True)
def _add_rows(
    arriving: Floats,
    at: int,
    length: int,
    weights: Floats,
    row: Longs,
    table: int,
    ids: Ints,
    lo: int,
    hi: int,
) -> None:
    """Add whole rows, four at a time: a quarter of the accumulator's loads and stores."""
    target = arriving[at : at + length]
    k = lo
    while k + 4 <= hi:
        a, b = row[table + ids[k]], row[table + ids[k + 1]]
        c, d = row[table + ids[k + 2]], row[table + ids[k + 3]]
        w0, w1 = weights[a : a + length], weights[b : b + length]
        w2, w3 = weights[c : c + length], weights[d : d + length]
        for j in range(length):
            target[j] += (w0[j] + w1[j]) + (w2[j] + w3[j])
        k += 4
    while k < hi:
        a = row[table + ids[k]]
        w0 = weights[a : a + length]
        for j in range(length):
            target[j] += w0[j]
        k += 1


@njit(cache=True, nogil=True)
def _add_blocks(
    arriving: Floats, base: Longs, lines: int, length: int, pitch: int,
    weights: Floats, row: Longs, table: int, ids: Ints, lo: int, hi: int,
) -> None:  # fmt: skip
    """Add each spike's block of a kernel: ``lines`` contiguous runs."""
    for k in range(lo, hi):
        at, w = base[table + ids[k]], row[table + ids[k]]
        for _ in range(lines):
            target, block = arriving[at : at + length], weights[w : w + length]
            for j in range(length):
                target[j] += block[j]
            at += pitch
            w += length


@njit(cache=True, nogil=True)
def _add_indexed(
    arriving: Floats, targets: Ints, indexed: Floats,
    row: Longs, synapses: Longs, table: int, ids: Ints, lo: int, hi: int,
) -> None:  # fmt: skip
    """Add each spike's synapses through their indices."""
    for k in range(lo, hi):
        w = row[table + ids[k]]
        for j in range(w, w + synapses[table + ids[k]]):
            arriving[targets[j]] += indexed[j]


@njit(cache=True, nogil=True)
def deliver_times(
    kind: int, table: int, ids: Ints, times: Ints, lo: int, hi: int, arriving: Floats, base: Longs,
    row: Longs, synapses: Longs, entries: Longs, lines: int, length: int, pitch: int, weights: Floats,
    targets: Ints, indexed: Floats,
) -> int:  # fmt: skip
    """Add what neurons that spiked several times bring; return the synaptic events."""
    count = 0
    one = np.empty(1, arriving.dtype)
    for k in range(lo, hi):
        n = table + ids[k]
        count += times[k] * synapses[n]
        one[0] = times[k]
        factor = one[0]  # in the weights' type: a product with an integer would be a float64
        at, w = base[n], row[n]
        if kind in (DENSE, BLOCKS):  # rows are blocks of one line
            for _ in range(lines):
                target, block = arriving[at : at + length], weights[w : w + length]
                for j in range(length):
                    target[j] += factor * block[j]
                at += pitch
                w += length
        else:
            at = at if kind == PATTERN else 0
            for j in range(w, w + entries[n]):
                arriving[at + targets[j]] += factor * indexed[j]
    return count


@njit(cache=True, nogil=True)
def deliver_values(
    kind: int, table: int, values: Floats, lo: int, hi: int, products: Floats, base: Longs, row: Longs,
    synapses: Longs, entries: Longs, lines: int, length: int, pitch: int, weights: Floats, targets: Ints,
    indexed: Floats,
) -> int:  # fmt: skip
    """Add every neuron's row times its value; return the multiply-accumulates of values that are not zero.

    In float64, one neuron after the other: the order is the reference's, and part of what is computed.
    """
    macs = 0
    for k in range(lo, hi):
        n, value = table + k - lo, np.float64(values[k])
        if value == 0:
            continue
        macs += synapses[n]
        at, w = base[n], row[n]
        if kind in (DENSE, BLOCKS):  # rows are blocks of one line
            for _ in range(lines):
                target, block = products[at : at + length], weights[w : w + length]
                for j in range(length):
                    # what is no synapse adds nothing, even of a value that is infinite
                    target[j] += value * block[j] if block[j] != 0 else 0.0
                at += pitch
                w += length
        else:
            at = at if kind == PATTERN else 0
            for j in range(w, w + entries[n]):
                products[at + targets[j]] += value * indexed[j]
    return macs
