"""What a workload does to its events before a network sees them: pure functions, allow-listed by name.

The names and what they do are tonic's where tonic has them (a test compares); none needs tonic. Every
transform treats each sample by itself, so a set may be worked on in parts. Times are seconds here, and whole
microseconds in the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from typing import get_type_hints

from nmbench.datasets.disturbances import (
    drop_event,
    drop_event_by_area,
    drop_event_by_time,
    random_drop_pixel,
    spatial_jitter,
    time_jitter,
    uniform_noise,
)
from nmbench.datasets.events import EventSet
from nmbench.datasets.filters import decimation, denoise, drop_hot_pixel, refractory_period
from nmbench.datasets.geometry import (
    center_crop,
    crop,
    flip_lr,
    flip_polarity,
    flip_ud,
    merge_polarity,
    pool,
    time_skew,
)
from nmbench.datasets.options import Range
from nmbench.errors import unknown

TRANSFORMS: Mapping[str, Callable[..., EventSet]] = {
    f.__name__: f
    for f in (
        *(pool, merge_polarity, crop, center_crop, time_skew, flip_lr, flip_ud, flip_polarity),
        *(denoise, refractory_period, decimation, drop_hot_pixel),
        *(drop_event, drop_event_by_time, drop_event_by_area, random_drop_pixel),
        *(uniform_noise, time_jitter, spatial_jitter),
    )
}


def faults(name: str, options: Mapping[str, object]) -> list[str]:
    """List what is wrong with a transform as a workload file writes it; empty if it can be applied."""
    if name not in TRANSFORMS:
        return [unknown("transform", name, TRANSFORMS)]
    known = dict(list(signature(TRANSFORMS[name]).parameters.items())[1:])
    hints = get_type_hints(TRANSFORMS[name], include_extras=True)
    found = [
        f"transform {name!r}: {option} is missing"
        for option, parameter in known.items()
        if parameter.default is Parameter.empty and option not in options
    ]
    for option, value in options.items():
        if option not in known:
            found.append(unknown(f"option of transform {name!r}:", option, known))
            continue
        allowed = next(m for m in hints[option].__metadata__ if isinstance(m, Range))
        if not allowed.holds(value):
            found.append(f"transform {name!r}: {option} must be {allowed}, not {value!r}")
    return found


def apply(events: EventSet, steps: Iterable[tuple[str, Mapping[str, object]]]) -> EventSet:
    """Apply the named transforms in order; the names and options were checked with `faults`."""
    for name, options in steps:
        events = TRANSFORMS[name](events, **options)
    return events
