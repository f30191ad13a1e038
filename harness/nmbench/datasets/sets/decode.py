"""Raw bytes and columns to events, and what a loader checks of each sample before anybody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events
from nmbench.errors import InputError

EVENTS_MAX = 1 << 25
"""Most events of one sample; the longest real ones (3ET, DVS128 Gesture) have a few million."""

Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[Any]
Seen = npt.NDArray[np.int64]
"""What a kernel notes while it decodes: lowest and highest x, y, p and t before they are cut to `EVENT`'s
fields (0..7), by how much time ran back at worst and at which event (8, 9), and how many values were no whole
numbers (10)."""

I8: Any = np.int64
"""The numbers that kernels reckon in; a type checker takes them for any number."""


@dataclass(frozen=True)
class Clock:
    """How a set's times are to be read.

    Attributes
    ----------
    starts_at_zero
        False where a sample's clock runs on from the whole recording's: its first event becomes ``t = 0``.
    slack_us
        By how much an event may come too late and is sorted in; more is a fault. None: the format
        promises no order.
    """

    starts_at_zero: bool = True
    slack_us: int | None = 0


def new_seen() -> Seen:
    """Return a note of nothing seen."""
    low, high = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    return np.array([low, high, low, high, low, high, low, high, 0, 0, 0], np.int64)


@numba.njit(nogil=True, inline="always")
def note(seen: Seen, k: int, x: int, y: int, p: int, t: int) -> None:
    """Note what event ``k`` says."""
    seen[0], seen[1] = min(seen[0], x), max(seen[1], x)
    seen[2], seen[3] = min(seen[2], y), max(seen[3], y)
    seen[4], seen[5] = min(seen[4], p), max(seen[5], p)
    seen[6] = min(seen[6], t)
    if t >= seen[7]:
        seen[7] = t
    elif seen[7] - t > seen[8]:
        seen[8], seen[9] = seen[7] - t, k


@numba.njit(nogil=True, cache=True)
def take_columns(t: Column, x: Column, y: Column, p: Column, start: int, out: Events, seen: Seen) -> None:
    """Take whole numbers (any integer types) into events; time counts from ``start``."""
    for k in range(len(t)):
        at, column, row, polarity = I8(t[k]) - start, I8(x[k]), I8(y[k]), I8(p[k])
        note(seen, k, column, row, polarity, at)
        event = out[k]
        event.t, event.x, event.y, event.p = at, column, row, polarity


def sample(
    file: Path, where: str, out: Events, seen: Seen, sensor: tuple[int, int, int], clock: Clock
) -> Events:
    """Check what a kernel decoded, and return it sorted by time.

    Parameters
    ----------
    where
        Place inside the file, empty where the file is the sample.

    Raises
    ------
    InputError
        With all that is wrong: outside the sensor, before the start, out of order, not whole.
    """
    faults = [*_outside(seen, sensor), *_out_of_time(seen, clock)] if len(out) else []
    if faults:
        raise InputError(str(file), [f"{where}{': ' if where else ''}{fault}" for fault in faults])
    return out[np.argsort(out["t"], kind="stable")] if seen[8] else out


def _outside(seen: Seen, sensor: tuple[int, int, int]) -> list[str]:
    ranges = zip("xyp", sensor, seen[0:6:2].tolist(), seen[1:6:2].tolist(), strict=True)
    found = [
        f"{field} in {low}..{high}, the sensor has 0..{size - 1}"
        for field, size, low, high in ranges
        if low <= high and (low < 0 or high >= size)
    ]
    return found + ([f"{seen[10]} values that are no whole numbers"] if seen[10] else [])


def _out_of_time(seen: Seen, clock: Clock) -> list[str]:
    low, high, back, at = (int(v) for v in seen[6:10])
    found = []
    if low <= high and (low < 0 or high >= 1 << 32):
        found.append(f"t in {low}..{high} us, wanted 0..{(1 << 32) - 1}")
    if clock.slack_us is not None and back > clock.slack_us:
        found.append(f"time runs back by {back} us at event {at}, more than {clock.slack_us}")
    return found


def whole(values: Column, scale: float = 1.0) -> npt.NDArray[Any]:
    """Return a column as whole numbers: integers as they are, others times ``scale``, cut off as tonic does.

    Raises
    ------
    ValueError
        If it is not one column of real numbers, or a value is not finite.
    """
    column = np.squeeze(values) if values.ndim == 2 and 1 in values.shape else values
    if column.ndim != 1:
        raise ValueError(f"shape {values.shape}, wanted one column")
    kind = column.dtype.kind
    if kind not in "biuf":
        raise ValueError(f"type {column.dtype}, wanted numbers")
    if kind == "f" or scale != 1.0:
        scaled = column.astype(np.float64) * scale
        if len(scaled) and not np.abs(scaled).max() < 2.0**62:  # false for a NaN too
            raise ValueError("values that are not finite")
        return scaled.astype(np.int64)
    if column.dtype == np.uint64 and len(column) and column.max() >= 1 << 62:
        raise ValueError(f"the value {column.max()}")
    return column.astype(np.int64) if column.dtype.byteorder == ">" else column


def from_columns(
    file: Path, where: str, columns: dict[str, Column], sensor: tuple[int, int, int], clock: Clock
) -> Events:
    """Make events of columns ``t`` (us), ``x`` and, where the set has them, ``y`` and ``p``."""
    place = f"{where}: " if where else ""
    lengths = {len(c) for c in columns.values()}
    if len(lengths) > 1:
        told = ", ".join(f"{len(c)} {name}" for name, c in columns.items())
        raise InputError(str(file), [f"{place}columns of unequal lengths: {told}"])
    (n,) = lengths
    if n > EVENTS_MAX:
        raise InputError(str(file), [f"{place}{n} events, more than {EVENTS_MAX}"])
    none = np.zeros(n, np.uint8)
    t = columns["t"]
    start = 0 if clock.starts_at_zero or n == 0 else int(t.min())
    out, seen = np.empty(n, EVENT), new_seen()
    take_columns(t, columns["x"], columns.get("y", none), columns.get("p", none), start, out, seen)
    return sample(file, where, out, seen, sensor, clock)
