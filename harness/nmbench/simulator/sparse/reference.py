"""The oracle: a sparse network in plain NumPy, one step at a time, from a list of its synapses.

It shares the constants of neurons with the engine and nothing else: refractoriness is a counter, synapses
are pushed into a ring of future steps, and membranes are whole vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse import plan
from nmbench.simulator.sparse.alias import GOLDEN, POISSON, RARE, mix, poisson_table, stream_keys
from nmbench.simulator.sparse.build import CHUNK, Layout
from nmbench.simulator.sparse.constants import initial_membranes, neuron_constants, refractory_steps
from nmbench.simulator.sparse.listing import SynapseList
from nmbench.simulator.sparse.memory import RARE_MEAN, Arithmetic, poisson_means
from nmbench.simulator.sparse.plan import Floats, Longs

Spikes = tuple[Longs, Longs]
"""Steps and neurons of spikes, sorted."""


def simulate(
    network: SparseNetwork,
    synapses: SynapseList,
    seed: int,
    steps: int,
    *,
    unit: float,
    arithmetic: Arithmetic,
    noise: Callable[[int], Longs] | None = None,
) -> Spikes:
    """Run the network and return its spikes.

    ``unit`` is that of the engine's integers; ``noise(step)`` counts the Poisson spikes of each neuron.
    """
    width: Any = np.float64 if arithmetic == "double" else np.float32
    sizes = [p.size for p in network.populations]
    columns = np.array([neuron_constants(p, network.dt_ms, unit) for p in network.populations])
    constants = np.repeat(columns, sizes, axis=0).astype(width)
    decay, drive = constants[:, plan.DECAY], constants[:, plan.DRIVE]
    threshold, reset = constants[:, plan.THRESHOLD], constants[:, plan.RESET]
    refractory = np.repeat([refractory_steps(p.neuron, network.dt_ms) for p in network.populations], sizes)
    outer = np.repeat([round(p.drive.weight / unit) for p in network.populations], sizes)
    sort: type[_Delta] | type[_Exponential] = _Delta if network.synapse == "delta" else _Exponential
    synaptic = sort(columns, sizes, width, unit)
    weights = np.round(synapses.weight / unit).astype(np.int64)
    ring = np.zeros((int(synapses.delay.max(initial=0)) + 1, 2, network.size), dtype=np.int64)
    v: Floats = initial_membranes(network, seed).astype(width)
    held = np.zeros(network.size, dtype=np.int64)
    by_source = np.searchsorted(synapses.source, np.arange(network.size + 1))
    found: list[Spikes] = []
    for t in range(steps):
        arriving = ring[t % len(ring)].copy()
        ring[t % len(ring)] = 0
        if noise is not None:
            arriving[0] += noise(t) * outer
        moved = synaptic.moved(v, decay, drive, arriving)
        v = np.where(held > 0, reset, moved)
        held = np.maximum(held - 1, 0)
        fired = np.flatnonzero(v >= threshold)
        v[fired], held[fired] = reset[fired], refractory[fired]
        found.append((np.full(fired.size, t), fired))
        for neuron in fired:
            own = slice(by_source[neuron], by_source[neuron + 1])
            slot = (t + synapses.delay[own]) % len(ring)
            sign = (weights[own] < 0).astype(np.int64)
            np.add.at(ring, (slot, sign, synapses.target[own]), weights[own])
    empty = (np.zeros(0, np.int64), np.zeros(0, np.int64))
    at, ids = (np.concatenate(column) for column in zip(empty, *found, strict=True))
    return at, ids


class _Delta:
    """A spike adds its weight to the membrane in the step in which it arrives."""

    def __init__(self, columns: Floats, sizes: list[int], width: Any, unit: float) -> None:
        self.unit = width(unit)
        self.width = width

    def moved(
        self,
        v: Floats,
        decay: Floats,
        drive: Floats,
        arriving: Longs,
    ) -> Floats:
        """Return the membranes after a step."""
        moved: Floats = (drive + v * decay) + arriving.sum(axis=0).astype(self.width) * self.unit
        return moved


class _Exponential:
    """A spike adds its weight to a current, which moves the membrane from the next step on.

    In fixed arithmetic there is one current, an integer number of units that decays to the nearest; in
    double precision excitatory and inhibitory currents are apart.
    """

    def __init__(self, columns: Floats, sizes: list[int], width: Any, unit: float) -> None:
        self.double = width is np.float64
        gain = columns[:, plan.GAIN] * (1 if self.double else unit)
        self.gain = np.repeat(gain, sizes).astype(width)
        self.syn_decay = np.repeat(columns[:, plan.SYN_DECAY], sizes).astype(width)
        self.unit = unit
        self.current = np.zeros((2, sum(sizes)))

    def moved(
        self,
        v: Floats,
        decay: Floats,
        drive: Floats,
        arriving: Longs,
    ) -> Floats:
        """Return the membranes after a step; then let currents decay and take up what arrives."""
        if self.double:
            rise, fall = self.current
            moved: Floats = ((v * decay + rise * self.gain) + fall * self.gain) + drive
            self.current = self.current * self.syn_decay + arriving * self.unit
            return moved
        flow = self.current[0].astype(np.float32)
        moved = (v * decay + flow * self.gain) + drive
        self.current[0] = np.rint(flow * self.syn_decay) + arriving.sum(axis=0)
        return moved


def poisson_noise(layout: Layout) -> Callable[[int], Longs]:
    """Return the function that counts the engine's Poisson spikes: per step, of each neuron."""
    network = layout.network
    positions = np.zeros(network.size, dtype=np.int64)
    population = np.repeat(np.arange(len(network.populations)), [p.size for p in network.populations])
    for p in range(layout.partitions):
        for first, size, neuron in zip(layout.first[p], layout.size[p], layout.neuron[p], strict=True):
            positions[neuron : neuron + size] = layout.base[p] + first + np.arange(size)
    keys = stream_keys(layout.seed, POISSON, int(layout.base[-1]) // CHUNK)[positions // CHUNK]
    lane = (positions % CHUNK // 4).astype(np.uint64)
    shift = (positions % 4 * 16).astype(np.uint64)
    means = poisson_means(network)
    often = means > RARE_MEAN
    tables = [poisson_table(mean) for mean in means]
    cut = np.array([t.cut for t in tables])
    alias = np.array([t.alias for t in tables])

    rare = _rare_noise(layout, positions)

    def noise(step: int) -> Longs:
        number = np.uint64(16 * step) + lane
        bits = (mix(keys + number * np.uint64(GOLDEN)) >> shift) & np.uint64(0xFFFF)
        column, place = (bits & np.uint64(31)).astype(np.int64), (bits >> np.uint64(5)).astype(np.int64)
        counts = np.where(place < cut[population, column], column, alias[population, column])
        return np.where(often[population], counts, rare(step))

    return noise


def _rare_noise(layout: Layout, positions: Longs) -> Callable[[int], Longs]:
    """Return the function that counts rare spikes: exponential gaps on the line of all (step, neuron)."""
    network, means = layout.network, poisson_means(layout.network)
    keys = stream_keys(layout.seed, RARE, layout.size.size).reshape(layout.size.shape)
    neuron_at = {int(position): neuron for neuron, position in enumerate(positions)}
    drawn: dict[tuple[int, int], tuple[int, float]] = {}

    def rare(step: int) -> Longs:
        counts = np.zeros(network.size, dtype=np.int64)
        for p, k in np.argwhere((means > 0) & (means <= RARE_MEAN) & (layout.size > 0)):
            size, first = int(layout.size[p, k]), int(layout.base[p] + layout.first[p, k])
            number, place = drawn.get((p, k), (0, _gap(keys[p, k], 0) / means[k]))
            while place < (step + 1) * size:
                counts[neuron_at[first + int(place - step * size)]] += 1
                number += 1
                place += _gap(keys[p, k], number) / means[k]
            drawn[p, k] = number, place
        return counts

    return rare


def _gap(key: np.uint64, number: int) -> float:
    bits = int(mix(np.array([(int(key) + number * GOLDEN) % 2**64], dtype=np.uint64))[0])
    return -math.log(((bits >> 11) + 1) * 2.0**-53)
