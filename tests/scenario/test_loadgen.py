"""MLCommons' LoadGen against our generator: the same schedule, the same statistics, the same scores."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from sessions import Sleeper, asked, bench
from suites import WORKLOAD, write_suite

from nmbench import early_stopping, places
from nmbench.apart.limits import Limits
from nmbench.apart.request import Places
from nmbench.apart.run import run_apart
from nmbench.cell import Cell, How, Task
from nmbench.platforms.base import Reply
from nmbench.prepare import prepare
from nmbench.progress import Silence
from nmbench.record import Result
from nmbench.registry import platforms, read_suite
from nmbench.runner import run_cell
from nmbench.scenario import measured, schedule
from nmbench.scenario.bench import Broken
from nmbench.scenario.inputs import Performed
from nmbench.scenario.loadgen_report import FILE, read_report
from nmbench.scenario.refusal import refusal
from nmbench.spec import Scenario
from nmbench.stats import percentile

pytest.importorskip("mlperf_loadgen", reason="no wheel of mlcommons-loadgen for this machine")

from nmbench.scenario import loadgen, loadgen_drive


class Trace:
    """LoadGen's own times of each sample, in the order of its queries: seconds from the first one's."""

    def __init__(self) -> None:
        self.due = self.latency = np.empty(0)

    def read(self, folder: Path) -> None:
        # the file as a whole is not JSON: other lines of it have quotes within quotes
        lines = (folder / "mlperf_log_trace.json").read_text().splitlines()
        samples = [json.loads(s.rstrip(",")) for s in lines if s.startswith('{"name":"Sample"')]
        begun = sorted((s for s in samples if s["ph"] == "b"), key=lambda s: s["args"]["sample_seq"])
        due_us = np.array([s["ts"] for s in begun])
        self.due = (due_us - due_us[0]) * 1e-6
        self.latency = np.array([s["args"]["complete_ns"] for s in begun]) * 1e-9


@pytest.mark.parametrize(
    ("rate", "seed", "seconds"), [(400.0, 7, 0.5), (5000.0, 0, 0.3), (3000.0, 123456789, 0.2)]
)
def test_servers_schedule_is_loadgens(rate: float, seed: int, seconds: float) -> None:
    one, trace = bench(Sleeper(), asked("Server", seed, least_seconds=seconds)), Trace()
    one.live.load(schedule.order(10, 0))
    test = loadgen_drive.drive(one, loadgen._at_rate(one, rate), 1, trace.read)
    ours = schedule.arrivals(seed, rate, len(trace.due))
    assert len(ours) == len(test.log) >= 0.5 * rate * seconds
    np.testing.assert_allclose(
        trace.due, ours, rtol=0, atol=2e-9, err_msg="to the nanosecond; 1 ms is asked for"
    )
    log = loadgen._from_zero(test.log, ours)
    assert (log.started >= log.scheduled).all(), "nothing was handed over before it was due"
    assert test.report.number("result_query_count") == len(ours)


@pytest.mark.parametrize("queries", [30, 64, 65, 200, 662, 1500])
def test_percentiles_and_early_stopping_of_single_stream_are_loadgens(queries: int) -> None:
    one, trace = bench(Sleeper(), asked(least_queries=queries)), Trace()
    one.live.load(schedule.order(10, 0))
    settings = loadgen._settings(one)
    settings.max_query_count = queries
    report = loadgen_drive.drive(one, settings, 1, trace.read).report
    assert len(trace.latency) == queries
    assert_equal(report, trace.latency, "latency")
    estimate = early_stopping.estimate(trace.latency, 0.9)
    assert report.seconds("early_stopping_latency_ss") == pytest.approx(estimate, abs=1e-12)
    assert report.values["early_stopping_met"] == (queries >= early_stopping.needed(1, 0.9))


@pytest.mark.parametrize("queries", [300, 662, 900])
def test_percentiles_and_early_stopping_of_multi_stream_are_loadgens(queries: int) -> None:
    task = asked("MultiStream", percentile=0.99, least_queries=queries, samples_per_query=8)
    one, trace = bench(Sleeper(at_once=8), task), Trace()
    one.live.load(schedule.order(10, 0))
    settings = loadgen._settings(one)
    settings.multi_stream_samples_per_query, settings.max_query_count = 8, queries
    settings.multi_stream_target_latency_percentile = 0.99
    report = loadgen_drive.drive(one, settings, 8, trace.read).report
    latency = trace.latency.reshape(-1, 8).max(axis=1)
    assert len(latency) == queries
    assert_equal(report, latency, "per_query_latency")
    estimate = early_stopping.estimate(latency, 0.99)
    assert report.seconds("early_stopping_latency_ms") == pytest.approx(estimate, abs=1e-12)


def assert_equal(report, latency: np.ndarray, key: str) -> None:
    for p in (0.5, 0.9, 0.95, 0.97, 0.99, 0.999):
        theirs = report.seconds(f"result_{100 * p:.2f}_percentile_{key}_ns")
        assert theirs == pytest.approx(percentile(latency, p), abs=1e-12), p


@pytest.mark.parametrize("slow", [0, 1, 2, 3, 4])
def test_so_many_queries_over_servers_bound_are_as_many_as_loadgen_allows(slow: int) -> None:
    """Of 1000 queries at p99 LoadGen and `early_stopping.allowed` bear the same number over the bound."""

    held: SimpleQueue[tuple[float, Callable[[], None]]] = SimpleQueue()

    def late() -> None:
        while True:
            due, answer = held.get()
            time.sleep(max(0.0, due - time.perf_counter()))
            answer()

    threading.Thread(target=late, daemon=True).start()

    class Some(Sleeper):
        def submit(self, numbers, batch, reply: Reply) -> None:
            (number,), outputs = numbers, self.infer(batch).outputs[0]
            if 300 <= number < 300 + slow:
                held.put((time.perf_counter() + 0.08, partial(reply, number, outputs)))
            else:
                reply(number, outputs)

    one = bench(Some(), asked("Server", percentile=0.99, least_queries=1000), in_order=False)
    one.live.load(schedule.order(10, 0))
    settings = loadgen._at_rate(one, 2000.0)
    settings.max_query_count = 1000
    report = loadgen_drive.drive(one, settings, 1).report
    over, n = report.number("result_overlatency_query_count"), report.number("result_query_count")
    assert over is not None and n is not None
    allowed = early_stopping.allowed(int(n), 0.99)
    assert report.values["early_stopping_met"] == (allowed is not None and over <= allowed)


LOADGENS = {
    "SingleStream": "latency_p50",
    "MultiStream": "latency_p50",
    "Offline": "throughput",
    "Server": "latency_p90",
}


def value(performed: Performed, name: str) -> float:
    (found,) = [m.value for m in performed.metrics if m.name == name]
    assert found is not None
    return found


def apart_by(ours: list[float], theirs: list[float]) -> float:
    """Return by which share two ranges of repeated runs miss one another; 0 where they overlap."""
    gap = max(min(ours) - max(theirs), min(theirs) - max(ours), 0.0)
    return gap / min(*ours, *theirs)


@pytest.mark.parametrize("scenario", list(LOADGENS))
def test_scores_are_loadgens_within_the_spread_of_runs(scenario: Scenario) -> None:
    """Three runs of each, in turn: the two ranges overlap, or are no more than 5 % apart."""
    name, k = LOADGENS[scenario], 8 if scenario == "MultiStream" else 1
    what = asked(scenario, least_queries=70, least_seconds=0.25, most_queries=100, samples_per_query=k)
    what = replace(what, rate=150.0 if scenario == "Server" else None)
    ours, theirs = [], []
    for _ in range(3):
        ours.append(value(measured.perform(bench(Sleeper([3e-3] * 10, at_once=k), what)), name))
        one = bench(Sleeper([3e-3] * 10, at_once=k), what)
        performed = loadgen.perform(one)
        theirs.append(value(performed, name))
        assert performed.traffic is not None and performed.traffic.generator.startswith("loadgen 6.")
        assert performed.log is not None and performed.log.latency(k).min() >= 3e-3
        assert value(performed, "loadgen_valid") == 1 or scenario == "Server", performed.metrics[-1].reason
    assert apart_by(ours, theirs) <= 0.05


def test_a_server_that_takes_several_gets_all_that_are_due_from_both() -> None:
    """At a rate that calls of one sample could not bear; the rule is that of above."""
    what = replace(asked("Server", least_queries=250, least_seconds=0.0), rate=1000.0)
    ours, theirs = [], []
    for _ in range(3):
        for found, perform in ((ours, measured.perform), (theirs, loadgen.perform)):
            performed = perform(bench(Sleeper([3e-3] * 10, at_once=8), what))
            assert performed.log is not None and performed.log.together.max() > 1
            found.append(value(performed, "latency_p50"))
    assert apart_by(ours, theirs) <= 0.05


def test_a_server_rate_is_sought_and_loadgen_finds_it_valid() -> None:
    what = asked("Server", least_queries=70, least_seconds=0.2, probe_queries=70, tolerance=1.5)
    performed = loadgen.perform(bench(Sleeper([2e-3] * 10), what))
    rate = value(performed, "server_rate")
    assert 20 < rate < 500 and value(performed, "loadgen_valid") == 1
    assert performed.traffic is not None and performed.traffic.rate == rate
    assert performed.log is not None
    n = len(performed.log)
    np.testing.assert_array_equal(performed.log.scheduled, schedule.arrivals(0, rate, n))
    assert value(performed, "scheduled_rate") == pytest.approx(
        (n - 1) / performed.log.scheduled[-1], rel=1e-2
    )


def test_traffic_goes_on_for_a_meter() -> None:
    performed = loadgen.perform(bench(Sleeper([1e-3] * 10), asked(least_seconds=0.05)))
    assert performed.again is not None and performed.again(0.1) >= 10


def test_answers_that_are_not_as_asked_are_named() -> None:
    class Twice(Sleeper):
        def submit(self, numbers, batch, reply: Reply) -> None:
            super().submit(numbers, batch, reply)
            if len(self.asked) > 40:
                reply(numbers[0], self.infer(batch).outputs[0])

    with pytest.raises(Broken, match="answered_twice"):
        loadgen.perform(bench(Twice(), asked()))


def test_what_loadgen_cannot_do_is_refused() -> None:
    assert refusal("nmbench", "Streaming", "model") is None
    assert refusal("loadgen", "Server", "wall") is None
    assert "Streaming" in str(refusal("loadgen", "Streaming", "wall"))
    assert "wall clock" in str(refusal("loadgen", "Offline", "model"))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        ":::MLLOG {",
        ':::MLLOG {"key": 1, "value": 2}',
        ':::MLLOG {"key": "a"}',
        ':::MLLOG {"key": "a", "value": NaN}',
    ],
)
def test_a_log_that_is_not_loadgens_is_no_report(tmp_path: Path, text: str) -> None:
    good = ':::MLLOG {"key": "result_validity", "value": "VALID", "metadata": {"is_error": false}}'
    (tmp_path / FILE).write_text(f"{good}\n")
    assert read_report(tmp_path).valid
    (tmp_path / FILE).write_text(f"{good}\n{text}\n")
    with pytest.raises(ValueError, match="line 2"):
        read_report(tmp_path)


CHIP = """
import os, threading, time
from dataclasses import replace
import numpy as np
from nmbench.scenario import settings
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session

