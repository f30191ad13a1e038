"""Which meter a text means, and what is opened for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fake_meters import FakeClock, FakeNvml, Powercap
from hypothesis import given
from hypothesis import strategies as st

from nmbench.errors import InputError
from nmbench.power.choose import EXTERNAL, Device, Wanted, choose, parse
from nmbench.power.command import CommandMeter
from nmbench.power.csvlog import CsvMeter
from nmbench.power.meter import Meter, NoMeter
from nmbench.power.nvml import NvmlCounter
from nmbench.power.rapl import Rapl


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("auto", Wanted("auto")),
        ("nvml", Wanted("nvml")),
        ("nvml:1", Wanted("nvml", "1")),
        ("nvml:GPU-8f", Wanted("nvml", "GPU-8f")),
        ("csv:log.csv", Wanted("csv", "log.csv", "system_with_io")),
        ("csv:log.csv@chip_total", Wanted("csv", "log.csv", "chip_total")),
        ("csv:C:/x@y.csv", Wanted("csv", "C:/x@y.csv")),
        ("command:ssh me@plug read", Wanted("command", "ssh me@plug read")),
        ("command:ssh me@plug@system_without_io", Wanted("command", "ssh me@plug", "system_without_io")),
    ],
)
def test_texts(text: str, wanted: Wanted) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rappl", "did you mean 'rapl'"),
        ("", "unknown meter ''"),
        ("rapl:0", "takes nothing after it"),
        ("none:x", "takes nothing after it"),
        ("nvml:first", "a board's number or its UUID"),
        ("nvml:", "a board's number or its UUID"),
        ("csv:", "names no file"),
        ("csv:@chip_total", "names no file"),
        ("command:  ", "names no command"),
        ("csv:log.csv@system_with_oi", "did you mean 'system_with_io'"),
        ("csv:log.csv@chip_dynamic", "unknown boundary 'chip_dynamic'"),
    ],
)
def test_faults(text: str, why: str) -> None:
    with pytest.raises(InputError, match="--power") as told:
        parse(text)
    assert why in str(told.value)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    for start in ("", "csv:", "command:", "nvml:"):
        try:
            wanted = parse(start + text)
        except InputError as error:
            assert len(str(error)) < 400
        else:
            assert wanted.boundary in EXTERNAL


@pytest.fixture
def tree(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path / "sys", FakeClock())


def test_auto_takes_the_meter_of_the_device(tree: Powercap, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.add("intel-rapl:0", "package-0")
    monkeypatch.setattr("nmbench.power.rapl.open_rapl.__defaults__", (Path("/sys"), tree.read, None))

    def chosen(device: Device) -> Meter | NoMeter:
        return choose("auto", device, tree.clock, tree.sysfs, FakeNvml())

    assert isinstance(chosen("cpu"), Rapl)
    assert isinstance(chosen("gpu"), NvmlCounter)
    external = chosen("external")
    assert isinstance(external, NoMeter)
    assert "no meter of this host sees the chip" in external.reason


def test_none_and_a_named_meter_that_is_not_there(tree: Powercap) -> None:
    off = choose("none", "cpu")
    assert isinstance(off, NoMeter)
    assert "switched off" in off.reason
    absent = choose("rapl", "gpu", tree.clock, tree.sysfs)
    assert isinstance(absent, NoMeter)
    assert "RAPL" in absent.reason
    board = choose("nvml:7", "cpu", tree.clock, tree.sysfs, FakeNvml())
    assert isinstance(board, NoMeter)
    assert "no NVIDIA board 7" in board.reason


def test_external_meters(tmp_path: Path) -> None:
    log = tmp_path / "a log.csv"
    log.write_text("time,power_w\n1,5\n2,5\n3,5\n")
    found = choose(f"csv:{log}@chip_total", "external")
    assert isinstance(found, CsvMeter)
    assert found.info.boundary == "chip_total"
    script = tmp_path / "a meter.py"
    script.write_text("import time\nwhile True:\n    print(5, flush=True)\n    time.sleep(0.01)\n")
    command = choose(f"command:{sys.executable} -S '{script}'", "cpu")
    assert isinstance(command, CommandMeter)
    command.close()


def test_external_meters_that_are_not_there(tmp_path: Path) -> None:
    for text, why in (
        (f"csv:{tmp_path / 'absent.csv'}", "No such file"),
        ("command:no-such-program-anywhere -x", "no such program"),
        ("command:echo 'unended", "No closing quotation"),
        ("command:''", "no such program"),
    ):
        with pytest.raises(InputError, match=why):
            choose(text, "cpu")


def test_this_host_gives_a_meter_or_a_reason() -> None:
    found = choose("auto", "cpu")
    if isinstance(found, NoMeter):
        assert found.reason
    else:
        with found as meter:
            since = meter.mark()
            meter.mark()
            assert since.counters


def test_choosing_imports_nothing_heavy() -> None:
    code = (
        "import sys, nmbench.power.choose as c; c.parse('auto'); "
        "print([m for m in ('numpy', 'pydantic', 'pynvml', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_one_file_imports_the_binding() -> None:
    package = Path(__file__).parents[2] / "harness" / "nmbench"
    users = {p.name for p in package.rglob("*.py") if "import pynvml" in p.read_text()}
    assert users == {"nvml.py"}
