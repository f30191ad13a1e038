"""``--data real`` from the command line, on small files in the sets' own formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_cli import nmbench, records
from tonic_files import make_dvsgesture, make_nmnist, make_shd


@pytest.mark.parametrize(
    ("workload", "data", "make", "source", "samples"),
    [
        ("gesture-plain", "real", make_dvsgesture, "dvsgesture", 110),
        ("spoken-digits", "shd", make_shd, "shd", 4),
        ("digits-saccade", "real", make_nmnist, "nmnist", 20),
    ],
)
def test_real_sets_run_where_they_lie(
    tmp_path: Path, workload: str, data: str, make: Callable[[Path, str], Path], source: str, samples: int
) -> None:
    make(tmp_path, "test")
    words = ["run", "--suite", "temporal", "--workload", workload, "--data", data, "--platform", "loihi"]
    done = nmbench(*words, "--data-path", tmp_path, "--results", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path / "r")
    said = record["workload"]
    assert isinstance(said, dict)
    assert (said["source"], said["synthetic"], said["samples"]) == (source, False, samples)
    assert "real data" in done.stdout
    quality = record["quality"]
    assert isinstance(quality, dict) and not quality["reached"], "noise is not recognised"
    assert "below its target" in done.stderr and "Not ranked" in done.stdout


@pytest.mark.parametrize(
    ("workload", "data", "says"),
    [
        ("gesture-plain", "real", "DVSGesture/ibmGestureTest"),
        ("spoken-digits", "shd", "SHD/shd_test.h5"),
        ("spoken-digits", "real", "free-spoken-digit-dataset"),
        ("digits-saccade", "real", "NMNIST/Test"),
    ],
)
def test_absent_sets_are_asked_for_by_file_and_place(
    tmp_path: Path, workload: str, data: str, says: str
) -> None:
    words = ["run", "--suite", "temporal", "--workload", workload, "--data", data]
    done = nmbench(*words, "--data-path", tmp_path / "here", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert says in done.stderr and str(tmp_path / "here") in done.stderr and "http" in done.stderr