if "NMBENCH_APART" in os.environ:  # patience of the cell's own process alone, not of the test's
    settings.QUICK["SingleStream"] = replace(settings.QUICK["SingleStream"], patience_s=0.5)

class Odd(Session):
    def __init__(self, network): self.classes, self.n = network.populations[network.output].size, 0
    def infer(self, batch):
        return Answer(np.zeros((len(batch), batch.steps, self.classes), np.float32))
    def submit(self, numbers, batch, reply):
        self.n += 1
        if self.n > 30:
            print("the chip is on fire", flush=True)
            {act}
        super().submit(numbers, batch, reply)

class Mine(Platform):
    info = PlatformInfo(name="odd", version=3, family="mine", summary="odd", clock="wall")
    def load(self, network): return Odd(network)

PLATFORMS = [Mine()]
"""


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("os.abort()", ["LoadGen's process: ended by SIGABRT", "the chip is on fire", "Fatal Python error"]),
        ("raise RuntimeError('too hot')", ["RuntimeError: too hot (chip.py:"]),
        ("return", ["unanswered: "]),
        ("time.sleep(3600)", ["LoadGen's process: no end within", "the chip is on fire"]),
        ("threading.Thread(target=lambda: reply(0, None)).start()", ["answered_twice: "]),
    ],
    ids=["aborts", "raises", "never answers", "hangs", "answers twice"],
)
def test_a_crash_and_a_hang_under_loadgen_are_failed_records(
    tmp_path: Path, act: str, says: list[str]
) -> None:
    for time_s in (8.0, 30.0) if "sleep" in act else (120.0,):
        result = ran_apart(tmp_path / f"{time_s:g}", CHIP.format(act=act), "odd", time_s)
        if "on fire" in str(result.error):
            break  # a busy machine may need longer to come as far as the hang
    assert result.status == "failed" and result.platform.version == 3
    for words in says:
        assert words in str(result.error)
    assert str(tmp_path) not in str(result.error)


def ran_apart(tmp_path: Path, plugin: str, name: str, time_s: float) -> Result:
    tmp_path.mkdir()
    path = tmp_path / "chip.py"
    path.write_text(plugin)
    suite = read_suite(str(write_suite(tmp_path / "tiny", WORKLOAD)))
    task = Task(
        suite.name, suite.folder, suite.workloads[0], "synthetic", "base", "SingleStream", "quick", 0,
        How(generator="loadgen"),
    )  # fmt: skip
    (prepared,) = prepare([task], places.cache_root(), places.data_root(), Silence())
    cell = Cell(task, platforms([path])[name])
    where = Places(cache=places.cache_root(), data=places.data_root(), plugins=(path,))
    return run_apart(cell, prepared, "r", Silence(), Limits(time_s, 2 << 30), where).result


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Offline"])
def test_scores_of_the_simulator_are_loadgens_within_the_spread_of_runs(scenario: Scenario) -> None:
    """As above on `numba-event`, but for what LoadGen itself takes a query: its median on a session that
    does nothing."""
    suite, name = read_suite("temporal"), LOADGENS[scenario]
    workload = suite.workload("gesture")
    task = Task(suite.name, suite.folder, workload, "synthetic", "base", scenario, "quick", 0)
    (prepared,) = prepare([task], places.cache_root(), places.data_root(), Silence())
    own = value(loadgen.perform(bench(Sleeper(), asked(least_queries=500))), "latency_p50")
    found: dict[str, list[float]] = {"nmbench": [], "loadgen": []}
    for how in (How(), How(generator="loadgen")) * 3:
        by = replace(task, how=how)
        cell = Cell(by, platforms()["numba-event"])
        result = run_cell(cell, replace(prepared, task=by), "r", Silence()).result
        assert result.status == "ok", result.error
        metric = result.find(name)
        assert metric is not None and metric.value is not None
        found[how.generator].append(metric.value)
    if name.startswith("latency"):
        found["loadgen"] = [v - own for v in found["loadgen"]]
    assert apart_by(*found.values()) <= 0.05, found
