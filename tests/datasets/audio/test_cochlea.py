from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.datasets.audio import cochlea
from nmbench.datasets.audio.cochlea import CHANNELS, RATE_HZ, Cochlea, levelled, spikes
from nmbench.datasets.events import EVENT, Events

SEEDS = st.integers(0, 2**31 - 1)


def tone(hz: float, rate_hz: int = RATE_HZ, seconds: float = 0.3, amplitude: float = 0.1) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def noise(seed: int, samples: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def fire(level: np.ndarray, **constants: int) -> Events:
    model = Cochlea(**{"inhibition": 0, "adaptation": 0, "drive_min": 0, "noise": 0, **constants})
    t_us, channel = cochlea._fire(
        level.astype(np.int32),
        0,
        model.inhibition,
        model.inhibition_width,
        model.adaptation,
        model.adaptation_shift,
        model.drive_min,
        model.leak_shift,
        model.threshold,
        model.refractory_hops,
        model.noise,
    )
    events = np.zeros(len(t_us), EVENT)
    events["t"], events["x"] = t_us, channel
    return events


@pytest.mark.parametrize("hz", [200.0, 500.0, 1000.0, 2000.0, 4000.0, 6000.0])
def test_a_tone_excites_the_place_that_greenwood_gives_it(hz: float) -> None:
    model = Cochlea()

    def place_mm(f: float) -> float:
        # Greenwood 1990, man: F = A (10^(a x) - k), A = 165.4, a = 0.06 / mm, k = 0.88, x from the apex
        return math.log10(f / 165.4 + 0.88) / 0.06

    apex, base = place_mm(model.low_hz), place_mm(model.high_hz)
    expected = (CHANNELS - 1) * (base - place_mm(hz)) / (base - apex)
    events = spikes(tone(hz), RATE_HZ, 0)
    busiest = np.bincount(events["x"], minlength=CHANNELS)
    smooth = np.convolve(busiest, np.ones(31), mode="same")
    # the ear canal's emphasis tilts the low channels' response upwards in frequency
    assert abs(int(smooth.argmax()) - expected) < 20


def test_channel_0_is_the_highest() -> None:
    hz = cochlea.centre_frequencies_hz(Cochlea())
    assert len(hz) == CHANNELS
    assert np.all(np.diff(hz) < 0)
    assert hz[0] == pytest.approx(7_800) and hz[-1] == pytest.approx(60)


@pytest.mark.parametrize("sound", [tone(700.0, amplitude=1.0), 10 * noise(3, 6_400)])
def test_louder_is_not_fewer_events(sound: np.ndarray) -> None:
    counts = [len(spikes(gain * sound, RATE_HZ, 1)) for gain in (0.0, 0.003, 0.01, 0.03, 0.1)]
    assert counts == sorted(counts)
    assert counts[0] == 0 < counts[-1]


@given(seed=SEEDS, samples=st.integers(0, 3_000))
@settings(max_examples=20)
def test_events_are_sorted_within_the_sensor_and_the_sound(seed: int, samples: int) -> None:
    events = spikes(noise(seed, samples), RATE_HZ, seed)
    assert events.dtype == EVENT
    t = events["t"].astype(np.int64)
    assert np.all(np.diff(t) >= 0)
    assert np.all(t < samples * 1_000_000 // RATE_HZ)
    assert np.all(events["x"] < CHANNELS) and not events["y"].any() and not events["p"].any()


@given(seed=SEEDS)
@settings(max_examples=10)
def test_a_channel_rests_after_a_spike(seed: int) -> None:
    events = spikes(10 * noise(seed, 2_400), RATE_HZ, seed)
    order = np.lexsort((events["t"], events["x"]))
    t, x = events["t"][order].astype(np.int64), events["x"][order]
    gaps = np.diff(t)[np.diff(x.astype(np.int64)) == 0]
    assert len(gaps) and gaps.min() > Cochlea().refractory_hops * 1_000


@given(seed=SEEDS, heard=st.integers(1, 150))
@settings(max_examples=15)
def test_what_comes_later_changes_nothing_before(seed: int, heard: int) -> None:
    sound = noise(seed, 2_400)
    whole = spikes(sound, RATE_HZ, seed)
    part = spikes(sound[: heard * RATE_HZ // 1_000], RATE_HZ, seed)
    assert part.tobytes() == whole[whole["t"] < heard * 1_000].tobytes()


def test_the_seed_is_the_only_chance() -> None:
    sound = tone(440.0)
    assert spikes(sound, RATE_HZ, 5).tobytes() == spikes(sound, RATE_HZ, 5).tobytes()
    assert spikes(sound, RATE_HZ, 5).tobytes() != spikes(sound, RATE_HZ, 6).tobytes()


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100])
def test_the_recorders_rate_hardly_matters(rate_hz: int) -> None:
    here, there = (spikes(tone(900.0, rate), rate, 2) for rate in (RATE_HZ, rate_hz))
    assert len(there) == pytest.approx(len(here), rel=0.1)
    assert there["x"].mean() == pytest.approx(here["x"].mean(), abs=10)


@pytest.mark.parametrize(("drive", "refractory"), [(700, 2), (700, 0), (1_000, 3), (2_799, 1)])
def test_without_leak_the_interval_is_threshold_over_drive(drive: int, refractory: int) -> None:
    # v needs ceil(threshold / drive) hops to the threshold, then rests
    events = fire(np.full((100, 1), drive), leak_shift=40, threshold=2_800, refractory_hops=refractory)
    hops = events["t"] // 1_000
    assert set(np.diff(hops.astype(int))) == {-(-2_800 // drive) + refractory}
    # the crossing lies where the straight line to the threshold ends
    inside = (2_800 - (-(-2_800 // drive) - 1) * drive) * 1_000 // drive
    assert set((events["t"] % 1_000).tolist()) == {min(inside, 999)}


def test_adaptation_slows_a_steady_sound_down() -> None:
    events = fire(np.full((400, 1), 2_000), adaptation=200)
    first, last = np.sum(events["t"] < 100_000), np.sum(events["t"] >= 300_000)
    assert 0 < last < first


def test_neighbours_inhibit() -> None:
    flat = np.full((50, CHANNELS), 1_000)
    peak = np.zeros((50, CHANNELS), int)
    peak[:, 350] = 1_000
    assert len(fire(flat, inhibition=256)) == 0
    assert set(fire(peak, inhibition=256)["x"]) == {350}


@given(st.lists(st.floats(1e-12, 1e6), min_size=1, max_size=30), st.sampled_from([1e-8, 1e-3, 1.0]))
def test_the_level_is_the_logarithm(powers: list[float], floor: float) -> None:
    level = cochlea._compressed(np.array([powers]), floor, cochlea._FRACTION)[:, 0]
    exact = np.array([max(0.0, cochlea.LEVEL_STEPS * math.log2(p / floor)) for p in powers])
    assert np.abs(level - exact).max() <= 0.6  # half a step of rounding, and the table's own width


@given(SEEDS, st.floats(1e-3, 1e4))
@settings(max_examples=20)
def test_levelled_speech_has_lost_its_loudness(seed: int, gain: float) -> None:
    sound = noise(seed, 4_000)
    assert np.allclose(levelled(gain * sound, 8_000), levelled(sound, 8_000))
    loud = levelled(sound, 8_000, -20.0)
    assert np.sqrt(np.mean(loud**2)) == pytest.approx(0.1, rel=0.02)


def test_levelled_ignores_pauses_and_leaves_silence() -> None:
    sound = noise(1, 4_000)
    paused = np.concatenate([sound, np.zeros(8_000)])
    assert np.allclose(levelled(paused, 8_000)[:4_000], levelled(sound, 8_000))
    assert not levelled(np.zeros(100), 8_000).any()
    assert len(levelled(np.zeros(0), 8_000)) == 0
