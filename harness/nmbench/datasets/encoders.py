"""Analog readings to events: what stands between a sampled sensor and a spiking network.

An encoder takes one sample's readings, ``[steps, channels]``, and gives its events: channel ``c`` is column
``x = c`` of one row. `delta` is what the tactile source uses. The figures come out of integers alone, so
every machine gives the same events.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events

Readings = npt.NDArray[np.int32]

LEVEL_MAX = 1 << 24
"""Readings lie within plus or minus this: differences and counts of crossings fit into 32 bits."""

EVENTS_MAX = 1 << 28
"""Most events of one sample: 3 GB."""


def delta(readings: npt.ArrayLike, threshold: int, period_us: int) -> Events:
    """Send on delta: an event whenever a channel has moved by a threshold since its last event.

    A channel starts at its first reading, which is no event. Each later reading that lies ``k`` whole
    thresholds above (below) the channel's level gives ``k`` events of polarity 1 (0) at the reading's time,
    and the level follows by ``k`` thresholds. So `undo_delta` is always less than a threshold away from the
    reading.

    Parameters
    ----------
    readings
        Integers within ``±LEVEL_MAX``, ``[steps, channels]``.
    threshold
        In units of the readings, at least 1.
    period_us
        Between two readings, microseconds; reading ``n`` is taken at ``n * period_us``.

    Returns
    -------
    Events
        Sorted by time, then channel.

    Raises
    ------
    ValueError
        If the readings are no whole numbers, not within range, or their time or number of events is too
        large to be written.

    Notes
    -----
    Miskowicz, "Send-On-Delta Concept: An Event-Based Data Reporting Strategy", Sensors 6 (2006) 49-63, with
    several events where one reading crosses several thresholds.
    """
    levels = _checked(readings, period_us)
    if threshold < 1:
        raise ValueError(f"a threshold of {threshold}, it is at least 1")
    crossed = _crossings(levels, threshold)
    total = int(np.abs(crossed).sum(dtype=np.int64))
    if total > EVENTS_MAX:
        raise ValueError(f"{total} events, more than {EVENTS_MAX}")
    step, channel = np.nonzero(crossed)
    times = np.abs(crossed[step, channel])
    events = np.zeros(total, EVENT)
    events["t"] = np.repeat(step * period_us, times)
    events["x"] = np.repeat(channel, times)
    events["p"] = np.repeat(crossed[step, channel] > 0, times)
    return events


def undo_delta(
    events: Events, first: npt.ArrayLike, steps: int, threshold: int, period_us: int
) -> npt.NDArray[np.int64]:
    """Follow the levels that `delta` followed: the signal as far as its events tell it.

    Parameters
    ----------
    first
        The first reading of each channel, ``[channels]``: events say how a signal moves, not where it is.

    Returns
    -------
    array
        int64 ``[steps, channels]``, less than ``threshold`` away from the readings.
    """
    start = np.asarray(first, dtype=np.int64)
    moves = np.zeros((steps, len(start)), dtype=np.int64)
    signs = np.where(events["p"] > 0, threshold, -threshold)
    np.add.at(moves, (events["t"].astype(np.int64) // period_us, events["x"].astype(np.int64)), signs)
    followed: npt.NDArray[np.int64] = start + np.cumsum(moves, axis=0)
    return followed


def _checked(readings: npt.ArrayLike, period_us: int) -> Readings:
    values = np.asarray(readings)
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise ValueError(
            f"readings of type {values.dtype} {list(values.shape)}, wanted whole [steps, channels]"
        )
    if values.size and not -LEVEL_MAX <= int(values.min()) <= int(values.max()) <= LEVEL_MAX:
        raise ValueError(f"readings within {values.min()}..{values.max()}, wanted ±{LEVEL_MAX}")
    if values.shape[1] > np.iinfo(EVENT["x"]).max + 1:
        raise ValueError(f"{values.shape[1]} channels, an address is 16 bits")
    if period_us < 1 or len(values) * period_us > np.iinfo(EVENT["t"]).max:
        raise ValueError(f"{len(values)} readings every {period_us} us: a time is 1 to {2**32 - 1} us")
    return np.ascontiguousarray(values, dtype=np.int32)


@numba.njit(nogil=True)
def _crossings(readings: Readings, threshold: int) -> Readings:
    """Count the thresholds that each reading crossed, signed, ``[steps, channels]``."""
    steps, channels = readings.shape
    crossed = np.zeros((steps, channels), dtype=np.int32)
    for c in range(channels):
        level = np.int64(readings[0, c]) if steps else 0
        for n in range(1, steps):
            moved = np.int64(readings[n, c]) - level
            whole = moved // threshold if moved >= 0 else -(-moved // threshold)
            crossed[n, c] = whole
            level += whole * threshold
    return crossed
