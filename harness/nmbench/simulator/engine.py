"""One API for running networks on this CPU: ``compile(network).run(batch)``, or ``stream()`` by pieces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, Protocol, get_args

import numpy as np

from nmbench.counts import Counts, EventCounts, part_graded
from nmbench.errors import InputError, unknown
from nmbench.network.connectivity import dense_macs
from nmbench.network.network import Floats, Network
from nmbench.simulator.plain import Plain
from nmbench.simulator.run import Run, check_batch
from nmbench.simulator.stream import Recording, Stream
from nmbench.simulator.vector import coverage, grid
from nmbench.simulator.vector.engine import Vector
from nmbench.simulator.workers import share
from nmbench.spikes import SpikeBatch

EngineName = Literal["auto", "vector", "plain"]
Dtype = Literal["auto", "float32", "int16", "int8"]

INT64 = np.dtype(np.int64)
CHUNKS_PER_THREAD = 4
"""Samples differ in length of work; smaller chunks even out the threads' ends."""


class Engine(Protocol):
    """A network laid out; it runs stretches of a batch, each in the memory of one worker."""

    @property
    def name(self) -> str:
        """Name by which `compile` knows it."""

    @property
    def dtype(self) -> str:
        """How weights are stored."""

    def reserve(self, workers: int) -> None:
        """Have memory for so many workers."""

    def run(
        self,
        worker: int,
        first: int,
        last: int,
        batch: SpikeBatch,
        outputs: Floats,
        spikes: Counts,
        events: Counts,
    ) -> None:
        """Run samples ``first`` to ``last`` (excluded); fill their outputs, spikes and synaptic events.

        Of a graded projection ``events`` takes the multiply-accumulates.
        """

    def begin(self) -> Recording:
        """Return memory of its own for a sample that comes piece by piece."""


class Simulator:
    """A network laid out for this CPU, with the memory that its runs write.

    It serves one caller at a time; within a call, threads take samples apart, never one sample.

    Attributes
    ----------
    engine
        The engine and the type of its weights, as a record states them.
    reason
        Why not a faster engine or narrower weights; None where nothing was given up.
    """

    def __init__(self, network: Network, engine: Engine, reason: str | None) -> None:
        self.network = network
        self.engine = f"{engine.name}, {engine.dtype} weights"
        self.reason = reason
        self._engine = engine
        self._engine.reserve(1)
        self._macs = dense_macs(network)
        self._updates = np.array([0, *(p.size for p in network.populations[1:])], np.int64)
        self._updates.flags.writeable = False
        self._repeated = self._repeat(0, 0)
        graded = np.array([q.graded for q in network.projections], bool)
        self._graded = graded if graded.any() else None
        self._shape, self._dt_s, self._dtype = network.populations[0].shape, network.dialect.dt, network.dtype
        self._classes = network.populations[network.output].size
        self._names = tuple(p.name for p in network.populations), tuple(q.name for q in network.projections)

    def run(self, batch: SpikeBatch, threads: int = 1, out: Floats | None = None) -> Run:
        """Run every sample from the resting state; the result does not depend on ``threads``.

        Parameters
        ----------
        threads
            Threads over samples (`nmbench.simulator.workers`).
        out
            Where to write the outputs, ``[B, T, C]`` of the dialect's dtype, C-contiguous; allocated where it
            is None.

        Raises
        ------
        InputError
            The batch does not fit the network.
        ValueError
            ``out`` has another shape or type.
        """
        # a small sample runs as long as a hundred lines of Python: equal shapes need no check, and what is
        # the same from run to run is kept
        if batch.shape != self._shape or batch.dt_s != self._dt_s:
            check_batch(self.network, batch)
        steps = batch.steps
        samples = (batch.offsets.size - 1) // steps
        populations, projections = self._names
        if out is None:
            outputs = np.empty((samples, steps, self._classes), self._dtype)
        else:
            outputs = self._checked(out, (samples, steps, self._classes))
        spikes = np.empty((samples, steps, len(populations)), INT64)
        events = np.empty((samples, steps, len(projections)), INT64)
        if threads <= 1 or samples <= 1:
            self._engine.run(0, 0, samples, batch, outputs, spikes, events)
        else:
            self._share(min(threads, samples), batch, outputs, spikes, events)
        if self._repeated.shape != spikes.shape:
            self._repeated = self._repeat(samples, steps)
        counts = EventCounts.trusted(populations, projections, spikes, self._repeated, events, self._macs)
        return Run(outputs, counts if self._graded is None else part_graded(counts, self._graded))

    def stream(self) -> Stream:
        """Return a recording that is to begin, in memory of its own; its kernel is loaded."""
        stream = Stream(self.network, self._engine.begin(), self._book)
        stream.feed(self._empty())
        stream.rest()
        return stream

    def _book(self, outputs: Floats, spikes: Counts, events: Counts) -> Run:
        """Put together what a piece's steps filled, as `run` does without the call."""
        updates = self._repeat(*spikes.shape[:2])
        counts = EventCounts.trusted(*self._names, spikes, updates, events, self._macs)
        return Run(outputs, counts if self._graded is None else part_graded(counts, self._graded))

    def _checked(self, out: Floats, shape: tuple[int, ...]) -> Floats:
        if out.shape != shape or out.dtype != self._dtype or not out.flags.c_contiguous:
            raise ValueError(f"out: expected C-contiguous {self._dtype} {shape}, got {out.dtype} {out.shape}")
        return out

    def _repeat(self, samples: int, steps: int) -> Counts:
        """View the updates, which are the same in every sample and step, as ``[B, T, P]``."""
        size = self._updates.itemsize
        return np.ndarray((samples, steps, self._updates.size), np.int64, self._updates, 0, (0, 0, size))

    def warmup(self) -> None:
        """Compile or load the kernel and touch the memory, on one empty step."""
        self.run(self._empty())

    def _empty(self) -> SpikeBatch:
        return SpikeBatch(self._dt_s, 1, self._shape, np.zeros(2, np.int64), np.empty(0, np.int32))

    def _share(
        self, workers: int, batch: SpikeBatch, outputs: Floats, spikes: Counts, events: Counts
    ) -> None:
        """Let workers take chunk after chunk of the samples; the caller is one of them."""
        self._engine.reserve(workers)

        def work(worker: int, first: int, last: int) -> None:
            self._engine.run(worker, first, last, batch, outputs, spikes, events)

        share(_chunks(len(batch), workers * CHUNKS_PER_THREAD), work, workers)


