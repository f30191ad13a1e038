"""From a recipe to synapses in memory: partitions of the targets, rows of the sources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError
from nmbench.network.memory import available_bytes, shortage
from nmbench.network.sparse import FixedTotal, SparseNetwork, Spread
from nmbench.simulator.sparse.alias import AliasTable, normal_table
from nmbench.simulator.sparse.division import Shape, by_source, by_target
from nmbench.simulator.sparse.rows import Tables

CHUNK = 64
"""Populations of a partition begin at multiples of it."""

MAX_TARGETS = 1 << 16
"""State positions that 16 bits reach."""

MAX_WEIGHT = 32767
TAIL_SDS = 5.0
"""A weight lies beyond so many standard deviations less often than tables resolve."""

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """A network's synapses and where its neurons stand; `nmbench.simulator.sparse.plan.Plan` says more.

    ``unit`` is the weight (pA or mV) of one unit of the integers in ``rows``; ``segments`` int64 ``[K]`` are
    those of a row by its source's population; ``fan_out`` int64 ``[N]``.
    """

    network: SparseNetwork
    seed: int
    unit: float
    min_delay: int
    max_delay: int
    rows: npt.NDArray[np.int32]
    start: Longs
    segments: Longs
    base: Longs
    first: Longs
    size: Longs
    neuron: Longs
    fan_out: Longs

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return self.base.size - 1

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return int(self.fan_out.sum())

    @property
    def bytes_per_synapse(self) -> float:
        """Bytes of rows and of what finds them, a synapse."""
        return (self.rows.nbytes + self.start.nbytes) / max(self.synapses, 1)


def build(network: SparseNetwork, seed: int, partitions: int | None, threads: int) -> Layout:
    """Draw the network's synapses; the same for any number of threads.

    Raises
    ------
    InputError
        Where it cannot be laid out, or needs more memory than there is: told before anything is allocated.
    """
    wanted = partitions or least_partitions(network)
    base, first, size, neuron = _places(network, wanted)
    _check(network, int(np.diff(base).max()))
    unit = weight_unit(network)
    tables, delays = _tables(network, unit)
    min_delay, max_delay = int(delays[:, 0].min(initial=1)), int(delays[:, 1].max(initial=1))
    segments = _segments(network, delays, min_delay)
    shape = Shape(network, seed, first, size, neuron, tables, segments, min_delay, threads)
    fixed_total = all(isinstance(p.rule, FixedTotal) for p in network.projections)
    rows, start, fan_out = (by_source if fixed_total else by_target)(shape)
    return Layout(
        network, seed, unit, min_delay, max_delay, rows, start, segments, base, first, size, neuron, fan_out
    )


def least_partitions(network: SparseNetwork) -> int:
    """Return the smallest number of partitions that 16 bits can address, and at least two."""
    padding = CHUNK * len(network.populations)
    return max(2, -(-network.size // (MAX_TARGETS - 2 * padding)))


def predicted_bytes(network: SparseNetwork) -> int:
    """Return about how much memory the synapses will take."""
    return sum(4 * network.synapses(p) for p in network.projections) + 1000 * network.size


def weight_unit(network: SparseNetwork) -> float:
    """Return the power of two that weights are multiples of: the finest at which all fit 16 bits."""
    largest = max((abs(p.weight.mean) + TAIL_SDS * p.weight.sd for p in network.projections), default=0.0)
    largest = max([largest, *(abs(p.drive.weight) for p in network.populations)])
    return float(2.0 ** -np.floor(np.log2(MAX_WEIGHT / largest))) if largest else 1.0


def _check(network: SparseNetwork, targets: int) -> None:
    faults = []
    if targets > MAX_TARGETS:
        faults.append(f"partitions: {targets} positions in one; at most {MAX_TARGETS}: take more partitions")
    needed, there = predicted_bytes(network), available_bytes()
    if there is not None and needed > there:
        number = sum(network.synapses(p) for p in network.projections)
        faults.append(f"projections: {number:,} synapses: {shortage(needed, there)}")
    if len({type(p.rule) for p in network.projections}) > 1:
        faults.append("projections: fixed totals and fixed in-degrees cannot be mixed in one network")
    if faults:
        raise InputError(f"network {network.name}", faults)


def _places(network: SparseNetwork, partitions: int) -> tuple[Longs, Longs, Longs, Longs]:
    """Give each partition an equal share of each population."""
    sizes = np.array([p.size for p in network.populations])
    edges = np.arange(partitions + 1)[:, None] * sizes // partitions
    size = np.diff(edges, axis=0)
    padded = -(-size // CHUNK) * CHUNK
    first = np.cumsum(padded, axis=1) - padded
    base = np.concatenate([[0], np.cumsum(padded.sum(axis=1))])
    return base, first, size, edges[:-1] + np.cumsum(sizes) - sizes


@lru_cache(maxsize=64)
def _table(spread: Spread, scale: float, low: int, high: int) -> AliasTable:
    return normal_table(spread.mean / scale, spread.sd / scale, low, high)


def _tables(network: SparseNetwork, unit: float) -> tuple[Tables, Longs]:
    """Return the tables of all projections, and the least and largest delay of each."""
    tables, delays = [], []
    for projection in network.projections:
        low, high = (0, MAX_WEIGHT) if projection.weight.mean >= 0 else (-MAX_WEIGHT - 1, 0)
        tables.append(_table(projection.weight, unit, low, high))
        delay = _table(projection.delay_ms, network.dt_ms, 1, MAX_WEIGHT)
        tables.append(delay)
        there = np.flatnonzero(delay.probabilities())
        delays.append((delay.first + there.min(), delay.first + there.max()))
    columns = [t.cut.size for t in tables]
    packed = Tables(
        np.concatenate([np.zeros(0, np.int32), *(t.cut.astype(np.int32) for t in tables)]),
        np.concatenate([np.zeros(0, np.int32), *(t.alias.astype(np.int32) for t in tables)]),
        np.cumsum([0, *columns])[:-1],
        np.array(columns, dtype=np.int64) - 1,
        np.array([t.first for t in tables], dtype=np.int64),
    )
    return packed, np.array(delays, dtype=np.int64).reshape(-1, 2)


def _segments(network: SparseNetwork, delays: Longs, min_delay: int) -> Longs:
    """Return per population how many segments a row of its neurons has: one a delay."""
    longest = {p.name: min_delay for p in network.populations}
    for projection, (_, last) in zip(network.projections, delays, strict=True):
        longest[projection.source] = max(longest[projection.source], int(last))
    return np.array(list(longest.values()), dtype=np.int64) - min_delay + 1
