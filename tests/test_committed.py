"""What is committed: records, their report, and the figures in the README."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmbench import early_stopping, registry
from nmbench.documents import read_document
from nmbench.energy.agreement import agreements
from nmbench.energy.measurements import SHIPPED, read_measurements
from nmbench.energy.validation import validate
from nmbench.record import Result, System
from nmbench.reprice import Repricer, made
from nmbench.scenario.schedule import arrivals
from nmbench.stats import percentile
from nmbench.store import Store

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
PATHS = [p for p in Store(RESULTS).paths() if "local" not in p.relative_to(RESULTS).parts]
SUITE = registry.read_suite("temporal")


def test_every_cell_of_the_suite_is_there() -> None:
    read = [read_document(p, Result) for p in PATHS]
    cells = sorted((r.suite, r.platform.name, r.workload.name, r.scenario) for r in read)
    platforms = [e.name for e in registry.select([], registry.platforms())]
    assert cells == sorted(
        ("temporal", p, w.name, s) for p in platforms for w in SUITE.workloads for s in w.scenarios
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_a_record_is_what_its_place_says_and_its_numbers_follow_from_it(path: Path) -> None:
    result = read_document(path, Result)
    assert path.stem == result.id
    assert path.parts[-4:-1] == (result.suite, result.platform.name, result.workload.name)
    assert result.software.commit and result.software.dirty is False
    system = read_document(RESULTS / "systems" / f"{result.system.removeprefix('sha256:')}.json", System)
    assert result.system == f"sha256:{system.sha256}"
    workload = SUITE.workload(result.workload.name)
    assert result.workload.published_data
    if result.workload.version == workload.version:
        assert result.workload.sha256 == workload.sha256, "another content needs another version"
    for metric in result.metrics:
        if metric.breakdown and metric.value is not None:
            assert sum(metric.breakdown.values()) == pytest.approx(metric.value, rel=1e-9)
        if metric.samples and metric.name.partition("_p")[2] in PERCENTILES:
            p = PERCENTILES[metric.name.partition("_p")[2]]
            assert metric.value == percentile(metric.samples, p) and metric.n == len(metric.samples)
        if metric.value is not None and re.match(r"energy|(decision_)?latency_p\d+$", metric.name):
            assert metric.boundary and metric.lo is not None
            # a modelled Server's slow end may not sustain the rate: its latency has no end
            endless = result.scenario == "Server" and metric.kind == "modelled" and "latency" in metric.name
            assert metric.hi is not None or endless
    if result.status == "ok":
        assert result.quality
        judged = result.find(result.quality.metric)
        assert judged and judged.value == result.quality.value
        assert result.quality.reached == (result.quality.value >= workload.quality.target)


@pytest.mark.parametrize("workload", [w.name for w in SUITE.workloads])
def test_published_prices_follow_from_published_counts_by_the_cards_of_today(workload: str) -> None:
    store = Store(RESULTS)
    entries = {entry.name: entry.make for entry in registry.platforms().values()}
    repricer = Repricer(made(entries, []), store.counts, store.log)
    read = (read_document(p, Result) for p in PATHS if p.parent.name == workload)
    old = [result for result in read if not repricer.reason_not(result)]
    platforms = {r.platform.name for r in old if r.scenario == "Streaming"}
    assert (
        len(platforms) >= len(registry.select([], registry.platforms())) - 1
    )  # Akida takes the smallest alone
    for before, after in zip(old, repricer.reprice(old, "again"), strict=True):
        assert after.platform.card_sha256 == before.platform.card_sha256
        for one, other in zip(before.metrics, after.metrics, strict=True):
            assert (one.name, one.boundary) == (other.name, other.boundary)
            for a, b in ((one.value, other.value), (one.lo, other.lo), (one.hi, other.hi)):
                assert a == (None if b is None else pytest.approx(b, rel=1e-6))


PERCENTILES = {"50": 0.5, "90": 0.9, "99": 0.99}
MEASURED = [p for p in PATHS if p.parts[-3] == "numba-event"]


@pytest.mark.parametrize("path", MEASURED, ids=lambda p: p.stem)
def test_headline_numbers_follow_from_the_logs(path: Path) -> None:
    """Latencies, rates and throughputs of what was timed, from when each sample was due and answered."""
    result = read_document(path, Result)
    assert result.log_sha256 is not None and result.traffic is not None
    log, found = Store(RESULTS).log(result.log_sha256), {m.name: m for m in result.metrics}
    assert len(log) == result.traffic.samples * (1 if result.traffic.piece_s is None else _pieces(result))
    if result.scenario == "Offline":
        assert found["throughput"].value == pytest.approx(len(log) / log.completed.max())
        return
    per_query = 8 if result.scenario == "MultiStream" else 1
    seconds = (log.completed - log.scheduled).reshape(-1, per_query).max(axis=1)
    prefix = "decision_latency" if result.scenario == "Streaming" else "latency"
    for digits, p in PERCENTILES.items():
        assert found[f"{prefix}_p{digits}"].value == percentile(seconds, p)
    if result.scenario == "Server":
        rate, bound_s = result.traffic.rate, result.traffic.latency_bound_s
        assert rate is not None and bound_s is not None and rate == found["server_rate"].value
        np.testing.assert_array_equal(log.scheduled, arrivals(result.seed, rate, len(log)))
        over, allowed = int((seconds > bound_s).sum()), early_stopping.allowed(len(log), 0.99)
        assert allowed is not None and over == result.traffic.over <= allowed
    if result.scenario == "Streaming":
        late = float((seconds > (result.traffic.deadline_s or 0) + 1e-9).mean())
        assert found["deadline_misses"].value == pytest.approx(late)


def _pieces(result: Result) -> int:
    steps = SUITE.workload(result.workload.name).window.steps
    return round(steps * result.network.dialect.dt / (result.traffic.piece_s if result.traffic else 1))


def validation_lines() -> list[str]:
    """Lines of the README's table: groups of platforms, fitted rows and others apart."""
    names = {"fit": "fitted", "test": "others"}
    groups = [a for a in agreements(validate(read_measurements(SHIPPED).rows)) if a.split]
    return [
        f"| {a.group}, {names[str(a.split)]} | {a.numbers} | {a.geometric_mean:.2f} "
        f"| {100 * (a.near or 0):.0f} % | {100 * (a.inside or 0):.0f} % |"
        for a in groups
    ]


