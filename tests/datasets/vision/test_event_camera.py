from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nmbench.datasets.events import Events
from nmbench.datasets.reproducible import Draws
from nmbench.datasets.vision import event_camera
from nmbench.datasets.vision.event_camera import (
    LEVEL_BITS,
    CameraOptions,
    build_sensor,
    develop,
    finish,
    start,
    watch,
)

WIDTH, HEIGHT = 6, 4
FRAME_US = 1_000
QUIET = CameraOptions(mismatch=0.0, leak_hz=0.0, shot_hz=0.0)


def film(frames: np.ndarray, options: CameraOptions, seed: int = 0, end_us: int | None = None) -> Events:
    """Record frames of log light, natural-log units, ``[frames, HEIGHT * WIDTH]``."""
    sensor = build_sensor(options, WIDTH, HEIGHT, seed)
    levels = np.rint(frames * 2**LEVEL_BITS).astype(np.int32)
    recording = start(sensor, levels[0], Draws(seed, 1))
    old = levels[0].copy()
    for k in range(1, len(levels)):
        watch(recording, old, levels[k], (0, 0, WIDTH, HEIGHT), (k - 1) * FRAME_US, k * FRAME_US)
    end_us = (len(levels) - 1) * FRAME_US if end_us is None else end_us
    finish(recording, old, end_us)
    return develop(recording, end_us)


