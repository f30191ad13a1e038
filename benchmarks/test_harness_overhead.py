"""What the harness takes a query: beside MLCommons' LoadGen in the same run, and in virtual time.

The platform is `dummy` for both: what it takes itself is measured beside and taken off. ``extra_info`` holds
microseconds a query of the harness, of LoadGen with our desk behind it and of LoadGen with nothing behind
it, all as medians of runs in turn, and ratios, which a busy machine spoils least.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pytest

from nmbench.platforms.dummy import Dummy
from nmbench.scenario import generator, measured, schedule
from nmbench.scenario.bench import Bench
from nmbench.scenario.desk import Expected
from nmbench.scenario.inputs import Asked
from nmbench.scenario.scores import Origin
from nmbench.scenario.settings import Settings
from nmbench.spec import Server
from nmbench.spikes import SpikeBatch

SAMPLES, STEPS, CLASSES = 50, 40, 10
QUERIES = 20_000
ROUNDS = 5
TARGET_US = 20.0
SOON = 1e9
"""Queries per second: all are due at once, and the harness is never waited for."""

Overhead = Callable[[], float]
"""Returns seconds a query."""


class Seen:
    """As much of a network as `dummy` looks at."""

    output = 0
    populations = (type("Population", (), {"size": CLASSES}),)


def bench_of(scenario: str) -> Bench:
    rows = np.arange(SAMPLES * STEPS + 1, dtype=np.int64)
    batch = SpikeBatch(0.005, STEPS, (100,), rows, (rows[:-1] % 100).astype(np.int32))
    session = Dummy().load(Seen())  # type: ignore[arg-type]
    settings = Settings(0.9, 0.0, QUERIES, QUERIES, None, patience_s=60.0)
    asked = Asked(scenario, settings, 0, SAMPLES, STEPS, 0.005, Server(latency_bound_s=60.0))  # type: ignore[arg-type]
    expected = Expected(session.infer(batch).outputs, lambda samples, outputs: outputs[:, 0].argmax(axis=1))
    origin = Origin("measured", "wall", "a benchmark")
    bench = Bench(session, batch, expected, asked, "wall", origin, lambda share: None)
    bench.live.load(schedule.order(SAMPLES, 0))
    return bench


def platform_s(bench: Bench) -> float:
    """Seconds of a query in the platform itself."""
    parts = [bench.batch.take([s]) for s in range(SAMPLES)]
    begun = time.perf_counter()
    for i in range(QUERIES):
        bench.session.infer(parts[i % SAMPLES])
    return (time.perf_counter() - begun) / QUERIES


def single_stream_s(bench: Bench) -> float:
    order = schedule.order(SAMPLES, 0)
    with generator.uninterrupted():
        desk = bench.desk()
        generator.one_after_another(desk, bench.live, order, bench.asked.settings, bench.tell)
    return bench.close(desk).seconds / QUERIES


def server_s(bench: Bench) -> float:
    return measured.serve(bench, SOON, QUERIES)[1].seconds / QUERIES


OURS = {"SingleStream": single_stream_s, "Server": server_s}


def loadgen_s(scenario: str, answer: Callable[[object], None]) -> float:
    """Seconds of a query by LoadGen, from the first that it hands over to the last."""
    import mlperf_loadgen as loadgen

    moments: list[float] = []

    def issue(query: object) -> None:
        moments.append(time.perf_counter())
        answer(query)

    settings = loadgen.TestSettings()
    settings.scenario = getattr(loadgen.TestScenario, scenario)
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms, settings.min_query_count, settings.max_query_count = 0, QUERIES, QUERIES
    settings.server_target_qps, settings.server_target_latency_ns = SOON, 60_000_000_000
    sut = loadgen.ConstructSUT(issue, lambda: None)
    qsl = loadgen.ConstructQSL(SAMPLES, SAMPLES, lambda samples: None, lambda samples: None)
    with tempfile.TemporaryDirectory() as folder, generator.uninterrupted():
        logs = loadgen.LogSettings()
        logs.log_output.outdir = folder
        logs.log_output.copy_summary_to_stdout = False
        logs.enable_trace = False
        loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, "")
    loadgen.DestroyQSL(qsl)
    loadgen.DestroySUT(sut)
    return (moments[-1] - moments[0]) / (len(moments) - 1)


def nothing(query: object) -> None:
    """Answer and do no more: the least that LoadGen can be given."""
    import mlperf_loadgen as loadgen

    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(s.id, 0, 0) for s in query])  # type: ignore[attr-defined]


@pytest.mark.parametrize("scenario", list(OURS))
def test_overhead_of_a_query(benchmark, scenario: str) -> None:
    pytest.importorskip("mlperf_loadgen", reason="no wheel of mlcommons-loadgen for this machine")
    from nmbench.scenario import loadgen_drive

    bench, ours = bench_of(scenario), OURS[scenario]

    def behind_loadgen() -> float:
        relay = loadgen_drive._Run(bench, 1)
        return loadgen_s(scenario, relay._issue)

    ours(bench), loadgen_s(scenario, nothing), behind_loadgen(), platform_s(bench)
    found: dict[str, list[float]] = {"harness": [], "platform": [], "loadgen": [], "loadgen_and_desk": []}

    def turn() -> None:
        found["harness"].append(ours(bench))
        found["platform"].append(platform_s(bench))
        found["loadgen"].append(loadgen_s(scenario, nothing))
        found["loadgen_and_desk"].append(behind_loadgen())

    benchmark.pedantic(turn, rounds=ROUNDS)
    own = statistics.median(h - p for h, p in zip(found["harness"], found["platform"], strict=True))
    desk = statistics.median(h - p for h, p in zip(found["loadgen_and_desk"], found["platform"], strict=True))
    loadgen = statistics.median(found["loadgen"])
    benchmark.extra_info |= {
        "harness_us": round(1e6 * own, 2),
        "loadgen_us": round(1e6 * loadgen, 2),
        "loadgen_and_desk_us": round(1e6 * desk, 2),
        "platform_us": round(1e6 * statistics.median(found["platform"]), 2),
        "harness_over_loadgen": round(own / loadgen, 2),
        "harness_over_loadgen_and_desk": round(own / desk, 2),
        "target_us": TARGET_US,
    }


VIRTUAL = """
import json, resource, sys, time
import numpy as np
from nmbench.scenario import modelled, scores
from nmbench.scenario.inputs import Asked
from nmbench.scenario.service import Service
from nmbench.scenario.settings import settings
from nmbench.spec import Server

queries = 1_000_000
asked = Asked("Server", settings("Server", "official"), 0, 1000, 40, 0.005, Server(latency_bound_s=1.0))
service = Service("chip_total", (1,), np.full((1, 1000), 1e-3), {})
begun = time.perf_counter()
desk, log = modelled.serve(asked, service, 700.0, queries)
served = time.perf_counter()
traffic = scores.traffic(desk, log, asked, rate=700.0)
print(json.dumps({
    "queries": traffic.queries,
    "serve_s": round(served - begun, 3),
    "traffic_s": round(time.perf_counter() - served, 3),
    "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
}))
"""


def test_a_million_queries_in_virtual_time(benchmark) -> None:
    """Target: under 10 s and 500 MiB, in a process of its own, imports among its memory and not its time."""
    found: list[dict[str, float]] = []

    def run() -> None:
        done = subprocess.run([sys.executable, "-c", VIRTUAL], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))

    benchmark.pedantic(run, rounds=3)
    assert {f["queries"] for f in found} == {1_000_000}
    benchmark.extra_info |= min(found, key=lambda f: f["serve_s"]) | {"target_s": 10, "target_mib": 500}
