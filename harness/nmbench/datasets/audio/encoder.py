"""The two ways from sound to spikes, by name."""

from __future__ import annotations

from typing import Literal

import numpy.typing as npt

from nmbench.datasets.audio import cochlea, hydrodynamic
from nmbench.datasets.events import Events

Encoder = Literal["fast", "hydrodynamic"]
"""``fast``: `cochlea`, the published events. ``hydrodynamic``: `hydrodynamic`, the inner ear of SHD."""


def heard(
    waveform: npt.ArrayLike, rate_hz: int, seed: int, loudness_db: float, encoder: Encoder = "fast"
) -> Events:
    """Turn speech into spikes.

    Parameters
    ----------
    waveform
        Samples, ``[n]``, any scale: both encoders bring it to a loudness.
    rate_hz
        Sampling rate.
    seed
        Of the noise in the ear.
    loudness_db
        Of the fast encoder's `cochlea.levelled`; the other has the level of its source.
    encoder
        One of `Encoder`.

    Returns
    -------
    numpy.ndarray
        Structured array of dtype `EVENT`, sorted by time, of the sensor `cochlea.SENSOR`.
    """
    if encoder == "hydrodynamic":
        return hydrodynamic.spikes(waveform, rate_hz, seed)
    return cochlea.spikes(cochlea.levelled(waveform, rate_hz, loudness_db), rate_hz, seed)
