"""The procedure of windows with a clock that only work and rest move."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_meters import CHIP, FakeClock, TrueMeter
from hypothesis import given
from hypothesis import strategies as st

from nmbench.power.interval import median_interval
from nmbench.power.meter import Mark, MeterError, MeterInfo
from nmbench.power.windows import LEAST_WINDOWS, OFFICIAL, Plan, Power, Window, measure, quick

IDLE_W, DYNAMIC_J = 20.0, 0.004


class Machine:
    """Draws power at rest all the time, and some energy an inference; one takes `each_s`."""

    def __init__(self, each_s: float = 0.01, dynamic_j: float = DYNAMIC_J) -> None:
        self.clock = FakeClock()
        self.each_s, self.dynamic_j = each_s, dynamic_j
        self.done = 0
        self.worked: list[float] = []

    def energy(self, t: float) -> float:
        return IDLE_W * t + self.dynamic_j * self.done

    def work(self, seconds: float) -> int:
        self.worked.append(seconds)
        start, n = self.clock.t, 0
        while self.clock.t - start < seconds:
            self.clock.sleep(self.each_s)
            self.done += 1
            n += 1
        return n


class Live(TrueMeter):
    """Counts as the machine works: energy is read when a mark is taken."""

    def __init__(self, machine: Machine, info: MeterInfo = CHIP) -> None:
        super().__init__(machine.clock, machine.energy, info)
        self.seen: dict[float, float] = {}

    def mark(self) -> Mark:
        found = super().mark()
        self.seen[found.time_s] = self._energy(found.time_s)
        return found

    def joules(self, since: Mark, until: Mark) -> float:
        return self.seen[until.time_s] - self.seen[since.time_s]


class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def step(self, task: str, done: int, total: int) -> None:
        self.steps.append((task, done, total))

    def note(self, text: str) -> None:
        raise AssertionError(text)


def measured(machine: Machine, plan: Plan = OFFICIAL, told: Told | None = None) -> Power:
    return measure(Live(machine), machine.work, plan, told, machine.clock)


@given(each_s=st.floats(0.003, 0.2), dynamic_j=st.floats(0, 0.5), seconds=st.floats(0.1, 3))
def test_energy_adds_up_and_rest_is_subtracted_exactly(
    each_s: float, dynamic_j: float, seconds: float
) -> None:
    power = measured(Machine(each_s, dynamic_j), Plan(seconds, LEAST_WINDOWS, 0.1))
    assert power.idle_w.value == pytest.approx(IDLE_W)
    for window, total, above in zip(
        power.active, power.energy_j, power.dynamic_j(power.idle_w.value), strict=True
    ):
        assert window.seconds >= seconds - 1e-6
        assert total * window.inferences == pytest.approx(window.joules)
        assert above == pytest.approx(dynamic_j, abs=1e-6)
        assert above * window.inferences + IDLE_W * window.seconds == pytest.approx(window.joules, abs=1e-4)


def test_rest_comes_first_and_warming_up_is_not_measured() -> None:
    machine, told = Machine(), Told()
    power = measured(machine, Plan(2.0, 5, 0.5), told)
    assert machine.worked == [0.5, *[2.0] * 5]
    assert [(t, d) for t, d, _ in told.steps] == [
        *(("power at rest", i) for i in range(6)),
        *(("power at work", i) for i in range(6)),
    ]
    assert {total for _, _, total in told.steps} == {5}
    assert sum(w.inferences for w in power.idle) == 0
    assert all(w.inferences in (200, 201) for w in power.active)


def test_negative_energies_above_rest_stay_negative() -> None:
    power = measured(Machine(dynamic_j=-0.001), Plan(1.0, 5, 0.0))
    assert all(w < 0 for w in power.dynamic_w(power.idle_w.value))
    assert all(j == pytest.approx(-0.001, abs=1e-6) for j in power.dynamic_j(power.idle_w.value))


@given(
    st.lists(st.floats(1, 100), min_size=5, max_size=12), st.lists(st.floats(1, 100), min_size=5, max_size=12)
)
def test_power_above_rest_lies_in_the_joint_interval(rest: list[float], work: list[float]) -> None:
    power = Power(CHIP, tuple(Window(2.0, 2 * w) for w in rest), tuple(Window(2.0, 2 * w, 4) for w in work))
    idle = power.idle_w
    value, lo, hi = (median_interval(power.dynamic_w(p)) for p in (idle.value, idle.hi, idle.lo))
    assert lo.lo <= value.value <= hi.hi
    assert value.value == pytest.approx(median_interval(work).value - idle.value)


@pytest.mark.parametrize(
    ("info", "plan", "why"),
    [
        (MeterInfo("nvml", "chip_total", "x", 0.1), Plan(0.5), r"too short for nvml.*at least 1 s"),
        (MeterInfo("rapl", "chip_total", "x", 1e-3, 60.0), Plan(600.0), r"too long for rapl"),
    ],
)
def test_windows_that_the_meter_cannot_measure(info: MeterInfo, plan: Plan, why: str) -> None:
    machine = Machine()
    with pytest.raises(MeterError, match=why):
        measure(Live(machine, info), machine.work, plan, clock=machine.clock)
    assert machine.clock.t == 0  # told before anything is run


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (lambda machine, s: machine.clock.sleep(s / 2) or 1, "lasted 5 s, less than 10 s"),
        (lambda machine, s: machine.clock.sleep(s) or 0, "no inference was finished"),
    ],
)
def test_work_that_is_no_work(work: Callable[[Machine, float], int], why: str) -> None:
    machine = Machine()
    with pytest.raises(MeterError, match=why):
        measure(Live(machine), lambda s: work(machine, s), clock=machine.clock)


def test_a_meter_that_fails_midway_is_not_swallowed() -> None:
    machine = Machine()

    class Failing(Live):
        def mark(self) -> Mark:
            if machine.done > 2000:
                raise MeterError("unplugged")
            return super().mark()

    with pytest.raises(MeterError, match="unplugged"):
        measure(Failing(machine), machine.work, clock=machine.clock)


def test_plans() -> None:
    assert OFFICIAL.seconds >= 10
    assert OFFICIAL.windows >= LEAST_WINDOWS
    assert quick(CHIP).seconds == 0.5
    assert quick(MeterInfo("nvml", "chip_total", "x", 0.1)).seconds == pytest.approx(1.0)
    slow = MeterInfo("command", "system_with_io", "x", 1.0)
    with pytest.raises(MeterError, match="at least 10 s"):
        slow.refuse_short(quick(slow).seconds)
    for seconds, windows, warmup_s in ((10.0, 4, 1.0), (0.0, 5, 1.0), (10.0, 5, -1.0)):
        with pytest.raises(ValueError, match="at least 5 windows"):
            Plan(seconds, windows, warmup_s)


def test_the_bounds_of_a_window() -> None:
    info = MeterInfo("nvml", "chip_total", "x", 0.125, 60.0)
    info.refuse_short(1.25)
    info.refuse_long(60.0)
    with pytest.raises(MeterError, match="too short"):
        info.refuse_short(1.249)
    with pytest.raises(MeterError, match="too long"):
        info.refuse_long(60.001)
