"""The clock-driven engine with event scatter, in Numba: one call runs samples from first to last step.

Nothing here allocates or knows a `Network`: `nmbench.simulator.plan` lays out what is read,
`nmbench.simulator.engine` owns what is written. Sums over spikes are grouped for speed, so they equal the
reference's bit for bit where sums are exact: weights on a power-of-two grid.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.records import Bytes, Ints, Longs, Plan, State, Words

# these stand here and not with the code that fills them: Numba's cache is renewed when this file changes,
# not when one that it imports does
DENSE, BLOCKS, SPARSE, PATTERN = 0, 1, 2, 3
"""How a projection is delivered: whole rows, blocks of a convolution, indexed synapses, or indexed synapses
relative to the spike's place (convolutions with groups or dilation)."""

MAX_SPIKES = 65_535
"""Most spikes of one neuron in one step, where a dialect allows several."""


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
    general, resets, level, entries, onset = plan.general, plan.resets, plan.level, plan.entries, plan.onset
    times, pending, early_bias, several = state.times, state.pending, plan.early_bias, plan.multispike
    for b in range(first, last):
        i[:] = 0
        v[:] = 0
        arriving[:] = 0
        pending[:] = 0
        outputs[b] = 0
        for t in range(steps):
            now = bias if onset.size == 0 or t >= onset[-1] else _bias_at(t, onset, early_bias)
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
                    if several and general[q]:
                        events[b, t, r] = _deliver_times(
                            kind[r], table[r], ids, times, lo, hi, arriving, base, row, synapses, entries,
                            lines[r], length[r], pitch[r], weights, targets, indexed,
                        )  # fmt: skip
                        continue
                    events[b, t, r] = _count(synapses, table[r], ids, lo, hi)
                    _deliver(
                        kind[r], table[r], ids, lo, hi, arriving, base, row, synapses, entries,
                        lines[r], length[r], pitch[r], weights, targets, indexed,
                    )  # fmt: skip
                a, z, at = start[p], start[p] + padded[p], history[p] + t % depth[p] * size[p]
                if general[p]:
                    _advance_general(
                        i, v, arriving, above, a, z, syn_decay, syn_gain, now, mem_decay, mem_gain, leak,
                        floor, threshold, lagging[p], pending, v_reset, drop, plan.subtract,
                        plan.rereset and resets[p],
                    )  # fmt: skip
                    n, total = _fire_general(
                        v, above, words, a, z, v_reset, drop, level, plan.subtract, neuron, spiked, times,
                        at, pending, resets[p], plan.reset_delay, plan.multispike, plan.at_threshold,
                    )  # fmt: skip
                else:
                    _advance(
                        i, v, arriving, above, a, z, syn_decay, syn_gain, now, mem_decay, mem_gain, leak,
                        floor, threshold, lagging[p],
                    )  # fmt: skip
                    n = total = (
                        _fire(v, above, words, a, z, v_reset, drop, plan.subtract, neuron, spiked, at)
                        if spiking[p]
                        else 0
                    )
                listed[p, t % depth[p]], spikes[b, t, p] = n, total
            p = plan.output
            if t + plan.output_delay < steps:
                at, n = history[p] + t % depth[p] * size[p], listed[p, t % depth[p]]
                _read_out(
                    outputs[b, t + plan.output_delay], v, readout, spiking[p], spiked, at, at + n,
                    times, general[p],
                )  # fmt: skip


@njit(cache=True, nogil=True)
def _bias_at(t: int, onset: Longs, early_bias: Floats) -> Floats:
    """Return the bias in effect before the last onset."""
    row = 0
    while t >= onset[row]:
        row += 1
    early: Floats = early_bias[row]
    return early


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
def _deliver_times(
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
def _advance_general(
    all_i: Floats, all_v: Floats, arriving: Floats, above: Bytes, a: int, z: int,
    syn_decay: Floats, syn_gain: Floats, bias: Floats, mem_decay: Floats, mem_gain: Floats, leak: Floats,
    floor: Floats, threshold: Floats, lagging: int,
    pending: Floats, v_reset: Floats, drop: Floats, subtract: int, rereset: int,
) -> None:  # fmt: skip
    """Advance as `_advance`, with resets that wait (``pending``) or that are repeated (``rereset``)."""
    for j in range(a, z):
        last = all_i[j]
        all_i[j] = syn_decay[j] * last + syn_gain[j] * (arriving[j] + bias[j])
        arriving[j] = 0
        current = last if lagging else all_i[j]
        left_above = all_v[j] > threshold[j]
        u = (mem_decay[j] * all_v[j] + mem_gain[j] * current) + leak[j]
        if pending[j] > 0:
            u = u - pending[j] * drop[j] if subtract else v_reset[j]
            pending[j] = 0
        u = u if u > floor[j] else floor[j]
        all_v[j] = u
        above[j] = (u - drop[j] if rereset and left_above else u) > threshold[j]


@njit(cache=True, nogil=True)
def _fire_general(
    v: Floats, above: Bytes, words: Words, a: int, z: int, v_reset: Floats, drop: Floats, level: Floats,
    subtract: int, neuron: Ints, spiked: Ints, times: Ints, at: int, pending: Floats, resets: int,
    reset_delay: int, multispike: int, at_threshold: int,
) -> tuple[int, int]:  # fmt: skip
    """List and reset as `_fire`, later or several times; return the neurons listed and their spikes."""
    n, total = 0, 0
    for word in range(a // 8, z // 8):
        if words[word]:
            for j in range(8 * word, 8 * word + 8):
                if above[j]:
                    pending[j] = 1
                    if multispike and resets:
                        fit = (v[j] - level[j]) / drop[j]
                        pending[j] = min(np.floor(fit) + 1 if at_threshold else np.ceil(fit), MAX_SPIKES)
                    spiked[at + n], times[at + n] = neuron[j], int(pending[j])
                    total += times[at + n]
                    n += 1
                    if not reset_delay and resets:
                        v[j] = v[j] - pending[j] * drop[j] if subtract else v_reset[j]
                    if not (reset_delay and resets):
                        pending[j] = 0
    return n, total


@njit(cache=True, nogil=True)
def _read_out(
    outputs: Floats, v: Floats, readout: Longs, spiking: int, spiked: Ints, lo: int, hi: int, times: Ints,
    general: int,
) -> None:  # fmt: skip
    """Write one step's answer: how often each neuron spiked, or the membranes of those that cannot."""
    if spiking:
        for k in range(lo, hi):
            outputs[spiked[k]] = times[k] if general else 1
    else:
        for c in range(readout.size):
            outputs[c] = v[readout[c]]
