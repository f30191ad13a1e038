"""Where and when events are: joined, mirrored, cut out, stretched. No chance and no memory in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EventSet, Marks
from nmbench.datasets.options import LAST_US, Count, Range, Seconds
from nmbench.errors import InputError


def keep(events: EventSet, kept: npt.NDArray[np.bool_]) -> EventSet:
    """Keep the events that ``kept``, bool ``[n_events]``, says; samples may become empty, none is lost."""
    before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return replace(events, events=events.events[kept], offsets=before[events.offsets])


def pool(events: EventSet, x: Count = 1, y: Count = 1) -> EventSet:
    """Join ``x`` columns by ``y`` rows into one address; every event is kept."""
    width, height, polarities = events.sensor
    pooled = events.events.copy()
    pooled["x"] //= x
    pooled["y"] //= y
    return replace(events, events=pooled, sensor=(-(-width // x), -(-height // y), polarities))


def merge_polarity(events: EventSet) -> EventSet:
    """Forget the polarity: on and off events share one address."""
    merged = events.events.copy()
    merged["p"] = 0
    return replace(events, events=merged, sensor=(*events.sensor[:2], 1))


def flip_polarity(events: EventSet) -> EventSet:
    """Exchange on and off; a sensor of one polarity stays as it is."""
    return _mirrored(events, "p", events.sensor[2])


def flip_lr(events: EventSet) -> EventSet:
    """Mirror the columns."""
    return _mirrored(events, "x", events.sensor[0])


def flip_ud(events: EventSet) -> EventSet:
    """Mirror the rows."""
    return _mirrored(events, "y", events.sensor[1])


def _mirrored(events: EventSet, field: str, size: int) -> EventSet:
    flipped = events.events.copy()
    flipped[field] = size - 1 - flipped[field].astype(np.int64)
    return replace(events, events=flipped)


def center_crop(events: EventSet, width: Count, height: Count) -> EventSet:
    """Keep the addresses of the middle, as far as the sensor reaches; a sensor is never made larger."""
    width, height = min(width, events.sensor[0]), min(height, events.sensor[1])
    left, top = (events.sensor[0] - width) // 2, (events.sensor[1] - height) // 2
    x, y = events.events["x"], events.events["y"]
    cropped = keep(events, (x >= left) & (x < left + width) & (y >= top) & (y < top + height))
    cropped.events["x"] -= left
    cropped.events["y"] -= top
    return replace(cropped, sensor=(width, height, events.sensor[2]))


def crop(events: EventSet, start: Seconds = 0.0, duration: Seconds = 1.0) -> EventSet:
    """Keep the events of ``start .. start + duration`` seconds and count time from ``start``.

    A mark that begins or ends outside is cut there; one that lies outside goes.
    """
    first, last = round(start * 1e6), round((start + duration) * 1e6)
    cropped = keep(events, (events.events["t"] >= first) & (events.events["t"] < last))
    cropped.events["t"] -= first
    if events.marks is None:
        return cropped
    marks = events.marks[(events.marks["end_us"] > first) & (events.marks["start_us"] < last)].copy()
    for end in ("start_us", "end_us"):
        marks[end] = np.clip(marks[end], first, last) - first
    return replace(cropped, marks=marks)


def time_skew(
    events: EventSet, coefficient: Annotated[float, Range(0.001, 1000)] = 1.0, offset: Seconds = 0.0
) -> EventSet:
    """Stretch time: ``t`` becomes ``coefficient * t + offset``, rounded down to whole microseconds.

    Raises
    ------
    InputError
        If an event would come later than 32 bits of microseconds can say.
    """
    skewed = events.events.copy()
    late = _skewed(skewed["t"], coefficient, offset)
    if len(late) and late.max() > LAST_US:
        raise InputError(
            events.name, [f"time_skew: an event at {late.max() * 1e-6:.0f} s, the last is 4294 s"]
        )
    skewed["t"] = late.astype(np.uint32)
    marks: Marks | None = None
    if events.marks is not None:
        marks = events.marks.copy()
        for end in ("start_us", "end_us"):
            marks[end] = _skewed(marks[end], coefficient, offset).astype(np.int64)
    return replace(events, events=skewed, marks=marks)


def _skewed(t: npt.NDArray[np.generic], coefficient: float, offset: float) -> npt.NDArray[np.float64]:
    skewed: npt.NDArray[np.float64] = np.floor(t.astype(np.float64) * coefficient + round(offset * 1e6))
    return skewed
