"""Kernels of the sparse engine: neurons advanced in blocks, synapses pulled when they are due.

A thread runs its partitions from step to step and meets the others only where it needs their spikes: a
spike of step t is wanted at step t + the smallest delay. Sums are of integers and each is owned by one
thread, so that nothing depends on the number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from nmbench.simulator.sparse.plan import (
    Bytes,
    Doubles,
    Flags,
    Floats,
    Ints,
    Longs,
    Plan,
    Shorts,
    State,
    Words,
)
from nmbench.simulator.sparse.vector import (
    HAS_TABLES,
    counts64,
    give_way,
    load_acquire,
    prefetch,
    store_release,
)

EXPONENTIAL, EXPONENTIAL_DOUBLE, DELTA = 0, 1, 2
"""Sorts of neuron: fixed-point current, the same in double precision, and membrane jumps (either width)."""

DECAY, GAIN, DRIVE, SYN_DECAY, THRESHOLD, RESET, HELD, WAITING, UNIT = range(9)
"""Columns of the constants of a population.

``HELD`` is far below any membrane: one below it is a counter of refractory steps, which begins at
``WAITING`` and goes up by 1 a step. ``UNIT`` is the weight of one unit of the integers.
"""

LAST = 1 << 30
"""Bit of a segment's head that says: the row ends with this segment."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Increment of SplitMix64 (`nmbench.simulator.sparse.alias`)."""

SPINS = 2000
"""Looks at another thread's progress before giving way: about 20 us."""

BLOCK = 512
"""Neurons that are advanced in one loop: enough for its start not to count, few enough for the cache."""

AHEAD = 8
"""Segments between asking for a cache line and using it."""


