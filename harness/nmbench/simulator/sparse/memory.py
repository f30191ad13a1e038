"""What the kernels read and write, laid out: constants and noise of neurons, state, lists of spikes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.alias import POISSON, POISSON_COLUMNS, RARE, poisson_table, stream_keys
from nmbench.simulator.sparse.build import CHUNK, Layout
from nmbench.simulator.sparse.constants import initial_membranes, neuron_constants, refractory_steps
from nmbench.simulator.sparse.lazy import TIE
from nmbench.simulator.sparse.noise import gap
from nmbench.simulator.sparse.plan import (
    DECAY,
    DELTA,
    DRIVE,
    EXPONENTIAL,
    EXPONENTIAL_DOUBLE,
    GAIN,
    RESET,
    THRESHOLD,
    Doubles,
    LazyState,
    Plan,
    State,
)

Arithmetic = Literal["fixed", "double"]

PAGE = 4096

RARE_MEAN = 1 / 64
"""Poisson spikes a neuron and step up to which their places are drawn, and not each neuron's count."""

LONGEST_PERIOD = 4096
MOST_GROWN = 2.0**200
"""Steps after which the lazy engine's powers of the decay begin anew, or sooner, before they are so large."""

DENSE, DENSE_UNLIKE = 0.3, 0.15
"""Synaptic events a neuron and step from which on it is faster to sum them first and then to look at all
neurons: where populations are alike, and where each target's must be looked up (benchmarks/selection.py)."""


