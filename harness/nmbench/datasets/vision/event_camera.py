"""A simulated event camera: where and when the logarithm of the light moves by more than a threshold.

Each pixel remembers the log intensity at its last event. When the signal has moved up or down by the
pixel's own threshold, it sends an event, is held in reset for the refractory period, and takes the level
at the end of that as its new reference (Lichtsteiner, Posch, Delbruck, IEEE JSSC 43(2), 2008, section III).
Between two frames the log intensity is a straight line, so an event has its own microsecond. Junction
leakage of the reset switch drifts every pixel towards ON events, and shot noise adds events of either
polarity (Hu, Liu, Delbruck, "v2e", CVPR Workshops 2021, section 4). Left out: the photoreceptor's finite
bandwidth, the rise of noise in the dark, and delays of the readout bus.

Levels are integers of 2^-20 natural-log units and times are integers of microseconds: every machine
records the same events.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.reproducible import Draws

LEVEL_BITS = 20
"""A level of 1 natural-log unit is the integer 2**LEVEL_BITS."""

CAPACITY = 2**22
"""Events of one sample that can be kept."""

_NEVER = np.iinfo(np.int64).max
_GAP_BITS = 16
_GAPS = np.array([round(-math.log((i + 0.5) / 4096) * 2**_GAP_BITS) for i in range(4096)], dtype=np.int64)

Ints = npt.NDArray[np.int64]
Frame = npt.NDArray[np.int32]


class CameraOptions(BaseModel):
    """Constants of a sensor; the defaults are those of a DVS128-class chip in daylight."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    threshold: float = Field(default=0.25, ge=0.01, le=5.0)
    """Contrast threshold of either polarity, natural-log units."""
    mismatch: float = Field(default=0.04, ge=0.0, le=0.25)
    """Deviation of the threshold from pixel to pixel, as a part of it; each polarity on its own."""
    refractory_us: int = Field(default=300, ge=1, le=100_000)
    """Time for which a pixel is held in reset after an event, microseconds."""
    leak_hz: float = Field(default=0.05, ge=0.0, le=20.0)
    """ON events of a pixel that sees nothing move, per second."""
    shot_hz: float = Field(default=0.05, ge=0.0, le=20.0)
    """Noise events of either polarity, per pixel and second."""


PIXEL = np.dtype(
    [
        ("on", "i8"),
        ("off", "i8"),
        ("leak", "i8"),
        ("reference", "i8"),
        ("free_us", "i8"),
        ("seen_us", "i8"),
        ("shot_us", "i8"),
        ("luck", "u8"),
    ]
)
"""One pixel, on one line of the cache.

Of the chip: thresholds ``on`` and ``off`` in levels, ``leak`` towards ON events in levels a second. Of a
recording: ``reference``, the level at the end of the last reset; ``free_us``, when that was or will be;
``seen_us``, up to when the light has been looked at; ``shot_us``, when the next noise event falls due;
``luck``, the state of a SplitMix64 stream.
"""

Pixels = npt.NDArray[np.void]


class Sensor(NamedTuple):
    """One chip.

    Attributes
    ----------
    width, height
        Pixels a row, and rows.
    pixels
        Fixed pattern of the chip, `PIXEL` records ``[pixels]`` row after row, the recording's fields 0.
    refractory_us
        Hold after an event, microseconds.
    shot_gap_us
        Mean time between two noise events of a pixel, microseconds; 0 for none.
    """

    width: int
    height: int
    pixels: Pixels
    refractory_us: int
    shot_gap_us: int


class Recording(NamedTuple):
    """A sample that is being recorded by a sensor.

    Attributes
    ----------
    pixels
        State of the sensor, `PIXEL` records ``[pixels]``.
    keys
        Events as ``time_us << 32 | pixel << 1 | polarity``, int64 ``[CAPACITY]``.
    sent
        Count of events, int64 ``[1]``; those beyond the capacity are counted but not kept.
    width, refractory_us, shot_gap_us
        As the sensor's.
    """

    pixels: Pixels
    keys: Ints
    sent: Ints
    width: int
    refractory_us: int
    shot_gap_us: int


def build_sensor(options: CameraOptions, width: int, height: int, seed: int) -> Sensor:
    """Make one chip: its mismatch depends on the seed alone, so one chip records a whole set."""
    draws = Draws(seed, width, height)
    level = options.threshold * 2**LEVEL_BITS

    def thresholds() -> Ints:
        spread = 1.0 + options.mismatch * draws.bell(width * height)
        return np.asarray(np.rint(level * spread), dtype=np.int64)

    pixels = np.zeros(width * height, dtype=PIXEL)
    pixels["on"], pixels["off"] = thresholds(), thresholds()
    unequal = 0.5 + draws.unit(width * height)
    pixels["leak"] = np.rint(options.leak_hz * pixels["on"] * unequal).astype(np.int64)
    # thirty years are never: what is rarer would not fit into the kernel's integers
    gap = round(min(1e6 / options.shot_hz, 1e15)) if options.shot_hz else 0
    return Sensor(width, height, pixels, options.refractory_us, gap)


