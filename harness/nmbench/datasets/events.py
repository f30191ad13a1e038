"""Labelled event streams: one structured array for a whole set, with offsets per sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

EVENT = np.dtype([("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
"""One event: time in microseconds from the start of its sample, column, row, polarity (0 = off, 1 = on).

An audio channel is an ``x``, with ``y = 0``. Fields go by name: their order differs from set to set.
"""

Events = npt.NDArray[np.void]


@dataclass(frozen=True, eq=False)
class EventSet:
    """Samples of one split, events sorted by time within a sample.

    Attributes
    ----------
    name
        Source and split, e.g. ``digits_saccade/test``.
    sensor
        Width, height and polarities: ``0 <= x < sensor[0]`` and so on.
    events
        Structured array of dtype `EVENT`, all samples one after the other, ``[n_events]``.
    offsets
        Sample ``i`` is ``events[offsets[i]:offsets[i + 1]]``, int64 ``[n + 1]``.
    labels
        Class of each sample, int64 ``[n]``.
    groups
        Who made the sample (subject, voice, speaker, writer), int64 ``[n]``; -1 where unknown.
    classes
        Names of the classes; ``labels`` index them.
    synthetic
        True where no sensor recorded the events.
    """

    name: str
    sensor: tuple[int, int, int]
    events: Events
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    synthetic: bool

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.labels)

    def __getitem__(self, index: int) -> Events:
        """Return the events of one sample, a view."""
        return self.events[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[Events]:
        """Walk over the samples' events."""
        return (self[i] for i in range(len(self)))

    def take(self, indices: npt.ArrayLike) -> EventSet:
        """Return the samples at ``indices`` (int, ``[m]``) in that order, copied."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            **_pack([self[int(i)] for i in chosen]),
            labels=self.labels[chosen],
            groups=self.groups[chosen],
        )

    def sample_sha256(self) -> list[str]:
        """Hash each sample: its events' bytes (little-endian `EVENT`), label and group."""
        heads = np.stack([self.labels, self.groups], axis=1).astype("<i8")
        return [
            hashlib.sha256(heads[i].tobytes() + np.ascontiguousarray(self[i]).tobytes()).hexdigest()
            for i in range(len(self))
        ]

    def sha256(self) -> str:
        """Hash the set: sensor, classes and every sample's hash, in order."""
        digest = hashlib.sha256(repr((self.sensor, self.classes)).encode())
        for sample in self.sample_sha256():
            digest.update(bytes.fromhex(sample))
        return digest.hexdigest()


def event_set(  # one door for every source, so that the invariants are checked in one place
    name: str,
    sensor: tuple[int, int, int],
    samples: list[Events],
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    synthetic: bool,
) -> EventSet:
    """Join samples into an `EventSet`; each is sorted by time (stable) and checked against the sensor.

    Raises
    ------
    ValueError
        If an event lies outside the sensor, or the lengths do not agree.
    """
    joined = EventSet(
        name=name,
        sensor=sensor,
        **_pack([_by_time(s) for s in samples]),
        labels=np.asarray(labels, dtype=np.int64),
        groups=np.asarray(groups, dtype=np.int64),
        classes=classes,
        synthetic=synthetic,
    )
    if not len(samples) == len(joined.labels) == len(joined.groups):
        raise ValueError(
            f"{name}: {len(samples)} samples, {len(joined.labels)} labels, {len(joined.groups)} groups"
        )
    if len(joined.labels) and not (joined.labels.min() >= 0 and joined.labels.max() < len(classes)):
        raise ValueError(f"{name}: labels outside 0..{len(classes) - 1}")
    for field, size in zip("xyp", sensor, strict=True):
        if len(joined.events) and int(joined.events[field].max()) >= size:
            raise ValueError(f"{name}: {field} = {joined.events[field].max()}, the sensor has {size}")
    return joined


def _by_time(sample: Events) -> Events:
    """Sort by time, stable; a sample in order is not copied: sets have hundreds of megabytes."""
    time = sample["t"]
    return sample if (time[:-1] <= time[1:]).all() else sample[np.argsort(time, kind="stable")]


def _pack(samples: list[Events]) -> dict[str, Any]:
    offsets = np.zeros(len(samples) + 1, dtype=np.int64)
    np.cumsum([len(s) for s in samples], out=offsets[1:])
    events = np.concatenate([np.empty(0, EVENT), *samples]) if samples else np.empty(0, EVENT)
    return {"events": events, "offsets": offsets}
