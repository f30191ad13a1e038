"""External meters that are commands: good ones, slow ones, liars, floods."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from nmbench.errors import InputError
from nmbench.power import command as subject
from nmbench.power.command import CommandMeter
from nmbench.power.meter import MeterError

STEADY = "import time\nwhile True:\n    print(7.5, flush=True)\n    time.sleep(0.01)\n"


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings that come late because the machine is busy are no gap."""
    monkeypatch.setattr(subject, "LEAST_GAP_S", 30.0)


def script(folder: Path, text: str) -> list[str]:
    path = folder / "meter.py"
    path.write_text(text)
    return [sys.executable, "-S", str(path)]


def opened(folder: Path, text: str = STEADY) -> CommandMeter:
    return CommandMeter(script(folder, text), "system_with_io")


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as told:
        opened(folder, text)
    return str(told.value)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_constant_power_is_integrated_exactly(tmp_path: Path) -> None:
    with opened(tmp_path) as meter:
        since = meter.mark()
        time.sleep(0.1)
        until = meter.mark()
        assert meter.joules(since, until) == pytest.approx(7.5 * (until.time_s - since.time_s))
        assert meter.info.update_s > 0
        assert meter.info.boundary == "system_with_io"


def test_closing_ends_the_command_and_what_it_started(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal, time\\n'\n"
        "    'signal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n" + STEADY
    )
    meter = opened(tmp_path, text)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(map(alive, pids))
    assert os.getpgid(pids[0]) != os.getpgid(0)
    meter.close()
    meter.close()
    deadline = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, pids))


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    text = "import sys\nfor _ in range(9): print(len(sys.argv), flush=True)\nimport time\n" + STEADY
    with CommandMeter([*script(tmp_path, text), f"; touch {victim}", "$(id)"], "chip_total"):
        pass
    assert not victim.exists()


@pytest.mark.parametrize("name", ["no-such-program-anywhere", "/etc"])
def test_a_program_that_is_not_there(name: str) -> None:
    with pytest.raises(InputError, match="no such program"):
        CommandMeter([name], "system_with_io")


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    file = tmp_path / "meter"
    file.write_bytes(b"\x00\x01\x02")
    with pytest.raises(InputError, match="no such program"):
        CommandMeter([str(file)], "system_with_io")
    file.chmod(0o700)
    with pytest.raises(InputError, match="Exec format error"):
        CommandMeter([str(file)], "system_with_io")


def test_one_that_ends_at_once_tells_what_it_said(tmp_path: Path) -> None:
    told = refused(tmp_path, "import sys\nprint('no sensor on ttyUSB0', file=sys.stderr)\nsys.exit(3)\n")
    assert "exit code 3" in told
    assert "no sensor on ttyUSB0" in told


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("'watts: 7'", "is no power in W"),
        ("'nan'", "is no power in W"),
        ("''", "is no power in W"),
        ("1e9", "beyond any meter"),
        ("'7' * 100_000", "more than 256 characters"),
    ],
)
def test_garbage_is_told(tmp_path: Path, printed: str, why: str) -> None:
    told = refused(tmp_path, f"import time\nprint({printed}, flush=True)\ntime.sleep(600)\n")
    assert why in told
    assert len(told) < 500


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    text = "import os, time\nos.write(1, bytes(range(256)) + b'\\n')\ntime.sleep(600)\n"
    assert "is no power in W" in refused(tmp_path, text)


def test_a_flood_is_stopped(tmp_path: Path) -> None:
    assert "lines a second" in refused(tmp_path, "while True: print('7\\n' * 10_000, end='')\n")


def test_a_flood_without_lines_is_stopped(tmp_path: Path) -> None:
    assert "more than 256 characters" in refused(tmp_path, "while True: print('7' * 10_000, end='')\n")


def test_a_flood_of_complaints_holds_nothing_up(tmp_path: Path) -> None:
    text = STEADY.replace("print(", "import sys; sys.stderr.write('x' * 200_000); print(")
    with opened(tmp_path, text) as meter:
        since = meter.mark()
        time.sleep(0.1)
        assert meter.joules(since, meter.mark()) > 0


def test_one_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "START_S", 0.2)
    assert "fewer than 4 readings for 0.2 s" in refused(tmp_path, "import time\ntime.sleep(600)\n")


def test_one_that_ends_midway_is_told(tmp_path: Path) -> None:
    text = STEADY.replace("while True", "for _ in range(8)") + "import sys; sys.exit('battery empty')\n"
    with opened(tmp_path, text) as meter:
        since = meter.mark()
        time.sleep(0.1)
        with pytest.raises(MeterError, match="ended: exit code 1") as told:
            meter.joules(since, meter.mark())
    assert "battery empty" not in str(told.value)  # this text travels with a record
    assert "battery empty" in told.value.detail


def test_one_that_falls_silent_midway_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "LEAST_GAP_S", 0.05)
    text = STEADY.replace("while True", "for _ in range(8)") + "time.sleep(600)\n"
    with opened(tmp_path, text) as meter:
        since = meter.mark()
        time.sleep(0.2)
        with pytest.raises(MeterError, match="no reading for"):
            meter.joules(since, meter.mark())


def test_lines_that_arrive_together_are_one_reading_their_mean(tmp_path: Path) -> None:
    text = STEADY.replace("print(7.5, flush=True)", "import os; os.write(1, b'5\\n10\\n')")
    with opened(tmp_path, text) as meter:
        since = meter.mark()
        time.sleep(0.1)
        until = meter.mark()
        assert meter.joules(since, until) == pytest.approx(7.5 * (until.time_s - since.time_s))
