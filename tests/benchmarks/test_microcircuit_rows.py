"""The microcircuit in the benchmark: its script on a small network, its rows, the published figures."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import microcircuit as shared
import microcircuit_workload
import numpy as np
import ours_microcircuit
import pytest
import table
from published import PUBLISHED, real_time_factors
from results import FULL, Results, beside_published, ratios
from rich.console import Console


def line(peer: str, variant: str, threads: int, seconds: float | None, workload: str = FULL) -> dict:
    check = {
        "exact": False,
        "spikes": [90, 11],
        "expected": [90, 10],
        "populations": ["L1E", "L1I"],
        "rates_hz": [0.9, 1.1],
        "expected_rates_hz": [0.9, 1.0],
        "rate_off": 0.1,
        "total_rate_off": 0.01,
        "accepted": seconds is not None,
        "biological_s": 10.0,
        "build_s": 3.25,
        "peak_gib": 1.375,
        "bytes_per_synapse": 4.07,
    }
    return {
        "peer": peer,
        "workload": workload,
        "threads": threads,
        "versions": {},
        "note": "",
        "checks": {variant: check},
        "times": {} if seconds is None else {variant: {1: seconds}},
    }


@pytest.fixture
def results() -> Results:
    made = Results("2026-01-01T00:00:00+00:00", False, {"cpu": "a chip", "cores": 2}, {}, {})
    for each in (
        line("nmbench", "fixed", 1, 0.9),
        line("nmbench", "double", 2, 0.8),
        line("nmbench", "fixed", 2, 0.5),
        line("NEST", "event-driven", 2, 50.0),
        line("wrong", "C++", 2, None),
    ):
        made.add(each, load1=0.1)
    return made


def shown(results: Results) -> str:
    console = Console(file=io.StringIO(), width=200)
    table.show(results, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def cells(text: str, *wanted: str) -> list[str]:
    (found,) = [row for row in text.splitlines() if all(w in row for w in wanted)]
    return [cell.strip() for cell in found.strip("│").split("│")]


def test_row_holds_factor_core_seconds_memory_and_ratios(results: Results) -> None:
    text = shown(results)
    row = cells(text, "NEST ", "event-driven ", "50.0 ")
    assert row[:7] == ["NEST", "event-driven", "2", "50.0", "100", "100", "62.5"]
    assert row[7:] == ["10 s", "4.07", "3.2 s", "1.38 GiB", "1.0 %, 10.0 %"]
    assert "not timed" in cells(text, "wrong", "C++", "GiB")[-1]


def test_rates_stand_beside_the_stored_ones(results: Results) -> None:
    text = shown(results)
    assert cells(text, "L1I") == ["L1I", "1.000", "1.100", "1.100", "1.100", "1.100"]
    assert "NEST, stored runs" in text


def test_threads_stand_apart(results: Results) -> None:
    found = {(r.ours, r.threads): r.ratio for r in ratios(results)}
    assert found == {("fixed", 2): pytest.approx(100), ("double", 2): pytest.approx(62.5)}


def test_published_figures_stand_beside_the_fastest_run(results: Results) -> None:
    found = {(c.published.study, c.published.system): c for c in beside_published(results)}
    kurth = found["Kurth et al. 2022", "1 node of 2 EPYC 7702"]
    assert kurth.published.core_seconds == pytest.approx(85.76)
    assert kurth.ratio == pytest.approx(0.67 / 0.5)
    assert kurth.core_ratio == pytest.approx(85.76 / 1.0)
    assert found["Kauth et al. 2023", "35 FPGA boards"].core_ratio is None
    assert cells(shown(results), "Kurth", "1 node")[-4:] == ["0.670", "1.34", "85.8", "85.8"]
    assert len(real_time_factors()) == len(PUBLISHED)


def test_nothing_is_published_of_a_small_network() -> None:
    made = Results("2026-01-01T00:00:00+00:00", True, {}, {}, {})
    made.add(line("nmbench", "fixed", 2, 0.5, "microcircuit-0.1"), load1=0.1)
    assert beside_published(made) == []
    assert "Kurth" not in shown(made)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of five per cent of the network, with rates that nmbench itself makes."""
    scale = "microcircuit-0.05"
    monkeypatch.setattr(microcircuit_workload, "MICROCIRCUIT", {scale: 0.05})
    monkeypatch.setattr(microcircuit_workload, "PEERS_MS", {scale: (50.0, 200.0)})
    monkeypatch.setattr(microcircuit_workload, "REFERENCE", tmp_path)
    for module in (microcircuit_workload, ours_microcircuit):
        monkeypatch.setattr(module, "OWN_MS", (100.0, 1000.0))
    monkeypatch.setattr(ours_microcircuit, "SLICE_MS", 500.0)
    runs, _ = ours_microcircuit.simulate(microcircuit_workload.network_of(scale), "fixed")
    sizes = [p.size for p in runs[0].network.populations]
    rates = np.sum([r.spikes for r in runs], axis=0) / sizes
    names = [p.name for p in runs[0].network.populations]
    stored = {n: {"mean_rate_hz": float(r)} for n, r in zip(names, rates, strict=True)}
    (tmp_path / f"{scale}.json").write_text(json.dumps({"runs": [{"populations": stored}]}))
    microcircuit_workload.export(scale, tmp_path / "task.npz")
    return tmp_path / "task.npz"


def test_script_compares_with_the_oracle_and_the_rates_then_times(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(ours_microcircuit, "check_sparse", lambda _, a, __: checked.append(a) or 57)
    monkeypatch.setattr(sys, "argv", ["script", str(small)])
    ours_microcircuit.main()
    answer = json.loads(capsys.readouterr().out)
    assert checked == ["fixed", "double"]
    fixed = answer["checks"]["fixed"]
    assert fixed["total_rate_off"] < 0.01
    assert fixed["biological_s"] == 1
    assert fixed["fastest_slice"] <= answer["times"]["fixed"]["1"] <= fixed["slowest_slice"]
    assert fixed["bytes_per_synapse"] > 4
    assert 0 < fixed["peak_gib"] < 2


def test_rates_that_are_off_are_refused(small: Path) -> None:
    task = shared.read(small)
    right = task.rates_hz * task.sizes
    assert shared.compare(task, right, 1.0)["accepted"]
    assert not shared.compare(task, 1.06 * right, 1.0)["accepted"]  # the network as a whole
    one = right.copy()
    one[0] *= 0.7
    assert not shared.compare(task, one, 1.0)["accepted"]  # one population
    assert len(task.listed["source"]) == task.synapses


def test_spikes_are_counted_by_population(small: Path) -> None:
    task = shared.read(small)
    ids = np.repeat(np.arange(task.sizes.sum()), 2)
    np.testing.assert_array_equal(shared.by_population(task, ids), 2 * task.sizes)


def test_oracle_finds_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    import oracle

    from nmbench.network.brunel import brunel

    network = brunel(150, 30, poisson=False)
    assert oracle.check_sparse(network, "double") > 50
    honest = oracle.simulate

    def late(*args: object, **named: object) -> tuple[np.ndarray, np.ndarray]:
        steps, ids = honest(*args, **named)  # type: ignore[arg-type]
        return steps + 1, ids

    monkeypatch.setattr(oracle, "simulate", late)
    with pytest.raises(AssertionError):
        oracle.check_sparse(network, "double")
