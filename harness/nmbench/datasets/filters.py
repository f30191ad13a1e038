"""Which events of an address or its neighbours are kept, by what came before: no chance in it.

Events of equal times follow one another in the order of the set, as they do in tonic. The kernels, and with
them Numba, are loaded where one is used: a list of transforms needs none.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EventSet
from nmbench.datasets.geometry import keep
from nmbench.datasets.options import Count, Range, Seconds

Int = npt.NDArray[np.int64]


def refractory_period(events: EventSet, duration: Seconds) -> EventSet:
    """Drop an event that comes within ``duration`` seconds after the last of its address, dropped or not.

    Both polarities of a place are one address. The first event of an address is kept; tonic's
    `RefractoryPeriod` drops it where its time is 0.
    """
    from nmbench.datasets.filter_kernels import rested

    return keep(events, rested(*_parts(events), round(duration * 1e6)))


def denoise(events: EventSet, filter_time: Seconds) -> EventSet:
    """Drop an event where none of its four neighbours had one less than ``filter_time`` seconds before.

    tonic's `Denoise` does the same from ``filter_time`` on; before, it keeps nearly all.
    """
    from nmbench.datasets.filter_kernels import supported

    return keep(events, supported(*_parts(events), round(filter_time * 1e6)))


def decimation(events: EventSet, n: Count) -> EventSet:
    """Keep each ``n``-th event of an address, of both polarities together: tonic's `Decimation`."""
    from nmbench.datasets.filter_kernels import every

    return keep(events, every(*_parts(events), n))


def drop_hot_pixel(events: EventSet, frequency: Annotated[float, Range(0, 1e6)]) -> EventSet:
    """Drop all events of an address that fires more often than ``frequency``, in hertz.

    The rate is that of a sample from its first to its last event: tonic's `DropPixel`.
    """
    from nmbench.datasets.filter_kernels import cool

    return keep(events, cool(*_parts(events), frequency * 1e-6))


def _parts(events: EventSet) -> tuple[Int, Int, Int, Int, tuple[int, int]]:
    part = events.events
    return (
        part["t"].astype(np.int64),
        part["x"].astype(np.int64),
        part["y"].astype(np.int64),
        events.offsets.astype(np.int64),
        (events.sensor[0], events.sensor[1]),
    )
