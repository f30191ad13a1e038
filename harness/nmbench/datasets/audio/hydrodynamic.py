"""The inner ear of the Spiking Heidelberg Digits: a waveform becomes the spikes of 700 bushy cells.

Loudness -> ramps -> basilar membrane (`membrane`) -> hair cells (`haircell`) -> bushy cells (`bushy`). Slower
than `cochlea` by far and nearer to an ear: spikes lock to the phase of low tones, and silence is not silent.

Source: Cramer et al. 2022 (IEEE TNNLS 33, 2744); the modules name theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from nmbench.datasets.audio.bushy import BushyCell, BushyCells
from nmbench.datasets.audio.haircell import HairCell, at_rest, firing_chances
from nmbench.datasets.audio.membrane import CHANNELS, RATE_HZ, Membrane, velocities
from nmbench.datasets.events import EVENT, Events

Float = npt.NDArray[np.float64]

_SLICE = 256  # steps from membrane to bushy cell at once: what lies between stays in the cache


@dataclass(frozen=True)
class Ear:
    """Constants of the whole ear; the defaults are the published ones but for ``ramp_s`` and ``tail_s``.

    Attributes
    ----------
    level
        Root mean square that a sound is scaled to; 0 leaves it as it is.
    ramp_s
        Hann ramps at both ends of the sound; half of the sound where that is less.
    tail_s
        Silence heard after the sound: the wave takes 25 ms to the apex.
    """

    level: float = 0.3
    ramp_s: float = 0.03
    tail_s: float = 0.03
    membrane: Membrane = field(default_factory=Membrane)
    hair_cell: HairCell = field(default_factory=HairCell)
    bushy_cell: BushyCell = field(default_factory=BushyCell)


def spikes(waveform: npt.ArrayLike, rate_hz: int, seed: int, ear: Ear | None = None) -> Events:
    """Turn a waveform into spikes.

    Parameters
    ----------
    waveform
        Samples, ``[n]``, any scale.
    rate_hz
        Sampling rate; resampled to 24 kHz, the steps of the published model for a 48-kHz sound.
    seed
        Of the fibres' chance: the same seed gives the same spikes.
    ear
        Constants; None for the defaults.

    Returns
    -------
    numpy.ndarray
        Structured array of dtype `EVENT`, sorted by time and then channel; ``x`` the channel, 0 the highest
        frequency, ``y = 0``, ``p = 0``. Times are whole steps of 41.7 us, in whole microseconds.
    """
    model = ear or Ear()
    sound = prepared(np.asarray(waveform, dtype=np.float64), rate_hz, model)
    pools = at_rest(model.hair_cell, CHANNELS)
    cells = BushyCells(model.bushy_cell, RATE_HZ, CHANNELS, seed)
    fired = []
    for block in velocities(sound, model.membrane):
        for first in range(0, len(block), _SLICE):
            chances = firing_chances(block[first : first + _SLICE], RATE_HZ, model.hair_cell, pools)
            fired.append(cells.fire(chances))
    events = np.zeros(sum(len(step) for step, _ in fired), EVENT)
    if fired:
        events["t"] = np.concatenate([step for step, _ in fired]) * 1_000_000 // RATE_HZ
        events["x"] = np.concatenate([channel for _, channel in fired])
    return events


def prepared(samples: Float, rate_hz: int, ear: Ear) -> Float:
    """Resample, scale, ramp and prolong a sound, ``[n]`` -> ``[steps]``; silence stays silence."""
    shared = gcd(RATE_HZ, rate_hz)
    sound: Float = resample_poly(samples, RATE_HZ // shared, rate_hz // shared) if len(samples) else samples
    loudness = float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0
    if ear.level and loudness:
        sound = sound * (ear.level / loudness)
    ramp = min(round(ear.ramp_s * RATE_HZ), len(sound) // 2)
    rise = np.hanning(2 * ramp + 1)[:ramp]
    sound = np.concatenate([sound, np.zeros(round(ear.tail_s * RATE_HZ))])
    if ramp:
        end = len(sound) - round(ear.tail_s * RATE_HZ)
        sound[:ramp] *= rise
        sound[end - ramp : end] *= rise[::-1]
    return sound
