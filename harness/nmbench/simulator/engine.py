"""One API for running networks on this CPU: ``compile(network).run(batch)``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from nmbench.counts import Counts, EventCounts
from nmbench.network.connectivity import dense_macs
from nmbench.network.network import Floats, Network
from nmbench.simulator.kernels import State, run_samples
from nmbench.simulator.plan import aligned_zeros, lay_out
from nmbench.simulator.run import Run, check_batch
from nmbench.spikes import SpikeBatch

CHUNKS_PER_THREAD = 4
"""Samples differ in length of work; smaller chunks even out the threads' ends."""


class Simulator:
    """A network laid out for this CPU, with the memory that its runs write.

    It serves one caller at a time; within a call, threads take samples apart, never one sample.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.engine = "clock-driven, event scatter, float32"
        self._plan = lay_out(network)
        self._macs = dense_macs(network)
        self._updates = np.array([0, *(p.size for p in network.populations[1:])], np.int64)
        self._states: list[State] = []

    def run(self, batch: SpikeBatch, threads: int = 1, out: Floats | None = None) -> Run:
        """Run every sample from the resting state; the result does not depend on ``threads``.

        Parameters
        ----------
        threads
            Threads over samples. They are plain threads round a kernel that holds no lock, not Numba's
            own: those make a later fork of the process (a process pool) unsafe.
        out
            Where to write the outputs, float32 ``[B, T, C]``, C-contiguous; allocated where it is None.

        Raises
        ------
        InputError
            The batch does not fit the network.
        ValueError
            ``out`` has another shape or type.
        """
        check_batch(self.network, batch)
        network, samples = self.network, len(batch)
        shape = (samples, batch.steps, network.populations[network.output].size)
        outputs = np.empty(shape, np.float32) if out is None else out
        if outputs.shape != shape or outputs.dtype != np.float32 or not outputs.flags.c_contiguous:
            raise ValueError(
                f"out: expected C-contiguous float32 {shape}, got {outputs.dtype} {outputs.shape}"
            )
        spikes = np.empty((samples, batch.steps, len(network.populations)), np.int64)
        events = np.empty((samples, batch.steps, len(network.projections)), np.int64)
        workers = max(1, min(threads, samples))
        while len(self._states) < workers:
            self._states.append(self._new_state())

        def work(worker: int) -> None:
            for first, last in chunks[worker::workers]:
                run_samples(
                    self._plan,
                    self._states[worker],
                    first,
                    last,
                    batch.steps,
                    batch.offsets,
                    batch.index,
                    outputs,
                    spikes,
                    events,
                )

        chunks = _chunks(samples, 1 if workers == 1 else workers * CHUNKS_PER_THREAD)
        if workers == 1:
            work(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, range(workers)))
        return Run(outputs, self._count(spikes, events))

    def warmup(self) -> None:
        """Compile or load the kernel and touch the memory, on one empty step."""
        size = self.network.populations[0].size
        empty = SpikeBatch(self.network.dialect.dt, 1, (size,), np.zeros(2, np.int64), np.empty(0, np.int32))
        self.run(empty)

    def _new_state(self) -> State:
        plan = self._plan
        positions = len(plan.neuron)
        above = np.zeros(positions, np.uint8)
        return State(
            i=aligned_zeros(positions),
            v=aligned_zeros(positions),
            arriving=aligned_zeros(positions),
            above=above,
            words=above.view(np.uint64),
            spiked=np.zeros(int((plan.size * plan.depth)[1:].sum()), np.int32),
            listed=np.zeros((len(plan.size), int(plan.depth.max())), np.int64),
        )

    def _count(self, spikes: Counts, events: Counts) -> EventCounts:
        updates = np.empty_like(spikes)
        updates[:] = self._updates
        return EventCounts(
            populations=tuple(p.name for p in self.network.populations),
            projections=tuple(p.name for p in self.network.projections),
            spikes=spikes,
            neuron_updates=updates,
            synaptic_events=events,
            dense_macs=self._macs,
        )


def _chunks(samples: int, number: int) -> list[tuple[int, int]]:
    """Cut the samples into runs of about equal length, first and last (excluded) of each."""
    edges = [samples * k // number for k in range(number + 1)]
    return list(pairwise(edges))


def compile(network: Network) -> Simulator:
    """Lay a network out for this CPU; the kernel itself is compiled at the first run, or by `warmup`."""
    return Simulator(network)