def _chunks(samples: int, number: int) -> Iterator[tuple[int, int]]:
    """Cut the samples into runs of about equal length, first and last (excluded) of each."""
    return pairwise([samples * k // number for k in range(number + 1)])


def compile(network: Network, engine: EngineName = "auto", dtype: Dtype = "auto") -> Simulator:
    """Lay a network out for this CPU; the kernel itself is compiled at the first run, or by `warmup`.

    Parameters
    ----------
    engine
        ``vector`` needs a processor with AVX-512 and a network that it covers; ``plain`` runs everywhere;
        ``auto`` takes the faster one that can.
    dtype
        How weights are stored: whole numbers only where every weight is one on a power-of-two grid and
        no sum can overflow, so that results are the same; ``auto`` takes the narrowest that can.

    Raises
    ------
    InputError
        The engine or the dtype cannot be had for this network; the fault says why.
    """
    for given, known in ((engine, get_args(EngineName)), (dtype, get_args(Dtype))):
        if given not in known:
            raise InputError(
                "compile", [unknown("engine" if known is get_args(EngineName) else "dtype", given, known)]
            )
    reason = coverage.lacking() or coverage.uncovered(network)
    if engine == "auto" and reason is None:
        reason = coverage.too_sparse(network)
    if engine == "plain" or (engine == "auto" and reason):
        if dtype not in ("auto", "float32"):
            raise InputError(
                "compile", [f"dtype {dtype}: the plain engine keeps float32; {reason or 'asked for'}"]
            )
        return Simulator(network, Plain(network), reason)
    if reason:
        raise InputError("compile", [f"engine vector: {reason}"])
    width, reason = _width(network, dtype)
    return Simulator(network, Vector(network, width), reason)


def _width(network: Network, dtype: Dtype) -> tuple[grid.Width, str | None]:
    """Return the weights' type, and why it is no narrower one."""
    if dtype == "float32":
        return "float32", None
    wanted: tuple[Literal["int8", "int16"], ...] = ("int8", "int16") if dtype == "auto" else (dtype,)
    found: str | None = None
    for width in wanted:
        units = grid.units(network, width)
        if not isinstance(units, str):
            return width, found
        found = units
    if dtype != "auto":
        raise InputError("compile", [f"dtype {dtype}: {found}"])
    return "float32", found
