"""Events to input spikes: time is cut into steps, addresses become neurons."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events, EventSet
from nmbench.spikes import SpikeBatch

I8: Any = np.int64
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

SPARSE = 8
"""A sample with fewer events than its sensor has addresses, by this factor, is sorted instead of counted."""


def input_shape(sensor: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the input population of a sensor: ``(P, H, W)``, or ``(W,)`` for one row of one polarity."""
    width, height, polarities = sensor
    return (width,) if height == polarities == 1 else (polarities, height, width)


def encode(events: EventSet, dt_s: float, steps: int) -> SpikeBatch:
    """Cut every sample into ``steps`` steps of ``dt_s`` seconds; what comes later is left out.

    An event becomes one spike of neuron ``(p * H + y) * W + x`` in step ``t // dt``. Two events of an
    address in one step are two spikes: nothing is merged or clipped.
    """
    return SpikeBatch(dt_s, steps, input_shape(events.sensor), *compressed_rows(events, dt_s, steps))


def compressed_rows(events: EventSet, dt_s: float, steps: int) -> tuple[Longs, Ints]:
    """Return the offsets and neurons of `encode`; it runs beside others in threads.

    Within a step the order of events says nothing: there the addresses stand sorted, so that equal inputs
    make equal bytes.
    """
    offsets = np.zeros(len(events) * steps + 1, dtype=np.int64)
    dt_us = round(dt_s * 1e6)
    raw, bounds = np.asarray(events.events), np.asarray(events.offsets)
    _count(raw, bounds, dt_us, steps, offsets[1:])
    np.cumsum(offsets, out=offsets)
    index = np.empty(offsets[-1], dtype=np.int32)
    _fill(raw, bounds, dt_us, steps, events.sensor, offsets, index)
    return offsets, index


def duration_covered(events: EventSet, dt_s: float, steps: int) -> float:
    """Return the share of events that fall into the steps, 1.0 if none is left out."""
    if len(events.events) == 0:
        return 1.0
    return float(np.mean(events.events["t"].astype(np.int64) < steps * round(dt_s * 1e6)))


@numba.njit(nogil=True, cache=True)
def _count(events: Events, bounds: Longs, dt_us: int, steps: int, counts: Longs) -> None:
    """Count the events of each (sample, step)."""
    for sample in range(len(bounds) - 1):
        step, first, last = 0, 0, dt_us
        for k in range(bounds[sample], bounds[sample + 1]):
            t = I8(events[k].t)
            if t < first or t >= last:  # events come in order: a division is rarely needed
                step = t // dt_us
                first = step * dt_us
                last = first + dt_us
            if step < steps:
                counts[sample * steps + step] += 1


@numba.njit(nogil=True, cache=True)
def _fill(
    events: Events,
    bounds: Longs,
    dt_us: int,
    steps: int,
    sensor: tuple[int, int, int],
    offsets: Longs,
    index: Ints,
) -> None:
    """Write each sample's neurons, sorted by step and then by address."""
    width, height, polarities = sensor
    size = width * height * polarities
    ends = np.empty(size, np.int64)
    cursors = np.empty(steps, np.int64)
    for sample in range(len(bounds) - 1):
        row = sample * steps
        kept = offsets[row + steps] - offsets[row]
        address, when = np.empty(kept, np.int32), np.empty(kept, np.int32)
        n, step, first, last = 0, 0, 0, dt_us
        for k in range(bounds[sample], bounds[sample + 1]):
            event = events[k]
            t = I8(event.t)
            if t < first or t >= last:
                step = t // dt_us
                first = step * dt_us
                last = first + dt_us
            if step < steps:
                address[n] = (I8(event.p) * height + event.y) * width + event.x
                when[n] = step
                n += 1
        if kept * SPARSE < size:
            keys = when.astype(np.int64) * size + address
            keys.sort()
            for k in range(kept):
                index[offsets[row] + k] = keys[k] % size
        else:
            cursors[:] = offsets[row : row + steps]
            _deal(address, when, ends, cursors, index)


@numba.njit(nogil=True, cache=True)
def _deal(address: Ints, when: Ints, ends: Longs, cursors: Longs, index: Ints) -> None:
    """Place one sample's steps by address, by counting; then deal the addresses to the steps in order."""
    ends[:] = 0
    for a in address:
        ends[a] += 1
    total = 0
    for a in range(len(ends)):  # first where an address begins, after the next loop where it ends
        count = ends[a]
        ends[a] = total
        total += count
    steps_of = np.empty(total, np.int32)
    for k in range(total):
        steps_of[ends[address[k]]] = when[k]
        ends[address[k]] += 1
    first = 0
    for a in range(len(ends)):
        for k in range(first, ends[a]):
            step = steps_of[k]
            index[cursors[step]] = a
            cursors[step] += 1
        first = ends[a]
