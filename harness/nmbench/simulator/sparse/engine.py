"""A sparse network made ready to run: one object that keeps its state and runs on from where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError
from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse import kernels, lazy
from nmbench.simulator.sparse.alias import MAX_POISSON_MEAN
from nmbench.simulator.sparse.build import Layout, build
from nmbench.simulator.sparse.constants import refractory_steps
from nmbench.simulator.sparse.memory import (
    Arithmetic,
    make_lazy_state,
    make_plan,
    make_state,
)
from nmbench.simulator.sparse.selection import Engine, faster_engine, lazy_faults

MAX_RECORDED = 1 << 24
"""Spikes that a call of the kernel has room for: runs are cut into calls that stay below it."""

CALL_STEPS = {"clock": 1000, "lazy": 10_000}
"""Steps of one call of the kernel: about a tenth of a second of work or less."""


@dataclass(frozen=True)
class SparseRun:
    """What a run gave.

    Spike n is of neuron ``ids[n]`` (in the order of populations) in step ``steps[n]``, sorted by step and
    id; as other simulators do, its time is the end of the step. Counts are per population: ``spikes``;
    ``synaptic_events`` of all those spikes, also where the run ended before they arrived, by population of
    the source; ``neuron_updates``, which the lazy engine makes many at once. ``wall_s`` is of the run with
    its recording, not of building or compiling.
    """

    network: SparseNetwork
    begin: int
    end: int
    steps: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    spike_counts: npt.NDArray[np.int64]
    spikes: npt.NDArray[np.int64]
    synaptic_events: npt.NDArray[np.int64]
    neuron_updates: npt.NDArray[np.int64]
    threads: int
    engine: Engine
    arithmetic: Arithmetic
    wall_s: float

    @property
    def biological_s(self) -> float:
        """Simulated time."""
        return (self.end - self.begin) * self.network.dt_ms / 1000

    @property
    def real_time_factor(self) -> float:
        """Wall time per simulated time: below 1 is faster than biology."""
        return self.wall_s / self.biological_s

    @property
    def times_ms(self) -> npt.NDArray[np.float64]:
        """Times of the spikes."""
        return np.asarray((self.steps + 1) * self.network.dt_ms, dtype=np.float64)


class SparseSimulator:
    """A compiled network: `run` goes on from where the last run stopped."""

    def __init__(
        self, layout: Layout, engine: Engine, arithmetic: Arithmetic, threads: int, build_s: float
    ) -> None:
        self.layout = layout
        self.engine: Engine = engine
        self.arithmetic: Arithmetic = "double" if engine == "lazy" else arithmetic
        self.threads = threads
        self.build_s = build_s
        self.plan = make_plan(layout, self.arithmetic)
        self.step = 0
        refractory = min(refractory_steps(p.neuron, layout.network.dt_ms) for p in layout.network.populations)
        most = int(layout.size.sum(axis=1).max())
        self._call_steps = max(1, min(CALL_STEPS[engine], MAX_RECORDED * (refractory + 1) // most))
        self._state = make_state(layout, self.plan, self._call_steps, refractory)
        self._lazy = make_lazy_state(layout, self.plan, self._state) if engine == "lazy" else None

    def warmup(self) -> None:
        """Compile the kernels, so that no run's time holds compilation; the state stays as it is."""
        self._kernel(0, 0, self.step)

    def run(
        self,
        steps: int,
        *,
        record: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> SparseRun:
        """Run so many steps; ``progress(done, steps)`` is called now and then.

        Without ``record`` spikes are counted per neuron but not listed.
        """
        network, begin = self.layout.network, self.step
        counts = np.zeros(network.size, dtype=np.int64)
        listed: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        started = time.perf_counter()
        with ThreadPoolExecutor(self.threads) as pool:
            while self.step < begin + steps:
                end = min(self.step + self._call_steps, begin + steps)
                self._call(pool, end)
                at, ids = self._recorded(end - self.step)
                counts += np.bincount(ids, minlength=network.size)
                if record:
                    listed.append((at + self.step, ids))
                self.step = end
                if progress is not None:
                    progress(self.step - begin, steps)
        wall_s = time.perf_counter() - started
        sizes = np.array([p.size for p in network.populations])
        edges = np.cumsum(sizes) - sizes
        empty = np.zeros(0, dtype=np.int64)
        return SparseRun(
            network=network,
            begin=begin,
            end=self.step,
            steps=np.concatenate([empty, *(s for s, _ in listed)]),
            ids=np.concatenate([empty, *(i for _, i in listed)]),
            spike_counts=counts,
            spikes=np.add.reduceat(counts, edges),
            synaptic_events=np.add.reduceat(counts * self.layout.fan_out, edges),
            neuron_updates=sizes * steps,
            threads=self.threads,
            engine=self.engine,
            arithmetic=self.arithmetic,
            wall_s=wall_s,
        )

    def _call(self, pool: ThreadPoolExecutor, end: int) -> None:
        if self.threads == 1:
            self._kernel(0, self.layout.partitions, end)
            return
        edges = [t * self.layout.partitions // self.threads for t in range(self.threads + 1)]
        for job in [pool.submit(self._kernel, low, high, end) for low, high in pairwise(edges)]:
            job.result()

    def _kernel(self, low: int, high: int, end: int) -> None:
        """Advance partitions ``low`` to ``high`` (excluded) to step ``end``."""
        if self._lazy is None:
            kernels.run_steps(self.plan, self._state, low, high, self.step, end)
        else:
            lazy.run_lazily(self.plan, self._state, self._lazy, low, high, self.step, end)

    def _recorded(self, steps: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the spikes of the last call, sorted by step and neuron."""
        per_step = self._state.per_step[:, :steps]
        at = np.concatenate([np.repeat(np.arange(steps), n) for n in per_step])
        ids = np.concatenate(
            [ids[: n.sum()] for ids, n in zip(self._state.recorded, per_step, strict=True)]
        ).astype(np.int64)
        order = np.argsort(at * self.layout.network.size + ids)
        return at[order], ids[order]


def compile_sparse(
    network: SparseNetwork,
    threads: int = 1,
    *,
    seed: int = 1,
    arithmetic: Arithmetic = "fixed",
    engine: Engine | Literal["auto"] = "auto",
    partitions: int | None = None,
) -> SparseSimulator:
    """Draw the network's synapses and make it ready to run.

    The seed and the number of ``partitions`` (two, or as many as 16-bit addresses ask for) decide the
    network and its noise; ``threads`` decides nothing but speed. ``fixed``: int32 currents, float32
    membranes. ``double``: the same sums in float64. The ``lazy`` engine is always in double precision;
    ``auto`` takes it wherever it can run the network (`nmbench.simulator.sparse.selection`); what was taken
    stands in the run.

    Raises
    ------
    InputError
        Where the network cannot be laid out or run.
    """
    started = time.perf_counter()
    faults = [*_drive_faults(network)]
    if engine == "lazy":
        faults += lazy_faults(network)
    if threads < 1:
        faults.append(f"threads: at least 1, not {threads}")
    if faults:
        raise InputError(f"network {network.name}", faults)
    layout = build(network, seed, partitions, threads)
    if threads > layout.partitions:
        raise InputError(
            f"network {network.name}",
            [f"threads: {threads} for {layout.partitions} partitions; at most one each"],
        )
    taken = faster_engine(network) if engine == "auto" else engine
    simulator = SparseSimulator(layout, taken, arithmetic, threads, 0.0)
    simulator.build_s = time.perf_counter() - started
    return simulator


def _drive_faults(network: SparseNetwork) -> list[str]:
    means = {p.name: p.drive.rate_hz * network.dt_ms / 1000 for p in network.populations}
    return [
        f"population {name}: rate_hz: {mean:.3g} Poisson spikes a step; at most {MAX_POISSON_MEAN:g}"
        for name, mean in means.items()
        if mean > MAX_POISSON_MEAN
    ]
