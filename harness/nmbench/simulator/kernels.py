"""The clock-driven engine with event scatter, in Numba: one call runs samples from first to last step.

Nothing here allocates or knows a `Network`: `nmbench.simulator.plan` lays out what is read,
`nmbench.simulator.engine` owns what is written. Sums over spikes are grouped for speed, so they equal the
reference's bit for bit where sums are exact: weights on a power-of-two grid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from nmbench.network.network import Floats

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


# these stand here and not with the code that fills them: Numba's cache is renewed when this file changes,
# not when one that it imports does
DENSE, BLOCKS, SPARSE = 0, 1, 2
"""How a projection is delivered: whole rows, blocks of a convolution, indexed synapses."""


class Plan(NamedTuple):
    """What the kernel reads. P populations, R projections, S state positions, N table entries.

    Per population, int64 ``[P]``: ``start`` and ``padded`` (state positions), ``size`` (neurons),
    ``spiking``, ``lagging`` (its membrane sees the last step's current), ``depth`` (steps of spikes kept),
    ``history`` (first place of its spike lists).

    Per projection, int64 ``[R]``: ``source``, ``delay``, ``kind``, ``table`` (its first entry in the
    tables), ``lines``, ``length`` and ``pitch`` (floats) of what a spike adds; ``incoming`` lists the
    projections of population p at ``incoming_start[p]:incoming_start[p + 1]``.

    Per source neuron of a projection ``[N]``: ``synapses`` (fan-out), ``row`` (first weight), ``base``
    (first state position that it adds to).

    ``weights`` float32, rows aligned to 64 bytes; ``indexed`` and ``targets`` the sparse synapses.
    Per state position ``[S]``: the coefficients of `Dynamics`, ``floor``, ``drop`` (subtracted at a
    reset) and ``neuron`` (C-order within its population, -1 in the halo and the padding).
    ``readout`` int64 ``[C]``: state positions of the output's neurons.
    """

    start: Longs
    padded: Longs
    size: Longs
    spiking: Longs
    lagging: Longs
    depth: Longs
    history: Longs
    source: Longs
    delay: Longs
    kind: Longs
    table: Longs
    lines: Longs
    length: Longs
    pitch: Longs
    incoming: Longs
    incoming_start: Longs
    synapses: Longs
    row: Longs
    base: Longs
    weights: Floats
    indexed: Floats
    targets: npt.NDArray[np.int32]
    syn_decay: Floats
    syn_gain: Floats
    mem_decay: Floats
    mem_gain: Floats
    leak: Floats
    bias: Floats
    threshold: Floats
    v_reset: Floats
    drop: Floats
    floor: Floats
    neuron: npt.NDArray[np.int32]
    readout: Longs
    output: int
    output_delay: int
    subtract: int


class State(NamedTuple):
    """What one worker writes: state by position ``[S]``, and the spike lists of the last steps.

    ``arriving`` is the sum of this step's weights; ``words`` is ``above`` seen as 64-bit words.
    """

    i: Floats
    v: Floats
    arriving: Floats
    above: Bytes
    words: Words
    spiked: Ints
    listed: Longs


@njit(cache=True, nogil=True)
def run_samples(
    plan: Plan,
    state: State,
    first: int,
    last: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> None:
    """Run samples ``first`` to ``last`` (excluded); fill their outputs, spikes and synaptic events."""
    # fields are taken out once and handed on one by one: passing a tuple of arrays counts a reference
    # for each of them, 0.4 us a call, and threads would contend for the counters
    i, v, arriving, spiked, listed = state.i, state.v, state.arriving, state.spiked, state.listed
    start, padded, size, depth, history = plan.start, plan.padded, plan.size, plan.depth, plan.history
    spiking, lagging, source, delay = plan.spiking, plan.lagging, plan.source, plan.delay
    incoming, incoming_start = plan.incoming, plan.incoming_start
    kind, table, lines, length, pitch = plan.kind, plan.table, plan.lines, plan.length, plan.pitch
    synapses, row, base, weights = plan.synapses, plan.row, plan.base, plan.weights
    indexed, targets, neuron, readout = plan.indexed, plan.targets, plan.neuron, plan.readout
    syn_decay, syn_gain, mem_decay, mem_gain = plan.syn_decay, plan.syn_gain, plan.mem_decay, plan.mem_gain
    leak, bias, floor, threshold = plan.leak, plan.bias, plan.floor, plan.threshold
    v_reset, drop, above, words = plan.v_reset, plan.drop, state.above, state.words
    for b in range(first, last):
        i[:] = 0
        v[:] = 0
        arriving[:] = 0
        outputs[b] = 0
        for t in range(steps):
            spikes[b, t, 0] = offsets[b * steps + t + 1] - offsets[b * steps + t]
            for p in range(1, size.size):
                for k in range(incoming_start[p], incoming_start[p + 1]):
                    r = incoming[k]
                    due = t - delay[r]
                    events[b, t, r] = 0
                    if due < 0:
                        continue
                    q = source[r]
                    if q == 0:
                        ids, lo, hi = index, offsets[b * steps + due], offsets[b * steps + due + 1]
                    else:
                        lo = history[q] + due % depth[q] * size[q]
                        ids, hi = spiked, lo + listed[q, due % depth[q]]
                    if lo == hi:
                        continue
                    events[b, t, r] = _count(synapses, table[r], ids, lo, hi)
                    _deliver(
                        kind[r], table[r], ids, lo, hi, arriving, base, row, synapses,
                        lines[r], length[r], pitch[r], weights, targets, indexed,
                    )  # fmt: skip
                a, z = start[p], start[p] + padded[p]
                _advance(
                    i, v, arriving, above, a, z, syn_decay, syn_gain, bias, mem_decay, mem_gain, leak,
                    floor, threshold, lagging[p],
                )  # fmt: skip
                spikes[b, t, p] = 0
                if spiking[p]:
                    at = history[p] + t % depth[p] * size[p]
                    n = _fire(v, above, words, a, z, v_reset, drop, plan.subtract, neuron, spiked, at)
                    listed[p, t % depth[p]] = n
                    spikes[b, t, p] = n
            p = plan.output
            if t + plan.output_delay < steps:
                at, n = history[p] + t % depth[p] * size[p], listed[p, t % depth[p]]
                _read_out(outputs[b, t + plan.output_delay], v, readout, spiking[p], spiked, at, at + n)


@njit(cache=True, nogil=True)
def _count(synapses: Longs, table: int, ids: Ints, lo: int, hi: int) -> int:
    """Count the synaptic events of the spikes listed at lo to hi."""
    count = 0
    for k in range(lo, hi):
        count += synapses[table + ids[k]]
    return count


@njit(cache=True, nogil=True)
def _deliver(
    kind: int, table: int, ids: Ints, lo: int, hi: int, arriving: Floats, base: Longs, row: Longs,
    synapses: Longs, lines: int, length: int, pitch: int, weights: Floats, targets: Ints, indexed: Floats,
) -> None:  # fmt: skip
    """Add what one projection brings in this step, in the way that it was laid out for."""
    if kind == DENSE:
        _add_rows(arriving, base[table], length, weights, row, table, ids, lo, hi)
    elif kind == BLOCKS:
        _add_blocks(arriving, base, lines, length, pitch, weights, row, table, ids, lo, hi)
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
def _advance(
    all_i: Floats, all_v: Floats, arriving: Floats, all_above: Bytes, a: int, z: int,
    all_sd: Floats, all_sg: Floats, all_bias: Floats, all_md: Floats, all_mg: Floats, all_leak: Floats,
    all_floor: Floats, all_threshold: Floats, lagging: int,
) -> None:  # fmt: skip
    """Advance positions a to z by one step, empty what arrives and mark who stands above threshold."""
    i, v, x, above = all_i[a:z], all_v[a:z], arriving[a:z], all_above[a:z]
    bias, leak, floor, threshold = all_bias[a:z], all_leak[a:z], all_floor[a:z], all_threshold[a:z]
    syn_decay, syn_gain, mem_decay, mem_gain = all_sd[a:z], all_sg[a:z], all_md[a:z], all_mg[a:z]
    if lagging:
        for j in range(z - a):
            current = i[j]
            u = (mem_decay[j] * v[j] + mem_gain[j] * current) + leak[j]
            u = u if u > floor[j] else floor[j]
            v[j] = u
            above[j] = u > threshold[j]
            i[j] = syn_decay[j] * current + syn_gain[j] * (x[j] + bias[j])
            x[j] = 0
    else:
        for j in range(z - a):
            current = syn_decay[j] * i[j] + syn_gain[j] * (x[j] + bias[j])
            i[j] = current
            u = (mem_decay[j] * v[j] + mem_gain[j] * current) + leak[j]
            u = u if u > floor[j] else floor[j]
            v[j] = u
            above[j] = u > threshold[j]
            x[j] = 0


@njit(cache=True, nogil=True)
def _fire(
    v: Floats, above: Bytes, words: Words, a: int, z: int, v_reset: Floats, drop: Floats, subtract: int,
    neuron: Ints, spiked: Ints, at: int,
) -> int:  # fmt: skip
    """List at ``at`` and reset the neurons above threshold; return their number.

    ``words`` are the marks ``above`` seen eight at a time: most are zero.
    """
    n = 0
    for word in range(a // 8, z // 8):
        if words[word]:
            for j in range(8 * word, 8 * word + 8):
                if above[j]:
                    v[j] = v[j] - drop[j] if subtract else v_reset[j]
                    spiked[at + n] = neuron[j]
                    n += 1
    return n


@njit(cache=True, nogil=True)
def _read_out(
    outputs: Floats, v: Floats, readout: Longs, spiking: int, spiked: Ints, lo: int, hi: int
) -> None:
    """Write one step's answer: 1 for each neuron that spiked, or the membranes of those that cannot."""
    if spiking:
        for k in range(lo, hi):
            outputs[spiked[k]] = 1
    else:
        for c in range(readout.size):
            outputs[c] = v[readout[c]]
