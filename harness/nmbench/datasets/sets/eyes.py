"""3ET: where the pupil is, from simulated events of a head-mounted camera; a regression, no classes.

A sample is a whole recording (``data/<name>.h5``: rows t in us, x, y, p), to be read in pieces of time; its
targets are the rows of ``labels/<name>.txt``, one every 10 ms from the recording's start: x and y of the
pupil in pixels, and, where a release has it, whether the eye is shut. tonic has ``train`` and ``val`` alone:
``val`` is the test here. Use: `Recordings.read` and `Recordings.targets`, then cut both in windows; a
workload of classes cannot name it. tonic joins paths from the list file without a look at them, and reads
every recording as 64-bit numbers at once.

Source: Chen et al. 2023, arXiv:2308.11771 (events made from LPW's videos by v2e).
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.decode import EVENTS_MAX, Clock, new_seen, sample, take_columns, whole
from nmbench.datasets.sets.files import identity, read_bytes, stated
from nmbench.datasets.sets.hdf5 import Hdf5
from nmbench.datasets.sets.index import unknown_groups
from nmbench.errors import InputError

SENSOR = (240, 180, 2)
CLOCK = Clock(starts_at_zero=False, slack_us=10_000)
LISTS = {"train": "train_files.txt", "test": "val_files.txt"}
TEXT_MAX = 16 << 20
RECORDINGS_MAX = 10_000
BLOCK = 1 << 20
"""Rows that are read at once: a recording is never held as 64-bit numbers."""

_NAME = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)


def read_recording(path: Path) -> Events:
    """Read one recording's events in blocks; raises `InputError` with its name."""
    with contextlib.closing(Hdf5(path)) as file:
        rows = file.get("events")
        if rows.ndim != 2 or rows.shape[1] != 4 or rows.dtype.kind not in "iuf":
            raise file.fault(f"events are {rows.dtype} {rows.shape}, wanted numbers [n, 4]")
        if not 0 < len(rows) <= EVENTS_MAX:
            raise file.fault(f"{len(rows)} events, wanted 1..{EVENTS_MAX}")
        out, seen = np.empty(len(rows), EVENT), new_seen()
        start = None
        for first in range(0, len(rows), BLOCK):
            try:
                block = np.asarray(rows[first : first + BLOCK])
                t, x, y, p = (whole(block[:, k]) for k in range(4))
            except (OSError, RuntimeError, ValueError) as error:
                raise file.fault(f"events {first}..: {error}") from error
            start = int(t[0]) if start is None else start
            take_columns(t, x, y, p, start, out[first : first + len(t)], seen)
    return sample(path, "", out, seen, SENSOR, CLOCK)


def read_targets(path: Path) -> npt.NDArray[np.float64]:
    """Read where the pupil is, float64 ``[k, 2 or 3]``; raises `InputError` with the file's name."""
    try:
        lines = read_bytes(path, TEXT_MAX).tobytes().decode().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(str(path), [f"not UTF-8 text: {error.reason} at byte {error.start}"]) from error
    rows: list[list[float]] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(word) for word in line.split()]
            if len(row) not in (2, 3) or (rows and len(row) != len(rows[0])) or not np.isfinite(row).all():
                raise ValueError(f"{line[:40]!r}, wanted x, y and perhaps shut: finite numbers")
            rows.append(row)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
    if faults or not rows:
        raise InputError(str(path), faults[:50] or ["no targets"])
    return np.array(rows, np.float64)


def open_threeet(folder: Path, split: str, name: str) -> Recordings:
    """Index 3ET: the recordings that the list file of the split names, in its order."""
    listed = folder / LISTS[split]
    found = [stated(listed)]
    lines = read_bytes(listed, TEXT_MAX).tobytes().decode("utf-8", "replace").splitlines()
    names = [line.strip() for line in lines if line.strip()]
    strange = [f"{n[:60]!r} is no name of a recording" for n in names if not _NAME.fullmatch(n)]
    if strange or not 0 < len(names) <= RECORDINGS_MAX:
        raise InputError(str(listed), strange[:50] or [f"{len(names)} names, wanted 1..{RECORDINGS_MAX}"])
    paths = [folder / "data" / f"{n}.h5" for n in names]
    texts = [folder / "labels" / f"{n}.txt" for n in names]
    found += [stated(path) for path in (*paths, *texts)]
    return Recordings(
        name=name,
        sensor=SENSOR,
        classes=(),
        synthetic=True,
        labels=unknown_groups(len(names)),
        groups=unknown_groups(len(names)),
        sizes=np.array([f.size for f in found[1 : len(names) + 1]], np.int64) // 8,
        identity=identity(found, folder),
        read_place=lambda place: read_recording(paths[place]),
        targets_of_place=lambda place: read_targets(texts[place]),
        places=np.arange(len(names), dtype=np.int64),
    )