def start(sensor: Sensor, frame: Frame, draws: Draws) -> Recording:
    """Start to record from a first frame (levels, int32 ``[pixels]``) that has stood still for long.

    A pixel that leaks has then drifted some random part of the way to its next ON event.
    """
    pixels = sensor.pixels.copy()
    drift = np.floor(draws.unit(len(pixels)) * pixels["on"]).astype(np.int64)
    pixels["reference"] = frame - np.where(pixels["leak"] > 0, drift, 0)
    pixels["luck"] = draws.raw(len(pixels))
    keys, sent = np.empty(CAPACITY, dtype=np.int64), np.zeros(1, dtype=np.int64)
    recording = Recording(pixels, keys, sent, sensor.width, sensor.refractory_us, sensor.shot_gap_us)
    _plan_shots(recording)
    return recording


def develop(recording: Recording, end_us: int) -> Events:
    """Return the events before ``end_us`` as `EVENT` records, sorted by time, then row, then column.

    Raises
    ------
    OverflowError
        If there are more than `CAPACITY` events.
    """
    count = int(recording.sent[0])
    if count > CAPACITY:
        raise OverflowError(f"{count} events in one sample, at most {CAPACITY} can be kept")
    keys = np.sort(recording.keys[:count])
    keys = keys[: np.searchsorted(keys, end_us << 32)]
    pixel = (keys >> 1) & 0x7FFFFFFF
    events = np.empty(len(keys), dtype=EVENT)
    events["t"], events["p"] = keys >> 32, keys & 1
    events["y"], events["x"] = np.divmod(pixel, recording.width)
    return events


@numba.njit(nogil=True)
def watch(
    recording: Recording, old: Frame, new: Frame, box: tuple[int, int, int, int], from_us: int, to_us: int
) -> None:
    """Let the light go from one frame to the next, and take the next for the old one.

    Parameters
    ----------
    old, new
        Levels at ``from_us`` and ``to_us``, int32 ``[pixels]``; ``old`` is made equal to ``new``.
    box
        Left, top, right, bottom (the last two excluded) of all that may have changed.
    """
    for y in range(box[1], box[3]):
        for pixel in range(y * recording.width + box[0], y * recording.width + box[2]):
            before, after = old[pixel], new[pixel]
            if before != after:
                # a pixel in constant light is left alone until something happens to it
                seen = recording.pixels[pixel].seen_us
                if seen < from_us:
                    _expose(recording, pixel, seen, before, from_us, before)
                _expose(recording, pixel, from_us, before, to_us, after)
                recording.pixels[pixel].seen_us = to_us
                old[pixel] = after


@numba.njit(nogil=True)
def finish(recording: Recording, frame: Frame, end_us: int) -> None:
    """Let every pixel look at the last frame (levels, int32 ``[pixels]``) until the end."""
    for pixel in range(len(frame)):
        seen = recording.pixels[pixel].seen_us
        if seen < end_us:
            _expose(recording, pixel, seen, frame[pixel], end_us, frame[pixel])
            recording.pixels[pixel].seen_us = end_us


@numba.njit(nogil=True)
def _expose(recording: Recording, number: int, from_us: int, before: int, to_us: int, after: int) -> None:
    """Send the events of one pixel while its level goes in a straight line from before to after."""
    pixel = recording.pixels[number]
    low = before + pixel.leak * from_us // 1_000_000
    rise = after + pixel.leak * to_us // 1_000_000 - low
    span = to_us - from_us
    while True:
        free = pixel.free_us
        if free > to_us:
            return
        if free > from_us:  # the reset ends on this line, and has not been ended yet
            pixel.reference = low + rise * (free - from_us) // span
        crossing = to_us + 1
        upward = rise > 0
        if rise != 0:
            way = pixel.reference + pixel.on - low if upward else low - pixel.reference + pixel.off
            height = abs(rise)
            if way <= height:
                crossing = max(from_us + max(way * span + height - 1, 0) // height, free + 1, from_us + 1)
        shot = pixel.shot_us
        if shot <= to_us and shot <= crossing:
            polarity = int(_plan_shot(recording, number, shot))
            if shot > free:
                _send(recording, number, shot, polarity)
        elif crossing <= to_us:
            _send(recording, number, crossing, 1 if upward else 0)
        else:
            return


@numba.njit(nogil=True)
def _send(recording: Recording, number: int, time_us: int, polarity: int) -> None:
    count = recording.sent[0]
    if count < len(recording.keys):
        recording.keys[count] = (time_us << 32) | (number << 1) | polarity
    recording.sent[0] = count + 1
    recording.pixels[number].free_us = time_us + recording.refractory_us


@numba.njit(nogil=True)
def _plan_shots(recording: Recording) -> None:
    for number in range(len(recording.pixels)):
        _plan_shot(recording, number, 0)


@numba.njit(nogil=True)
def _plan_shot(recording: Recording, number: int, now_us: int) -> np.int64:
    """Draw when the next noise event comes (an exponential gap from a table); return a polarity."""
    pixel = recording.pixels[number]
    if recording.shot_gap_us == 0:
        pixel.shot_us = _NEVER
        return np.int64(0)
    # SplitMix64: Steele, Lea, Flood, OOPSLA 2014, figure 15
    state = pixel.luck + np.uint64(0x9E3779B97F4A7C15)
    pixel.luck = state
    mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    gap = _GAPS[np.int64(mixed >> np.uint64(52))]
    pixel.shot_us = now_us + 1 + ((gap * recording.shot_gap_us) >> _GAP_BITS)
    return np.int64(mixed & np.uint64(1))
