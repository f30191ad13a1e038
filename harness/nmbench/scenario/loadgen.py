"""MLCommons' LoadGen in place of our generator: it asks, times and judges; our desk writes down beside it.

Needs the extra ``loadgen`` (``mlcommons-loadgen``, Apache-2.0; wheels for Linux x86-64, macOS arm64 and
Windows). Accuracy mode asks for every sample and its answers must decide as those of the accuracy run
before; performance mode makes the scores. Both go through the same session.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import mlperf_loadgen
import numpy as np

from nmbench.record import Metric, Traffic
from nmbench.scenario import measured, schedule, scores
from nmbench.scenario.bench import Bench, Broken
from nmbench.scenario.inputs import Performed
from nmbench.scenario.loadgen_drive import Test, drive
from nmbench.scenario.loadgen_report import Report
from nmbench.scenario.log import Log
from nmbench.scenario.search import Found
from nmbench.spec import Scenario
from nmbench.stats import percentile_interval

MARGIN = 1.2
"""LoadGen makes its queries beforehand, for so much more than the speed that it is told."""

SLACK = 1.1
"""Of Offline LoadGen asks for this much more than its duration holds."""

TRIES = 16
"""Single calls that are timed to tell LoadGen how fast the platform is; the fastest counts."""


def perform(bench: Bench) -> Performed:
    """Perform the scenario of the bench's task with LoadGen.

    Raises
    ------
    Broken
        The platform's answers are not as asked, or LoadGen asked for other samples than the test set's.
    """
    asked = bench.asked
    bench.live.load(schedule.order(asked.samples, asked.seed))
    return PERFORM[asked.scenario](bench)


def _stream(bench: Bench) -> Performed:
    """SingleStream and MultiStream: the next query when the last one is answered."""
    asked = bench.asked
    at_once = min(asked.settings.samples_per_query, bench.live.most_at_once)
    settings = _settings(bench)
    expected_ns = round(_fastest_s(bench, at_once) / MARGIN * 1e9)
    if asked.scenario == "SingleStream":
        settings.single_stream_expected_latency_ns = expected_ns
        settings.single_stream_target_latency_percentile = asked.settings.percentile
    else:
        settings.multi_stream_expected_latency_ns = expected_ns * asked.settings.samples_per_query // at_once
        settings.multi_stream_target_latency_percentile = asked.settings.percentile
        settings.multi_stream_samples_per_query = asked.settings.samples_per_query
    _accuracy(bench, settings, at_once)
    test = drive(bench, settings, at_once)
    log = _from_zero(test.log, test.log.scheduled)
    found = [
        *_latencies(test.report, log, bench),
        _estimate(test.report, log, bench),
        _valid(test.report, bench),
    ]
    return _performed(bench, test, log, tuple(found), settings, at_once)


def _offline(bench: Bench) -> Performed:
    """Everything in one query, handed over in batches of the best size."""
    asked, wanted = bench.asked, bench.asked.settings
    batch, per_second = measured.best_batch(bench)
    settings = _settings(bench)
    most = wanted.most_queries / max(wanted.least_seconds, 1e-3) / SLACK
    settings.offline_expected_qps = min(per_second * MARGIN, most)
    settings.min_query_count = max(wanted.least_queries, asked.samples)
    _accuracy(bench, settings, batch)
    test = drive(bench, settings, batch)
    log = _from_zero(test.log, test.log.scheduled)
    ours = scores.measured_throughput(log, bench.origin)
    value = test.report.number("result_samples_per_second")
    throughput = _of_loadgen(test.report, bench, "throughput", "1/s", value, (ours.lo, ours.hi), len(log))
    return _performed(bench, test, log, (throughput, _valid(test.report, bench)), settings, batch)


def _server(bench: Bench) -> Performed:
    """Poisson arrivals at the rate that is asked for, or at the highest that our search finds.

    A rate that the search found is lowered, by more each time, until LoadGen finds the test valid.
    """
    asked = bench.asked
    found = Found(asked.rate, None, ()) if asked.rate else measured.search_rate(bench)
    if found.met is None:
        return measured.none_met(bench, found)
    at_once, rate, missed = bench.live.most_at_once, found.met, found.missed
    _accuracy(bench, _at_rate(bench, rate), at_once)
    for step in range(1, measured.STEPS_DOWN + 1):
        test = drive(bench, _at_rate(bench, rate), at_once)
        if asked.rate or test.report.valid:
            break
        rate, missed = rate / asked.settings.tolerance**step, rate
    else:
        none = scores.server_rate(Found(None, missed, found.probes), asked, bench.origin)
        why = f"LoadGen finds no test valid down to {missed:g} queries a second"
        traffic = _by_loadgen(scores.no_traffic(asked, bench.clock_name), test.report)
        return Performed((none.model_copy(update={"reason": why}), _valid(test.report, bench)), traffic)
    log = _from_zero(test.log, schedule.arrivals(asked.seed, rate, len(test.log)))
    scheduled = test.report.number("result_scheduled_samples_per_sec")
    highest = scores.server_rate(Found(rate, missed, found.probes), asked, bench.origin)
    metrics = (
        *(() if asked.rate else (highest,)),
        _of_loadgen(test.report, bench, "scheduled_rate", "1/s", scheduled, (None, None), len(log)),
        *_latencies(test.report, log, bench),
        scores.utilisation(log, bench.origin),
        _valid(test.report, bench),
    )
    return _performed(bench, test, log, metrics, _at_rate(bench, rate), at_once, rate)


PERFORM: Mapping[Scenario, Callable[[Bench], Performed]] = {
    "SingleStream": _stream,
    "MultiStream": _stream,
    "Server": _server,
    "Offline": _offline,
}


def _settings(bench: Bench) -> Any:
    """Return LoadGen's settings for what a task asks for; all its seeds are the task's.

    The most queries of the quick tier are not among them: LoadGen finds a test that they end invalid.
    """
    asked, wanted = bench.asked, bench.asked.settings
    made = mlperf_loadgen.TestSettings()
    made.scenario = getattr(mlperf_loadgen.TestScenario, asked.scenario)
    made.mode = mlperf_loadgen.TestMode.PerformanceOnly
    made.min_duration_ms = math.ceil(wanted.least_seconds * 1e3)
    made.max_duration_ms = math.ceil((wanted.most_seconds or 0) * 1e3)
    made.min_query_count = wanted.least_queries
    made.qsl_rng_seed = made.sample_index_rng_seed = made.schedule_rng_seed = asked.seed
    return made


def _at_rate(bench: Bench, rate: float) -> Any:
    """Return Server's settings; a platform that takes several at once gets all that are due, as by ours."""
    settings = _settings(bench)
    settings.server_target_qps = rate
    settings.server_coalesce_queries = bench.live.most_at_once > 1
    settings.server_target_latency_ns = round(bench.asked.bound_s * 1e9)
    settings.server_target_latency_percentile = bench.asked.settings.percentile
    return settings


