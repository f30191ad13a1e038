"""A 700-channel cochlea model: a waveform becomes spikes in time and place.

Short-time spectrum -> ear filters on Greenwood's map -> logarithmic compression -> lateral inhibition and
adaptation -> one leaky integrate-and-fire neuron a channel. From the compressed level on everything is
integer arithmetic, so that another CPU's last bit of a cosine or a logarithm cannot move a spike.

Sources: Greenwood 1990 (J. Acoust. Soc. Am. 87, 2592) for the map, Glasberg & Moore 1990 (Hear. Res. 47,
103) for the width of the filters, Cramer et al. 2022 (IEEE TNNLS 33, 2744) for 700 channels with channel 0
the highest frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numba
import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from nmbench.datasets.events import EVENT, Events

CHANNELS = 700
SENSOR = (CHANNELS, 1, 1)
RATE_HZ = 16_000
HOP_US = 1_000
LEVEL_STEPS = 256
"""Steps of the compressed level per doubling of power (3.01 dB)."""

_HOP = RATE_HZ * HOP_US // 1_000_000
_WINDOW = 400  # 25 ms
_FFT = 512
_FRACTION = np.rint(LEVEL_STEPS * np.log2(1.0 + (np.arange(4096) + 0.5) / 4096)).astype(np.int32)
"""Level that the first 12 bits of a fraction add, int32 ``[4096]``."""

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Cochlea:
    """Constants of the model; the defaults are the published version.

    Attributes
    ----------
    low_hz, high_hz
        Characteristic frequencies of channels 699 and 0.
    floor_db
        Power at which the level is zero, in dB re a full-scale sine.
    inhibition, inhibition_width
        Share of the mean level of the ``2 * width + 1`` neighbours that is subtracted, in 1/256; channels.
    adaptation, adaptation_shift
        Share of the slow level that is subtracted, in 1/256; its time constant is ``2**shift`` hops.
    drive_min
        Drive below which a channel hears nothing, in level steps.
    leak_shift
        Membrane time constant ``2**shift`` hops.
    threshold
        Spike threshold, in level steps times hops; the membrane is reset to zero.
    refractory_hops
        Hops after a spike in which the membrane stays at rest.
    noise
        Half width of the uniform noise on the drive, in level steps.
    """

    low_hz: float = 60.0
    high_hz: float = 7_800.0
    floor_db: float = -75.0
    inhibition: int = 160
    inhibition_width: int = 60
    adaptation: int = 160
    adaptation_shift: int = 6
    drive_min: int = 300
    leak_shift: int = 4
    threshold: int = 2_800
    refractory_hops: int = 2
    noise: int = 600


def centre_frequencies_hz(cochlea: Cochlea) -> Float:
    """Return each channel's characteristic frequency in Hz, ``[700]``, falling: equal steps of place.

    Greenwood's human map ``f = 165.4 (10^(2.1 x) - 0.88)``, ``x`` the place along the membrane.
    """
    ends = np.log10(np.array([cochlea.high_hz, cochlea.low_hz]) / 165.4 + 0.88) / 2.1
    hz: Float = 165.4 * (10.0 ** (2.1 * np.linspace(ends[0], ends[1], CHANNELS)) - 0.88)
    return hz


def levelled(waveform: npt.ArrayLike, rate_hz: int, level_db: float = -20.0) -> Float:
    """Scale speech to one loudness, as a listener's distance or a recorder's gain would.

    The loudness is the root mean square over the 20-ms frames within 20 dB of the loudest one.

    Parameters
    ----------
    waveform
        Samples, ``[n]``, any scale.
    rate_hz
        Sampling rate.
    level_db
        The loudness wanted, in dB re a full-scale square wave.

    Returns
    -------
    numpy.ndarray
        Float64 ``[n]``; silence stays silence.
    """
    samples = np.asarray(waveform, dtype=np.float64)
    frame = max(1, rate_hz // 50)
    padded = np.zeros(max(1, -(-len(samples) // frame)) * frame)
    padded[: len(samples)] = samples
    power = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    if power.max() == 0.0:
        return samples
    loudness = power[power >= power.max() / 100.0].mean()
    scaled: Float = samples * np.sqrt(10.0 ** (level_db / 10.0) / loudness)
    return scaled


def spikes(waveform: npt.ArrayLike, rate_hz: int, seed: int, cochlea: Cochlea | None = None) -> Events:
    """Turn a waveform into spikes.

    Parameters
    ----------
    waveform
        Samples, ``[n]``, full scale = 1.
    rate_hz
        Sampling rate; resampled to `RATE_HZ`.
    seed
        Of the noise on the neurons' drive: the same seed gives the same spikes.
    cochlea
        Constants; None for the published ones.

    Returns
    -------
    numpy.ndarray
        Structured array of dtype `EVENT`, sorted by time; ``x`` the channel, ``y = 0``, ``p = 0`` (the
        sensor has one polarity). A spike at ``t`` has heard the 25 ms of sound before ``t``.
    """
    model = cochlea or Cochlea()
    level = _levels(_resampled(np.asarray(waveform, dtype=np.float64), rate_hz), model)
    t_us, channel = _fire(
        level,
        seed,
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
    order = np.argsort(t_us, kind="stable")
    events["t"], events["x"] = t_us[order], channel[order]
    return events


def _resampled(samples: Float, rate_hz: int) -> Float:
    if rate_hz == RATE_HZ:
        return samples
    shared = gcd(RATE_HZ, rate_hz)
    out: Float = resample_poly(samples, RATE_HZ // shared, rate_hz // shared)
    return out


def _levels(samples: Float, cochlea: Cochlea) -> Int:
    """Compress the power that each channel hears: int32 ``[hops, 700]``, `LEVEL_STEPS` a doubling, >= 0."""
    hops = len(samples) // _HOP
    padded = np.concatenate([np.zeros(_WINDOW - _HOP), samples, np.zeros(_HOP)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: hops * _HOP : _HOP]
    window = np.hanning(_WINDOW)
    spectrum = np.fft.rfft(frames * (window * (2.0 / window.sum())), _FFT)
    power = spectrum.real**2 + spectrum.imag**2
    first, weights = _filters(cochlea)
    heard = _listen(np.ascontiguousarray(power.T), first, weights)
    return _compressed(heard, 10.0 ** (cochlea.floor_db / 10.0), _FRACTION)


@lru_cache(maxsize=4)
def _filters(cochlea: Cochlea) -> tuple[npt.NDArray[np.int64], Float]:
    """Weigh the bins for each channel: first bin ``[700]`` and weights ``[700, taps]``.

    A Gaussian of the equivalent rectangular bandwidth, ``24.7 (4.37 f / 1000 + 1)`` Hz, at least as wide as
    the window can resolve, with gain 1 at its centre; times the ear canal's emphasis ``|1 - 0.97 z^-1|^2``.
    """
    centre = centre_frequencies_hz(cochlea)
    bin_hz = RATE_HZ / _FFT
    sigma = np.maximum(24.7 * (4.37e-3 * centre + 1.0) / np.sqrt(2.0 * np.pi), 0.7 * bin_hz)
    taps = int(np.ceil(6.0 * sigma.max() / bin_hz)) + 1
    first = np.maximum(0, np.ceil((centre - 3.0 * sigma) / bin_hz)).astype(np.int64)
    bins = first[:, None] + np.arange(taps)
    z = (bins * bin_hz - centre[:, None]) / sigma[:, None]
    emphasis = 1.0 + 0.97**2 - 2.0 * 0.97 * np.cos(2.0 * np.pi * bins / _FFT)
    emphasis = emphasis / (1.0 + (bins * bin_hz / 4_000.0) ** 4)
    inside = (np.abs(z) <= 3.0) & (bins <= _FFT // 2)
    return first, np.where(inside, np.exp(-0.5 * z * z) * emphasis, 0.0)


@numba.njit(cache=True, nogil=True)
def _listen(power: Float, first: npt.NDArray[np.int64], weights: Float) -> Float:
    """Sum the weighted bins, ``[bins, hops]`` -> ``[700, hops]``, in one fixed order."""
    bins, hops = power.shape
    channels, taps = weights.shape
    heard = np.zeros((channels, hops))
    for c in range(channels):
        for k in range(min(taps, bins - first[c])):
            weight = weights[c, k]
            if weight > 0.0:
                # rows as views: an index into the whole array keeps LLVM from using vector instructions
                into, of = heard[c], power[first[c] + k]
                for h in range(hops):
                    into[h] += weight * of[h]
    return heard


@numba.njit(cache=True, nogil=True)
def _compressed(heard: Float, floor: float, fraction: Int) -> Int:
    """Take `LEVEL_STEPS` times log2(heard / floor), not below 0, from the ratio's own bits.

    The exponent is in a double's bits 52..62; a table says what the first bits of the fraction add. No
    logarithm is computed, so none can differ between machines.
    """
    channels, hops = heard.shape
    level = np.empty((hops, channels), np.int32)
    row = np.empty(hops)
    bits = row.view(np.int64)
    for c in range(channels):
        of = heard[c]
        for h in range(hops):
            row[h] = max(of[h] / floor, 1.0)
        for h in range(hops):
            exponent = (bits[h] >> 52) - 1023
            level[h, c] = exponent * LEVEL_STEPS + fraction[(bits[h] >> 40) & 4095]
    return level


@numba.njit(cache=True, nogil=True)
def _fire(
    level: Int,
    seed: int,
    inhibition: int,
    width: int,
    adaptation: int,
    adaptation_shift: int,
    drive_min: int,
    leak_shift: int,
    threshold: int,
    refractory: int,
    noise: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """Run the neurons over the levels, all in integers; spike times are interpolated within a hop."""
    hops, channels = level.shape
    most = channels * (hops // (refractory + 1) + 1)
    t_us = np.empty(most, np.uint32)
    where = np.empty(most, np.uint16)
    n = 0
    slow = np.zeros(channels, np.int64)
    v = np.zeros(channels, np.int64)
    rest = np.zeros(channels, np.int64)
    cumulated = np.zeros(channels + 1, np.int64)
    low = np.array([max(0, c - width) for c in range(channels)])
    high = np.array([min(channels, c + width + 1) for c in range(channels)])
    share = (inhibition << 16) // (256 * (high - low))  # of the neighbours' sum, in 2^-16
    span = np.uint64(2 * noise + 1)
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
    for h in range(hops):
        for c in range(channels):
            cumulated[c + 1] = cumulated[c] + level[h, c]
        for c in range(channels):
            # xorshift64 (Marsaglia 2003): the same on every machine
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            near = (share[c] * (cumulated[high[c]] - cumulated[low[c]])) >> 16
            sharp = max(0, level[h, c] - near)
            slow[c] += (sharp * 256 - slow[c]) >> adaptation_shift
            if rest[c] > 0:
                rest[c] -= 1
                continue
            draw = np.int64(((state >> np.uint64(32)) * span) >> np.uint64(32)) - noise
            drive = max(0, sharp - ((adaptation * slow[c]) >> 16) - drive_min + draw)
            before = v[c] - (v[c] >> leak_shift)
            if before + drive < threshold:
                v[c] = before + drive
                continue
            t_us[n] = h * 1000 + min(max((threshold - before) * 1000 // drive, 0), 999)
            where[n] = c
            n += 1
            v[c] = 0
            rest[c] = refractory
    return t_us[:n], where[:n]
