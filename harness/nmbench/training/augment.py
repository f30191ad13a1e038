"""Augmentation of event lists: a sample's events are moved in time and place, and some are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.training.recipe import Augment

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Columns:
    """Events of a batch, one array a field, all of length ``n``.

    Attributes
    ----------
    sample
        Index of the event's sample in the batch, int64.
    t
        Time in seconds, float32: good to a microsecond within 8 s.
    x, y
        Addresses, float32.
    p
        Polarity, uint8.
    """

    sample: npt.NDArray[np.int64]
    t: Floats
    x: Floats
    y: Floats
    p: npt.NDArray[np.uint8]

    def where(self, kept: npt.NDArray[np.bool_]) -> Columns:
        """Keep some of the events."""
        return Columns(self.sample[kept], self.t[kept], self.x[kept], self.y[kept], self.p[kept])


def moved(
    events: Columns, samples: int, augment: Augment, sensor: tuple[int, int, int], rng: np.random.Generator
) -> Columns:
    """Return a batch's events after random changes, each sample with its own draws.

    Parameters
    ----------
    events
        The batch, ``events.sample`` in ``0..samples - 1``.
    samples
        Samples in the batch.
    augment
        The limits of every change.
    sensor
        Width, height, polarities: place turns and scales around its middle. With one row, only x moves.
    rng
        Source of the draws; the same state gives the same batch.

    Returns
    -------
    Columns
        Fewer events or as many, in no order of time; some may lie outside the sensor or before time zero.
    """
    events = _thinned(events, samples, augment, rng)
    s = events.sample
    t = events.t * _around(1.0, augment.stretch, samples, rng)[s]
    t += _around(0.0, augment.offset_s, samples, rng)[s]
    if augment.jitter_s:
        t += np.float32(augment.jitter_s) * rng.standard_normal(len(t), dtype=np.float32)
    x, y = _placed(events, samples, augment, sensor, rng)
    return Columns(s, t, x, y, events.p)


def _thinned(events: Columns, samples: int, augment: Augment, rng: np.random.Generator) -> Columns:
    """Leave out a random share of the events, one span of time and one band of x of each sample."""
    s = events.sample
    kept = np.ones(len(s), dtype=np.bool_)
    if augment.drop:
        share = rng.uniform(0.0, augment.drop, samples).astype(np.float32)
        kept &= rng.random(len(s), dtype=np.float32) >= share[s]
    for field, widest in ((events.t, augment.mask_s), (events.x, augment.mask_x)):
        if widest and len(field):
            width = rng.uniform(0.0, widest, samples).astype(np.float32)
            start = (rng.uniform(0.0, 1.0, samples) * field.max()).astype(np.float32)
            kept &= (field < start[s]) | (field >= (start + width)[s])
    return events.where(kept)


def _placed(
    events: Columns, samples: int, augment: Augment, sensor: tuple[int, int, int], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Scale, turn and shift the places; what was not on the grid is rounded at random to a near address."""
    s = events.sample
    width, height, _ = sensor
    middle_x, middle_y = np.float32((width - 1) / 2), np.float32((height - 1) / 2)
    scale = _around(1.0, augment.scale, samples, rng)
    shift_x = _around(0.0, augment.shift, samples, rng)
    if not (augment.scale or augment.shift or augment.rotate_deg):
        return events.x, events.y
    if height == 1:
        x = (events.x - middle_x) * scale[s] + (shift_x + middle_x)[s]
        return _on_grid(x, rng), events.y
    shift_y = _around(0.0, augment.shift, samples, rng)
    angle = np.deg2rad(_around(0.0, augment.rotate_deg, samples, rng))
    cos, sin = (scale * np.cos(angle))[s], (scale * np.sin(angle))[s]
    from_x, from_y = events.x - middle_x, events.y - middle_y
    x = cos * from_x - sin * from_y + (shift_x + middle_x)[s]
    y = sin * from_x + cos * from_y + (shift_y + middle_y)[s]
    return _on_grid(x, rng), _on_grid(y, rng)


def _on_grid(place: Floats, rng: np.random.Generator) -> Floats:
    # uniform dither: plain rounding of a scaled grid leaves a moire that no sensor has
    rounded: Floats = np.floor(place + rng.random(len(place), dtype=np.float32))
    return rounded


def _around(middle: float, limit: float, samples: int, rng: np.random.Generator) -> Floats:
    return (middle + limit * rng.uniform(-1.0, 1.0, samples)).astype(np.float32)
