"""Labelled event streams: one structured array for a whole set, with offsets per sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

EVENT = np.dtype([("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
"""One event: time in microseconds from the start of its sample, column, row, polarity (0 = off, 1 = on).

An audio channel is an ``x``, with ``y = 0``. Fields go by name: their order differs from set to set.
"""

Events = npt.NDArray[np.void]

MARK = np.dtype([("sample", "<i8"), ("start_us", "<i8"), ("end_us", "<i8"), ("label", "<i8")])
"""What stands in a long recording, and when: index of the sample, microseconds from its start, class."""

Marks = npt.NDArray[np.void]


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
        Class of each sample, int64 ``[n]``; -1 where there are no classes, or marks in place of a label.
    groups
        Who made the sample (subject, voice, speaker, writer), int64 ``[n]``; -1 where unknown.
    classes
        Names of the classes; ``labels`` index them.
    synthetic
        True where no sensor recorded the events.
    marks
        Of long recordings in which classes come and go: dtype `MARK`, ``[m]``, by sample and start.
    """

    name: str
    sensor: tuple[int, int, int]
    events: Events
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    synthetic: bool
    marks: Marks | None = None

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
            **joined([self[int(i)] for i in chosen]),
            labels=self.labels[chosen],
            groups=self.groups[chosen],
            marks=None if self.marks is None else _marks_at(self.marks, chosen),
        )

    def sample_sha256(self) -> list[str]:
        """Hash each sample: its events' bytes (little-endian `EVENT`), label, group and marks."""
        heads = zip(self.labels.tolist(), self.groups.tolist(), strict=True)
        return [
            sample_digest(
                self[i], *head, None if self.marks is None else self.marks[self.marks["sample"] == i]
            ).hex()
            for i, head in enumerate(heads)
        ]

    def sha256(self) -> str:
        """Hash the set: sensor, classes and every sample's hash, in order."""
        return set_sha256(self.sensor, self.classes, map(bytes.fromhex, self.sample_sha256()))


def sample_digest(events: Events, label: int, group: int, marks: Marks | None = None) -> bytes:
    """Hash one sample: label and group as little-endian int64, its marks, then the bytes of its events."""
    digest = hashlib.sha256(np.array([label, group], "<i8").tobytes())
    for mark in () if marks is None else marks.tolist():
        digest.update(np.array(mark[1:], "<i8").tobytes())
    digest.update(np.ascontiguousarray(events).view(np.uint8).data)
    return digest.digest()


def set_sha256(sensor: tuple[int, int, int], classes: tuple[str, ...], samples: Iterable[bytes]) -> str:
    """Hash a set from its samples' digests, in order: a set need not be held to be named."""
    digest = hashlib.sha256(repr((sensor, classes)).encode())
    for sample in samples:
        digest.update(sample)
    return digest.hexdigest()


def event_set(  # one door for every source, so that the invariants are checked in one place
    name: str,
    sensor: tuple[int, int, int],
    samples: list[Events],
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    synthetic: bool,
    marks: Marks | None = None,
) -> EventSet:
    """Join samples into an `EventSet`; each is sorted by time (stable) and checked against the sensor.

    Raises
    ------
    ValueError
        If an event lies outside the sensor, or the lengths do not agree.
    """
    made = EventSet(
        name=name,
        sensor=sensor,
        **joined([_by_time(s) for s in samples]),
        labels=np.asarray(labels, dtype=np.int64),
        groups=np.asarray(groups, dtype=np.int64),
        classes=classes,
        synthetic=synthetic,
        marks=marks,
    )
    if not len(samples) == len(made.labels) == len(made.groups):
        raise ValueError(
            f"{name}: {len(samples)} samples, {len(made.labels)} labels, {len(made.groups)} groups"
        )
    # a set of a regression has no classes, one of long recordings has marks: -1 for labels
    lowest = 0 if classes and marks is None else -1
    if len(made.labels) and not lowest <= made.labels.min() <= made.labels.max() <= len(classes) - 1:
        raise ValueError(f"{name}: labels outside {lowest}..{len(classes) - 1}")
    for field, size in zip("xyp", sensor, strict=True):
        if len(made.events) and int(made.events[field].max()) >= size:
            raise ValueError(f"{name}: {field} = {made.events[field].max()}, the sensor has {size}")
    return made


def train_and_test(
    source: str,
    sensor: tuple[int, int, int],
    samples: Sequence[Events],
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    *,
    synthetic: bool,
    test: npt.ArrayLike,
) -> dict[str, EventSet]:
    """Share samples out: ``test`` (bool, ``[n]``) says which are for the test; their order is kept.

    Raises
    ------
    ValueError
        As `event_set`.
    """
    of_label, of_group, tested = np.asarray(labels), np.asarray(groups), np.asarray(test, dtype=np.bool_)
    return {
        split: event_set(
            f"{source}/{split}",
            sensor,
            [samples[i] for i in np.flatnonzero(kept).tolist()],
            of_label[kept],
            of_group[kept],
            classes,
            synthetic,
        )
        for split, kept in (("train", ~tested), ("test", tested))
    }


def marks_of(rows: Iterable[tuple[int, int, int, int]]) -> Marks:
    """Return marks of rows (sample, start, end, label), sorted by sample and start."""
    return np.sort(np.array(list(rows), MARK), order=["sample", "start_us", "end_us", "label"])


def _marks_at(marks: Marks, chosen: npt.NDArray[np.int64]) -> Marks:
    """Return the marks of chosen samples, by their places among the chosen."""
    parts = []
    for place, sample in enumerate(chosen.tolist()):
        part = marks[marks["sample"] == sample].copy()
        part["sample"] = place
        parts.append(part)
    return np.concatenate([np.empty(0, MARK), *parts])


def _by_time(sample: Events) -> Events:
    """Sort by time, stable; a sample in order is not copied: sets have hundreds of megabytes."""
    time = sample["t"]
    return sample if (time[:-1] <= time[1:]).all() else sample[np.argsort(time, kind="stable")]


def joined(samples: list[Events]) -> dict[str, Any]:
    """Return the ``events`` and ``offsets`` of samples, one after the other."""
    offsets = np.zeros(len(samples) + 1, dtype=np.int64)
    np.cumsum([len(s) for s in samples], out=offsets[1:])
    events = np.concatenate([np.empty(0, EVENT), *samples]) if samples else np.empty(0, EVENT)
    return {"events": events, "offsets": offsets}
