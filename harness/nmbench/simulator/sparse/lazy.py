"""The lazy kernel: what nothing reaches costs nothing.

Delta synapses and a drive below threshold: between arrivals a membrane decays to its rest, and cannot fire.
Instead of letting membranes decay, what arrives grows: ``x`` above rest at step t is kept as
``w = x * decay**-(t + 1)``, an arrival adds its weight times that power, and the threshold is compared times
that power. So an arrival is one addition and one comparison, whenever the neuron was reached last. Every
``period`` steps powers begin anew, and membranes are scaled back once.

Arithmetic is float64; it equals that of the other kernel to rounding, but for a tie: see `TIE`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.simulator.sparse.delivery import deliver, take_up, wait
from nmbench.simulator.sparse.lazy_arrivals import add_rows, knock_grown, settle
from nmbench.simulator.sparse.plan import Bytes, Doubles, Ints, LazyState, Longs, Plan, State
from nmbench.simulator.sparse.vector import borrowed, store_release

LAZY_THRESHOLD, LAZY_RESET, LAZY_HELD = range(3)
"""Columns of `LazyState.constants`: above rest, and refractory steps."""

TIE = 2.0**-40
"""Share of the threshold by which a membrane may miss it and fire: a sum of grown weights may round below a
threshold that the sum of the weights meets."""


@njit(cache=True, nogil=True)
def run_lazily(plan: Plan, state: State, own: LazyState, low: int, high: int, begin: int, end: int) -> None:
    """Advance partitions ``low`` to ``high`` (excluded) from step ``begin`` to ``end``."""
    plan, state, own = borrowed(plan), borrowed(state), borrowed(own)
    rows, start, base, neurons = plan.rows, plan.start, plan.base, plan.neurons
    first, size, neuron, mean = plan.first, plan.size, plan.neuron, plan.mean
    rare, rare_keys, weight = plan.rare, plan.rare_keys, plan.weight
    arriving, spiked, listed, active = state.arriving[0], state.spiked, state.listed, state.active
    recorded, per_step, progress, under_way = state.recorded, state.per_step, state.progress, state.under_way
    noise_at, noise_drawn = state.noise_at, state.noise_drawn
    grown, resting, until, queue = own.grown, own.resting, own.until, own.queue
    risen, gain, bar, population = own.risen, own.gain, own.bar, own.population
    constants, growth, unit, alike, dense = own.constants, own.growth, own.unit, own.alike, own.dense
    depth, period = spiked.shape[1], growth.shape[1] - 1
    done, known = np.zeros(high - low, dtype=np.int64), 0
    for t in range(begin, end):
        due, phase = t - plan.min_delay, t % period
        for p in range(low, high):
            a, slot = base[p], t % depth
            known = wait(progress, due + 1, known)
            if phase == 0 and t > 0:
                _subside(p, a, first, size, growth, grown)
            n = under_way[p, 0]
            if t > 0 and n == 0 and _silent(t, p, due, listed, depth, size, noise_at, queue, until, a, first):
                listed[p, slot] = 0
                per_step[p, t - begin] = 0
                store_release(progress, p * progress.shape[1], t + 1)
                continue
            for k in range(growth.shape[0]):
                gain[p, k] = unit * growth[k, phase + 1]
                bar[p, k] = constants[k, LAZY_THRESHOLD] * growth[k, phase + 1]
            _release(t, phase, p, a, first, size, constants, growth, grown, resting, until, queue)
            n = take_up(active, p, n, due, start, p * neurons, spiked, listed)
            m = 0
            if n >= dense or t == 0:  # in step 0 every neuron is looked at: who starts above threshold fires
                sums = arriving[a : base[p + 1]]
                n = deliver(active[p], n, rows, sums, sums, 0)
                m = settle(p, a, first, size, arriving, grown, gain, bar, risen)
            else:
                m, n = add_rows(active, p, n, rows, a, grown, gain, bar, population, alike, risen)
            under_way[p, 0] = n
            m = knock_grown(
                t, p, a, first, size, rare, mean, weight, rare_keys, noise_at, noise_drawn, grown, gain, bar,
                risen, m,
            )  # fmt: skip
            if m > 0:
                n = _fire(
                    t, phase, p, slot, a, first, size, neuron, constants, growth, grown, bar, population,
                    resting, until, queue, risen, m, spiked,
                )  # fmt: skip
                for k in range(n):
                    recorded[p, done[p - low] + k] = spiked[p, slot, k]
            else:
                n = 0
            listed[p, slot] = n
            per_step[p, t - begin] = n
            done[p - low] += n
            store_release(progress, p * progress.shape[1], t + 1)


@njit(cache=True, nogil=True, forceinline=True)
def _silent(
    t: int, p: int, due: int, listed: Longs, depth: int, size: Longs, noise_at: Doubles, queue: Longs,
    until: Longs, a: int, first: Longs,
) -> bool:  # fmt: skip
    """Say whether nothing new reaches partition p in step t, and no neuron's refractoriness ends."""
    nothing = True
    if due >= 0:
        for q in range(listed.shape[0]):
            nothing &= listed[q, due % depth] == 0
    for k in range(size.shape[1]):
        nothing &= noise_at[p, k] >= float(t + 1) * size[p, k]
        if queue[p, 2 * k + 1] > 0:
            nothing &= until[a + first[p, k] + queue[p, 2 * k]] > t
    return nothing


