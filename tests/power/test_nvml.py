"""NVML against a module that answers as the drivers do."""

from __future__ import annotations

import itertools
import sys
import threading
import time

import pytest
from fake_meters import LOST, NOT_SUPPORTED, FakeClock, FakeNvml, NvmlError

from nmbench.power import nvml as subject
from nmbench.power.meter import Clock, MeterError, NoMeter
from nmbench.power.nvml import NvmlCounter, NvmlPower, open_nvml


def test_the_counter_gives_joules() -> None:
    nvml, clock = FakeNvml(energy=itertools.count(5_000, 25_000).__next__), FakeClock()
    meter = open_nvml(None, nvml, clock)
    assert isinstance(meter, NvmlCounter)
    with meter:
        since = meter.mark()
        clock.sleep(2.0)
        assert meter.joules(since, meter.mark()) == pytest.approx(25.0)
    assert meter.info.boundary == "chip_total"
    assert "NVIDIA Test 1000" in meter.info.covers
    meter.close()
    assert nvml.starts == 0


def test_a_counter_that_is_set_back_or_stands_still() -> None:
    nvml, clock = FakeNvml(energy=1000), FakeClock()
    meter = open_nvml(None, nvml, clock)
    assert isinstance(meter, NvmlCounter)
    since = meter.mark()
    clock.sleep(1.5)
    with pytest.raises(MeterError, match="stood still"):
        meter.joules(since, meter.mark())
    nvml.answers["energy"] = 10
    with pytest.raises(MeterError, match="set back"):
        meter.joules(since, meter.mark())


def test_a_lost_board_is_told() -> None:
    nvml = FakeNvml()
    meter = open_nvml(None, nvml, FakeClock())
    assert isinstance(meter, NvmlCounter)
    nvml.answers["energy"] = LOST
    with pytest.raises(MeterError, match="NVML: GPU is lost"):
        meter.mark()


@pytest.mark.parametrize(("device", "asked"), [("0", 0), ("3", 3), ("GPU-1234", "GPU-1234")])
def test_a_board_by_number_or_uuid(device: str, asked: object) -> None:
    nvml = FakeNvml(boards=4)
    assert isinstance(open_nvml(device, nvml), NvmlCounter)
    assert nvml.asked == [asked]


@pytest.mark.parametrize(
    ("device", "nvml", "why"),
    [
        (None, FakeNvml(boards=0), "no NVIDIA board"),
        (None, FakeNvml(boards=2), "say which one"),
        ("2", FakeNvml(boards=2), "2 in all, counted from 0"),
        ("MIG-1234", FakeNvml(), "not that of a MIG instance"),
        ("GPU-x", FakeNvml(uuid=NvmlError(6, "Not Found")), "NVML: Not Found"),
        (None, FakeNvml(init=NvmlError(9, "Driver Not Loaded")), "Driver Not Loaded"),
        (None, FakeNvml(energy=NvmlError(4, "Insufficient Permissions")), "Insufficient Permissions"),
        (None, FakeNvml(energy=NOT_SUPPORTED, power=NOT_SUPPORTED), "neither energy nor power"),
    ],
)
def test_no_meter_says_why_and_leaves_nvml_shut(device: str | None, nvml: FakeNvml, why: str) -> None:
    found = open_nvml(device, nvml)
    assert isinstance(found, NoMeter)
    assert why in found.reason
    assert nvml.starts == 0


def test_without_the_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    found = open_nvml()
    assert isinstance(found, NoMeter)
    assert "pip install nvidia-ml-py" in found.reason


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings that come late because the machine is busy are no gap."""
    monkeypatch.setattr(subject, "LARGEST_GAP_S", 30.0)
    monkeypatch.setattr(subject, "PATIENCE_S", 30.0)


def sampled(nvml: FakeNvml, sampling_s: float = 0.005) -> NvmlPower:
    nvml.start()
    return NvmlPower(nvml, 0, "NVIDIA Old 1", Clock(), sampling_s)


def test_constant_power_is_integrated_exactly() -> None:
    nvml = FakeNvml(power=30_000)
    with sampled(nvml) as meter:
        since = meter.mark()
        time.sleep(0.05)
        until = meter.mark()
        assert meter.joules(since, until) == pytest.approx(30.0 * (until.time_s - since.time_s))
    assert nvml.starts == 0


def test_changing_power_lies_between_its_ends() -> None:
    powers = itertools.cycle([10_000, 50_000])
    with sampled(FakeNvml(power=powers.__next__)) as meter:
        since = meter.mark()
        time.sleep(0.05)
        until = meter.mark()
        assert 10 <= meter.joules(since, until) / (until.time_s - since.time_s) <= 50


def test_a_board_without_the_counter_is_sampled() -> None:
    nvml = FakeNvml(energy=NOT_SUPPORTED)
    meter = open_nvml(None, nvml)
    assert isinstance(meter, NvmlPower)
    meter.close()
    meter.close()
    assert nvml.starts == 0


def test_sampling_that_fails_midway_is_told() -> None:
    nvml = FakeNvml()
    with sampled(nvml) as meter:
        asked = threading.Event()

        def lost() -> NvmlError:
            asked.set()
            return LOST

        nvml.answers["power"] = lost
        asked.wait(30)
        since = meter.mark()
        time.sleep(0.01)
        with pytest.raises(MeterError, match="GPU is lost"):
            meter.joules(since, meter.mark())


def test_sampling_that_fails_at_once_leaves_nvml_shut() -> None:
    answers = iter([30_000])  # the first answer is taken by the look whether there is one

    def power() -> int | Exception:
        return next(answers, LOST)

    nvml = FakeNvml(energy=NOT_SUPPORTED, power=power)
    found = open_nvml(None, nvml)
    assert isinstance(found, NoMeter)
    assert "GPU is lost" in found.reason
    assert nvml.starts == 0


def test_nvml_that_cannot_be_ended_is_told() -> None:
    nvml = FakeNvml()
    meter = open_nvml(None, nvml)
    assert isinstance(meter, NvmlCounter)
    nvml.starts = 0
    with pytest.raises(MeterError, match="Uninitialized"):
        meter.close()
