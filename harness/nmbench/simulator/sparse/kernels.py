"""The clock-driven kernel: every neuron advanced in every step, in blocks.

A thread runs its partitions from step to step and meets the others only where it needs their spikes: a
spike of step t is wanted at step t + the smallest delay. Sums are of integers and each is owned by one
thread, so that nothing depends on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.simulator.sparse.delivery import deliver, take_up, wait
from nmbench.simulator.sparse.neurons import delta, exponential, exponential_double
from nmbench.simulator.sparse.noise import draw_counts, knock
from nmbench.simulator.sparse.plan import (
    DELTA,
    EXPONENTIAL,
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
from nmbench.simulator.sparse.vector import borrowed, store_release

BLOCK = 512
"""Neurons that are advanced in one loop: enough for its start not to count, few enough for the cache."""


@njit(cache=True, nogil=True)
def run_steps(plan: Plan, state: State, low: int, high: int, begin: int, end: int) -> None:
    """Advance partitions ``low`` to ``high`` (excluded) from step ``begin`` to ``end``."""
    plan, state = borrowed(plan), borrowed(state)
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
    above, below, rise, fall = arriving[0], arriving[other], current[0], current[1]
    done, known = np.zeros(high - low, dtype=np.int64), 0
    for t in range(begin, end):
        due = t - plan.min_delay
        for p in range(low, high):
            a, z, slot = base[p], base[p + 1], t % depth
            if kind == DELTA:  # what arrives moves the membrane in the same step
                known = wait(progress, due + 1, known)
                n = take_up(active, p, under_way[p, 0], due, start, p * neurons, spiked, listed)
                if n > 0:
                    n = deliver(active[p], n, rows, above[a:z], below[a:z], other)
                under_way[p, 0] = n
                knock(t, p, a, first, size, rare, mean, weight, rare_keys, noise_at, noise_drawn, above)
            n = _advance(
                kind, t, p, a, slot, first, size, neuron, constants, poisson, cut, alias, weight, keys, v,
                above, below, rise, fall, arrived, fired, marks, spiked,
            )  # fmt: skip
            for k in range(n):
                recorded[p, done[p - low] + k] = spiked[p, slot, k]
            listed[p, slot] = n
            per_step[p, t - begin] = n
            done[p - low] += n
            store_release(progress, p * progress.shape[1], t + 1)
        if kind != DELTA:
            known = wait(progress, due + 1, known)
            for p in range(low, high):
                a, z = base[p], base[p + 1]
                n = take_up(active, p, under_way[p, 0], due, start, p * neurons, spiked, listed)
                if n > 0:
                    n = deliver(active[p], n, rows, above[a:z], below[a:z], other)
                under_way[p, 0] = n
                knock(t, p, a, first, size, rare, mean, weight, rare_keys, noise_at, noise_drawn, above)


@njit(cache=True, nogil=True, forceinline=True)
def _advance(
    kind: int, t: int, p: int, a: int, slot: int, first: Longs, size: Longs, neuron: Longs,
    constants: Floats, poisson: Flags, cut: Shorts, alias: Shorts, weight: Ints, keys: Words, v: Floats,
    above: Ints, below: Ints, rise: Doubles, fall: Doubles, arrived: Ints, fired: Bytes, marks: Words,
    spiked: Ints,
) -> int:  # fmt: skip
    """Advance the neurons of partition p by one step; list and count those that fire."""
    n = 0
    for k in range(size.shape[1]):
        padded = -(-size[p, k] // 64) * 64
        if not poisson[k]:
            for j in range(min(BLOCK, padded)):
                arrived[p, j] = 0
        for block in range(0, padded, BLOCK):
            at, many = a + first[p, k] + block, min(BLOCK, padded - block)
            if poisson[k]:
                draw_counts(arrived[p], at, many, t, cut[k], alias[k], weight[k], keys)
            if kind == EXPONENTIAL:
                some = exponential(constants, k, at, many, v, above, arrived, fired, p)
            elif kind == DELTA:
                some = delta(constants, k, at, many, v, above, arrived, fired, p)
            else:
                some = exponential_double(
                    constants, k, at, many, v, above, below, rise, fall, arrived, fired, p
                )
            if some:
                real = min(many, size[p, k] - block)
                n = _list(spiked, p, slot, n, neuron[p, k] + block, real, fired, marks)
    return n


@njit(cache=True, nogil=True, forceinline=True)
def _list(spiked: Ints, p: int, slot: int, n: int, neuron: int, many: int, fired: Bytes, marks: Words) -> int:
    """Append the neurons of a block that fire to the n spikes listed; ``many`` are no padding."""
    for word in range((many + 7) // 8):
        if marks[p, word]:
            for j in range(8 * word, min(8 * word + 8, many)):
                if fired[p, j]:
                    spiked[p, slot, n] = neuron + j
                    n += 1
    return n
