"""Energy of a cell that runs for real: a meter's, or none with the reason, and the card's beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
import suites

from nmbench import perform, registry, selection
from nmbench.cell import Cell, How
from nmbench.power.meter import Mark, Meter, MeterError, MeterInfo
from nmbench.power.windows import Plan
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Silence
from nmbench.record import Result
from nmbench.runner import run_cell
from nmbench.scenario import settings
from nmbench.selection import Wanted
from nmbench.spec import Scenario

WATTS = 7.0


class Constant(Meter):
    """A meter of a machine that draws the same whatever it does."""

    info = MeterInfo(name="constant", boundary="chip_total", covers="a test's 7 W", update_s=1e-4)

    def mark(self) -> Mark:
        return Mark(time.perf_counter(), time.time(), ())

    def joules(self, since: Mark, until: Mark) -> float:
        return WATTS * (until.time_s - since.time_s)

    def beside(self, since: Mark, until: Mark) -> Mapping[str, float]:
        return {}

    def close(self) -> None:
        pass


class Failing(Constant):
    """A meter that fails once work has begun."""

    marks = 0

    def mark(self) -> Mark:
        Failing.marks += 1
        if Failing.marks > 12:
            raise MeterError("the cable is loose")
        return super().mark()


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from dataclasses import replace

    for name, usual in settings.QUICK.items():
        short = replace(usual, least_seconds=0.05, least_queries=5, most_queries=200, probe_queries=30)
        monkeypatch.setitem(settings.QUICK, name, short)
    monkeypatch.setattr(perform, "quick", lambda info: Plan(0.02, 5, 0.0))
    yield


def prepared(folder: Path, *scenarios: Scenario, power: str = "auto") -> list[Prepared]:
    suite = registry.read_suite(str(suites.write_suite(folder / "tiny")))
    wanted = Wanted([], ["base"], "synthetic", scenarios, "quick", 0, How(power=power))
    return prepare(selection.tasks(suite, wanted, []).tasks, folder / "cache", folder, Silence())


def ran(one: Prepared, platform: str = "numba-event") -> Result:
    return run_cell(Cell(one.task, registry.platforms()[platform]), one, "run", Silence()).result


@pytest.mark.parametrize("scenario", get_args(Scenario))
def test_a_meter_is_read_round_the_scenarios_own_traffic(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perform, "choose", lambda text, device: Constant())
    (one,) = prepared(tmp_path, scenario)
    result = ran(one)
    assert result.status == "ok", result.error
    name = "energy_per_decision" if scenario == "Streaming" else "energy_per_inference"
    energy = {(m.kind, m.boundary): m for m in result.metrics if m.name == name}
    whole = energy["measured", "chip_total"]
    assert whole.value and whole.value > 0 and whole.samples and len(whole.samples) == 5
    active = result.find("power_active")
    assert active is not None and active.value == pytest.approx(WATTS)
    # a machine that draws the same at rest and at work has no energy above rest to tell
    above = energy["measured", "chip_dynamic"]
    assert above.value is None or abs(above.value) < 1e-6 * whole.value
    assert ("modelled", "chip_dynamic") in energy, "the card's estimate stands beside it"
    if scenario == "Streaming":
        # a decision every three steps of 5 ms, whatever the work
        assert whole.value == pytest.approx(WATTS * 0.015, rel=0.5)


def test_without_a_meter_there_is_null_with_its_reason_and_an_estimate_beside_it(tmp_path: Path) -> None:
    (one,) = prepared(tmp_path, "SingleStream", power="none")
    result = ran(one)
    found = {m.kind: m for m in result.metrics if m.name == "energy_per_inference"}
    assert found["measured"].value is None and "--power none" in (found["measured"].reason or "")
    assert found["modelled"].value
    assert result.find("energy_per_inference") == found["modelled"], "what has a value comes first"
    assert "power_idle" not in {m.name for m in ran(one, "loihi").metrics}, "a model has no meter"


def test_a_platform_without_a_card_has_the_reason_alone(tmp_path: Path) -> None:
    (one,) = prepared(tmp_path, "SingleStream", power="none")
    found = [m for m in ran(one, "dummy").metrics if m.name == "energy_per_inference"]
    assert found and all(m.value is None and m.reason for m in found)


def test_a_meter_that_fails_is_a_reason_and_no_failed_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Failing.marks = 0
    monkeypatch.setattr(perform, "choose", lambda text, device: Failing())
    (one,) = prepared(tmp_path, "SingleStream")
    result = ran(one)
    assert result.status == "ok"
    energy = next(m for m in result.metrics if m.name == "energy_per_inference")
    assert energy.kind == "measured" and energy.value is None and "cable" in (energy.reason or "")


def test_traffic_that_ends_early_goes_on_until_its_time_is_over() -> None:
    asked: list[float] = []

    def again(seconds: float) -> int:
        asked.append(seconds)
        time.sleep(seconds / 2)
        return 3

    begun = time.perf_counter()
    assert perform.lasting(again)(0.02) == 3 * len(asked)
    assert time.perf_counter() - begun >= 0.02
    assert len(asked) > 1 and asked == sorted(asked, reverse=True)
