"""LoadGen drives a session through our desk: one test, in a thread of its own.

LoadGen can neither be stopped nor told of a failure: a callback that raises aborts the process, and an
answer that never comes leaves it waiting for ever. So it runs in a thread. What goes wrong is kept for
whoever waits for the test, the thread is left where it is, and no further test begins in this process.
The thread is one and the same for all tests: LoadGen keeps logs by thread.
"""

from __future__ import annotations

import tempfile
import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import mlperf_loadgen
import numpy as np

from nmbench.scenario import generator
from nmbench.scenario.bench import Bench
from nmbench.scenario.clock import Clock
from nmbench.scenario.desk import Desk, Expected
from nmbench.scenario.loadgen_report import Report, read_report
from nmbench.scenario.log import Log

POLL_S = 0.2
"""How often it is looked whether answers still come."""

_TESTS: SimpleQueue[Callable[[], None]] = SimpleQueue()
"""What LoadGen's thread has to do."""

_LOST = threading.Event()
"""Set once LoadGen was left in the middle of a test."""


class Relay(Desk):
    """A desk that hands each answer on to LoadGen as it takes it: once, of a query that is open, in time."""

    def __init__(
        self, clock: Clock, expected: Expected | None, *, in_order: bool = True, bound_s: float = float("inf")
    ) -> None:
        super().__init__(clock, expected, in_order=in_order, bound_s=bound_s)
        self.ids = array("Q")

    def _complete(self, number: int, now: float) -> None:
        super()._complete(number, now)
        response = mlperf_loadgen.QuerySampleResponse(self.ids[number], 0, 0)
        mlperf_loadgen.QuerySamplesComplete([response])


@dataclass(frozen=True, eq=False)
class Test:
    """A test that LoadGen ended.

    Attributes
    ----------
    log
        As our desk saw it: a sample is due when LoadGen hands it over.
    """

    desk: Desk
    log: Log
    report: Report


def drive(
    bench: Bench, settings: Any, most_at_once: int, on_folder: Callable[[Path], None] | None = None
) -> Test:
    """Let LoadGen run one test.

    Parameters
    ----------
    settings
        LoadGen's ``TestSettings``.
    most_at_once
        Samples of a query that are handed over in one call.
    on_folder
        Sees the folder of LoadGen's logs, with its trace, before that is deleted.

    Raises
    ------
    Broken
        Something of the answers was not as asked.
    Exception
        What a call of the platform raised.
    RuntimeError
        LoadGen was left in the middle of a test of this process.
    """
    if _LOST.is_set():
        raise RuntimeError("LoadGen hangs in an earlier test of this process: run each with --isolate")
    run = _Run(bench, most_at_once)
    with tempfile.TemporaryDirectory(prefix="nmbench-loadgen-") as name:
        logs = mlperf_loadgen.LogSettings()
        logs.log_output.outdir = name
        logs.log_output.copy_summary_to_stdout = False
        logs.enable_trace = on_folder is not None
        with generator.uninterrupted():
            run.through(settings, logs)
        report = read_report(Path(name))
        if on_folder:
            on_folder(Path(name))
    return Test(run.desk, bench.close(run.desk), report)


@dataclass(eq=False)
class _Run:
    """A test under way."""

    bench: Bench
    most_at_once: int
    desk: Relay = field(init=False)
    taking: bool = False
    ended: SimpleQueue[BaseException | None] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        desk = self.bench.desk(kind=Relay)
        assert isinstance(desk, Relay)
        self.desk = desk

    def through(self, settings: Any, logs: Any) -> None:
        """Run to the end, or raise what went wrong."""
        _start()
        _TESTS.put(lambda: self._loadgen(settings, logs))
        outcome = self._wait(settings.min_duration_ms * 1e-3)
        if outcome is not None:
            _LOST.set()
            raise outcome

    def _wait(self, seconds: float) -> BaseException | None:
        """Wait for the end; an answer that is open for longer than the patience lasts is one."""
        patience_s, desk = self.bench.asked.settings.patience_s, self.desk
        answered, since = -1, 0.0
        while True:
            try:
                return self.ended.get(timeout=min(POLL_S, patience_s / 4))
            except Empty:
                pass
            now = desk.clock.now()
            self.bench.tell(min(1.0, now / seconds) if seconds else 0.0)
            if self.taking or desk.answered == len(desk) or desk.answered != answered:
                answered, since = desk.answered, now
            elif now - since > patience_s:
                _LOST.set()
                self.bench.close(desk)  # says which answers are not there
                raise RuntimeError("LoadGen waits although every query is answered")

    def _loadgen(self, settings: Any, logs: Any) -> None:
        samples = self.bench.asked.samples
        sut = mlperf_loadgen.ConstructSUT(self._issue, _nothing)
        qsl = mlperf_loadgen.ConstructQSL(samples, samples, self._load, _nothing)
        mlperf_loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, "")
        mlperf_loadgen.DestroyQSL(qsl)
        mlperf_loadgen.DestroySUT(sut)
        self.ended.put(None)

    def _load(self, samples: list[int]) -> None:
        try:
            self.bench.live.load(np.array(samples))
        except BaseException as error:
            self._leave(error)

    def _issue(self, query: Any) -> None:
        """Hand a query's samples to the session: LoadGen calls this, and dies of what it raises."""
        self.taking = True
        try:
            self._hand_over(query)
        except BaseException as error:
            self._leave(error)
        self.taking = False

    def _hand_over(self, query: Any) -> None:
        desk, most, live = self.desk, self.most_at_once, self.bench.live
        if len(query) == 1:
            part = (query[0].index,)
            desk.ids.append(query[0].id)
            live.take(desk, desk.ask(part), part)
            return
        samples = [sample.index for sample in query]
        desk.ids.extend(sample.id for sample in query)
        due = desk.clock.now()
        for at in range(0, len(samples), most):
            some = samples[at : at + most]
            live.take(desk, desk.ask(some, [due] * len(some)), some)

    def _leave(self, error: BaseException) -> None:
        """Tell whoever waits, and never return to LoadGen."""
        self.ended.put(error)
        threading.Event().wait()


@cache
def _start() -> None:
    """Start LoadGen's thread, once."""
    threading.Thread(target=_work, daemon=True, name="loadgen").start()


def _work() -> None:
    while True:
        _TESTS.get()()


def _nothing(*_: object) -> None:
    """Do nothing: LoadGen's calls to flush queries and to unload samples."""
