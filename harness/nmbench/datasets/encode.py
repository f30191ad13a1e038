"""Events to input spikes: time is cut into steps, addresses become neurons."""

from __future__ import annotations

import numpy as np

from nmbench.datasets.events import EventSet
from nmbench.spikes import SpikeBatch


def input_shape(sensor: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the input population of a sensor: ``(P, H, W)``, or ``(W,)`` for one row of one polarity."""
    width, height, polarities = sensor
    return (width,) if height == polarities == 1 else (polarities, height, width)


def encode(events: EventSet, dt_s: float, steps: int) -> SpikeBatch:
    """Cut every sample into ``steps`` steps of ``dt_s`` seconds; what comes later is left out.

    An event becomes one spike of neuron ``(p * H + y) * W + x`` in step ``t // dt``. Two events of an
    address in one step are two spikes: nothing is merged or clipped.
    """
    width, height, _ = events.sensor
    dt_us = round(dt_s * 1e6)
    step = events.events["t"].astype(np.int64) // dt_us
    sample = np.repeat(np.arange(len(events)), np.diff(events.offsets))
    kept = step < steps
    row = sample[kept] * steps + step[kept]
    part = events.events[kept]
    address = (part["p"].astype(np.int32) * height + part["y"]) * width + part["x"]
    offsets = np.zeros(len(events) * steps + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=len(events) * steps), out=offsets[1:])
    # within a step the order of events says nothing: sorted addresses make equal inputs equal bytes
    order = np.lexsort((address, row))
    return SpikeBatch(dt_s, steps, input_shape(events.sensor), offsets, address[order].astype(np.int32))


def duration_covered(events: EventSet, dt_s: float, steps: int) -> float:
    """Return the share of events that fall into the steps, 1.0 if none is left out."""
    if len(events.events) == 0:
        return 1.0
    return float(np.mean(events.events["t"].astype(np.int64) < steps * round(dt_s * 1e6)))
