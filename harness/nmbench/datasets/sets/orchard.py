"""N-MNIST and N-Caltech101: 40 bits an event, from Orchard's ATIS on a pan-tilt unit.

tonic reads the same bytes, through eight temporary arrays of 64-bit numbers, and for N-Caltech101 it shifts
every sample to its own first column and row; here the sensor's addresses stay, so that all samples share one.

Source: Orchard et al. 2015, Front. Neurosci. 9, 437.
"""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.decode import EVENTS_MAX, I8, Bytes, Clock, Seen, new_seen, note, sample
from nmbench.datasets.sets.files import files, folders, indexed_labels, read_bytes
from nmbench.datasets.sets.index import listed
from nmbench.datasets.sets.splits import last_of_each_class
from nmbench.datasets.sets.tonic import class_names
from nmbench.errors import InputError

OVERFLOW_ROW = 240
OVERFLOW_US = 1 << 13
CLOCK = Clock(slack_us=10_000)
CALTECH_CLASSES = 101
NMNIST, CALTECH = (34, 34, 2), (240, 180, 2)


@numba.njit(nogil=True, cache=True)
def take_events(raw: Bytes, out: Events, seen: Seen) -> int:
    """Decode column, row, and one bit of polarity before 23 of time; a row of 240 adds 8,192 us."""
    n, added = 0, 0
    for k in range(0, len(raw), 5):
        x, y, high = I8(raw[k]), I8(raw[k + 1]), I8(raw[k + 2])
        if y == OVERFLOW_ROW:
            added += OVERFLOW_US
            continue
        t = ((high & 127) << 16 | I8(raw[k + 3]) << 8 | I8(raw[k + 4])) + added
        p = high >> 7
        note(seen, n, x, y, p, t)
        event = out[n]
        event.t, event.x, event.y, event.p = t, x, y, p
        n += 1
    return n


def read_bin(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one recording (``.bin``); raises `InputError` with its name."""
    raw = read_bytes(path, 5 * EVENTS_MAX, parts=5)
    out, seen = np.empty(len(raw) // 5, EVENT), new_seen()
    return sample(path, "", out[: take_events(raw, out, seen)], seen, sensor, CLOCK)


def open_nmnist(folder: Path, split: str, name: str) -> Recordings:
    """Index N-MNIST: ``Train`` or ``Test``, a folder a digit; the split is the authors'."""
    found = files(folders(folder / split.capitalize()), (".bin",))
    classes = class_names("NMNIST")
    labels = indexed_labels(found, folder, [*map(str, range(len(classes)))], lambda f: f.label)
    return listed(name, folder, found, 5, NMNIST, classes, labels, read_bin)


def open_ncaltech101(folder: Path, split: str, name: str) -> Recordings:
    """Index N-Caltech101; its split is made here: the last fifth of each class is the test."""
    places = folders(folder / "Caltech101")
    classes = tuple(place.name for place in places)
    if len(classes) != CALTECH_CLASSES:
        raise InputError(
            str(folder / "Caltech101"), [f"{len(classes)} class folders, wanted {CALTECH_CLASSES}"]
        )
    found = files(places, (".bin",))
    labels = indexed_labels(found, folder, classes, lambda f: f.label)
    everything = listed(name, folder, found, 5, CALTECH, classes, labels, read_bin)
    return everything.take(last_of_each_class(labels, split, one_in=5))
