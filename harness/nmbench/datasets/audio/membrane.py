"""The basilar membrane as a hydrodynamic wave guide: a sound becomes a velocity at each place.

Long waves in a box of fluid of height ``h`` over a membrane whose stiffness falls exponentially from the
stapes (``x = 0``) to the apex, solved to leading order by Langer's method. With time as ``exp(i w t)``::

    S(x) = C0 exp(-alpha x) - a                 stiffness per area
    R(x) = delta sqrt(C0 m) exp(-alpha x / 2)   damping per area
    xi(w, x) = S(x) - m w^2 + i w R(x)          membrane's impedance times i w
    g(w, x) = w sqrt(rho / (h xi))              wave number
    G(w, x) = 2 g(w, 0) / alpha + integral of g from 0 to x
    p(w, x) = sqrt(G / g) H0(G)                 pressure; H0, H1 Hankel functions of the second kind
    Z(w) = sqrt(2 C0 / h) i H0(s) / H1(s),      s = (2 w / alpha) sqrt(2 / (h C0))
    v(w, x) = (2 w / xi) Z(w) p(w, x) / p(w, 0)   velocity per unit of sound

Sources: Sieroka, Dosch & Rupp 2006 (J. Acoust. Soc. Am. 120, 297); its use and the constants: Cramer et al.
2022 (IEEE TNNLS 33, 2744) by way of their package lauscher 1.0.1. That package takes ``xi`` and ``p`` with
time as ``exp(-i w t)``, but transforms with ``exp(i w t)``: its wave runs backwards in time and is at the
apex 25 ms before the sound is at the stapes. Magnitudes are the same. `Membrane.anticipates` gives its sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft
from scipy.special import hankel2, hankel2e

CHANNELS = 700
RATE_HZ = 24_000
"""Steps per second: the published model takes one for every two samples of a 48-kHz sound."""

_FFT = 8_192
_EARLY, _LATE = 256, 2_816  # 10.7 ms for the band limit's own ripple, 117 ms for the wave
BLOCK = _FFT - _EARLY - _LATE
"""Steps of a block of `velocities`."""
_GROUP = 70  # channels transformed at once: their blocks stay in the cache
_QUANTUM = 2.0**-8

_ONE_AT_A_TIME = Lock()

Float = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Membrane:
    """Constants of the cochlea, in cm, g and s as their source has them; the defaults are the published ones.

    Attributes
    ----------
    length_cm
        Place of the last channel; channel 0 is at the stapes and hears the highest frequency.
    stiffness, stiffness_offset
        ``C0`` and ``a``, g / (cm s)^2.
    decay_per_cm
        ``alpha``.
    damping
        ``delta``.
    density
        ``rho`` of the fluid, g / cm^3.
    height_cm
        ``h``.
    mass
        ``m``, g / cm^2.
    anticipates
        Let the wave arrive before the sound, as the published package does.
    """

    length_cm: float = 3.5
    stiffness: float = 1e9
    stiffness_offset: float = 3_500.0
    decay_per_cm: float = 3.0
    damping: float = 0.15
    density: float = 1.0
    height_cm: float = 0.1
    mass: float = 0.05
    anticipates: bool = False


def places_cm(membrane: Membrane, channels: int = CHANNELS) -> Float:
    """Return the channels' distances from the stapes in cm, ``[channels]``, equally spaced."""
    return np.linspace(0.0, membrane.length_cm, channels)


def transfer(membrane: Membrane, frequency_hz: npt.ArrayLike, place_cm: npt.ArrayLike) -> Complex:
    """Return the velocity at each place per unit of sound of each frequency.

    Parameters
    ----------
    frequency_hz
        Above 0, ``[frequencies]``.
    place_cm
        ``[places]``.

    Returns
    -------
    numpy.ndarray
        ``v(w, x)``, complex128 ``[places, frequencies]``, for NumPy's sign of the transform.
    """
    omega = 2.0 * np.pi * np.asarray(frequency_hz, dtype=np.float64)[None, :]
    place = np.asarray(place_cm, dtype=np.float64)[:, None]
    stapes = np.zeros((1, 1))
    here, there = _phase(membrane, omega, place), _phase(membrane, omega, stapes)
    amplitude = np.sqrt(here / _wave_number(membrane, omega, place))
    amplitude = amplitude / np.sqrt(there / _wave_number(membrane, omega, stapes))
    # hankel2e(0, G) = H0(G) exp(i G): beyond its place the wave decays below what a double can hold
    wave = hankel2e(0, here) / hankel2e(0, there) * np.exp(-1j * (here - there))
    response = 2.0 * omega / _xi(membrane, omega, place) * amplitude * wave
    if membrane.anticipates:
        response = np.conj(response)
    s = 2.0 * omega / membrane.decay_per_cm * np.sqrt(2.0 / (membrane.height_cm * membrane.stiffness))
    entrance = np.sqrt(2.0 * membrane.stiffness / membrane.height_cm) * 1j * hankel2(0, s) / hankel2(1, s)
    whole: Complex = response * entrance
    return whole


