"""Threads that share out chunks of work and outlive it: a run of microseconds cannot wait for one to start.

They are plain threads round kernels that hold no lock, not Numba's own: those make a later fork of the
process (a process pool) unsafe. The caller is one of the workers; a thread that wakes up late finds the work
done, and nobody waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Condition, Thread

Chunk = tuple[int, int]
Work = Callable[[int, int, int], None]
"""Does a chunk, first to last (excluded), in the memory of a worker."""


class _Job:
    """Chunks that several workers take; done when none is left and none is under way."""

    def __init__(self, chunks: Iterator[Chunk], work: Work) -> None:
        self._chunks: Iterator[Chunk] = chunks
        self._work: Work = work
        self._workers = self._under_way = 0
        self._changed = Condition()
        self._faults: list[BaseException] = []

    def take_part(self) -> None:
        """Take chunk after chunk, as a worker of its own."""
        with self._changed:
            worker = self._workers
            self._workers += 1
        while True:
            with self._changed:
                chunk = None if self._faults else next(self._chunks, None)
                if chunk is None:
                    return
                self._under_way += 1
            try:
                self._work(worker, *chunk)
            except BaseException as fault:  # the caller raises it
                self._faults.append(fault)
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def wait(self) -> None:
        """Wait for the chunks that others have under way; raise what one of them raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0)
        self._work = _nothing  # a thread that comes late must not keep the arrays alive
        if self._faults:
            raise self._faults[0]


class _Pool:
    """The process's threads, made as they are first needed."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.threads = 0

    def post(self, job: _Job, helpers: int) -> None:
        while self.threads < helpers:
            self.threads += 1
            Thread(target=self._serve, name=f"nmbench-{self.threads}", daemon=True).start()
        for _ in range(helpers):
            self.jobs.put(job)

    def _serve(self) -> None:
        while True:
            self.jobs.get().take_part()


_pools: list[_Pool] = [_Pool()]


def _renew() -> None:
    """Forget the threads of the parent: a forked process has none of them."""
    _pools[0] = _Pool()


os.register_at_fork(after_in_child=_renew)


def share(chunks: Iterator[Chunk], work: Work, workers: int) -> None:
    """Let so many workers do the chunks, the caller among them; return when all are done.

    Raises
    ------
    BaseException
        What a worker raised; chunks that nobody had taken by then are left.
    """
    job = _Job(chunks, work)
    _pools[0].post(job, workers - 1)
    job.take_part()
    job.wait()


def _nothing(worker: int, first: int, last: int) -> None:
    """Do nothing."""
