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
    RARE_MEAN,
    Arithmetic,
    make_lazy_state,
    make_plan,
    make_state,
    poisson_means,
)

Engine = Literal["clock", "lazy"]

MAX_RECORDED = 1 << 24
"""Spikes that a call of the kernel has room for: runs are cut into calls that stay below it."""

CALL_STEPS = 1000

PILOT_STEPS = 500
"""Steps that decide between the engines, after as many that do not count."""

QUIET = 0.1
"""Synaptic events a neuron and step below which the lazy engine is the faster one (measured, see
benchmarks/test_sparse_speed.py)."""


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
        self._call_steps = max(1, min(CALL_STEPS, MAX_RECORDED * (refractory + 1) // most))
        self._state = make_state(layout, self.plan, self._call_steps, refractory)
        self._lazy = make_lazy_state(layout, self.plan, self._state) if engine == "lazy" else None

    def warmup(self) -> None:
        """Compile the kernels, so that no run's time holds compilation; the state stays as it is."""
        self._kernel(0, 0, self.step)

    @property
    def arrivals(self) -> int | None:
        """Synaptic events that have arrived since the start; None where the engine does not count them."""
        return None if self._lazy is None else int(self._lazy.arrivals.sum())

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
    ``auto`` takes it where a pilot run finds the network quiet enough (`prefers_lazy`), and what was taken
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
    taken = engine
    if taken == "auto":
        taken = "lazy" if not lazy_faults(network) and prefers_lazy(layout) else "clock"
    simulator = SparseSimulator(layout, taken, arithmetic, threads, 0.0)
    simulator.build_s = time.perf_counter() - started
    return simulator


def prefers_lazy(layout: Layout) -> bool:
    """Say whether so little arrives at a neuron in a step that the lazy engine is the faster one.

    A pilot run counts what arrives; the same seed always decides alike.
    """
    pilot = SparseSimulator(layout, "lazy", "double", 1, 0.0)
    pilot.run(PILOT_STEPS, record=False)
    before = pilot.arrivals or 0
    pilot.run(PILOT_STEPS, record=False)
    each = ((pilot.arrivals or 0) - before) / PILOT_STEPS / layout.network.size
    return each < QUIET


def lazy_faults(network: SparseNetwork) -> list[str]:
    """Return why the lazy engine cannot run a network; empty where it can."""
    faults = []
    if network.synapse != "delta":
        faults.append("engine lazy: synapses must be delta")
    for population, mean in zip(network.populations, poisson_means(network), strict=True):
        neuron = population.neuron
        rest_mv = neuron.e_l_mv + population.drive.current_pa * neuron.tau_m_ms / neuron.c_m_pf
        if rest_mv >= neuron.v_th_mv:
            faults.append(f"engine lazy: population {population.name}: its current alone makes it fire")
        if mean > RARE_MEAN:
            faults.append(
                f"engine lazy: population {population.name}: {mean:.3g} Poisson spikes a neuron and step; "
                f"at most {RARE_MEAN:g}"
            )
    return faults


def _drive_faults(network: SparseNetwork) -> list[str]:
    means = {p.name: p.drive.rate_hz * network.dt_ms / 1000 for p in network.populations}
    return [
        f"population {name}: rate_hz: {mean:.3g} Poisson spikes a step; at most {MAX_POISSON_MEAN:g}"
        for name, mean in means.items()
        if mean > MAX_POISSON_MEAN
    ]
