"""A cell in a process of its own: whatever becomes of that is a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from suites import write_suite
from test_cli import nmbench, records
from test_registry import PLUGIN

from nmbench import places
from nmbench.apart.limits import GIB, Limits
from nmbench.apart.request import Places, Request
from nmbench.apart.run import _listener, run_apart
from nmbench.cell import Cell, Task
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Silence
from nmbench.registry import platforms, read_suite
from nmbench.runner import run_cell

ROOMY = Limits(60.0, 4 * GIB)


ODD = PLUGIN.replace("{name}", "odd-chip").replace("version=1", "version=7")


def cell_of(tmp_path: Path, platform: str, plugin: str = "", seed: int = 0) -> tuple[Cell, Prepared, Places]:
    suite = read_suite(str(write_suite(tmp_path / "tiny")))
    task = Task(
        suite.name, suite.folder, suite.workloads[0], "synthetic", "base", "SingleStream", "quick", seed
    )
    (prepared,) = prepare([task], places.cache_root(), places.data_root(), Silence())
    plugins = []
    if plugin:
        plugins = [tmp_path / "odd_chip.py"]
        plugins[0].write_text(plugin)
    where = Places(cache=places.cache_root(), data=places.data_root(), plugins=tuple(plugins))
    return Cell(task, platforms(plugins)[platform]), prepared, where


@pytest.mark.parametrize("platform", ["numba-event", "loihi2", "odd-chip"])
def test_a_cell_apart_is_the_same_cell(tmp_path: Path, platform: str) -> None:
    cell, prepared, where = cell_of(tmp_path, platform, ODD if platform == "odd-chip" else "", seed=3)
    heard: list[tuple[str, int, int]] = []

    class Listener(Silence):
        def step(self, task: str, done: int, total: int) -> None:
            heard.append((task, done, total))

    apart = run_apart(cell, prepared, "r", Listener(), ROOMY, where)
    here = run_cell(cell, prepared, "r", Silence())
    assert apart.result.status == here.result.status == "ok", apart.result.error
    differ = {"id", "started", "wall_s", "noise", "metrics", "traffic", "log_sha256"}
    for field in set(type(here.result).model_fields) - differ:
        assert getattr(apart.result, field) == getattr(here.result, field), field
    assert [m.name for m in apart.result.metrics] == [m.name for m in here.result.metrics]
    assert (apart.counted is None) == (here.counted is None)
    if apart.log is not None:
        assert apart.log.sha256 == apart.result.log_sha256
        assert apart.result.traffic and len(apart.log) == apart.result.traffic.samples
    assert heard and {task for task, _, _ in heard} == {cell.label}


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            "import ctypes; ctypes.string_at(0)",
            ["ended by SIGSEGV", "Segmentation fault", '"odd_chip.py", line'],
        ),
        ("import os; os._exit(3)", ["ended with code 3 before it wrote a record"]),
        ("import sys; sys.exit('out of ideas')", ["ended with code 1", "out of ideas"]),
        ("x = [bytearray(b'x' * (64 << 20)) for _ in range(100)]", ["over its memory limit of 0.977 GiB"]),
        ("import time; time.sleep(3600)", ["no end within"]),
    ],
    ids=["crash", "exit", "sys.exit", "memory", "hang"],
)
def test_what_becomes_of_a_process_is_a_failed_record(tmp_path: Path, act: str, says: list[str]) -> None:
    cell, prepared, where = cell_of(
        tmp_path, "odd-chip", ODD.replace("return Answer(", f"{act}\n        return Answer(")
    )
    for time_s in (6.0, 30.0) if "sleep" in act else (120.0,):
        ran = run_apart(cell, prepared, "r", Silence(), Limits(time_s, 1000 << 20), where)
        result = ran.result
        if result.platform.version == 7:
            break  # a busy machine may need longer to come as far as the platform
    assert result.status == "failed" and (result.cell, result.run) == (cell.sha256, "r")
    assert result.platform.version == 7, "what the process said of the platform before it ended"
    assert ran.log is None and ran.counted is None and result.wall_s > 0
    for words in says:
        assert words in str(result.error)
    assert str(tmp_path) not in str(result.error) and "\n" not in str(result.error)


def test_a_platform_that_cannot_even_be_made_is_a_failed_record(tmp_path: Path) -> None:
    """Its entry is asked for in the cell's own process alone."""
    text = ODD + "\nimport os\nif 'NMBENCH_APART' in os.environ: os._exit(9)\n"
    cell, prepared, where = cell_of(tmp_path, "odd-chip", text)
    result = run_apart(cell, prepared, "r", Silence(), ROOMY, where).result
    assert result.status == "failed" and "ended with code 9" in str(result.error)
    assert result.platform.name == "odd-chip" and result.cell == cell.sha256


