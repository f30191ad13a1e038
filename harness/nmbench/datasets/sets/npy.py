"""DVS128 Gesture (tonic's cut recordings) and DVS-Lip: one ``.npy`` a sample.

DVS128 Gesture: floats ``[n, 4]``, columns x, y, p and t in **milliseconds** on the clock of the whole
recording. tonic walks the folders in the file system's order; here they stand in natural order of the paths.

DVS-Lip: structured arrays with fields x, y, p, t (us), in whatever order and types. tonic ends the whole
program where the set is absent, takes any file in the class folders in the file system's order, and copies
field by field; here the fields are read where they lie.

Sources: Amir et al. 2017 (CVPR, 7243), Tan et al. 2022 (CVPR, 20094).
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.decode import (
    EVENTS_MAX,
    I8,
    Clock,
    Seen,
    from_columns,
    new_seen,
    note,
    sample,
    whole,
)
from nmbench.datasets.sets.files import File, files, folders, indexed_labels, read_bytes
from nmbench.datasets.sets.index import listed
from nmbench.datasets.sets.tonic import class_names
from nmbench.errors import InputError

SENSOR = (128, 128, 2)
CLOCK = Clock(starts_at_zero=False, slack_us=10_000)
HEADER_MAX = 4096
FIELDS = ("t", "x", "y", "p")
_USER = re.compile(r"user(\d{1,4})_\w+")


def read_array(path: Path, item_bytes_max: int) -> npt.NDArray[Any]:
    """Read one ``.npy`` without pickle and with limits; the array is a view of the file's bytes."""
    raw = read_bytes(path, item_bytes_max * EVENTS_MAX + HEADER_MAX)
    try:
        head = io.BytesIO(raw[:HEADER_MAX].tobytes())
        version = np.lib.format.read_magic(head)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(head, max_header_size=HEADER_MAX)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(head, max_header_size=HEADER_MAX)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise InputError(str(path), [f"not a .npy file: {error}"]) from error
    if dtype.hasobject:
        raise InputError(str(path), ["holds Python objects: these are never read"])
    content = raw[head.tell() :]
    count = 1
    for length in shape:
        count *= int(length)
    if count * dtype.itemsize != len(content) or count == 0:
        wanted = count * dtype.itemsize
        raise InputError(str(path), [f"{len(content)} bytes after its header, which promises {wanted}"])
    return content.view(dtype).reshape(shape, order="F" if fortran else "C")


@numba.njit(nogil=True, cache=True)
def take_rows(rows: npt.NDArray[np.float64], start: float, out: Events, seen: Seen) -> None:
    """Take rows x, y, p, t (ms) into events; what is no whole number is counted, and NaN is none."""
    for k in range(len(rows)):
        x, y, p, t_us = rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3] * 1000.0
        good = abs(x) < 1e9 and abs(y) < 1e9 and abs(p) < 1e9 and abs(t_us) < 1e18
        good = good and x == np.floor(x) and y == np.floor(y) and p == np.floor(p)
        if not good:
            seen[10] += 1
            continue
        column, row, polarity = I8(x), I8(y), I8(p)
        at = I8(t_us) - I8(start)
        note(seen, k, column, row, polarity, at)
        event = out[k]
        event.t, event.x, event.y, event.p = at, column, row, polarity


def read_gesture(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one gesture; time starts with its first event."""
    rows = read_array(path, 32)
    if rows.ndim != 2 or rows.shape[1] != 4 or rows.dtype.kind not in "iuf":
        raise InputError(str(path), [f"{rows.dtype} {rows.shape}, wanted numbers [n, 4]"])
    rows = rows.astype(np.float64, copy=False)
    start = float(rows[:, 3].min() * 1000.0)
    out, seen = np.empty(len(rows), EVENT), new_seen()
    take_rows(rows, start if abs(start) < 1e18 else 0.0, out, seen)
    return sample(path, "", out, seen, sensor, CLOCK)


def read_lips(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one word; time starts with its first event."""
    array = read_array(path, 64)
    names = array.dtype.names or ()
    if array.ndim != 1 or not set(FIELDS) <= set(names):
        raise InputError(str(path), [f"{array.dtype} {array.shape}, wanted fields t, x, y, p [n]"])
    try:
        columns = {name: whole(array[name]) for name in FIELDS}
    except ValueError as error:
        raise InputError(str(path), [str(error)]) from error
    return from_columns(path, "", columns, sensor, CLOCK)


def open_dvsgesture(folder: Path, split: str, name: str) -> Recordings:
    """Index DVS128 Gesture: a folder a subject and light, a file a gesture; a group is a subject."""
    base = folder / f"ibmGesture{split.capitalize()}"
    found = files(folders(base), (".npy",))
    classes = class_names("DVSGesture")
    labels = indexed_labels(found, folder, [*map(str, range(len(classes)))], lambda f: f.path.stem)
    groups = np.array([_user(file) for file in found], np.int64)
    return listed(name, folder, found, 32, SENSOR, classes, labels, read_gesture, groups)


def open_dvslip(folder: Path, split: str, name: str) -> Recordings:
    """Index DVS-Lip: a folder a word. The authors' test speakers are not in the training set."""
    found = files(folders(folder / "DVS-Lip" / split), (".npy",))
    classes = class_names("DVSLip")
    labels = indexed_labels(found, folder, classes, lambda f: f.label)
    return listed(name, folder, found, 13, SENSOR, classes, labels, read_lips)


def _user(file: File) -> int:
    match = _USER.fullmatch(file.label)
    if match is None:
        raise InputError(str(file.path.parent), ["not a subject's folder: user<number>_<light>"])
    return int(match[1])
