from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hankel1, j0, j1, y0, y1

from nmbench.datasets.audio.membrane import BLOCK, RATE_HZ, Membrane, places_cm, transfer, velocities

CHANNELS = 8
PUBLISHED = Membrane(anticipates=True)


def response(hz: float, x: float) -> complex:
    """Solve the equations as the paper has them, time as exp(-i w t), the wave's phase by quadrature."""
    alpha, c0, a, rho, h, m, delta = 3.0, 1e9, 3_500.0, 1.0, 0.1, 0.05, 0.15
    omega = 2 * np.pi * hz

    def xi(x: float) -> complex:
        damping = delta * np.sqrt(c0 * m) * np.exp(-alpha * x / 2)
        return complex(c0 * np.exp(-alpha * x) - a - m * omega**2, -omega * damping)

    def g(x: float) -> complex:
        return complex(omega * np.sqrt(rho / (h * xi(x))))

    def pressure(x: float) -> complex:
        real, imaginary = (
            quad(lambda z, p=p: getattr(g(z), p), 0.0, x, epsabs=1e-12, limit=500)[0] for p in PARTS
        )
        phase = 2 * g(0.0) / alpha + complex(real, imaginary)
        return complex(np.sqrt(phase / g(x)) * hankel1(0, phase))

    s = 4 * np.pi * hz / alpha * np.sqrt(2 / (h * c0))
    entrance = np.sqrt(2 * c0 / h) * (1j * j0(s) + y0(s)) / (j1(s) - 1j * y1(s))
    return complex(2 * omega / xi(x) * pressure(x) * entrance / pressure(0.0))


PARTS = ("real", "imag")


@pytest.mark.parametrize("hz", [60.0, 250.0, 1_000.0, 4_000.0, 11_000.0])
def test_the_phase_in_closed_form_is_the_integral(hz: float) -> None:
    places = np.linspace(0.0, 3.5, 12)
    exact = np.array([response(hz, x) for x in places])
    found = transfer(PUBLISHED, [hz], places)[:, 0]
    assert np.abs(found - exact).max() < 1e-9 * np.abs(exact).max()
    assert np.abs(transfer(Membrane(), [hz], places)[:, 0]) == pytest.approx(
        np.abs(exact), rel=1e-6, abs=1e-9
    )


def test_a_membrane_without_mass_and_damping_carries_the_exact_wave() -> None:
    # then p'' + g^2 p = 0 has g = g0 exp(alpha x / 2) and H0(2 g / alpha) solves it exactly
    bare = Membrane(mass=1e-12, damping=1e-12, stiffness_offset=1e-6)
    hz, x = 700.0, places_cm(bare, 200)
    omega = 2 * np.pi * hz
    velocity = transfer(bare, [hz], x)[:, 0]
    pressure = velocity * bare.stiffness * np.exp(-bare.decay_per_cm * x)  # v = 2 w p Z / xi
    g = omega * np.sqrt(bare.density / (bare.height_cm * bare.stiffness)) * np.exp(bare.decay_per_cm * x / 2)
    exact = np.conj(hankel1(0, 2 * g / bare.decay_per_cm))
    assert pressure / pressure[0] == pytest.approx(exact / exact[0], rel=1e-5)


def test_channel_0_hears_the_highest_and_the_map_falls_by_octaves() -> None:
    hz = np.geomspace(60.0, 11_900.0, 600)
    best = hz[np.abs(transfer(Membrane(), hz, places_cm(Membrane(), 36)[6:])).argmax(axis=1)]
    assert np.all(np.diff(best) < 0)
    # stiffness falls as exp(-3 x), so a resonance at fixed mass falls as exp(-1.5 x)
    octaves_per_cm = np.diff(np.log2(best)) / (3.5 / 35)
    assert octaves_per_cm.mean() == pytest.approx(-1.5 / np.log(2), rel=0.05)


def click(steps: int, at: int) -> np.ndarray:
    sound = np.zeros(steps)
    sound[at] = 1.0
    return sound


def moved(sound: np.ndarray, membrane: Membrane, channels: int = CHANNELS) -> np.ndarray:
    return np.concatenate([np.empty((0, channels)), *velocities(sound, membrane, channels)])


def test_blocks_are_one_long_convolution() -> None:
    sound = np.random.default_rng(1).standard_normal(2 * BLOCK + 777)
    size = 1 << 16
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    spectrum = np.zeros((CHANNELS, len(hz)), complex)
    for membrane in (Membrane(), PUBLISHED):
        spectrum[:, 1:] = transfer(membrane, hz[1:], places_cm(membrane, CHANNELS))
        exact = np.fft.irfft(spectrum * np.fft.rfft(sound, size), size)[:, : len(sound)].T
        blocks = list(velocities(sound, membrane, CHANNELS))
        assert [len(block) for block in blocks] == [BLOCK, BLOCK, 777]
        found = np.concatenate(blocks)
        # the response is cut off 117 ms after the click; the apex still rings there
        assert np.abs(found - exact).max(axis=0) == pytest.approx(0.0, abs=0.02 * np.abs(exact).max())
        assert np.abs(found - exact)[:, 1:6].max() < 1.5e-3 * np.abs(exact).max()


def test_the_wave_comes_after_the_sound_and_before_it_as_published() -> None:
    at = 3_000
    for membrane, side in ((Membrane(), 1), (PUBLISHED, -1)):
        energy = moved(100.0 * click(7_000, at), membrane)[:, 2:] ** 2  # what the 12-kHz limit spares
        time = (np.arange(7_000) - at)[:, None]
        assert np.all((energy * (side * time > -3)).sum(axis=0) > 0.99 * energy.sum(axis=0))
        delay = (energy * time).sum(axis=0) / energy.sum(axis=0)
        assert np.all(np.diff(side * delay) > 0)
        assert side * delay[-1] / RATE_HZ == pytest.approx(0.025, abs=0.003)


@given(st.integers(0, 3 * BLOCK), st.integers(0, 2**31 - 1))
@settings(max_examples=10, deadline=None)
def test_steps_are_the_sounds_and_coarse_enough_to_travel(steps: int, seed: int) -> None:
    sound = np.random.default_rng(seed).standard_normal(steps)
    found = moved(sound, Membrane())
    assert found.shape == (steps, CHANNELS)
    assert np.array_equal(found * 256.0, np.rint(found * 256.0))


@given(st.integers(0, 2 * BLOCK))
@settings(max_examples=10, deadline=None)
def test_a_later_sound_moves_the_membrane_later(delay: int) -> None:
    here = moved(50.0 * click(BLOCK, 100), Membrane())
    there = moved(50.0 * click(BLOCK + delay, 100 + delay), Membrane())
    assert np.abs(there[delay:] - here).max() <= 1 / 256
