"""The lazy kernel: a neuron is advanced when something reaches it, over all the steps since then at once.

Delta synapses and a drive below threshold: between arrivals a membrane decays to its rest, and cannot fire.
Membranes are float64, and the power of the decay is looked up: they equal those of the other kernel to
rounding. A step in which nothing happens costs no more than looking at the lists.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.simulator.sparse.kernels import LAST, gap, take_up, wait
from nmbench.simulator.sparse.plan import Bytes, Doubles, Flags, Ints, LazyState, Longs, Plan, State, Words
from nmbench.simulator.sparse.vector import prefetch, store_release

LAZY_DECAY, LAZY_REST, LAZY_THRESHOLD, LAZY_RESET, LAZY_UNIT, LAZY_HELD = range(6)
"""Columns of `LazyState.constants`; ``LAZY_HELD`` counts refractory steps."""


@njit(cache=True, nogil=True)
def run_lazily(plan: Plan, state: State, own: LazyState, low: int, high: int, begin: int, end: int) -> None:
    """Advance partitions ``low`` to ``high`` (excluded) from step ``begin`` to ``end``."""
    rows, start, base, neurons = plan.rows, plan.start, plan.base, plan.neurons
    first, size, neuron, mean = plan.first, plan.size, plan.neuron, plan.mean
    rare, rare_keys, weight = plan.rare, plan.rare_keys, plan.weight
    spiked, listed, active, under_way = state.spiked, state.listed, state.active, state.under_way
    recorded, per_step, progress = state.recorded, state.per_step, state.progress
    noise_at, noise_drawn = state.noise_at, state.noise_drawn
    membrane, since, risen, arrivals = own.membrane, own.since, own.risen, own.arrivals
    population, powers, constants = own.population, own.powers, own.constants
    words, alone = own.words, own.alone
    depth = spiked.shape[1]
    done = np.zeros(high - low, dtype=np.int64)
    for t in range(begin, end):
        due = t - plan.min_delay
        for p in range(low, high):
            a, z, slot = base[p], base[p + 1], t % depth
            wait(progress, due + 1)
            if t > 0 and under_way[p, 0] == 0 and _silent(t, p, due, listed, depth, size, noise_at):
                listed[p, slot] = 0
                per_step[p, t - begin] = 0
                store_release(progress, p * progress.shape[1], t + 1)
                continue
            n = take_up(active[p], under_way[p, 0], due, start, p * neurons, spiked, listed)
            v, at, kind = membrane[a:z], since[a:z], population[a:z]
            m, kept, reached = _scatter(active[p], n, rows, t, v, at, kind, constants, powers, risen[p], 0)
            under_way[p, 0] = kept
            own_row = _outer(
                t, first[p], size[p], rare, mean, weight, rare_keys[p], noise_at[p], noise_drawn[p], words[p]
            )
            if own_row or t == 0:
                alone[p, 0] = 0
                m, _, _ = _scatter(
                    alone[p], 1, words[p], t, v, at, kind, constants, powers, risen[p], m
                )  # fmt: skip
            arrivals[p, 0] += reached + own_row
            n = _fire(t, first[p], neuron[p], v, at, kind, constants, risen[p], m, spiked[p, slot])
            listed[p, slot] = n
            recorded[p, done[p - low] : done[p - low] + n] = spiked[p, slot, :n]
            per_step[p, t - begin] = n
            done[p - low] += n
            store_release(progress, p * progress.shape[1], t + 1)


@njit(cache=True, nogil=True)
def _silent(t: int, p: int, due: int, listed: Longs, depth: int, size: Longs, noise_at: Doubles) -> bool:
    """Say whether nothing new reaches partition p in step t."""
    nothing = True
    if due >= 0:
        for q in range(listed.shape[0]):
            nothing &= listed[q, due % depth] == 0
    for k in range(size.shape[1]):
        nothing &= noise_at[p, k] >= float(t + 1) * size[p, k]
    return nothing


@njit(cache=True, nogil=True)
def _scatter(
    active: Longs, n: int, rows: Ints, t: int, v: Doubles, since: Longs, population: Bytes,
    constants: Doubles, powers: Doubles, risen: Ints, m: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Deliver the segment that is due of each of n rows: advance each target to the end of step t, add to it.

    Returns the neurons listed as above threshold, the rows that go on, and the synapses that were reached.
    """
    kept, count, known = 0, 0, powers.shape[1]
    for row in range(n):
        prefetch(rows, active[min(row + 4, n - 1)])
        at = np.uint64(active[row])
        head = rows[at]
        synapses = head & (LAST - 1)
        for j in range(synapses):
            word = rows[at + np.uint64(j + 1)]
            target = np.uint64(word & 0xFFFF)
            late = 2 * (t + 1) - since[target]
            if late < 0:
                continue  # refractory: what arrives is lost
            k = np.uint64(population[target])
            u = v[target]
            if late > 0:
                steps = np.uint64((late + 1) >> 1)
                rest = constants[k, LAZY_REST]
                power = powers[k, steps] if steps < known else constants[k, LAZY_DECAY] ** np.int64(steps)
                u = rest + (u - rest) * power
                since[target] = 2 * (t + 1)
            u += (word >> 16) * constants[k, LAZY_UNIT]
            v[target] = u
            if u >= constants[k, LAZY_THRESHOLD] and m < risen.size:
                risen[m] = target
                m += 1
        count += synapses
        if head < LAST:
            active[kept] = np.int64(at) + 1 + synapses
            kept += 1
    return m, kept, count


@njit(cache=True, nogil=True)
def _outer(
    t: int, first: Longs, size: Longs, rare: Flags, mean: Doubles, weight: Ints, keys: Words, at: Doubles,
    drawn: Longs, words: Ints,
) -> int:  # fmt: skip
    """Write the rare Poisson spikes of step t as a row of one segment; return their number.

    In step 0 every neuron is reached, with nothing: who starts above threshold fires.
    """
    n, count = 0, 0
    for k in range(size.size):
        if t == 0:
            for target in range(first[k], first[k] + size[k]):
                n += 1
                words[n] = target
        if rare[k]:
            begin = float(t) * size[k]
            while at[k] < begin + size[k]:
                target = first[k] + int(at[k] - begin)
                drawn[k] += 1
                at[k] += gap(keys[k], drawn[k]) / mean[k]
                if n + 1 < words.size:
                    n += 1
                    words[n] = np.int32((weight[k] << 16) | target)
                    count += 1
    words[0] = n | LAST
    return count


@njit(cache=True, nogil=True)
def _fire(
    t: int, first: Longs, neuron: Longs, v: Doubles, since: Longs, population: Bytes, constants: Doubles,
    risen: Ints, m: int, spiked: Ints,
) -> int:  # fmt: skip
    """Let those fire that rose above threshold and still stand there; list and count them."""
    n = 0
    for index in range(m):
        target = risen[index]
        k = population[target]
        # a neuron listed twice has fired already when it comes again
        if since[target] == 2 * (t + 1) and v[target] >= constants[k, LAZY_THRESHOLD]:
            held = int(constants[k, LAZY_HELD])
            v[target] = constants[k, LAZY_RESET]
            since[target] = 2 * (t + 1 + held) + (1 if held else 0)
            spiked[n] = neuron[k] + target - first[k]
            n += 1
    return n
