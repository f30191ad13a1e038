"""External meters that write a log: good ones and hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest
from fake_meters import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from nmbench.errors import InputError
from nmbench.power import csvlog as subject
from nmbench.power.csvlog import CsvMeter, Log
from nmbench.power.meter import Mark, MeterError
from nmbench.power.reading import number, unix_s, watts

START = 1_700_000_000


def written(folder: Path, rows: str, head: str = "time,power_w\n") -> Path:
    path = folder / "log.csv"
    path.write_bytes((head + rows).encode())
    return path


def steady(seconds: int, power: float = 6.0, start: int = START) -> str:
    return "".join(f"{start + i},{power}\n" for i in range(seconds))


def mark(t: float, wall: float | None = None) -> Mark:
    return Mark(t, START + t if wall is None else wall)


def opened(path: Path) -> CsvMeter:
    return CsvMeter(path, "system_with_io", FakeClock(START), patience_s=1.0)


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as told:
        Log(path).read_on()
    return list(told.value.faults)


def test_constant_power(tmp_path: Path) -> None:
    meter = opened(written(tmp_path, steady(30)))
    assert meter.joules(mark(2.5), mark(12.5)) == pytest.approx(60.0)
    assert meter.info.update_s == pytest.approx(1.0)


def test_other_columns_iso_times_and_windows_line_ends(tmp_path: Path) -> None:
    rows = "".join(
        f'{datetime.fromtimestamp(START + i, UTC).isoformat()},{i},"x, y",9\r\n' for i in range(20)
    )
    meter = opened(written(tmp_path, rows, "\ufefftime,power_w,note,volts\r\n"))
    assert meter.joules(mark(0), mark(10)) == pytest.approx(50.0)


def test_the_log_is_waited_for_while_it_grows(tmp_path: Path) -> None:
    path = written(tmp_path, steady(5))
    later = steady(20, start=START + 5)
    pieces = (later[i : i + 13] for i in range(0, len(later), 13))

    class Growing(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            with path.open("a") as file:  # a logger's buffer ends anywhere in a line
                file.write(next(pieces))

    clock = Growing(START)
    meter = CsvMeter(path, "chip_total", clock, patience_s=60.0)
    assert meter.joules(mark(1), mark(11)) == pytest.approx(60.0)
    assert clock.t > 0


def test_a_window_that_the_log_never_covers(tmp_path: Path) -> None:
    meter = opened(written(tmp_path, steady(5)))
    with pytest.raises(MeterError, match="do not cover"):
        meter.joules(mark(1), mark(11))
    with pytest.raises(MeterError, match="do not cover"):
        meter.joules(mark(-5), mark(3))


def test_a_gap_in_the_log(tmp_path: Path) -> None:
    meter = opened(written(tmp_path, steady(10) + steady(10, start=START + 20)))
    assert meter.joules(mark(1), mark(8)) == pytest.approx(42.0)
    with pytest.raises(MeterError, match="no reading for 11 s"):
        meter.joules(mark(5), mark(25))


def test_a_clock_that_was_set_meanwhile(tmp_path: Path) -> None:
    meter = opened(written(tmp_path, steady(90)))
    with pytest.raises(MeterError, match="clock was set by \\+3"):
        meter.joules(mark(1), mark(11, START + 14))


def test_faults_midway_do_not_name_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, steady(5))
    meter = opened(path)
    with path.open("a") as file:
        file.write("later,6\n")
    with pytest.raises(MeterError) as told:
        meter.joules(mark(1), mark(11))
    assert str(tmp_path) not in str(told.value)
    assert "'later' is no time" in told.value.detail


def test_a_log_that_is_begun_anew(tmp_path: Path) -> None:
    path = written(tmp_path, steady(50))
    meter = opened(path)
    path.write_text("time,power_w\n")
    with pytest.raises(MeterError) as told:
        meter.joules(mark(1), mark(11))
    assert "become shorter" in told.value.detail


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    rows = (
        f"{START},5\n{START},5\nyesterday,5\n{START + 2},five\n{START + 3}\n2026-01-01T10:00:00,5\n"
        f"{START * 1000},5\n{START + 4},nan\n{START + 5},1e8\nx,y\n{START + 6},1_0\n"
    )
    told = faults(written(tmp_path, rows))
    for line, what in (
        (3, "not later"),
        (4, "'yesterday' is no time"),
        (5, "'five' is no power in W"),
        (6, "1 cells, not 2"),
        (7, "says no offset"),
        (8, "milliseconds?"),
        (9, "'nan' is no power"),
        (10, "beyond any meter"),
        (11, "'x' is no time"),
        (11, "'y' is no power"),
        (12, "'1_0' is no power"),
    ):
        assert any(f.startswith(f"line {line}: ") and what in f for f in told), (line, what)
    assert len(told) == 11


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("time,power\n", "did you mean 'power_w'"),
        ("power_w,watts\n", "no column 'time'"),
        ("time,time,power_w\n", "column 'time' stands twice"),
        ("1700000000,5\n", "no column 'power_w'"),
    ],
)
def test_wrong_columns(tmp_path: Path, head: str, why: str) -> None:
    assert why in "\n".join(faults(written(tmp_path, steady(5), head)))


def test_many_faults_are_counted(tmp_path: Path) -> None:
    told = faults(written(tmp_path, "x\n" * 5000))
    assert len(told) == subject.MOST_FAULTS + 1
    assert told[-1] == f"and {5000 - subject.MOST_FAULTS} more"


def test_what_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(tmp_path / "absent.csv") == ["No such file or directory"]
    assert faults(tmp_path) == ["not a file"]
    assert faults(Path("/dev/zero")) == ["not a file"]
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe" * 50 + b"\n")
    assert "not UTF-8" in faults(tmp_path / "binary.csv")[0]
    (tmp_path / "line.csv").write_bytes(b"7" * (3 << 20))
    assert "a line of more than" in faults(tmp_path / "line.csv")[0]
    (tmp_path / "lines.csv").write_bytes(b"time,power_w\n" + b"7" * 5000 + b"\n")
    assert "line 2: more than 4096 characters" in faults(tmp_path / "lines.csv")[0]
    monkeypatch.setattr(subject, "MOST_BYTES", 10)
    assert "at most 10 are read" in faults(written(tmp_path, steady(5)))[0]


@pytest.mark.parametrize("row", ['"5"x,5', "1\r700000000,5", '"1700000000,5'])
def test_quoting_that_is_broken(tmp_path: Path, row: str) -> None:
    (told,) = faults(written(tmp_path, f"{row}\n{START},5\n"))
    assert told.startswith("line 2: ")


def test_columns_in_any_order(tmp_path: Path) -> None:
    meter = opened(written(tmp_path, "".join(f"{i},,{START + i}\n" for i in range(9)), "power_w,x,time\n"))
    assert meter.joules(mark(0), mark(4)) == pytest.approx(8.0)


def test_too_many_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_READINGS", 10)
    assert faults(written(tmp_path, steady(11))) == ["more than 10 readings"]


@pytest.mark.parametrize("rows", ["", steady(2), "1700000000,5"])
def test_too_few_readings_to_know_the_pace(tmp_path: Path, rows: str) -> None:
    with pytest.raises(InputError, match="start the logger first"):
        opened(written(tmp_path, rows))


def test_a_long_log_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "BLOCK", 5000)
    log = Log(written(tmp_path, steady(3000)))
    log.read_on()
    assert list(log.times_s) == [START + i for i in range(3000)]


@given(content=st.binary(max_size=300))
def test_no_content_does_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("hostile") / "log.csv"
    for head in (b"", b"time,power_w\n1700000000,5\n"):
        path.write_bytes(head + content)
        log = Log(path)
        try:
            log.read_on()
        except InputError as error:
            assert len(str(error)) < 10_000
        assert list(log.times_s) == sorted(set(log.times_s))


@given(st.text(max_size=40))
def test_texts_are_numbers_and_times_or_refused(text: str) -> None:
    value = number(text)
    assert value is None or value == float(text)
    for parse in (watts, unix_s):
        try:
            assert abs(parse(text)) < 1e12
        except ValueError as error:
            assert str(error)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2900, 1, 1)), st.timezones())
def test_iso_times_are_what_datetime_says(moment: datetime, zone: tzinfo) -> None:
    moment = moment.replace(tzinfo=zone)
    offset = moment.utcoffset()
    assert offset is not None
    assert unix_s(moment.isoformat()) == pytest.approx(moment.timestamp(), abs=1e-5)
    assert unix_s(repr(max(moment.timestamp(), 0.0))) == max(moment.timestamp(), 0.0)
