"""The run of the benchmarks on made-up scripts: checks before times, ratios, table, JSON."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path

import exchange
import lineup
import protocol
import pytest
import run
import table
import workloads
from lineup import Entrant
from results import WHATS, Results, ratios
from rich.console import Console
from wording import duration


def report(peer: str, variant: str, seconds: dict[int, float], threads: int = 1, spikes: int = 100) -> dict:
    check = {
        "exact": spikes == 100,
        "spikes": [spikes],
        "expected": [100],
        "accepted": abs(spikes - 100) <= 1,
    }
    times = {variant: seconds} if check["accepted"] else {}
    return {
        "peer": peer,
        "workload": "W1",
        "threads": threads,
        "versions": {peer: "1.0"},
        "note": "",
        "checks": {variant: check},
        "times": times,
    }


@pytest.fixture
def results() -> Results:
    made = Results("2026-01-01T00:00:00+00:00", True, {"cpu": "a chip", "cores": 2}, {}, {"load1": 0.5})
    made.noise_after = {"load1": 0.7}
    made.floors["W1"] = {"float32": 0.8e-3}
    made.activity["W1"] = {
        "input_events": 8005,
        "density": 0.114,
        "firing": [0.052],
        "synaptic_events": 2.42e6,
    }
    for each in (
        report("nmbench", "float32", {1: 1e-3, 16: 8e-3}),
        report("nmbench", "float32", {1: 1.2e-3, 16: 4e-3}, threads=2),
        report("jax.lax.scan", "stepwise", {1: 10e-3, 16: 32e-3}),
        report("jax.lax.scan", "layerwise", {1: 4e-3, 16: 40e-3}),
        report("another", "C++", {1: 8e-3}),
        report("off by a spike", "stepwise", {1: 50e-3}, spikes=101),
        report("wrong", "stepwise", {1: 1e-9}, spikes=150),
    ):
        made.add(each, load1=0.1)
    made.missing.append({"workload": "W1", "peer": "NEST", "reason": "not installed: make peers"})
    return made


def shown(results: Results) -> str:
    console = Console(file=io.StringIO(), width=200)
    table.show(results, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_ratios_are_to_the_best_peer_of_each_kind(results: Results) -> None:
    found = {r.what: r for r in ratios(results)}
    assert found["layerwise"].ratio == pytest.approx(4)  # 1 ms on one thread beside 4 ms
    assert found["layerwise"].peer == "jax.lax.scan, layerwise"
    assert found["layerwise"].floor == pytest.approx(1 / 0.8)
    assert found["stepwise"].ratio == pytest.approx(8)
    assert found["stepwise"].peer == "another, C++"
    assert found["jax.lax.scan stepwise"].ratio == pytest.approx(10)
    assert found["jax.lax.scan layerwise"].ratio == pytest.approx(4)
    assert found["throughput"].ratio == pytest.approx((16 / 4e-3) / (16 / 32e-3))


def test_kinds_of_peers_are_told_apart_and_explained(results: Results) -> None:
    text = shown(results)
    lines = [line for line in text.splitlines() if "jax.lax.scan" in line and "│" in line]
    kinds = {cell.strip() for line in lines for cell in line.split("│")} & {"stepwise", "layerwise"}
    assert kinds == {"stepwise", "layerwise"}
    assert "stand behind a sensor" in text
    assert "need the whole recording" in text


def test_a_peer_with_wrong_spikes_is_shown_and_never_the_best(results: Results) -> None:
    assert not any("wrong" in r.peer for r in ratios(results))
    lines = {line.split("│")[1].strip(): line for line in shown(results).splitlines() if "│" in line}
    assert "50.0 % off: not timed" in lines["wrong"]
    assert "1.0 % off" in lines["off by a spike"]
    assert "equal" in lines["jax.lax.scan"]


def test_table_says_what_is_missing_and_how_busy_the_machine_was(results: Results) -> None:
    text = shown(results)
    assert "NEST: not installed: make peers" in text
    assert "load before 0.5, after 0.7" in text
    assert "2.42 M synaptic events" in text


def test_json_is_strict_and_replaces_the_last_one(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("the last one")
    results.write(path)
    record = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert record["schema"] == "nmbench.benchmarks/2"
    assert len(record["timings"]) == 7
    assert {r["what"] for r in record["ratios"]} == set(WHATS)
    assert record["published"] == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_script_compares_before_it_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    workload = workloads.make("W1s", 2)
    exchange.export(workload, tmp_path / "w.npz")
    task = protocol.read(tmp_path / "w.npz")
    ran: list[str] = []

    def variant(name: str, change: int) -> protocol.Variant:
        spikes = task.spikes.copy()
        spikes[:, 0] += change
        return protocol.Variant(
            lambda n: n, lambda n: ran.append(name), lambda n: (spikes[:n], task.readout[:n])
        )

    def build(_: protocol.Task) -> dict[str, protocol.Variant]:
        return {"right": variant("right", 0), "close": variant("close", 1), "wrong": variant("wrong", 100)}

    monkeypatch.setattr(sys, "argv", ["script", str(tmp_path / "w.npz"), "--budget", "0"])
    protocol.main("fake", ["numpy"], build)
    answer = json.loads(capsys.readouterr().out)
    assert answer["checks"]["right"]["exact"]
    assert not answer["checks"]["close"]["exact"]
    assert answer["checks"]["close"]["steps_that_differ"] == 2
    assert set(answer["times"]) == {"right", "close"}
    assert "wrong" not in ran


def fake(folder: Path, name: str, body: str) -> Entrant:
    (folder / f"{name}.py").write_text(body)
    return Entrant(name, "here", str(folder / f"{name}.py"), ("W1",))


@pytest.fixture
def entrants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "environments" / "here" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    answer = json.dumps(report("good", "stepwise", {1: 1e-3}))
    good = f"""
