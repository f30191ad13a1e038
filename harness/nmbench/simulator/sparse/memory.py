"""What the kernels read and write, laid out: constants and noise of neurons, state, lists of spikes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse import kernels
from nmbench.simulator.sparse.alias import POISSON, POISSON_COLUMNS, RARE, poisson_table, stream_keys
from nmbench.simulator.sparse.build import CHUNK, Layout
from nmbench.simulator.sparse.constants import initial_membranes, neuron_constants, refractory_steps
from nmbench.simulator.sparse.plan import Doubles, LazyState, Plan, State

Arithmetic = Literal["fixed", "double"]

PAGE = 4096

RARE_MEAN = 1 / 64
"""Poisson spikes a neuron and step up to which their places are drawn, and not each neuron's count."""

POWERS = 4096
"""Steps up to which the decay is looked up."""


def make_plan(layout: Layout, arithmetic: Arithmetic) -> Plan:
    """Lay out what the kernel reads."""
    network = layout.network
    double = arithmetic == "double"
    constants = np.array([neuron_constants(p, network.dt_ms, layout.unit) for p in network.populations])
    if network.synapse == "delta":
        kind = kernels.DELTA
    else:
        kind = kernels.EXPONENTIAL_DOUBLE if double else kernels.EXPONENTIAL
    if kind == kernels.EXPONENTIAL:
        constants[:, kernels.GAIN] *= layout.unit
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
    apart = plan.kind == kernels.EXPONENTIAL_DOUBLE
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
    """Allocate what the lazy kernel writes; membranes start as the state's do."""
    positions, network = int(layout.base[-1]), layout.network
    population = np.zeros(positions, dtype=np.uint8)
    for p in range(layout.partitions):
        for k, (first, size) in enumerate(zip(layout.first[p], layout.size[p], strict=True)):
            population[layout.base[p] + first : layout.base[p] + first + size] = k
    decay, drive = plan.constants[:, kernels.DECAY], plan.constants[:, kernels.DRIVE]
    held = [refractory_steps(p.neuron, network.dt_ms) for p in network.populations]
    own = (decay, drive / (1 - decay), *plan.constants[:, [kernels.THRESHOLD, kernels.RESET, kernels.UNIT]].T)
    # a neuron may rise, fall and rise again in a step: the list has room for more than each once
    many = 4 * int(np.diff(layout.base).max())
    return LazyState(
        membrane=state.v.astype(np.float64),
        since=np.zeros(positions, dtype=np.int64),
        risen=np.zeros((layout.partitions, _paged(many, 4)), dtype=np.int32),
        arrivals=np.zeros((layout.partitions, PAGE // 8), dtype=np.int64),
        words=np.zeros((layout.partitions, _paged(many, 4)), dtype=np.int32),
        alone=np.zeros((layout.partitions, PAGE // 8), dtype=np.int64),
        population=population,
        constants=np.column_stack([*own, held]),
        powers=decay[:, None] ** np.arange(POWERS),
    )


def _first_noise(plan: Plan) -> Doubles:
    """Return the places of the first rare spikes."""
    at = np.full((plan.size.shape[0], PAGE // 8), np.inf)
    for p, k in np.argwhere(plan.rare & (plan.size > 0)):
        at[p, k] = kernels.gap(plan.rare_keys[p, k], 0) / plan.mean[k]
    return at


def _paged(count: int, width: int) -> int:
    """Round a row up to whole pages: neighbours of one cache line would be passed between threads."""
    return -(-count * width // PAGE) * PAGE // width
