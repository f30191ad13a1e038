"""What a workload does to its events before a network sees them: pure functions, allow-listed by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from inspect import signature

import numpy as np

from nmbench.datasets.events import EventSet
from nmbench.errors import unknown


def pool(events: EventSet, x: int = 1, y: int = 1) -> EventSet:
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


def crop(events: EventSet, start: float = 0.0, duration: float = 1.0) -> EventSet:
    """Keep the events of ``start .. start + duration`` seconds and count time from ``start``."""
    first, last = round(start * 1e6), round((start + duration) * 1e6)
    kept = (events.events["t"] >= first) & (events.events["t"] < last)
    before = np.concatenate([[0], np.cumsum(kept)])
    cropped = events.events[kept]
    cropped["t"] -= first
    return replace(events, events=cropped, offsets=before[events.offsets].astype(np.int64))


TRANSFORMS: Mapping[str, Callable[..., EventSet]] = {
    "pool": pool,
    "merge_polarity": merge_polarity,
    "crop": crop,
}


def faults(name: str, options: Mapping[str, object]) -> list[str]:
    """List what is wrong with a transform as a workload file writes it; empty if it can be applied."""
    if name not in TRANSFORMS:
        return [unknown("transform", name, TRANSFORMS)]
    known = dict(list(signature(TRANSFORMS[name]).parameters.items())[1:])
    found = []
    for option, value in options.items():
        if option not in known:
            found.append(unknown(f"option of transform {name!r}:", option, known))
            continue
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if isinstance(known[option].default, int):
            good, kind = isinstance(number, int) and number >= 1, "a whole number of at least 1"
        else:
            good, kind = number is not None and number >= 0, "a number of at least 0"
        if not good:
            found.append(f"transform {name!r}: {option} must be {kind}, not {value!r}")
    return found


def apply(events: EventSet, steps: Iterable[tuple[str, Mapping[str, object]]]) -> EventSet:
    """Apply the named transforms in order; the names and options were checked with `faults`."""
    for name, options in steps:
        events = TRANSFORMS[name](events, **options)
    return events