def _accuracy(bench: Bench, settings: Any, at_once: int) -> None:
    """Run accuracy mode; the desk sees whether its answers decide as the accuracy run's did."""
    most_ms, settings.max_duration_ms = settings.max_duration_ms, 0
    settings.mode = mlperf_loadgen.TestMode.AccuracyOnly
    asked = np.unique(drive(bench, settings, at_once).log.sample)
    settings.mode, settings.max_duration_ms = mlperf_loadgen.TestMode.PerformanceOnly, most_ms
    if len(asked) != bench.asked.samples:
        raise Broken(f"LoadGen's accuracy mode asked for {len(asked)} of {bench.asked.samples} samples")


def _fastest_s(bench: Bench, at_once: int) -> float:
    order = schedule.asked(bench.asked.samples, bench.asked.seed, TRIES * at_once)
    return min(measured.call_s(bench, order[i * at_once : (i + 1) * at_once]) for i in range(TRIES))


def _from_zero(log: Log, scheduled: schedule.Moments) -> Log:
    """Return the log with the moments at which LoadGen's queries were due, its start at 0.

    The start is the latest that lets no query be handed over before it is due.
    """
    start = float((log.started - scheduled).min())
    if scheduled is log.scheduled:
        start, scheduled = float(scheduled[0]), scheduled - scheduled[0]
    return replace(log, scheduled=scheduled, started=log.started - start, completed=log.completed - start)


def _latencies(report: Report, log: Log, bench: Bench) -> list[Metric]:
    """Return LoadGen's percentiles; their intervals are those of the same queries at our desk."""
    per_query = bench.asked.settings.samples_per_query
    own, kind = log.latency(per_query), "per_query_latency" if per_query > 1 else "latency"
    found = []
    for name, p in scores.PERCENTILES.items():
        value = report.seconds(f"result_{100 * p:.2f}_percentile_{kind}_ns")
        interval = percentile_interval(own, p)
        found.append(_of_loadgen(report, bench, f"latency_{name}", "s", value, interval, len(own)))
    return found


def _estimate(report: Report, log: Log, bench: Bench) -> Metric:
    judged, streams = bench.asked.settings.percentile or 0.9, bench.asked.scenario == "MultiStream"
    value = report.seconds("early_stopping_latency_ms" if streams else "early_stopping_latency_ss")
    n = len(log) // bench.asked.settings.samples_per_query
    name = f"latency_p{100 * judged:g}_estimate"
    return _of_loadgen(report, bench, name, "s", value, (None, None), n, "early stopping, confidence 0.99")


def _valid(report: Report, bench: Bench) -> Metric:
    """Return LoadGen's own verdict on its test: 1 or 0, and why."""
    return Metric(
        name="loadgen_valid", unit="1", kind="measured", boundary=bench.origin.boundary,
        value=float(report.valid), source=f"LoadGen {report.version}", reason=report.verdict,
    )  # fmt: skip


def _of_loadgen(
    report: Report,
    bench: Bench,
    name: str,
    unit: Any,
    value: float | None,
    interval: tuple[float | None, float | None],
    n: int,
    note: str = "",
) -> Metric:
    """Return one of LoadGen's numbers, in an interval that is widened to hold it."""
    lo, hi = (None, None) if value is None else interval
    return Metric(
        name=name, unit=unit, kind=bench.origin.kind, boundary=bench.origin.boundary, value=value,
        lo=None if lo is None or value is None else min(lo, value),
        hi=None if hi is None or value is None else max(hi, value),
        n=n, source="; ".join(filter(None, [f"LoadGen {report.version}", note])),
        reason=f"LoadGen states none: {report.verdict}" if value is None else None,
    )  # fmt: skip


def _performed(
    bench: Bench,
    test: Test,
    log: Log,
    metrics: tuple[Metric, ...],
    settings: Any,
    at_once: int,
    rate: float | None = None,
) -> Performed:
    def again(seconds: float) -> int:
        settings.min_duration_ms, settings.max_duration_ms = math.ceil(seconds * 1e3), 0
        settings.min_query_count = 1
        return len(drive(bench, settings, at_once).log)

    traffic = _by_loadgen(scores.traffic(test.desk, log, bench.asked, rate=rate), test.report)
    return Performed(metrics, traffic, log, again)


def _by_loadgen(traffic: Traffic, report: Report) -> Traffic:
    return traffic.model_copy(update={"generator": f"loadgen {report.version}"})
