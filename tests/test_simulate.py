"""``nmbench simulate`` from end to end, on networks that take a second."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nmbench.cli import app

FILES = {f"{stem}.{form}" for stem in ("raster", "rates") for form in ("svg", "png", "pdf", "csv")} | {
    "run.json"
}


@pytest.mark.parametrize(
    ("arguments", "populations"),
    [
        (["microcircuit", "--scale", "0.02"], ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]),
        (["brunel", "--neurons", "1200", "--current", "--double"], ["E", "I"]),
    ],
)
def test_simulate(tmp_path: Path, arguments: list[str], populations: list[str]) -> None:
    common = ["--seconds", "0.1", "--warmup", "0.02", "--threads", "1", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["simulate", *arguments, *common])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == str(tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == FILES
    with (tmp_path / "out" / "rates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["population"] for row in rows] == populations
    said = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert said["biological_s"] == pytest.approx(0.1)
    assert said["spikes"] == pytest.approx(
        sum(float(row["rate_hz"]) * int(row["neurons"]) for row in rows) * 0.1, rel=1e-9
    )
    assert said["arithmetic"] == ("double" if "--double" in arguments else "fixed")


def test_the_table_is_on_stdout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = ["--neurons", "1100", "--seconds", "0.01", "--warmup", "0"]
    done = CliRunner().invoke(app, ["simulate", "brunel", *short])
    assert "real-time factor" in done.stdout
    assert done.stdout.splitlines()[-1] == "reports/local/brunel-1100"
