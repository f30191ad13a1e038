"""The command line end to end, on a suite in miniature."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from suites import SUITE, WORKLOAD, write_suite
from test_registry import PLUGIN
from test_selection import REAL_ONLY

RAISES = PLUGIN.replace("return Answer(", "raise RuntimeError('the chip is on fire')\n        return Answer(")
SLOW = PLUGIN.replace("return Answer(", "import time; time.sleep(0.02)\n        return Answer(")


def nmbench(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nmbench.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def records(folder: Path) -> list[dict[str, object]]:
    paths = sorted((folder / "local").glob("*/*/*/*.json"))
    return [json.loads(p.read_text()) for p in paths]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(tmp_path / "tiny")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN.format(name="my-chip"))
    return path


def test_run_show_and_report(suite: Path, tmp_path: Path) -> None:
    run = ["run", "--suite", suite, "--platform", "numba-event", "--platform", "loihi", "--platform", "akida"]
    done = nmbench(*run, "--results", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    last = Path(done.stdout.splitlines()[-1])
    assert (tmp_path / last).is_file() and last.parts[:3] == ("r", "local", "runs")
    assert "numba-event" in done.stdout and "loihi" in done.stdout
    found = records(tmp_path / "r")
    assert {r["platform"]["name"]: r["status"] for r in found} == {  # type: ignore[index]
        "numba-event": "ok",
        "loihi": "ok",
        "akida": "ok",
    }
    for record in found:
        for metric in record["metrics"]:  # type: ignore[attr-defined]
            assert metric["kind"] and metric["unit"] and metric["source"]
            assert metric["value"] is not None or metric["reason"]
            if metric["name"] == "energy_per_inference" and metric["value"] is not None:
                assert metric["boundary"] and metric["lo"] < metric["value"] < metric["hi"]
                assert sum(metric["breakdown"].values()) == pytest.approx(metric["value"])
    shown = nmbench("show", "--results", "r", cwd=tmp_path)
    assert shown.returncode == 0 and "loihi" in shown.stdout
    one = nmbench("show", found[0]["id"], "--results", "r", cwd=tmp_path)
    assert one.returncode == 0 and "energy_per_inference" in one.stdout
    report = nmbench("report", "--results", "r", "-o", "out", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    assert (tmp_path / report.stdout.splitlines()[-1]).name == "report.md"


def test_a_plugin_that_raises_is_a_failed_record_and_the_sweep_goes_on(suite: Path, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text(RAISES.format(name="bad-chip"))
    good.write_text(PLUGIN.format(name="good-chip"))
    words = [
        "run",
        "--suite",
        suite,
        "--platform",
        "mine",
        "--plugin",
        bad,
        "--plugin",
        good,
        "--results",
        "r",
    ]
    done = nmbench(*words, cwd=tmp_path)
    assert done.returncode == 1
    by_name = {r["platform"]["name"]: r for r in records(tmp_path / "r")}  # type: ignore[index]
    assert by_name["bad-chip"]["status"] == "failed"
    assert "RuntimeError: the chip is on fire (bad.py:" in str(by_name["bad-chip"]["error"])
    assert by_name["good-chip"]["status"] == "ok"
    assert "the chip is on fire" in done.stdout + done.stderr


def test_bad_input_is_one_message_with_all_faults_and_code_2(suite: Path, tmp_path: Path) -> None:
    words = ["--workload", "digit", "--platform", "loihl", "--platform", "spinnacker"]
    done = nmbench("run", "--suite", suite, *words, cwd=tmp_path)
    assert done.returncode == 2
    for says in ("unknown workload 'digit'", "did you mean 'loihi'", "did you mean 'spinnaker'", "3 faults"):
        assert says in done.stderr
    done = nmbench("run", "--suite", suite, "--size", "bse", "--data", "reel", cwd=tmp_path)
    assert done.returncode == 2 and "unknown data 'reel'" in done.stderr
    done = nmbench("run", "--suite", suite, "--size", "bse", cwd=tmp_path)
    assert done.returncode == 2 and "unknown size 'bse': did you mean 'base'" in done.stderr
    write_suite(suite, WORKLOAD.replace("steps: 6", "steps: six").replace("poool", "pool"))
    done = nmbench("run", "--suite", suite, cwd=tmp_path)
    assert done.returncode == 2 and "digits.yaml" in done.stderr and "window.steps" in done.stderr
    assert "Traceback" not in done.stderr


def test_real_data_that_are_absent_are_asked_for_by_name_and_place(suite: Path, tmp_path: Path) -> None:
    done = nmbench("run", "--suite", suite, "--data", "real", "--data-path", "d", cwd=tmp_path)
    assert done.returncode == 2
    assert "NMNIST" in done.stderr and "d" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists() or not records(tmp_path / "results")


@pytest.mark.parametrize("isolate", [False, True])
def test_a_run_goes_on_without_a_workload_whose_data_are_not_here(tmp_path: Path, isolate: bool) -> None:
    suite = write_suite(tmp_path / "tiny", suite=SUITE.replace("[digits]", "[digits, touch]"))
    (suite / "touch.yaml").write_text(REAL_ONLY)
    run = ["run", "--suite", suite, "--platform", "loihi", "--results", "r", "--data-path", "d"]
    run += ["--isolate"] if isolate else []
    done = nmbench(*run, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "touch is left out, its data are not here" in line]
    assert len(told) == 1 and "Traceback" not in done.stderr
    assert [r["workload"]["name"] for r in records(tmp_path / "r")] == ["digits"]  # type: ignore[index]
    report = nmbench("report", "--results", "r", "-o", "out", cwd=tmp_path)
    assert "Left out: touch (its data are not here)" in (tmp_path / "out" / "report.md").read_text(), (
        report.stderr
    )
    nmbench(*run, cwd=tmp_path)
    assert len(records(tmp_path / "r")) == 2, "a run without it is whole: none takes it up"
    named = nmbench(*run, "--workload", "touch", cwd=tmp_path)
    assert named.returncode == 2 and "left out" not in named.stderr and "Traceback" not in named.stderr


def test_nothing_to_show(tmp_path: Path) -> None:
    done = nmbench("show", "--results", "r", cwd=tmp_path)
    assert done.returncode == 2 and "no results yet" in done.stderr


def test_kill_and_take_up(suite: Path, tmp_path: Path) -> None:
    plugins: list[str] = []
    for i in range(4):
        path = tmp_path / f"p{i}.py"
        path.write_text(SLOW.format(name=f"chip-{i}"))
        plugins += ["--plugin", str(path)]
    words = ["run", "--suite", str(suite), "--platform", "mine", *plugins, "--results", "r"]
    command = [sys.executable, "-c", "from nmbench.cli import main; main()", *words]
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not records(tmp_path / "r") and time.monotonic() < until and killed.poll() is None:
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {str(r["id"]) for r in records(tmp_path / "r")}
    assert 1 <= len(before) < 4
    done = nmbench(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = records(tmp_path / "r")
    assert before < {str(r["id"]) for r in after}, "no record is lost"
    assert sorted(r["platform"]["name"] for r in after) == [f"chip-{i}" for i in range(4)]  # type: ignore[index]
    assert len({r["run"] for r in after}) == 1 and "taking up run" in done.stderr
    assert not list((tmp_path / "r").rglob(".*.json-*")), "no half-written file stays"
    again = nmbench(*words, cwd=tmp_path)
    assert again.returncode == 0 and len(records(tmp_path / "r")) == 8, "a finished run is not taken up"
