"""`nmbench validate`: its table, its JSON, its figure and its exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from nmbench.energy.measurements import SHIPPED, LeftOut, read_measurements
from nmbench.energy.validation import Compared, validate
from nmbench.errors import InputError
from nmbench.report import validation, validation_data, validation_figure

FILE = """
schema: nmbench.measurements/1
rows:
  - id: blouw2019-loihi-base
    platform: loihi
    boundary: system_with_io
    source: Blouw et al. 2019, logs
    evidence: primary
    split: fit
    notes: The rates were not logged.
    network:
      populations: [{name: in, neurons: 390}, {name: h1, neurons: 256}, {name: out, neurons: 29}]
      projections: [{from: in, to: h1, synapses: dense}, {from: h1, to: out, synapses: dense}]
    activity: {steps: 10, spike_probability: 0.1}
    options: {host_io: true, input_cores: 2}
    measured: {energy_dynamic_J: 2.7e-4, latency_s: 1.0, power_W: 0.1}
  - id: a-stranger
    platform: memristor-rram
    boundary: system_with_io
    source: "=cmd()"
    evidence: none
    network:
      populations: [{name: in, neurons: 100}, {name: out, neurons: 100}]
      projections: [{from: in, to: out, synapses: dense}]
    activity: {steps: 1, spike_probability: 1}
    measured: {energy_J: 1.0}
left_out: [{id: V020, reason: no card}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def compared(path: Path) -> list[Compared]:
    return validate(read_measurements(path).rows)


def printed(compared: list[Compared], width: int = 100) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, emoji=False, markup=False)
    validation.show(compared, [LeftOut(id="V020", reason="no card")], console)
    return stream.getvalue()


def nmbench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nmbench.cli import main; main()", "validate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_says_all(compared: list[Compared]) -> None:
    text = printed(compared)
    for said in (
        "(loihi), system with I/O",
        "blouw2019-loihi-base  fit",
        "dynamic energy",
        "270 µJ",
        "miss, out",
        "Misses:\n  blouw2019-loihi-base: latency ",
        "The rates were not logged. Interval",
        "Not stated:\n  a-stranger, energy: no energy is stated at system_with_io",
        "2 measurements, 4 numbers; 1 published measurements cannot be stated",
    ):
        assert said in " ".join(text.split(" ")), said


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_table_fits_its_width(compared: list[Compared], width: int) -> None:
    long = [replace(one, row=replace(one.row, id="a-very-long-name-" * 5)) for one in compared]
    assert max(map(len, printed(long, width).splitlines())) <= width


def test_hostile_words_stay_on_their_line(compared: list[Compared]) -> None:
    row = replace(compared[0].row, id="x\x1b[2Jy", notes="evil\nline\x1b]0;title\x07")
    text = printed([replace(compared[0], row=row, value=1.0)])
    assert "\x1b" not in text and "\x07" not in text
    assert "evil line" in text


def test_json_holds_the_same(compared: list[Compared], path: Path) -> None:
    left = [LeftOut(id="V020", reason="no card")]
    text = json.dumps(validation_data.content(compared, left, path), allow_nan=False)
    found = json.loads(text)
    assert [row["id"] for row in found["rows"]] == ["blouw2019-loihi-base", "a-stranger"]
    numbers = [number for row in found["rows"] for number in row["numbers"]]
    assert [n["quantity"] for n in numbers] == [one.quantity for one in compared]
    assert [n["predicted"] for n in numbers] == [one.value for one in compared]
    assert numbers[-1] | {"reason": "", "measured": 0} == {
        **dict.fromkeys(("predicted", "lo", "hi", "ratio", "log2", "near", "inside")),
        "quantity": "energy_J",
        "measured": 0,
        "causes": {},
        "reason": "",
    }
    assert found["left_out"] == [{"id": "V020", "reason": "no card"}]
    assert {one["group"] for one in found["agreement"]} == {"Loihi 1", "RRAM chip"}