@njit(cache=True, nogil=True, forceinline=True)
def _subside(p: int, a: int, first: Longs, size: Longs, growth: Doubles, grown: Doubles) -> None:
    """Scale membranes back: the powers of the decay begin anew."""
    for k in range(size.shape[1]):
        shrink, at = 1.0 / growth[k, growth.shape[1] - 1], a + first[p, k]
        for place in range(at, at + size[p, k]):
            grown[np.uint64(place)] *= shrink


@njit(cache=True, nogil=True, forceinline=True)
def _release(
    t: int, phase: int, p: int, a: int, first: Longs, size: Longs, constants: Doubles, growth: Doubles,
    grown: Doubles, resting: Ints, until: Longs, queue: Longs,
) -> None:  # fmt: skip
    """Let neurons be reached again whose refractoriness ended with the last step."""
    for k in range(size.shape[1]):
        at, left = a + first[p, k], queue[p, 2 * k + 1]
        while left > 0 and until[at + queue[p, 2 * k]] <= t:
            front = queue[p, 2 * k]
            grown[resting[at + front]] = constants[k, LAZY_RESET] * growth[k, phase]
            left -= 1
            queue[p, 2 * k] = front + 1 if front + 1 < size[p, k] else 0
        queue[p, 2 * k + 1] = left


@njit(cache=True, nogil=True, forceinline=True)
def _fire(
    t: int, phase: int, p: int, slot: int, a: int, first: Longs, size: Longs, neuron: Longs,
    constants: Doubles, growth: Doubles, grown: Doubles, bar: Doubles, population: Bytes, resting: Ints,
    until: Longs, queue: Longs, risen: Ints, m: int, spiked: Ints,
) -> int:  # fmt: skip
    """Let those fire that rose above threshold and still stand there; list and count them."""
    n, everyone = 0, m > risen.shape[1]
    if everyone:  # the list was too short: whoever stands above threshold rose
        m = first[p, size.shape[1] - 1] + size[p, size.shape[1] - 1]
    for index in range(m):
        target = np.int64(index) if everyone else np.int64(risen[p, index])
        k = population[a + target]
        # a neuron listed twice has fired already when it comes again; padding lies at 0, below any threshold
        if grown[a + target] >= bar[p, k]:
            held, at = int(constants[k, LAZY_HELD]), a + first[p, k]
            if held > 0:
                grown[a + target] = -np.inf
                back = queue[p, 2 * k] + queue[p, 2 * k + 1]
                back -= size[p, k] if back >= size[p, k] else 0
                resting[at + back], until[at + back] = a + target, t + 1 + held
                queue[p, 2 * k + 1] += 1
            else:
                grown[a + target] = constants[k, LAZY_RESET] * growth[k, phase + 1]
            spiked[p, slot, n] = neuron[p, k] + target - first[p, k]
            n += 1
    return n