def test_the_readme_says_how_well_the_models_do() -> None:
    """Each group of platforms has the line that `nmbench validate` gives today."""
    readme = (ROOT / "README.md").read_text()
    for line in validation_lines():
        assert line in readme, line


NETWORKS = {
    "W1": "W1: 700-256 recurrent-20, 100 steps",
    "W2": "W2: 2312-512-256-10, 300 steps",
    "nm": "nm: 34x34x2, two convolutions, 300 steps",
    "ds": "ds: 128x128x2, two convolutions, 300 steps",
}


def peer_lines() -> list[str]:
    """Lines of the README's table of peers, from the committed run of the benchmarks."""
    run = json.loads((ROOT / "benchmarks" / "results.json").read_text())

    def seconds(workload: str, peer: str, variant: str | None = None) -> float | None:
        found = [
            timing["seconds"]["1"]
            for timing in run["timings"]
            if (timing["workload"], timing["peer"]) == (workload, peer)
            and variant in (None, timing["variant"])
        ]
        return min(found, default=None)

    def ratio(workload: str, *peer: str) -> str:
        theirs, ours = seconds(workload, *peer), seconds(workload, "nmbench", "float32")
        return f"{theirs / ours:.3g}x" if theirs and ours else "-"

    lines = []
    for workload, name in NETWORKS.items():
        ours = seconds(workload, "nmbench", "float32")
        assert ours
        floor = ours / run["floors"][workload]["float32"]
        jax = (ratio(workload, "jax.lax.scan", kind) for kind in ("stepwise", "layerwise"))
        others = (ratio(workload, peer) for peer in ("PyTorch loop", "NEST"))
        cells = (name, f"{1e6 * ours:,.0f} µs", f"{floor:.2f}", " / ".join(jax), *others)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def test_the_readme_says_what_the_committed_benchmarks_found() -> None:
    readme = (ROOT / "README.md").read_text()
    for line in peer_lines():
        assert line in readme, line


def provenance(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SUITE.folder / "networks" / f"{name}-base.json").read_text())
    return found


def percent(value: object) -> str:
    assert isinstance(value, float)
    return f"{100 * value:.1f} %"


@pytest.mark.parametrize("name", [w.name for w in SUITE.workloads if w.spotting is None])
def test_the_readme_says_what_the_networks_reach(name: str) -> None:
    said = provenance(name)
    row = next(
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    )
    gain = said["temporal_gain"]
    assert isinstance(gain, float)
    of_all = said["seeds"] if "seeds" in said else {"mean": said["accuracy"]["value"], "runs": [0]}
    assert f"| {percent(of_all['mean'])} ({len(of_all['runs'])}) |" in row
    assert f"| {percent(said['counts_only']['accuracy'])} |" in row
    assert f"| {100 * gain:+.1f} points |" in row


def test_the_readme_shows_the_published_report() -> None:
    readme = (ROOT / "README.md").read_text()
    report = (ROOT / "reports" / "temporal" / "report.md").read_text()
    rows = [
        line for line in readme.splitlines() if " kind, boundary" not in line and line.count("modelled,") > 0
    ]
    assert len(rows) >= 10
    for row in rows:
        assert row in report, row
    spotted = provenance("running-words")["quality"]["f1"]["value"]
    assert isinstance(spotted, float) and f"F1 {spotted:.3f} on unseen voices" in readme
