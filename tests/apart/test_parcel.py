"""What a process left is taken only where it is a record of the cell that was asked for."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from suites import write_suite

from nmbench.apart import parcel
from nmbench.cell import Cell, Task
from nmbench.errors import InputError
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Silence
from nmbench.record import readable
from nmbench.registry import platforms, read_suite
from nmbench.runner import Ran, run_cell
from nmbench.scenario.log import Log


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Cell, Prepared]:
    folder = tmp_path_factory.mktemp("left")
    suite = read_suite(str(write_suite(folder / "tiny")))
    task = Task(suite.name, suite.folder, suite.workloads[0], "synthetic", "base", "SingleStream", "quick", 0)
    (prepared,) = prepare([task], folder / "cache", folder, Silence())
    cell = Cell(task, platforms()["numba-event"])
    return run_cell(cell, prepared, "r", Silence()), cell, prepared


def taken(folder: Path, left: tuple[Ran, Cell, Prepared], run: str = "r") -> Ran | None:
    return parcel.take(folder, parcel.RECORD, left[1], left[2], run)


def test_what_was_left_is_taken(tmp_path: Path, left: tuple[Ran, Cell, Prepared]) -> None:
    assert taken(tmp_path, left) is None
    parcel.leave(tmp_path, parcel.RECORD, left[0])
    found = taken(tmp_path, left)
    assert found is not None and found.result == left[0].result
    assert found.log is not None and left[0].log is not None and found.log.sha256 == left[0].log.sha256
    assert found.counted is not None and found.counted.sha256 == left[0].result.counts_sha256


def other_log(log: Log) -> Log:
    return replace(log, completed=log.completed + 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"run": "another"}, "run: not that"),
        ({"cell": "0" * 64}, "cell: not that"),
        ({"seed": 1}, "seed: not that"),
        ({"size": "small"}, "size: not that"),
        ({"tier": "official"}, "tier: not that"),
        ({"scenario": "Offline"}, "scenario: not that"),
        ({"suite": "other"}, "suite: not that"),
        ({"system": "sha256:0"}, "system: not that"),
        ({"id": "../../x"}, "id: "),
        ({"id": "x"}, "id: not that"),
        ({"repriced_from": "x"}, "repriced_from: not that"),
        ({"log_sha256": "0" * 64}, "other counts or times"),
        ({"counts_sha256": "0" * 64}, "other counts or times"),
        ({"wall_s": float("nan")}, "NaN"),
        ({"status": "failed"}, "says why"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_a_record_of_something_else_is_none(
    tmp_path: Path, left: tuple[Ran, Cell, Prepared], change: dict[str, object], says: str
) -> None:
    parcel.leave(tmp_path, parcel.RECORD, left[0])
    path = tmp_path / parcel.RECORD
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=re.escape(says)):
        taken(tmp_path, left)


def test_strange_files_are_not_taken(tmp_path: Path, left: tuple[Ran, Cell, Prepared]) -> None:
    record = readable(left[0].result)
    path = tmp_path / parcel.RECORD
    (tmp_path / "elsewhere").write_text(record)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="symbolic links"):
        taken(tmp_path, left)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="no plain file"):
        taken(tmp_path, left)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="no plain file"):
        taken(tmp_path, left)
    path.rmdir()
    path.write_bytes(b" " * (8 << 20))
    with pytest.raises(InputError, match="more than"):
        taken(tmp_path, left)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        taken(tmp_path, left)
    path.write_text(record)
    with pytest.raises(InputError, match="not there"):
        taken(tmp_path, left)


def test_arrays_that_are_pickled_or_misshapen_are_not_taken(
    tmp_path: Path, left: tuple[Ran, Cell, Prepared]
) -> None:
    ran = left[0]
    assert ran.log is not None

    def packed(**changes: object) -> bytes:
        names = ("sample", "scheduled", "started", "completed", "together")
        target = io.BytesIO()
        np.savez_compressed(target, **({n: getattr(ran.log, n) for n in names} | changes))  # type: ignore[arg-type]
        return target.getvalue()

    parcel.leave(tmp_path, parcel.RECORD, ran)
    path = tmp_path / parcel.LOG
    for content in (
        packed(sample=np.array([{}], dtype=object)),
        packed(sample=ran.log.sample.astype(np.int32)),
        packed(started=ran.log.started[:-1]),
        packed(more=np.zeros(1)),
        packed()[:-30],
        b"",
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no file of times"):
            taken(tmp_path, left)
    path.write_bytes(other_log(ran.log).pack())
    with pytest.raises(InputError, match="other counts or times"):
        taken(tmp_path, left)