@njit(cache=True, nogil=True)
def run_steps(plan: Plan, state: State, low: int, high: int, begin: int, end: int) -> None:
    """Advance partitions ``low`` to ``high`` (excluded) from step ``begin`` to ``end``."""
    # fields are taken out once: passing a tuple of arrays counts a reference for each of them
    rows, start, base, kind, neurons = plan.rows, plan.start, plan.base, plan.kind, plan.neurons
    first, size, neuron, constants = plan.first, plan.size, plan.neuron, plan.constants
    poisson, cut, alias, weight, keys = plan.poisson, plan.cut, plan.alias, plan.weight, plan.keys
    v, arriving, current, progress = state.v, state.arriving, state.current, state.progress
    spiked, listed, active, under_way = state.spiked, state.listed, state.active, state.under_way
    recorded, per_step = state.recorded, state.per_step
    arrived, fired, marks = state.arrived, state.fired, state.marks
    rare, mean, rare_keys = plan.rare, plan.mean, plan.rare_keys
    noise_at, noise_drawn = state.noise_at, state.noise_drawn
    depth, other = spiked.shape[1], arriving.shape[0] - 1
    done = np.zeros(high - low, dtype=np.int64)
    for t in range(begin, end):
        due = t - plan.min_delay
        for p in range(low, high):
            a, z, slot = base[p], base[p + 1], t % depth
            if kind == DELTA:  # what arrives moves the membrane in the same step
                wait(progress, due + 1)
                n = under_way[p, 0]
                n = take_up(active[p], n, due, start, p * neurons, spiked, listed)
                under_way[p, 0] = _deliver(active[p], n, rows, arriving[0, a:z], arriving[other, a:z], other)
                _knock(
                    t, first[p], size[p], rare, mean, weight, rare_keys[p], noise_at[p], noise_drawn[p],
                    arriving[0, a:z],
                )  # fmt: skip
            n = _advance(
                kind, t, first[p], size[p], neuron[p], constants, poisson, cut, alias, weight,
                keys[a // 64 : z // 64], v[a:z], arriving[0, a:z], arriving[other, a:z], current[0, a:z],
                current[1, a:z], arrived[p], fired[p], marks[p], spiked[p, slot],
            )  # fmt: skip
            listed[p, slot] = n
            recorded[p, done[p - low] : done[p - low] + n] = spiked[p, slot, :n]
            per_step[p, t - begin] = n
            done[p - low] += n
            store_release(progress, p * progress.shape[1], t + 1)
        if kind != DELTA:
            wait(progress, due + 1)
            for p in range(low, high):
                n, a, z = under_way[p, 0], base[p], base[p + 1]
                n = take_up(active[p], n, due, start, p * neurons, spiked, listed)
                under_way[p, 0] = _deliver(active[p], n, rows, arriving[0, a:z], arriving[other, a:z], other)
                _knock(
                    t, first[p], size[p], rare, mean, weight, rare_keys[p], noise_at[p], noise_drawn[p],
                    arriving[0, a:z],
                )  # fmt: skip


@njit(cache=True, nogil=True)
def wait(progress: Longs, steps: int) -> None:
    """Wait until every partition has advanced so many steps."""
    for p in range(progress.shape[0]):
        spins = 0
        while load_acquire(progress, p * progress.shape[1]) < steps:
            spins += 1
            if spins > SPINS:
                give_way()


@njit(cache=True, nogil=True)
def take_up(active: Longs, n: int, due: int, start: Longs, row: int, spiked: Ints, listed: Longs) -> int:
    """Append the rows of the spikes of step ``due`` to the n that are under way; return their number."""
    if due < 0:
        return n
    slot = due % spiked.shape[1]
    for q in range(spiked.shape[0]):
        for k in range(listed[q, slot]):
            active[n] = start[row + spiked[q, slot, k]]
            n += 1
    return n


@njit(cache=True, nogil=True)
def _deliver(active: Longs, n: int, rows: Ints, sums: Ints, below: Ints, apart: int) -> int:
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


@njit(cache=True, nogil=True)
def _knock(
    t: int, first: Longs, size: Longs, rare: Flags, mean: Doubles, weight: Ints, keys: Words, at: Doubles,
    drawn: Longs, sums: Ints,
) -> None:  # fmt: skip
    """Add the rare Poisson spikes of step t (`gap`)."""
    for k in range(size.size):
        if rare[k]:
            begin = float(t) * size[k]
            while at[k] < begin + size[k]:
                sums[first[k] + int(at[k] - begin)] += weight[k]
                drawn[k] += 1
                at[k] += gap(keys[k], drawn[k]) / mean[k]


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


@njit(cache=True, nogil=True)
def _advance(
    kind: int, t: int, first: Longs, size: Longs, neuron: Longs, constants: Floats,
    poisson: Flags, cut: Shorts, alias: Shorts, weight: Ints, keys: Words,
    v: Floats, above: Ints, below: Ints, rise: Doubles,
    fall: Doubles, arrived: Ints, fired: Bytes, marks: Words, spiked: Ints,
) -> int:  # fmt: skip
    """Advance the neurons of a partition by one step; list and count those that fire."""
    n = 0
    for k in range(first.size):
        own = constants[k]
        if not poisson[k]:
            arrived[:BLOCK] = 0
        padded = -(-size[k] // 64) * 64
        for block in range(0, padded, BLOCK):
            at, many = first[k] + block, min(BLOCK, padded - block)
            if poisson[k]:
                _draw(arrived, at, many, t, cut[k], alias[k], weight[k], keys)
            if kind == EXPONENTIAL:
                some = _exponential(own, at, many, v, above, arrived, fired)
            elif kind == DELTA:
                some = _delta(own, at, many, v, above, arrived, fired)
            else:
                some = _exponential_double(own, at, many, v, above, below, rise, fall, arrived, fired)
            if some:
                n = _list(spiked, n, neuron[k] + block, min(many, size[k] - block), fired, marks)
    return n


@njit(cache=True, nogil=True)
def _draw(
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
def _list(spiked: Ints, n: int, neuron: int, many: int, fired: Bytes, marks: Words) -> int:
    """Append the neurons of a block that fire to the n spikes listed; ``many`` are no padding."""
    for word in range((many + 7) // 8):
        if marks[word]:
            for j in range(8 * word, min(8 * word + 8, many)):
                if fired[j]:
                    spiked[n] = neuron + j
                    n += 1
    return n


@njit(cache=True, nogil=True)
def _exponential(own: Floats, at: int, many: int, v: Floats, i: Ints, arrived: Ints, fired: Bytes) -> bool:
    """Advance neurons with exponential synapses, whose current is an integer; say whether any fires."""
    decay, gain, drive, syn_decay = own[DECAY], own[GAIN], own[DRIVE], own[SYN_DECAY]
    threshold, reset, held, waiting = own[THRESHOLD], own[RESET], own[HELD], own[WAITING]
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u, flow = v[place], np.float32(i[place])
        counted = u + np.float32(1)
        back = counted if counted < held else reset
        moved = (u * decay + flow * gain) + drive
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        i[place] = np.int32(np.rint(flow * syn_decay)) + arrived[j]
        fired[j] = above
        some |= above
    return some


@njit(cache=True, nogil=True)
def _exponential_double(
    own: Floats, at: int, many: int, v: Floats, above_0: Ints, below_0: Ints,
    excitatory: Doubles, inhibitory: Doubles, arrived: Ints, fired: Bytes,
) -> bool:  # fmt: skip
    """Advance neurons with exponential synapses in double precision, as ``iaf_psc_exp`` adds up.

    What arrived in the last step is taken up first: the current of the last step is then complete.
    """
    decay, gain, drive, syn_decay = own[DECAY], own[GAIN], own[DRIVE], own[SYN_DECAY]
    threshold, reset, held, waiting, unit = own[THRESHOLD], own[RESET], own[HELD], own[WAITING], own[UNIT]
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u = v[place]
        rise = excitatory[place] + above_0[place] * unit
        fall = inhibitory[place] + below_0[place] * unit
        counted = u + 1.0
        back = counted if counted < held else reset
        moved = ((u * decay + rise * gain) + fall * gain) + drive
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        excitatory[place] = rise * syn_decay
        inhibitory[place] = fall * syn_decay
        above_0[place] = arrived[j]
        below_0[place] = 0
        fired[j] = above
        some |= above
    return some


@njit(cache=True, nogil=True)
def _delta(own: Floats, at: int, many: int, v: Floats, sums: Ints, arrived: Ints, fired: Bytes) -> bool:
    """Advance neurons with delta synapses, in the width of the membrane; say whether any fires."""
    decay, drive, threshold, reset = own[DECAY], own[DRIVE], own[THRESHOLD], own[RESET]
    held, waiting, unit = own[HELD], own[WAITING], own[UNIT]
    width = v.dtype.type
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u = v[place]
        counted = u + width(1)
        back = counted if counted < held else reset
        moved = (drive + u * decay) + width(sums[place] + arrived[j]) * unit
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        sums[place] = 0
        fired[j] = above
        some |= above
    return some


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
