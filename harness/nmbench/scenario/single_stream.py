"""SingleStream: one sample a query, the next one on completion of the last (MLPerf Inference)."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import numpy.typing as npt

from nmbench.platforms.base import Session
from nmbench.spikes import SpikeBatch


@dataclass(frozen=True)
class Duration:
    """When a run of timed queries ends: both minima are reached, or the maximum of queries is."""

    seconds: float
    least_queries: int
    most_queries: int


QUICK = Duration(seconds=2.0, least_queries=64, most_queries=1024)
"""Tier ``quick``: 64 queries are the least that bound a p90 with confidence 0.99 at one over-latency."""


@dataclass(frozen=True, eq=False)
class Timed:
    """Queries as they ran: sample asked for, seconds, and the readout ``[queries, T, classes]``."""

    samples: npt.NDArray[np.int64]
    seconds: list[float]
    outputs: npt.NDArray[np.float32]


def order(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the order in which the harness asks for the ``n`` samples."""
    return np.random.Generator(np.random.PCG64(seed)).permutation(n)


def ask(session: Session, batch: SpikeBatch, seed: int, duration: Duration) -> Timed:
    """Time single queries on the wall clock.

    A query is an encoded sample that lies ready in memory; its time ends when the readout of all steps
    is back. Python's collector is off meanwhile: its pauses are the harness's, not the platform's.
    """
    chosen = order(len(batch), seed)[: duration.most_queries]
    queries = [batch.take([sample]) for sample in chosen]
    session.warmup(queries[0])
    asked, seconds, outputs = [], [], []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for sample, query in _endless(chosen, queries):
            start = time.perf_counter_ns()
            answer = session.infer(query)
            seconds.append((time.perf_counter_ns() - start) * 1e-9)
            asked.append(sample)
            outputs.append(answer.outputs)
            if len(seconds) >= duration.most_queries:
                break
            if len(seconds) >= duration.least_queries and sum(seconds) >= duration.seconds:
                break
    finally:
        if collecting:
            gc.enable()
    return Timed(np.array(asked, dtype=np.int64), seconds, np.concatenate(outputs))


def _endless(chosen: npt.NDArray[np.int64], queries: list[SpikeBatch]) -> Iterator[tuple[int, SpikeBatch]]:
    return cycle(zip(chosen.tolist(), queries, strict=True))