import json, os
answer = json.loads({answer!r})
answer["threads"] = int(os.environ["BENCH_THREADS"])
assert len(os.sched_getaffinity(0)) <= answer["threads"]
assert "OPENBLAS_CORETYPE" not in os.environ
print("something else first")
print(json.dumps(answer))
"""
    everyone = (
        fake(tmp_path, "good", good),
        fake(tmp_path, "broken", "raise SystemExit('no such library')"),
        Entrant("absent", "nowhere", "absent.py", ("W1",)),
    )
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(lineup, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setattr(run, "ENTRANTS", everyone)
    monkeypatch.setattr(run, "prepare", lambda *_: None)


@pytest.mark.usefixtures("entrants")
def test_the_command_goes_on_where_a_peer_fails(tmp_path: Path, capsys) -> None:
    output, lock = tmp_path / "results.json", tmp_path / "lock"
    assert run.main(["--only", "W1", "--output", str(output), "--lock", str(lock)]) == 1
    record = json.loads(output.read_text())
    assert [(t["peer"], t["threads"]) for t in record["timings"]] == [("good", 1), ("good", 2)]
    reasons = {m["peer"]: m["reason"] for m in record["missing"]}
    assert reasons["absent"] == "not installed: make peers"
    assert "no such library" in reasons["broken"]
    assert "absent: not installed" in capsys.readouterr().out


@pytest.mark.usefixtures("entrants")
def test_what_needs_more_memory_than_is_free_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = dataclasses.replace(run.ENTRANTS[0], threads=(2,), memory_gib=16)
    monkeypatch.setattr(run, "ENTRANTS", (large,))
    monkeypatch.setattr(run, "available_bytes", lambda: 15 * 2**30)
    output = tmp_path / "results.json"
    assert run.main(["--only", "W1", "--output", str(output)]) == 0
    record = json.loads(output.read_text())
    (missing,) = record["missing"]
    assert missing["reason"] == "not started: takes about 16 GiB of memory, 15 GiB are available"
    monkeypatch.setattr(run, "available_bytes", lambda: 17 * 2**30)
    assert run.main(["--only", "W1", "--output", str(output)]) == 0
    record = json.loads(output.read_text())
    assert [t["threads"] for t in record["timings"]] == [2]


@pytest.mark.usefixtures("entrants")
def test_a_script_that_takes_too_long_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = dataclasses.replace(fake(tmp_path, "slow", "import time; time.sleep(60)"), limit_s=1, threads=(1,))
    monkeypatch.setattr(run, "ENTRANTS", (slow,))
    output = tmp_path / "results.json"
    assert run.main(["--only", "W1", "--output", str(output)]) == 1
    assert json.loads(output.read_text())["missing"][0]["reason"] == "failed: more than 1 s"


def test_what_an_engine_refuses_is_listed_with_its_reason(results: Results) -> None:
    for threads in (1, 2):
        results.add(report("nmbench", "float32", {1: 1e-3}, threads) | {"refused": {"int16": "no grid"}}, 0.1)
    assert shown(results).count("W1, nmbench, int16: refused: no grid") == 1


def test_unknown_names_are_all_named(capsys) -> None:
    assert run.main(["--only", "W1,W9", "--peers", "NESTT"]) == 2
    text = capsys.readouterr().out
    assert "'W9'" in text
    assert "did you mean 'NEST'" in text


def test_every_workload_has_nmbench_and_a_peer() -> None:
    for workload in lineup.WORKLOADS:
        peers = {e.peer for e in lineup.ENTRANTS if workload in e.workloads}
        assert "nmbench" in peers
        assert len(peers) > 1 or workload in lineup.LARGE
        for entrant in lineup.ENTRANTS:
            assert (lineup.HERE / entrant.script).is_file()


def test_times_are_written_with_their_unit() -> None:
    assert [duration(s) for s in (2.5, 0.0125, 3.3e-5, None)] == ["2.5 s", "12.5 ms", "33 µs", "-"]