def random_frames(seed: int, count: int = 40, step: float = 0.15) -> np.ndarray:
    """Let each pixel walk at random, and stand still in about half of the frames."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, step, (count, HEIGHT * WIDTH)) * (rng.random((count, HEIGHT * WIDTH)) < 0.5)
    return np.cumsum(steps, axis=0)


def brute_force(levels: list[int], on: int, off: int, refractory_us: int) -> list[tuple[int, int]]:
    """Look at one pixel in every single microsecond, in exact fractions."""
    found: list[tuple[int, int]] = []
    reference, free = Fraction(levels[0]), 0
    for t in range(1, (len(levels) - 1) * FRAME_US):
        k, rest = divmod(t, FRAME_US)
        level = levels[k] + Fraction((levels[k + 1] - levels[k]) * rest, FRAME_US)
        if t == free:
            reference = Fraction(level.__floor__())
        if t <= free:
            continue
        if level - reference >= on or reference - level >= off:
            found.append((t, int(level > reference)))
            free = t + refractory_us
    return found


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 170, 2_500]))
def test_events_are_those_of_a_microsecond_by_microsecond_search(seed: int, refractory_us: int) -> None:
    frames = random_frames(seed, count=12)
    options = QUIET.model_copy(update={"mismatch": 0.1, "refractory_us": refractory_us})
    events = film(frames, options, seed % 97)
    pattern = build_sensor(options, WIDTH, HEIGHT, seed % 97).pixels
    levels = np.rint(frames * 2**LEVEL_BITS).astype(np.int64)
    for pixel in range(0, WIDTH * HEIGHT, 5):
        mine = events[(events["y"] == pixel // WIDTH) & (events["x"] == pixel % WIDTH)]
        expected = brute_force(
            levels[:, pixel].tolist(), int(pattern["on"][pixel]), int(pattern["off"][pixel]), refractory_us
        )
        assert list(zip(mine["t"].tolist(), mine["p"].tolist(), strict=True)) == expected


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(0.05, 1.0),
    st.integers(1, 5_000),
    st.floats(0.0, 20.0),
    st.floats(0.0, 20.0),
)
def test_events_are_sorted_inside_the_sensor_and_keep_the_refractory_period(
    seed: int, threshold: float, refractory_us: int, leak_hz: float, shot_hz: float
) -> None:
    options = CameraOptions(
        threshold=threshold, refractory_us=refractory_us, leak_hz=leak_hz, shot_hz=shot_hz
    )
    events = film(random_frames(seed, count=60), options, seed % 1000)
    assert np.all(np.diff(events["t"].astype(np.int64)) >= 0)
    assert not len(events) or events["t"].max() < 59 * FRAME_US
    assert not len(events) or (events["x"].max() < WIDTH and events["y"].max() < HEIGHT)
    pixel = events["y"].astype(np.int64) * WIDTH + events["x"]
    for number in range(WIDTH * HEIGHT):
        gaps = np.diff(events["t"][pixel == number].astype(np.int64))
        assert np.all(gaps > refractory_us)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_negated_light_swaps_the_polarities(seed: int) -> None:
    # levels that are multiples of the frame time are whole in each microsecond, so nothing is rounded
    grid = FRAME_US / 2**LEVEL_BITS
    frames = np.rint(random_frames(seed) / grid) * grid
    options = QUIET.model_copy(update={"refractory_us": 1_000})
    light, dark = film(frames, options), film(-frames, options)
    for field in ("t", "x", "y"):
        assert np.array_equal(light[field], dark[field])
    assert np.array_equal(light["p"], 1 - dark["p"])


def test_a_ramp_sends_an_event_at_each_threshold() -> None:
    ramp = np.linspace(0.0, 1.0, 101)[:, None] * np.ones(WIDTH * HEIGHT)
    events = film(ramp, QUIET.model_copy(update={"refractory_us": 1}), end_us=150_000)
    first = events[(events["x"] == 0) & (events["y"] == 0)]
    # the first threshold is at 25 ms; each reset costs the microsecond for which it holds
    assert first["t"].tolist() == [25_000, 50_001, 75_002]
    assert np.all(events["p"] == 1)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_more_contrast_sends_no_fewer_events(one: float, other: float) -> None:
    wave = np.sin(np.linspace(0.0, 20.0, 200))[:, None] * np.linspace(0.5, 1.0, WIDTH * HEIGHT)
    low, high = sorted((one, other))
    # more slope also means more contrast lost while a pixel is held, so the hold must be negligible
    options = QUIET.model_copy(update={"refractory_us": 1})
    fewer, more = len(film(low * wave, options)), len(film(high * wave, options))
    assert fewer <= more + 0.01 * more


def test_a_longer_hold_sends_fewer_events() -> None:
    frames = random_frames(1, count=200, step=0.5)
    counts = [
        len(film(frames, QUIET.model_copy(update={"refractory_us": hold}))) for hold in (10, 1_000, 50_000)
    ]
    assert counts[0] > counts[1] > counts[2] > 0


def test_a_still_scene_sends_nothing_but_noise() -> None:
    still = np.zeros((2, WIDTH * HEIGHT))
    assert len(film(still, QUIET, end_us=10_000_000)) == 0

    leaky = film(still, QUIET.model_copy(update={"leak_hz": 2.0}), end_us=10_000_000)
    assert np.all(leaky["p"] == 1)
    assert abs(len(leaky) - 2.0 * 10 * WIDTH * HEIGHT) < 0.1 * 2.0 * 10 * WIDTH * HEIGHT

    shots = film(still, QUIET.model_copy(update={"shot_hz": 5.0}), end_us=10_000_000)
    expected = 5.0 * 10 * WIDTH * HEIGHT
    assert abs(len(shots) - expected) < 5 * np.sqrt(expected)
    assert abs(shots["p"].mean() - 0.5) < 5 * 0.5 / np.sqrt(expected)
    gaps = np.diff(shots["t"][(shots["x"] == 2) & (shots["y"] == 1)].astype(float))
    assert 0.5 < gaps.std() / gaps.mean() < 1.5  # of a Poisson process: 1


def test_leak_and_noise_do_not_depend_on_when_a_still_pixel_is_looked_at() -> None:
    options = CameraOptions(leak_hz=5.0, shot_hz=5.0)
    still = np.zeros((100, WIDTH * HEIGHT))
    moved = still.copy()
    moved[50:, 0] = 1.0  # one pixel sees a step, the others' events must stay as they are
    one, other = film(still, options), film(moved, options)
    assert np.array_equal(one[(one["x"] > 0) | (one["y"] > 0)], other[(other["x"] > 0) | (other["y"] > 0)])
    assert len(other) > len(one)


def test_recording_is_the_same_each_time_and_another_for_another_seed() -> None:
    options, frames = CameraOptions(shot_hz=5.0), random_frames(2)
    assert film(frames, options).tobytes() == film(frames, options).tobytes()
    assert film(frames, options).tobytes() != film(frames, options, seed=1).tobytes()


def test_mismatch_is_the_deviation_of_the_thresholds() -> None:
    pixels = build_sensor(CameraOptions(threshold=0.2, mismatch=0.05), 100, 100, 0).pixels
    for polarity in ("on", "off"):
        unit = pixels[polarity] / (0.2 * 2**LEVEL_BITS)
        assert abs(unit.mean() - 1.0) < 0.005
        assert abs(unit.std() - 0.05) < 0.003
    assert abs(np.corrcoef(pixels["on"], pixels["off"])[0, 1]) < 0.05


def test_too_many_events_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_camera, "CAPACITY", 3)
    with pytest.raises(OverflowError, match="at most 3"):
        film(random_frames(0), QUIET)


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0.0}, {"refractory_us": 0}, {"mismatch": 2.0}, {"leak": 1.0}, {"shot_hz": "1"}]
)
def test_wrong_constants_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CameraOptions.model_validate(wrong)