def velocities(sound: Float, membrane: Membrane, channels: int = CHANNELS) -> Iterator[Float]:
    """Move the membrane by a sound, block by block: a long sound needs no more memory than a short one.

    Parameters
    ----------
    sound
        Samples at `RATE_HZ`, ``[n]``; zero before and after.
    channels
        Places along the membrane.

    Yields
    ------
    numpy.ndarray
        Float64 ``[steps, channels]``, at most `BLOCK` steps, ``n`` in all; multiples of 1/256, so that the
        last bit of a transform on another machine is rounded away.
    """
    response = _response(membrane, channels)
    before, after = _reach(membrane)
    padded = np.concatenate([np.zeros(after), sound, np.zeros(before + BLOCK)])
    for first in range(0, len(sound), BLOCK):
        steps = min(BLOCK, len(sound) - first)
        spectrum = rfft(padded[first : first + _FFT], _FFT)
        block = np.empty((steps, channels))
        for low in range(0, channels, _GROUP):
            group = slice(low, low + _GROUP)
            moved = irfft(spectrum * response[group], _FFT)[:, _FFT - BLOCK : _FFT - BLOCK + steps]
            block[:, group] = (np.rint(moved * (1.0 / _QUANTUM)) * _QUANTUM).T
        yield block


def _reach(membrane: Membrane) -> tuple[int, int]:
    """Return how many steps the response begins before a click and ends after it."""
    return (_LATE, _EARLY) if membrane.anticipates else (_EARLY, _LATE)


def _response(membrane: Membrane, channels: int) -> Complex:
    with _ONE_AT_A_TIME:  # a second or two of work: threads that begin together wait for the first
        return _built_response(membrane, channels)


@lru_cache(maxsize=2)
def _built_response(membrane: Membrane, channels: int) -> Complex:
    """Transform the responses to a click, cut to their reach and delayed by what comes before the click."""
    bins = np.fft.rfftfreq(_FFT, 1.0 / RATE_HZ)
    spectrum = np.zeros((channels, len(bins)), np.complex128)
    before, after = _reach(membrane)
    for low in range(0, channels, _GROUP):
        group = slice(low, low + _GROUP)
        spectrum[group, 1:] = transfer(membrane, bins[1:], places_cm(membrane, channels)[group])
        click = irfft(spectrum[group], _FFT)
        cut = np.concatenate([click[:, _FFT - before :], click[:, : after + 1]], axis=1)
        spectrum[group] = rfft(cut, _FFT)
    return spectrum


def _xi(membrane: Membrane, omega: Float, place: Float) -> Complex:
    u = np.exp(-membrane.decay_per_cm * place / 2.0)
    stiffness = membrane.stiffness * u * u - membrane.stiffness_offset
    xi: Complex = stiffness - membrane.mass * omega**2 + 1j * omega * _resistance(membrane) * u
    return xi


def _resistance(membrane: Membrane) -> float:
    return membrane.damping * math.sqrt(membrane.stiffness * membrane.mass)


def _wave_number(membrane: Membrane, omega: Float, place: Float) -> Complex:
    slowness: Complex = np.sqrt(membrane.density / (membrane.height_cm * _xi(membrane, omega, place)))
    return omega * slowness


def _phase(membrane: Membrane, omega: Float, place: Float) -> Complex:
    """Return ``G``. With ``u = exp(-alpha x / 2)``, ``xi = A u^2 + B u + C`` and the integral is elementary.

    ``int du / (u sqrt(xi)) = -log((2 sqrt(C xi) + B u + 2 C) / u) / sqrt(C)`` (Gradshteyn & Ryzhik 2.266).
    """
    stapes = np.zeros((1, 1))
    linear = 1j * omega * _resistance(membrane)
    constant = -(membrane.stiffness_offset + membrane.mass * omega**2)
    root = -1j * np.sqrt(-constant)  # of the two roots the one that keeps the logarithm off its cut

    def primitive(x: Float) -> Complex:
        u = np.exp(-membrane.decay_per_cm * x / 2.0)
        inside = 2.0 * root * np.sqrt(_xi(membrane, omega, x)) + linear * u + 2.0 * constant
        value: Complex = -np.log(inside / u) / root
        return value

    scale = 2.0 * omega / membrane.decay_per_cm * math.sqrt(membrane.density / membrane.height_cm)
    travelled = scale * (primitive(stapes) - primitive(place))
    phase: Complex = 2.0 * _wave_number(membrane, omega, stapes) / membrane.decay_per_cm + travelled
    return phase