def test_nothing_predicted_is_no_number_in_json(compared: list[Compared], path: Path) -> None:
    zero = replace(compared[0], value=0.0, lo=0.0, hi=0.0)
    found = validation_data.content([zero], [], path)
    assert found["rows"][0]["numbers"][0]["log2"] is None
    assert found["rows"][0]["numbers"][0]["near"] is False
    json.dumps(found, allow_nan=False)


def test_csv_has_a_line_a_number(compared: list[Compared]) -> None:
    row = replace(compared[0].row, id="=cmd()")
    lines = list(
        csv.DictReader(io.StringIO(validation_data.csv_text([*compared, replace(compared[0], row=row)])))
    )
    assert [line["quantity"] for line in lines[:4]] == [one.quantity for one in compared]
    assert float(lines[0]["measured"]) == 2.7e-4
    assert lines[3]["predicted"] == "" and lines[3]["reason"]
    assert lines[4]["id"] == "'=cmd()"


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_two_drawings_have_equal_bytes(form: str, compared: list[Compared], tmp_path: Path) -> None:
    paths = [validation_figure.write(compared, tmp_path / n / f"fig.{form}") for n in "ab"]
    assert [p.name for p in paths[0]] == ["fig.csv", f"fig.{form}"]
    assert paths[0][1].read_bytes() == paths[1][1].read_bytes()
    assert paths[0][0].read_text() == validation_data.csv_text(compared)


def test_a_panel_for_each_of_energy_power_and_time(compared: list[Compared]) -> None:
    figure = validation_figure.draw(compared)
    assert [axes.get_title("left") for axes in figure.axes] == ["energy", "power", "time"]
    for axes in figure.axes:
        assert axes.get_xlim() == axes.get_ylim()
    only = validation_figure.draw(compared[:1])
    assert [axes.get_title("left") for axes in only.axes] == ["energy"]
    with pytest.raises(InputError, match="no energy, power or time"):
        validation_figure.draw(compared[-1:])


def test_rates_and_real_time_factors_are_drawn_as_times(compared: list[Compared]) -> None:
    row = replace(compared[0].row, step_s=1e-3)
    rate = replace(compared[0], row=row, quantity="inferences_per_s", measured=4.0, value=2.0, lo=1.0, hi=5.0)
    slow = replace(rate, quantity="real_time_factor")
    points = [validation_figure.point_in_seconds(one) for one in (rate, slow)]
    assert [(p.measured, p.value, p.lo, p.hi) for p in points if p] == [
        (0.25, 0.5, 0.2, 1.0),
        pytest.approx((0.04, 0.02, 0.01, 0.05)),
    ]


def test_no_two_platforms_that_look_alike_in_grey_share_a_marker() -> None:
    rows = read_measurements(SHIPPED).rows
    looks = validation_figure.looks_of({row.card.name: row.card.family for row in rows})
    marks = [(validation_figure.TONES.get(own.colour), own.marker) for own in looks.values()]
    from_table = {"spinnaker2", "memristor-pcm"}  # diamonds both, as in every figure: green and purple
    assert len(marks) - len(set(marks)) <= len(from_table) - 1


def test_exit_codes_and_last_line(path: Path, tmp_path: Path) -> None:
    done = nmbench(path, "--figure", tmp_path / "fig.svg")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "fig.svg")
    done = nmbench(path, "--json", "--platform", "loihi", "--figure", tmp_path / "fig.pdf")
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in json.loads(done.stdout)["rows"]] == ["blouw2019-loihi-base"]
    assert done.stderr.splitlines()[-1] == str(tmp_path / "fig.pdf")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--platform", "loihl"), "unknown card 'loihl'"),
        (("--figure", "fig.gif"), "unknown format 'gif'"),
        ((), "unknown card 'loihl'"),
    ],
)
def test_bad_input_ends_with_code_2(path: Path, words: tuple[str, ...], said: str) -> None:
    if not words:
        path.write_text(FILE.replace("platform: loihi", "platform: loihl"))
    done = nmbench(path, *words)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr and not done.stdout
