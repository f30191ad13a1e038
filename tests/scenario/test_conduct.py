"""A platform that does not do as asked is caught, by name, in its record; one that does passes everywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from suites import write_suite

from nmbench.cell import Cell, Task
from nmbench.network.network import Network
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Reply, Session
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Silence
from nmbench.record import Result
from nmbench.registry import Entry, read_suite
from nmbench.runner import run_cell
from nmbench.scenario import settings
from nmbench.scenario.desk import FAULTS
from nmbench.scenario.settings import Settings
from nmbench.spec import Scenario

SCENARIOS: tuple[Scenario, ...] = ("SingleStream", "MultiStream", "Server", "Offline")
PATIENCE_S = 0.25

SMALL = Settings(
    percentile=0.9,
    least_seconds=0.02,
    least_queries=70,
    most_queries=80,
    most_seconds=5.0,
    patience_s=PATIENCE_S,
    probe_queries=50,
    tolerance=4.0,
)

FAULTY = 5
"""Which answer of a run goes wrong."""

Send = Callable[[int, np.ndarray], None]
Conduct = Callable[[int, int, np.ndarray, Send], None]
"""Answers the n-th query of a session, under its number."""


def well(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs)


def twice(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs)
    if n == FAULTY:
        send(number, outputs)


def never(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    if n != FAULTY:
        send(number, outputs)


def late(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    if n == FAULTY:
        threading.Timer(1.5 * PATIENCE_S, send, (number, outputs)).start()
    else:
        send(number, outputs)


def under_another_number(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number + 10_000_000 if n == FAULTY else number, outputs)


def under_no_number(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send("seven" if n == FAULTY else number, outputs)  # type: ignore[arg-type]


def not_a_number(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs * np.float32(np.nan) if n == FAULTY else outputs)


def infinite(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs + np.float32(np.inf) if n == FAULTY else outputs)


def cut_short(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs[:-1] if n == FAULTY else outputs)


def in_double_precision(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, outputs.astype(np.float64) if n == FAULTY else outputs)


def nothing(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, None if n == FAULTY else outputs)  # type: ignore[arg-type]


def another_decision(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
    send(number, np.roll(outputs, 1, axis=1) if n == FAULTY else outputs)


CAUGHT: list[tuple[Conduct, str]] = [
    (twice, "answered_twice"),
    (never, "unanswered"),
    (late, "late"),
    (under_another_number, "unknown_number"),
    (under_no_number, "unknown_number"),
    (not_a_number, "not_finite"),
    (infinite, "not_finite"),
    (cut_short, "wrong_shape"),
    (in_double_precision, "wrong_shape"),
    (nothing, "wrong_shape"),
    (another_decision, "other_decision"),
]


class Direct(Session):
    """Answers within the call."""

    def __init__(self, classes: int, conduct: Conduct) -> None:
        self.classes, self.conduct, self.n = classes, conduct, 0

    @property
    def most_at_once(self) -> int:
        return 8

    def infer(self, batch) -> Answer:
        outputs = np.zeros((len(batch), batch.steps, self.classes), np.float32)
        outputs[:, :, 1] = 1
        return Answer(outputs)

    def submit(self, numbers, batch, reply: Reply) -> None:
        for number, outputs in zip(numbers, self.infer(batch).outputs, strict=True):
            self.n += 1
            self.conduct(self.n, number, outputs, reply)


class Threaded(Direct):
    """Takes queries and answers from a thread of its own, two at a time in swapped order where it may."""

    def __init__(self, classes: int, conduct: Conduct, swaps: bool = False) -> None:
        super().__init__(classes, conduct)
        self.waiting: SimpleQueue[tuple[int, np.ndarray, Reply] | None] = SimpleQueue()
        self.swaps, self.taking = swaps, threading.Lock()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def submit(self, numbers, batch, reply: Reply) -> None:
        with self.taking:
            for number, outputs in zip(numbers, self.infer(batch).outputs, strict=True):
                self.waiting.put((number, outputs, reply))

    def work(self) -> None:
        while (item := self.waiting.get()) is not None:
            with self.taking:
                second = self.waiting.get() if self.swaps and not self.waiting.empty() else None
            for number, outputs, reply in (item,) if second is None else (second, item):
                self.n += 1
                self.conduct(self.n, number, outputs, reply)

    def close(self) -> None:
        self.waiting.put(None)
        self.thread.join()


CASES = [(c, name, Direct) for c, name in CAUGHT] + [
    (c, name, Threaded) for c, name in CAUGHT if c not in (infinite, in_double_precision, nothing)
]


class Chip(Platform):
    def __init__(self, session: Callable[[int], Session], in_order: bool = True) -> None:
        self.session = session
        self.info_ = PlatformInfo(
            name="chip", version=1, family="chip", summary="of a test", clock="wall", in_order=in_order
        )

    @property
    def info(self) -> PlatformInfo:
        return self.info_

    def load(self, network: Network) -> Session:
        return self.session(network.populations[network.output].size)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[Scenario, Prepared]:
    folder = tmp_path_factory.mktemp("conduct")
    suite = read_suite(str(write_suite(folder / "tiny")))
    tasks = [
        Task(suite.name, suite.folder, suite.workloads[0], "synthetic", "base", scenario, "quick", 0)
        for scenario in SCENARIOS
    ]
    made = prepare(tasks, folder / "cache", folder, Silence())
    return {p.task.scenario: p for p in made}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for scenario in SCENARIOS:
        each = 8 if scenario == "MultiStream" else 1
        monkeypatch.setitem(settings.QUICK, scenario, replace(SMALL, samples_per_query=each))
    yield


def ran(prepared: Prepared, platform: Platform) -> Result:
    cell = Cell(prepared.task, Entry("chip", "chip", "a test", lambda: platform, (Path(__file__),)))
    return run_cell(cell, prepared, "r", Silence()).result


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("conduct", "name", "session"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_what_is_not_as_asked_is_caught_by_name(
    prepared: dict[Scenario, Prepared], scenario: Scenario, conduct: Conduct, name: str, session: type[Direct]
) -> None:
    result = ran(prepared[scenario], Chip(lambda classes: session(classes, conduct)))
    assert result.status == "failed" and name in FAULTS
    assert f"{name}: {FAULTS[name]}" in str(result.error)
    if conduct in (under_another_number, under_no_number):
        assert "unanswered" in str(result.error), "the query whose number it was is still open"
    else:
        assert [n for n in FAULTS if f"{n}: " in str(result.error)] == [name], "and nothing else"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("session", [Direct, Threaded])
def test_who_does_as_asked_passes(
    prepared: dict[Scenario, Prepared], scenario: Scenario, session: type[Direct]
) -> None:
    result = ran(prepared[scenario], Chip(lambda classes: session(classes, well)))
    assert (result.status, result.error) == ("ok", None)
    assert result.traffic is not None and result.traffic.conduct == {}
    assert result.traffic.samples >= 70


def test_who_overtakes_must_have_said_so(prepared: dict[Scenario, Prepared]) -> None:
    task = prepared["MultiStream"]
    swapping = ran(task, Chip(lambda classes: Threaded(classes, well, swaps=True)))
    assert swapping.status == "failed" and "out_of_order: " in str(swapping.error)
    free = ran(task, Chip(lambda classes: Threaded(classes, well, swaps=True), in_order=False))
    assert free.status == "ok" and free.traffic is not None
    assert set(free.traffic.conduct) == {"overtaking"} and free.traffic.conduct["overtaking"] > 0


def test_other_bits_of_the_same_decision_are_stated_and_break_nothing(
    prepared: dict[Scenario, Prepared],
) -> None:
    def noisily(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
        send(number, outputs + np.float32(1e-3) if n % 2 else outputs)

    result = ran(prepared["Offline"], Chip(lambda classes: Direct(classes, noisily)))
    assert result.status == "ok" and result.traffic is not None
    assert set(result.traffic.conduct) == {"other_outputs"}


def test_who_raises_in_a_timed_call_is_named_with_the_line(prepared: dict[Scenario, Prepared]) -> None:
    def raises(n: int, number: int, outputs: np.ndarray, send: Send) -> None:
        raise RuntimeError("the chip is on fire")

    for scenario in SCENARIOS:
        result = ran(prepared[scenario], Chip(lambda classes: Direct(classes, raises)))
        assert result.status == "failed"
        assert "RuntimeError: the chip is on fire (test_conduct.py:" in str(result.error)