def make_plan(layout: Layout, arithmetic: Arithmetic) -> Plan:
    """Lay out what the kernel reads."""
    network = layout.network
    double = arithmetic == "double"
    constants = np.array([neuron_constants(p, network.dt_ms, layout.unit) for p in network.populations])
    exponential = EXPONENTIAL_DOUBLE if double else EXPONENTIAL
    kind = DELTA if network.synapse == "delta" else exponential
    if kind == EXPONENTIAL:
        constants[:, GAIN] *= layout.unit
    means = poisson_means(network)
    rare = (means > 0) & (means <= RARE_MEAN)
    tables = [poisson_table(mean) for mean in means]
    return Plan(
        rows=layout.rows,
        start=layout.start,
        base=layout.base,
        first=layout.first,
        size=layout.size,
        neuron=layout.neuron,
        constants=constants if double else constants.astype(np.float32),
        poisson=(means > 0) & ~rare,
        cut=np.array([t.cut for t in tables], dtype=np.uint16).reshape(-1, POISSON_COLUMNS),
        alias=np.array([t.alias for t in tables], dtype=np.uint16).reshape(-1, POISSON_COLUMNS),
        weight=np.array([round(p.drive.weight / layout.unit) for p in network.populations], dtype=np.int32),
        rare=rare,
        mean=means,
        rare_keys=stream_keys(layout.seed, RARE, layout.size.size).reshape(layout.size.shape),
        keys=stream_keys(layout.seed, POISSON, int(layout.base[-1]) // CHUNK),
        neurons=network.size,
        kind=kind,
        min_delay=layout.min_delay,
    )


def poisson_means(network: SparseNetwork) -> Doubles:
    """Return the mean number of Poisson spikes of a neuron in a step, a population."""
    return np.array([p.drive.rate_hz * network.dt_ms / 1000 for p in network.populations])


def make_state(layout: Layout, plan: Plan, steps: int, refractory: int) -> State:
    """Allocate what the kernel writes, with the membranes at their start."""
    positions, partitions = int(layout.base[-1]), layout.partitions
    neurons = int(layout.size.sum(axis=1).max())
    under_way = -(-(layout.max_delay - layout.min_delay + 1) // (refractory + 1)) + 1
    v = np.zeros(positions, dtype=plan.constants.dtype)
    drawn = initial_membranes(layout.network, layout.seed)
    for p in range(partitions):
        for first, size, neuron in zip(layout.first[p], layout.size[p], layout.neuron[p], strict=True):
            at = layout.base[p] + first
            v[at : at + size] = drawn[neuron : neuron + size]
    apart = plan.kind == EXPONENTIAL_DOUBLE
    fired = np.zeros((partitions, PAGE), dtype=np.uint8)
    # a slot is written again when no partition can still be reading it: each may lag by the least delay
    slots = 2 * layout.min_delay + 2
    return State(
        v=v,
        arriving=np.zeros((2 if apart else 1, positions), dtype=np.int32),
        current=np.zeros((2, positions if apart else 0)),
        spiked=np.zeros((partitions, slots, _paged(neurons, 4)), dtype=np.int32),
        listed=np.zeros((partitions, _paged(slots, 8)), dtype=np.int64),
        active=np.zeros((partitions, _paged(layout.network.size * under_way, 8)), dtype=np.int64),
        under_way=np.zeros((partitions, PAGE // 8), dtype=np.int64),
        progress=np.zeros((partitions, PAGE // 8), dtype=np.int64),
        recorded=np.empty((partitions, _paged(neurons * (-(-steps // (refractory + 1)) + 1), 4)), np.int32),
        per_step=np.zeros((partitions, _paged(steps, 4)), dtype=np.int32),
        arrived=np.zeros((partitions, PAGE // 4), dtype=np.int32),
        fired=fired,
        marks=fired.view(np.uint64),
        noise_at=_first_noise(plan),
        noise_drawn=np.zeros((partitions, PAGE // 8), dtype=np.int64),
    )


def make_lazy_state(layout: Layout, plan: Plan, state: State) -> LazyState:
    """Allocate what the lazy kernels write; membranes start as the state's do."""
    positions, network, partitions = int(layout.base[-1]), layout.network, layout.partitions
    decay = plan.constants[:, DECAY]
    rest = plan.constants[:, DRIVE] / (1 - decay)
    threshold, reset = (plan.constants[:, column] - rest for column in (THRESHOLD, RESET))
    held = [refractory_steps(p.neuron, network.dt_ms) for p in network.populations]
    population = np.zeros(positions, dtype=np.uint8)
    grown = np.zeros(positions)
    for p in range(partitions):
        for k, (first, size) in enumerate(zip(layout.first[p], layout.size[p], strict=True)):
            own = slice(layout.base[p] + first, layout.base[p] + first + size)
            population[own], grown[own] = k, state.v[own] - rest[k]
    neurons = int(layout.size.sum(axis=1).max())
    heads = max(partitions * int(layout.segments @ [q.size for q in network.populations]), 1)
    segment = layout.synapses / heads
    alike = bool((decay == decay[0]).all() and (threshold == threshold[0]).all())
    return LazyState(
        grown=grown,
        resting=np.zeros(positions, dtype=np.int32),
        until=np.zeros(positions, dtype=np.int64),
        queue=np.zeros((partitions, _paged(2 * decay.size, 8)), dtype=np.int64),
        risen=np.zeros((partitions, _paged(neurons, 4)), dtype=np.int32),
        gain=np.zeros((partitions, _paged(decay.size, 8))),
        bar=np.zeros((partitions, _paged(decay.size, 8))),
        population=population,
        constants=np.column_stack([threshold * (1 - TIE), reset, held]),
        growth=decay[:, None] ** -np.arange(_period(decay) + 1.0),
        unit=layout.unit,
        alike=alike,
        dense=(DENSE if alike else DENSE_UNLIKE) * neurons / segment if segment else np.inf,
    )


def _period(decay: Doubles) -> int:
    return int(min(LONGEST_PERIOD, np.log(MOST_GROWN) // -np.log(decay.min())))


def _first_noise(plan: Plan) -> Doubles:
    """Return the places of the first rare spikes."""
    at = np.full((plan.size.shape[0], PAGE // 8), np.inf)
    for p, k in np.argwhere(plan.rare & (plan.size > 0)):
        at[p, k] = gap(plan.rare_keys[p, k], 0) / plan.mean[k]
    return at


def _paged(count: int, width: int) -> int:
    """Round a row up to whole pages: neighbours of one cache line would be passed between threads."""
    return -(-count * width // PAGE) * PAGE // width
