from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.noise import marks
from nmbench.record import Noise

QUIET = Noise(load1=0.3, cpu_pressure=0.012)


def seconds(seed: int, n: int = 1024, noise: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(0, noise, n)


def test_a_quiet_machine_is_not_marked() -> None:
    after = Noise(load1=1.2, cpu_pressure=0.02)
    assert marks(QUIET, after, 2, seconds(0), waited=0.02) == ()
    assert marks(Noise(load1=None, cpu_pressure=None), Noise(load1=None, cpu_pressure=None), 2) == ()


def test_the_cell_before_is_not_somebody_else_but_three_are() -> None:
    assert marks(Noise(load1=1.0, cpu_pressure=0.0), QUIET, 2) == ()
    assert marks(QUIET, Noise(load1=2.0, cpu_pressure=0.0), 2) == (), (
        "after a run its own work is in the load"
    )
    (mark,) = marks(Noise(load1=2.0, cpu_pressure=0.0), QUIET, 2)
    assert mark == "load average 2.00 at the start, over 1.50 for 2 cores"
    assert marks(Noise(load1=2.0, cpu_pressure=0.0), QUIET, 16) == ()


def test_waiting_for_a_cpu_is_marked_before_after_and_within() -> None:
    busy = Noise(load1=0.3, cpu_pressure=0.27)
    (mark,) = marks(busy, QUIET, 2)
    assert mark == "tasks waited for a CPU 27 % of ten seconds at the start, over 5 %"
    (mark,) = marks(QUIET, busy, 2)
    assert "at the end" in mark
    (mark,) = marks(QUIET, QUIET, 2, waited=0.53)
    assert mark == "tasks waited for a CPU 53 % of the run, over 10 %"


@pytest.mark.parametrize("noise", [0.01, 0.3, 1.0])
def test_steady_repetitions_are_seldom_marked(noise: float) -> None:
    assert sum(bool(marks(QUIET, QUIET, 2, seconds(seed, 256, noise))) for seed in range(100)) <= 4


def test_a_slow_stretch_and_a_drift_are_told() -> None:
    stretch = seconds(0, noise=0.05)
    stretch[400:600] *= 1.5
    (mark,) = marks(QUIET, QUIET, 2, stretch)
    assert mark.startswith("medians of 8 blocks of repetitions are") and mark.endswith("% apart, over 10 %")
    drifting = seconds(0, noise=0.05) * np.linspace(1, 1.10, 1024)
    (mark,) = marks(QUIET, QUIET, 2, drifting)
    assert mark == "the last quarter is 7 % slower than the first, over 5 %"
    (mark,) = marks(QUIET, QUIET, 2, drifting[::-1])
    assert "faster" in mark


def test_long_series_are_looked_at_from_end_to_end() -> None:
    late = np.ones(200_000)
    late[160_000:] = 1.5
    assert len(marks(QUIET, QUIET, 2, late)) == 2


def test_queries_that_were_never_answered_are_left_out() -> None:
    late = np.ones(1000)
    late[800:] = 1.5
    late[::7] = np.nan
    assert len(marks(QUIET, QUIET, 2, late)) == 2
    assert marks(QUIET, QUIET, 2, np.full(1000, np.nan)) == ()


@given(st.lists(st.floats(1e-6, 1e3), max_size=80))
def test_any_repetitions_are_borne(values: list[float]) -> None:
    assert all(isinstance(mark, str) for mark in marks(QUIET, QUIET, 2, values))