def test_a_process_that_cannot_be_started_is_a_failed_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, prepared, where = cell_of(tmp_path, "numba-event")
    monkeypatch.setattr("nmbench.apart.run.COMMAND", (str(tmp_path / "no-such-python"),))
    result = run_apart(cell, prepared, "r", Silence(), ROOMY, where).result
    assert result.status == "failed"
    assert result.error == "the cell's process: did not start: No such file or directory"


def test_a_request_comes_back_as_the_same_cell(tmp_path: Path) -> None:
    cell, _, where = cell_of(tmp_path, "odd-chip", ODD, seed=5)
    request = Request.of(cell, "r", where, tmp_path, 7)
    again = Request.model_validate_json(request.model_dump_json())
    assert again == request and again.cell().sha256 == cell.sha256


def test_lines_that_are_no_progress_are_left_out(tmp_path: Path) -> None:
    cell, _, _ = cell_of(tmp_path, "numba-event")
    heard: list[object] = []

    class Listener(Silence):
        def step(self, task: str, done: int, total: int) -> None:
            heard.append((task, done, total))

        def note(self, text: str) -> None:
            heard.append(text)

    hear = _listener(cell, Listener())
    for line in (
        b"",
        b"{",
        b"[1]",
        b'["step", 2, 1]',
        b'["step", -1, 1]',
        b'["step", 1.5, 2]',
        b'["step", 1e999, 2]',
    ):
        hear(line)
    hear(b"[" * 4000)
    hear(b'["step", 1, ' + b"9" * 4000 + b"]")
    assert heard == []
    hear(b'["step", 1, 2]')
    for _ in range(100):
        hear(json.dumps(["note", "\x1b[31m/a/b.py\x07"]).encode())
    assert heard[0] == (cell.label, 1, 2) and heard[1:] == ["b.py?"] * 20


def test_a_run_with_isolate_goes_on_after_a_crash_and_is_the_same_run_without(tmp_path: Path) -> None:
    write_suite(tmp_path / "tiny")
    crashes = "import os; os.environ.get('NMBENCH_APART') and os.abort()"
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    text = PLUGIN.replace("return Answer(", f"{crashes}\n        return Answer(")
    bad.write_text(text.replace("{name}", "bad-chip"))
    good.write_text(PLUGIN.replace("{name}", "good-chip"))
    words = ["run", "--suite", "tiny", "--platform", "mine", "--plugin", "bad.py", "--plugin", "good.py"]
    limits = ["--isolate", "--time-limit", "120", "--memory-limit", "2G"]
    done = nmbench(*words, *limits, "--results", "r", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    found = {r["platform"]["name"]: r for r in records(tmp_path / "r")}  # type: ignore[index]
    assert found["good-chip"]["status"] == "ok" and found["bad-chip"]["status"] == "failed"
    assert "the cell's process: ended by SIGABRT" in str(found["bad-chip"]["error"])
    for record in found.values():
        assert str(tmp_path) not in json.dumps(record)
    for path in (tmp_path / "r" / "local").glob("tiny/bad-chip/*/*.json"):
        path.unlink()  # as if the run had been cut off before this cell
    again = nmbench(*words, "--results", "r", cwd=tmp_path)
    assert again.returncode == 0 and "taking up run" in again.stderr, again.stderr
    both = records(tmp_path / "r")
    assert len(both) == 2 and len({r["run"] for r in both}) == 1


def test_bad_limits_are_one_message(tmp_path: Path) -> None:
    write_suite(tmp_path / "tiny")
    words = ["run", "--suite", "tiny", "--isolate", "--memory-limit", "lots", "--time-limit", "-1"]
    done = nmbench(*words, cwd=tmp_path)
    assert done.returncode == 2 and "'lots'" in done.stderr and "-1" in done.stderr, done.stderr
    done = nmbench("run", "--suite", "tiny", "--time-limit", "5", cwd=tmp_path)
    assert done.returncode == 2 and "are those of --isolate" in done.stderr, done.stderr
