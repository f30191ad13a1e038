"""The integral of readings against the analytic one."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nmbench.power.curve import Readings, integrate
from nmbench.power.meter import MeterError


def exact(times: list[float], watts: list[float], since: float, until: float) -> Fraction:
    """Integrate the piecewise linear curve in rational numbers, segment by segment."""
    total = Fraction(0)
    points = list(zip(map(Fraction, times), map(Fraction, watts), strict=True))
    low, high = Fraction(since), Fraction(until)
    for (t0, p0), (t1, p1) in pairwise(points):
        a, b = max(t0, low), min(t1, high)
        if a < b:
            slope = (p1 - p0) / (t1 - t0)
            total += (b - a) * (p0 + slope * ((a + b) / 2 - t0))
    return total


@st.composite
def curves(draw: st.DrawFn) -> tuple[list[float], list[float], float, float]:
    steps = draw(st.lists(st.floats(1e-3, 2.0), min_size=1, max_size=30))
    times = [draw(st.sampled_from([0.0, 1.7e9]))]
    for step in steps:
        times.append(times[-1] + step)
    watts = draw(st.lists(st.floats(0, 500), min_size=len(times), max_size=len(times)))
    since, until = sorted(draw(st.tuples(*[st.floats(times[0], times[-1])] * 2)))
    return times, watts, since, until


@given(curves())
def test_the_integral_is_that_of_the_piecewise_linear_curve(
    curve: tuple[list[float], list[float], float, float],
) -> None:
    times, watts, since, until = curve
    assume(until > since)
    found = integrate(times, watts, since, until, largest_gap_s=3.0)
    assert found == pytest.approx(float(exact(times, watts, since, until)), rel=1e-9, abs=1e-9)


@given(curves(), st.floats(0, 1))
def test_two_windows_in_a_row_add_up(
    curve: tuple[list[float], list[float], float, float], share: float
) -> None:
    times, watts, since, until = curve
    middle = since + share * (until - since)
    assume(since < middle < until)
    parts = integrate(times, watts, since, middle, 3.0) + integrate(times, watts, middle, until, 3.0)
    assert parts == pytest.approx(integrate(times, watts, since, until, 3.0), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("since", "until"), [(-0.1, 1.0), (1.0, 3.1), (-1.0, 4.0)])
def test_a_window_that_is_not_covered_is_refused(since: float, until: float) -> None:
    with pytest.raises(MeterError, match="do not cover"):
        integrate([0, 1, 2, 3], [5, 5, 5, 5], since, until, 2.0)


def test_no_readings() -> None:
    with pytest.raises(MeterError, match="do not cover"):
        integrate([], [], 0.0, 1.0, 2.0)


def test_a_gap_is_refused_where_the_window_needs_it_and_only_there() -> None:
    times, watts = [0.0, 1.0, 2.0, 7.0, 8.0, 9.0], [5.0] * 6
    assert integrate(times, watts, 0.5, 2.0, 2.0) == pytest.approx(7.5)
    assert integrate(times, watts, 7.0, 9.0, 2.0) == pytest.approx(10.0)
    for since, until in ((1.5, 2.1), (2.0, 7.0), (3.0, 4.0), (6.9, 7.5)):
        with pytest.raises(MeterError, match="no reading for 5 s"):
            integrate(times, watts, since, until, 2.0)


def test_negative_energy_is_refused_and_noise_about_zero_is_not() -> None:
    with pytest.raises(MeterError, match="negative"):
        integrate([0, 1, 2], [-5, -5, -5], 0.0, 2.0, 2.0)
    assert integrate([0, 1, 2], [0.1, -0.1, 0.3], 0.0, 2.0, 2.0) == pytest.approx(0.1)


def test_whoever_integrates_waits_for_the_window_to_be_covered() -> None:
    readings = Readings()
    readings.add(0.0, 4.0)
    late = threading.Timer(0.05, readings.add, (2.0, 4.0))
    late.start()
    assert readings.joules(0.5, 1.5, 3.0, patience_s=30.0) == pytest.approx(4.0)
    late.join()


def test_a_reading_that_never_comes_and_one_that_cannot() -> None:
    readings = Readings()
    readings.add(0.0, 4.0)
    with pytest.raises(MeterError, match=r"no reading for 0\.01 s"):
        readings.joules(0.0, 1.0, 3.0, patience_s=0.01)
    readings.fail(MeterError("unplugged"))
    readings.fail(MeterError("and later something else"))
    with pytest.raises(MeterError, match="unplugged"):
        readings.joules(0.0, 1.0, 3.0, patience_s=30.0)


def test_too_many_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmbench.power.curve.MOST_READINGS", 3)
    readings = Readings()
    for i in range(4):
        readings.add(float(i), 4.0)
    assert readings.joules(0.0, 2.0, 3.0, 1.0) == pytest.approx(8.0)
    with pytest.raises(MeterError, match="more than 3 readings"):
        readings.joules(0.0, 3.0, 3.0, 30.0)


def test_a_reading_that_is_not_later_is_left_out() -> None:
    readings = Readings()
    for moment, watts in ((0.0, 4.0), (0.0, 100.0), (1.0, 4.0)):
        readings.add(moment, watts)
    assert readings.joules(0.0, 1.0, 3.0, 1.0) == pytest.approx(4.0)
