"""Scenarios on sessions that run for real."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from sessions import SAMPLES, Sleeper, asked, bench

from nmbench.platforms.base import Answer
from nmbench.scenario import measured, schedule
from nmbench.scenario.inputs import Performed
from nmbench.spikes import SpikeBatch


def value(performed: Performed, name: str) -> float:
    found = {m.name: m.value for m in performed.metrics}
    assert found[name] is not None
    return found[name]


def test_single_stream_follows_the_harness_order_one_query_at_a_time() -> None:
    session = Sleeper()
    performed = measured.perform(bench(session, asked(seed=7, least_queries=25)))
    assert session.asked == np.resize(schedule.order(SAMPLES, 7), 25).tolist()
    assert set(session.calls) == {1}
    log = performed.log
    assert log is not None and performed.traffic is not None
    assert performed.traffic.queries == len(log) == 25
    np.testing.assert_array_equal(log.scheduled, log.started)
    assert (log.completed[:-1] <= log.scheduled[1:]).all(), "the next query comes on completion"
    assert value(performed, "latency_p90") == np.sort(log.latency())[int(25 * 0.9)]


def test_pythons_collector_is_off_meanwhile_and_on_again() -> None:
    class Watching(Sleeper):
        def infer(self, batch: SpikeBatch) -> Answer:
            collecting.append(gc.isenabled())
            return super().infer(batch)

    collecting: list[bool] = []
    measured.perform(bench(Watching(), asked()))
    assert collecting and not any(collecting) and gc.isenabled()


def test_the_most_queries_end_a_run() -> None:
    performed = measured.perform(bench(Sleeper(), asked(least_seconds=3600.0, most_queries=12)))
    assert performed.traffic is not None and performed.traffic.queries == 12
    assert performed.traffic.enough is False, "64 queries are the least for a p90"


@pytest.mark.parametrize("at_once", [1, 3, 8, 100])
def test_multi_stream_asks_for_eight_samples_and_times_the_last(at_once: int) -> None:
    session = Sleeper([0.0005] * SAMPLES, at_once)
    what = asked("MultiStream", percentile=0.99, least_queries=5, most_queries=5, samples_per_query=8)
    performed = measured.perform(bench(session, what))
    log = performed.log
    assert log is not None and len(log) == 40
    assert max(session.calls) == min(8, at_once) and sum(session.calls) == 40
    per_query = log.completed.reshape(5, 8).max(axis=1) - log.scheduled.reshape(5, 8)[:, 0]
    np.testing.assert_allclose(log.latency(8), per_query)
    assert (np.diff(log.scheduled.reshape(5, 8), axis=1) == 0).all(), "all of a query are due together"


def test_offline_takes_the_best_batch_and_asks_for_the_whole_set() -> None:
    """A call costs the same however many samples it has: the largest batch is the best one."""
    session = Sleeper([0.002] * SAMPLES, 8)
    performed = measured.perform(bench(session, asked("Offline", percentile=None, least_seconds=0.01)))
    assert performed.traffic is not None and performed.traffic.batch == 8
    assert performed.log is not None and set(performed.log.sample) == set(range(SAMPLES))
    assert value(performed, "throughput") == pytest.approx(len(performed.log) / performed.log.seconds)


def test_offline_does_not_batch_where_it_gains_nothing() -> None:
    class Serial(Sleeper):
        def infer(self, batch: SpikeBatch) -> Answer:
            parts = [super(Serial, self).infer(batch.take([b])) for b in range(len(batch))]
            return Answer(np.concatenate([p.outputs for p in parts]))

    performed = measured.perform(
        bench(Serial([0.002] * SAMPLES, 8), asked("Offline", percentile=None, least_seconds=0.01))
    )
    assert performed.traffic is not None and performed.traffic.batch == 1


def test_server_at_a_rate_keeps_the_schedule_and_counts_latency_from_it() -> None:
    what = asked("Server", percentile=0.99, least_queries=100)
    what = type(what)(**{**vars(what), "rate": 400.0})
    performed = measured.perform(bench(Sleeper([0.001] * SAMPLES), what))
    log = performed.log
    assert log is not None and performed.traffic is not None and performed.traffic.rate == 400.0
    np.testing.assert_allclose(log.scheduled, schedule.arrivals(0, 400.0, 100))
    assert (log.started >= log.scheduled).all(), "no query is handed over before it is due"
    assert "server_rate" not in {m.name for m in performed.metrics}, "a rate that was asked for is no score"


def test_server_finds_the_rate_of_a_sleeper() -> None:
    """A service of 2 ms and a bound of 50 ms: nearly all of 500 queries a second, never more."""
    what = asked(
        "Server", percentile=0.99, least_queries=700, least_seconds=1.0, probe_queries=700, tolerance=1.1
    )
    performed = measured.perform(bench(Sleeper([0.002] * SAMPLES), what, "skipping"))
    assert performed.traffic is not None
    rate = value(performed, "server_rate")
    assert 50 < rate < 505, rate
    assert performed.traffic.over is not None and performed.traffic.allowed is not None
    assert performed.traffic.over <= performed.traffic.allowed and performed.traffic.enough


def test_server_says_where_no_rate_meets_the_bound() -> None:
    what = asked("Server", percentile=0.99, probe_queries=5, probe_seconds=0.5, patience_s=5.0)
    performed = measured.perform(bench(Sleeper([0.06] * SAMPLES), what, "skipping"))
    (metric,) = performed.metrics
    assert metric.value is None and metric.reason and "0.05 s" in metric.reason
    assert performed.traffic is not None and performed.traffic.latency_bound_s == 0.05


def test_a_slow_server_is_judged_on_what_its_time_allows_and_says_so() -> None:
    """20 ms a query: the 2,010 queries of a full run would take a minute, the quick tier has seconds."""
    what = asked(
        "Server", percentile=0.99, least_queries=2010, most_seconds=0.6, probe_seconds=0.5, tolerance=1.5
    )
    performed = measured.perform(bench(Sleeper([0.02] * SAMPLES), what))
    traffic = performed.traffic
    assert traffic is not None and 2 <= traffic.queries < 60
    assert 1 < value(performed, "server_rate") < 50
    assert traffic.enough is False, "99 of 100 are not shown by so few"


def test_offline_asks_for_the_whole_set_however_long_it_takes() -> None:
    what = asked("Offline", percentile=None, least_seconds=0.01, most_seconds=0.01)
    performed = measured.perform(bench(Sleeper([0.01] * SAMPLES), what))
    assert performed.log is not None and set(performed.log.sample) == set(range(SAMPLES))
