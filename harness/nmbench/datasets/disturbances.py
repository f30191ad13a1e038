"""Faults of a sensor by chance: lost events, dead addresses, noise, jitter.

What happens to a sample depends on the ``seed`` and on its own events, not on its place in the set, on other
samples or on how a set is cut into parts. The draws are those that tonic makes after ``numpy.random.seed``
with `chance`'s words; `numpy.random.RandomState`'s streams are frozen (NEP 19). NumPy's own state is neither
read nor changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events, EventSet, joined
from nmbench.datasets.options import LAST_US, Range, Seconds, Seed, Share

Pixels = Annotated[float, Range(0, 1000)]


def chance(seed: int, sample: Events) -> npt.NDArray[np.uint32]:
    """Return the words that seed a sample's draws, uint32 ``[8]``: a hash of the seed and the events."""
    digest = hashlib.sha256(seed.to_bytes(8, "little"))
    digest.update(np.ascontiguousarray(sample).view(np.uint8).data)
    return np.frombuffer(digest.digest(), "<u4")


def drop_event(events: EventSet, probability: Share, seed: Seed = 0) -> EventSet:
    """Lose this share of each sample's events, rounded to whole events: tonic's `DropEvent`."""

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        lost = draws.choice(len(sample), int(probability * len(sample) + 0.5), replace=False)
        kept = np.ones(len(sample), np.bool_)
        kept[lost] = False
        return sample[kept]

    return _each(events, change, seed)


def drop_event_by_time(events: EventSet, duration_ratio: Share, seed: Seed = 0) -> EventSet:
    """Lose all events within this share of the time from 0 to the last event: `DropEventByTime`."""

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        end = float(sample["t"].max())
        start = draws.uniform(0.0, end - end * duration_ratio)
        return sample[(sample["t"] < start) | (sample["t"] > start + end * duration_ratio)]

    return _each(events, change, seed)


def drop_event_by_area(
    events: EventSet, area_ratio: Annotated[float, Range(0, 0.999)], seed: Seed = 0
) -> EventSet:
    """Lose all events of a box with this share of the sensor's width and of its height: `DropEventByArea`."""
    width, height = (int(size * area_ratio) for size in events.sensor[:2])

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        left = draws.randint(0, events.sensor[0] - width)
        top = draws.randint(0, events.sensor[1] - height)
        x, y = sample["x"], sample["y"]
        return sample[(x < left) | (x >= left + width) | (y < top) | (y >= top + height)]

    return _each(events, change, seed)


def random_drop_pixel(events: EventSet, probability: Share, seed: Seed = 0) -> EventSet:
    """Lose all events of an address, of each with this probability: tonic's `RandomDropPixel`."""

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        dead = draws.rand(*events.sensor[:2]) < probability
        kept: npt.NDArray[np.bool_] = ~dead[sample["x"], sample["y"]]
        return sample[kept]

    return _each(events, change, seed)


def uniform_noise(
    events: EventSet, n: Annotated[int, Range(0, 10_000_000, whole=True)], seed: Seed = 0
) -> EventSet:
    """Add ``n`` events anywhere on the sensor between a sample's first and last: tonic's `UniformNoise`.

    A sample without events has no such time and gets none.
    """
    ranges = dict(zip("xyp", events.sensor, strict=True))

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        noise = np.zeros(n, EVENT)
        for field in EVENT.names or ():
            low, high = (sample["t"].min(), sample["t"].max()) if field == "t" else (0, ranges[field])
            noise[field] = draws.uniform(low, high, n).astype(EVENT[field])
        return _ordered(np.concatenate([sample, noise]))

    return _each(events, change, seed)


def time_jitter(events: EventSet, std: Seconds, seed: Seed = 0) -> EventSet:
    """Shift each event by a normal time of this deviation; what falls out of time is lost: `TimeJitter`."""

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        t = np.trunc(sample["t"] + draws.normal(0, std * 1e6, len(sample)))
        inside = (t >= 0) & (t <= LAST_US)
        shifted = sample[inside].copy()
        shifted["t"] = t[inside].astype(np.uint32)
        return _ordered(shifted)

    return _each(events, change, seed)


def spatial_jitter(events: EventSet, std_x: Pixels = 1.0, std_y: Pixels = 1.0, seed: Seed = 0) -> EventSet:
    """Shift each event by a normal distance in columns and rows; what leaves the sensor is lost.

    tonic's `SpatialJitter` without correlation (``var_x = std_x**2``), but for its draws: it takes them from
    a factorisation whose signs differ between machines.
    """

    def change(sample: Events, draws: np.random.RandomState) -> Events:
        shifts = draws.normal(0, 1, (len(sample), 2)) * (std_x, std_y)
        x, y = np.trunc(sample["x"] + shifts[:, 0]), np.trunc(sample["y"] + shifts[:, 1])
        inside = (x >= 0) & (x < events.sensor[0]) & (y >= 0) & (y < events.sensor[1])
        shifted = sample[inside].copy()
        shifted["x"], shifted["y"] = x[inside].astype(np.uint16), y[inside].astype(np.uint16)
        return shifted

    return _each(events, change, seed)


def _ordered(sample: Events) -> Events:
    """Sort by time; equal times stay in order, on every machine."""
    return sample[np.argsort(np.ascontiguousarray(sample["t"]), kind="stable")]


def _each(events: EventSet, change: Callable[[Events, np.random.RandomState], Events], seed: int) -> EventSet:
    """Change each sample that has events, with draws of its own."""
    changed = [
        change(sample, np.random.RandomState(chance(seed, sample))) if len(sample) else sample
        for sample in events
    ]
    return replace(events, **joined(changed))
