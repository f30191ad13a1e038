from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nmbench.datasets.audio.haircell import HairCell, at_rest, firing_chances

RATE_HZ = 24_000.0


def meddis_1986(velocity: float, seconds: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Solve the differential equations for a constant velocity: firing rate at each time."""
    y, g, loss, r, x, a, b, h = 5.05, 2000.0, 2500.0, 6580.0, 66.3, 5.0, 300.0, 50000.0
    k = g * (velocity + a) / (velocity + a + b) if velocity + a > 0 else 0.0

    def change(_t: float, pools: np.ndarray) -> list[float]:
        q, c, w = pools
        return [y * max(1 - q, 0) + x * w - k * q, k * q - (loss + r) * c, r * c - x * w]

    solved = solve_ivp(change, (0, seconds[-1]), start, "LSODA", seconds, rtol=1e-9, atol=1e-12)
    rate: np.ndarray = h * solved.y[1]
    return rate


def step(velocity: float, steps: int, rate_hz: float) -> np.ndarray:
    pools = at_rest(HairCell(), 1)
    return firing_chances(np.full((steps, 1), velocity), rate_hz, HairCell(), pools)[:, 0] * rate_hz


@pytest.mark.parametrize("velocity", [-20.0, -3.0, 0.0, 10.0, 100.0])
def test_the_pools_follow_the_differential_equations(velocity: float) -> None:
    seconds = np.arange(1, 2_401) / RATE_HZ
    exact = meddis_1986(velocity, seconds, at_rest(HairCell(), 1)[:, 0])
    wrong = [
        np.abs(step(velocity, finer * 2_400, finer * RATE_HZ)[finer - 1 :: finer] - exact).max() / exact.max()
        for finer in (1, 12, 24)
    ]
    # an emptying cleft: |exp(-n z) - (1 - z)^n| / exp(-z) with z = 9080 / 24000 is at most 0.121
    assert wrong[0] < 0.122
    if velocity:  # Euler's method: half the step, half the error
        assert wrong[2] < 0.005 and wrong[1] / wrong[2] == pytest.approx(2.0, abs=0.1)
    assert step(velocity, 2_400, RATE_HZ)[-1] == pytest.approx(exact[-1], rel=0.001, abs=0.02)


def test_silence_is_a_steady_65_spikes_a_second() -> None:
    rate = step(0.0, 4_800, RATE_HZ)
    assert rate == pytest.approx(rate[0], rel=1e-9)
    # l k + y (l + r) = 2500 * 32.79 + 5.05 * 9080 and h y k over it
    assert rate[0] == pytest.approx(50_000 * 5.05 * 32.787 / (2_500 * 32.787 + 5.05 * 9_080), rel=1e-4)


def test_a_tone_is_loudest_where_it_begins() -> None:
    rate = step(50.0, 4_800, RATE_HZ)
    onset, steady, silent = rate[:480].mean(), rate[-480:].mean(), step(0.0, 1, RATE_HZ)[0]
    assert onset > 2 * steady and steady > 1.3 * silent
    # and after it silence is quieter than silence
    pools = at_rest(HairCell(), 1)
    after = firing_chances(np.repeat([50.0, 0.0], 2_400)[:, None], RATE_HZ, HairCell(), pools) * RATE_HZ
    assert 0 < after[2_640, 0] < 0.5 * silent


def test_the_cleft_follows_low_tones_only() -> None:
    def depth(hz: float) -> float:
        wave = 30.0 * np.sin(2 * np.pi * hz * np.arange(9_600) / RATE_HZ)
        late = firing_chances(wave[:, None], RATE_HZ, HairCell(), at_rest(HairCell(), 1))[-2_400:, 0]
        return float((late.max() - late.min()) / (late.max() + late.min()))

    depths = [depth(hz) for hz in (100.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)]
    assert depths == sorted(depths, reverse=True)
    assert depths[0] > 0.99 and depths[-1] < 0.4  # the cleft empties with 0.11 ms


def test_too_few_steps_a_second_are_refused_for_they_swing() -> None:
    with pytest.raises(ValueError, match="8000 steps a second are not stable"):
        step(50.0, 10, 8_000.0)
    # what the refusal spares: the equations as they stand empty more of the cleft than there is
    q, c, w, swings = *at_rest(HairCell(), 1)[:, 0], 0
    for n in range(200):
        k = 2_000 * (55 / 355 if n < 2 else 0.0) / 8_000
        q, c, w = (
            q + 5.05 * max(1 - q, 0) / 8_000 + 66.3 * w / 8_000 - k * q,
            c + k * q - 9_080 * c / 8_000,
            w + 6_580 * c / 8_000 - 66.3 * w / 8_000,
        )
        swings += c < 0
    assert swings > 0


@given(st.lists(st.integers(0, 400), max_size=5), st.integers(0, 2**31 - 1))
@settings(max_examples=25, deadline=None)
def test_blocks_go_on_where_the_last_one_ended(cuts: list[int], seed: int) -> None:
    velocity = 40.0 * np.random.default_rng(seed).standard_normal((400, 3))
    whole, parts = at_rest(HairCell(), 3), at_rest(HairCell(), 3)
    expected = firing_chances(velocity, RATE_HZ, HairCell(), whole)
    found = [firing_chances(part, RATE_HZ, HairCell(), parts) for part in np.split(velocity, sorted(cuts))]
    assert np.concatenate(found).tobytes() == expected.tobytes() and np.array_equal(whole, parts)
    assert np.all(expected >= 0) and np.all(expected < 1) and np.all(whole >= 0)
