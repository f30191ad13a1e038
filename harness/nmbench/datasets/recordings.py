"""Labelled event streams that are read one sample at a time: the lazy side of `EventSet`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events, EventSet, Marks, event_set, sample_digest
from nmbench.datasets.samples import in_order
from nmbench.errors import InputError

FAULTS_TOLD_MAX = 50
"""Reading stops after so many faults: a wrong folder has one in each of 100,000 files."""


@dataclass(frozen=True, eq=False)
class Recordings:
    """Samples of one split that lie on disk.

    Attributes
    ----------
    name
        Source and split, e.g. ``nmnist/test``.
    sensor
        Width, height and polarities, as of an `EventSet`.
    classes
        Names of the classes; none where the set is of a regression.
    synthetic
        True where no sensor recorded the events.
    labels
        Class of each sample, int64 ``[n]``; -1 where there are no classes.
    groups
        Who made the sample, int64 ``[n]``; -1 where unknown.
    sizes
        About how many events a sample has, int64 ``[n]``: for sharing out work, never trusted.
    identity
        Hash of what is known of the files without reading them: paths, sizes and times of change.
    read_place
        Place in the set's index to the events there, sorted by time; safe to call from several threads.
    targets_of_place
        Place to what is to be predicted, float64 ``[k, m]``; None where classes are.
    places
        Place in the index of each sample, int64 ``[n]``.
    """

    name: str
    sensor: tuple[int, int, int]
    classes: tuple[str, ...]
    synthetic: bool
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    identity: str
    read_place: Callable[[int], Events]
    targets_of_place: Callable[[int], npt.NDArray[np.float64]] | None
    places: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.labels)

    @property
    def marks(self) -> Marks | None:
        """Return None: no real set says what is where within a recording, as `EventSet.marks` does."""
        return None

    def __iter__(self) -> Iterator[Events]:
        """Read the samples' events one after the other, the next ones ahead in threads."""
        return in_order(self.read, range(len(self)))

    def read(self, index: int) -> Events:
        """Read one sample's events, sorted by time.

        Raises
        ------
        InputError
            With the file's name and all that is wrong with the sample.
        """
        return self.read_place(int(self.places[index]))

    def targets(self, index: int) -> npt.NDArray[np.float64] | None:
        """Read what is to be predicted of one sample, float64 ``[k, m]``; None where classes are."""
        return None if self.targets_of_place is None else self.targets_of_place(int(self.places[index]))

    def take(self, indices: npt.ArrayLike) -> Recordings:
        """Return the samples at ``indices`` (int, ``[m]``) in that order; nothing is read."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            labels=self.labels[chosen],
            groups=self.groups[chosen],
            sizes=self.sizes[chosen],
            places=self.places[chosen],
            identity=hashlib.sha256(self.identity.encode() + chosen.astype("<i8").tobytes()).hexdigest(),
        )

    def event_set(self, progress: Callable[[int, int], None]) -> EventSet:
        """Read all samples into memory; ``progress`` is called with samples done and all.

        Raises
        ------
        InputError
            With the faults of all files, at most `FAULTS_TOLD_MAX`.
        """
        faults = Faults(self.name)
        samples = []
        for done, (events, error) in enumerate(in_order(self.attempt, range(len(self))), start=1):
            faults.add(error)
            samples.append(events)
            progress(done, len(self))
        faults.raise_any()
        return event_set(
            name=self.name,
            sensor=self.sensor,
            samples=[events for events in samples if events is not None],
            labels=self.labels,
            groups=self.groups,
            classes=self.classes,
            synthetic=self.synthetic,
        )

    def attempt(self, index: int) -> tuple[Events | None, InputError | None]:
        """Read one sample, or say what is wrong with it."""
        try:
            return self.read(index), None
        except InputError as error:
            return None, error

    def digest(self, index: int, events: Events) -> bytes:
        """Hash a sample as `EventSet.sample_sha256` does."""
        return sample_digest(events, int(self.labels[index]), int(self.groups[index]))


class Faults:
    """Collects the faults of many files, and gives up when there are `FAULTS_TOLD_MAX`."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.found: list[str] = []

    def add(self, error: InputError | None) -> None:
        """Add the faults of one file, if any."""
        if error is not None:
            self.found += [f"{error.subject}: {fault}" for fault in error.faults]
        if len(self.found) >= FAULTS_TOLD_MAX:
            told = self.found[:FAULTS_TOLD_MAX]
            raise InputError(self.subject, [*told, "and perhaps more: reading stopped here"])

    def raise_any(self) -> None:
        """Raise `InputError` with what was found, if anything was."""
        if self.found:
            raise InputError(self.subject, self.found)
