"""One step of a population: its states, who stands above threshold, the spike list and the resets."""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.records import Bytes, Ints, Words

MAX_SPIKES = 65_535
"""Most spikes of one neuron in one step, where a dialect allows several."""


@njit(cache=True, nogil=True)
def advance(
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
            u = floor[j] if u < floor[j] else u
            v[j] = u
            above[j] = u > threshold[j]
            i[j] = syn_decay[j] * current + syn_gain[j] * (x[j] + bias[j])
            x[j] = 0
    else:
        for j in range(z - a):
            current = syn_decay[j] * i[j] + syn_gain[j] * (x[j] + bias[j])
            i[j] = current
            u = (mem_decay[j] * v[j] + mem_gain[j] * current) + leak[j]
            u = floor[j] if u < floor[j] else u
            v[j] = u
            above[j] = u > threshold[j]
            x[j] = 0


@njit(cache=True, nogil=True)
def fire(
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
def advance_general(
    all_i: Floats, all_v: Floats, arriving: Floats, above: Bytes, a: int, z: int,
    syn_decay: Floats, syn_gain: Floats, bias: Floats, mem_decay: Floats, mem_gain: Floats, leak: Floats,
    floor: Floats, threshold: Floats, lagging: int,
    pending: Floats, v_reset: Floats, drop: Floats, subtract: int, rereset: int,
) -> None:  # fmt: skip
    """Advance as `advance`, with resets that wait (``pending``) or that are repeated (``rereset``)."""
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
        u = floor[j] if u < floor[j] else u
        all_v[j] = u
        above[j] = (u - drop[j] if rereset and left_above else u) > threshold[j]


@njit(cache=True, nogil=True)
def fire_general(
    v: Floats, above: Bytes, words: Words, a: int, z: int, v_reset: Floats, drop: Floats, level: Floats,
    subtract: int, neuron: Ints, spiked: Ints, times: Ints, at: int, pending: Floats, resets: int,
    reset_delay: int, multispike: int, at_threshold: int,
) -> tuple[int, int]:  # fmt: skip
    """List and reset as `fire`, later or several times; return the neurons listed and their spikes."""
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
def add_products(arriving: Floats, products: Floats, a: int, z: int) -> None:
    """Add what values brought to what spikes did, rounded once, and empty it."""
    target, added = arriving[a:z], products[a:z]
    for j in range(z - a):
        target[j] = target[j] + added[j]
        added[j] = 0


@njit(cache=True, nogil=True)
def hand_on(values: Floats, at: int, v: Floats, neuron: Ints, a: int, z: int) -> int:
    """Keep at ``at``, by neuron, the membranes that graded projections carry; return their number."""
    n = 0
    for j in range(a, z):
        if neuron[j] >= 0:
            values[at + neuron[j]] = v[j]
            n += 1
    return n
