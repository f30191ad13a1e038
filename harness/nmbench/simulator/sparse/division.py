"""Who draws which synapses: totals divided over partitions and sources, work divided over threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from nmbench.network.sparse import FixedInDegree, SparseNetwork
from nmbench.simulator.sparse import rows as draw
from nmbench.simulator.sparse.alias import DIVISION, ROWS, TARGETS, stream_keys
from nmbench.simulator.sparse.plan import Ints, Longs, Words

JOB_ROWS = 512
"""Rows that one job draws: some milliseconds of work."""


@dataclass(frozen=True)
class Shape:
    """What both ways to draw need."""

    network: SparseNetwork
    seed: int
    first: Longs
    size: Longs
    neuron: Longs
    tables: draw.Tables
    segments: Longs
    min_delay: int
    threads: int

    @property
    def order(self) -> dict[str, int]:
        """Index of each population."""
        return {p.name: k for k, p in enumerate(self.network.populations)}

    @property
    def begin(self) -> Longs:
        """First neuron of each population, and their number."""
        return np.cumsum([0, *(p.size for p in self.network.populations)])

    def each_neuron(self) -> Longs:
        """Segments of each neuron's rows."""
        return np.repeat(self.segments, [p.size for p in self.network.populations])


Drawn = tuple[Ints, Longs, Longs]
"""Rows, where they begin, and the synapses of each source neuron."""


def by_source(shape: Shape) -> Drawn:
    """Divide fixed totals over partitions and sources, then draw each row by itself."""
    network, partitions = shape.network, shape.size.shape[0]
    numbers = _numbers(shape)
    held = np.array([np.concatenate([n.sum(axis=1) for n in part]) for part in numbers], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(held + shape.each_neuron())])
    rows = np.empty(start[-1], dtype=np.int32)
    keys = stream_keys(shape.seed, ROWS, partitions * network.size)
    jobs: list[Callable[[], None]] = []
    for p in range(partitions):
        for k, source in enumerate(network.populations):
            ids = [r for r, q in enumerate(network.projections) if q.source == source.name]
            targets = [shape.order[network.projections[r].target] for r in ids]
            for low in range(0, source.size, JOB_ROWS):
                part = numbers[p][k][low : low + JOB_ROWS]
                row = p * network.size + int(shape.begin[k]) + low
                jobs.append(
                    partial(
                        draw.by_source, rows, start, row, part, np.array(ids, dtype=np.int64),
                        shape.first[p, targets], shape.size[p, targets], shape.tables,
                        keys[row : row + len(part)], shape.min_delay, int(shape.segments[k]),
                    )
                )  # fmt: skip
    _in_parallel(jobs, shape.threads)
    return rows, start, held.sum(axis=0)


def _numbers(shape: Shape) -> list[list[Ints]]:
    """Return the synapses of each source: ``[partition][population]``, neurons by its projections."""
    network, partitions = shape.network, shape.size.shape[0]
    columns: list[list[list[Ints]]] = [[[] for _ in network.populations] for _ in range(partitions)]
    for r, projection in enumerate(network.projections):
        rng = np.random.default_rng([shape.seed, DIVISION, r])
        target, source = shape.order[projection.target], shape.order[projection.source]
        size = network.populations[source].size
        share = shape.size[:, target] / shape.size[:, target].sum()
        for p, total in enumerate(rng.multinomial(network.synapses(projection), share)):
            columns[p][source].append(rng.multinomial(total, np.full(size, 1 / size)).astype(np.int32))
    return [
        [
            np.column_stack(own) if own else np.zeros((population.size, 0), np.int32)
            for own, population in zip(part, network.populations, strict=True)
        ]
        for part in columns
    ]


def by_target(shape: Shape) -> Drawn:
    """Let each target draw its sources: once to count the rows, once to fill them."""
    network, partitions = shape.network, shape.size.shape[0]
    counts = np.zeros((partitions, network.size, int(shape.segments.max())), np.int32)
    draws = [list(_draws(shape, p)) for p in range(partitions)]

    def count(p: int) -> None:
        for own in draws[p]:
            draw.count_targets(
                counts[p], own.projection, own.sources, own.source, own.size, shape.tables, own.keys,
                shape.min_delay,
            )  # fmt: skip

    _in_parallel([partial(count, p) for p in range(partitions)], shape.threads)
    held = counts.sum(axis=2, dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(held + shape.each_neuron())])
    rows = np.empty(start[-1], dtype=np.int32)

    def fill(p: int) -> None:
        cursor = np.empty(counts.shape[1:], np.int64)
        draw.open_rows(rows, start, p * network.size, counts[p], shape.each_neuron(), cursor)
        for own in draws[p]:
            draw.fill_targets(
                rows, cursor, own.target, own.projection, own.sources, own.source, own.size, shape.tables,
                own.keys, shape.min_delay,
            )  # fmt: skip

    _in_parallel([partial(fill, p) for p in range(partitions)], shape.threads)
    return rows, start, held.sum(axis=0)


@dataclass(frozen=True)
class _Draws:
    """What the targets of one projection in one partition draw: ``sources`` each, with their own keys."""

    projection: int
    target: int
    source: int
    size: int
    sources: int
    keys: Words


def _draws(shape: Shape, p: int) -> Iterable[_Draws]:
    for r, projection in enumerate(shape.network.projections):
        if not isinstance(projection.rule, FixedInDegree):
            continue  # rules are of one sort: `build` has checked it
        k, source = shape.order[projection.target], shape.order[projection.source]
        begin = int(shape.neuron[p, k] - shape.begin[k])
        keys = stream_keys(shape.seed, TARGETS + r, shape.network.populations[k].size)
        yield _Draws(
            projection=r,
            target=int(shape.first[p, k]),
            source=int(shape.begin[source]),
            size=shape.network.populations[source].size,
            sources=projection.rule.sources,
            keys=keys[begin : begin + int(shape.size[p, k])],
        )


def _in_parallel(jobs: list[Callable[[], None]], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
