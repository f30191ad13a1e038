"""Sets of spoken words through a cochlea, in HDF5: SHD, SSC and N-TIDIGITS18.

One polarity: ``p = 0`` here, while tonic fills in 1. The formats promise no order of the spikes: they are
sorted.

SHD and SSC: seconds as float16 or float32, cut to whole microseconds as tonic does. tonic opens the file
again for every sample.

N-TIDIGITS18: only the single digits are a classification; the other three quarters are strings of up to seven
digits, without a class. Classes are tonic's: ``o, 1 .. 9, z`` at 0..10 (its docstring says 11 for ``z``).
tonic's index reads the labels once for each of them: quadratic, minutes.

Sources: Cramer et al. 2022 (IEEE TNNLS 33, 2744), Anumula et al. 2018 (Front. Neurosci. 12, 23).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.decode import Clock, from_columns, whole
from nmbench.datasets.sets.files import File, identity, stated
from nmbench.datasets.sets.hdf5 import Hdf5, ragged
from nmbench.datasets.sets.index import unknown_groups
from nmbench.errors import InputError

HEIDELBERG, TIDIGITS = (700, 1, 1), (64, 1, 1)
CLOCK = Clock(slack_us=None)
BYTES_A_SPIKE = 4
SAID = ("o", *map(str, range(1, 10)), "z")


def open_shd(folder: Path, split: str, name: str) -> Recordings:
    """Index the Spiking Heidelberg Digits; the test has two speakers that the training set has not."""
    return open_heidelberg(folder / f"shd_{split}.h5", folder, name)


def open_ssc(folder: Path, split: str, name: str) -> Recordings:
    """Index the Spiking Speech Commands."""
    return open_heidelberg(folder / f"ssc_{split}.h5", folder, name)


def open_heidelberg(path: Path, folder: Path, name: str) -> Recordings:
    """Index SHD or SSC; a group is a speaker."""
    known, file = stated(path), Hdf5(path)
    times, units = ragged(file, "spikes/times", "f"), ragged(file, "spikes/units", "iu")
    labels = file.read("labels", "iu").astype(np.int64)
    speakers = file.read("extra/speaker", "iu").astype(np.int64)
    classes = tuple(file.texts("extra/keys"))
    lengths = {len(times), len(units), len(labels), len(speakers)}
    if len(lengths) > 1:
        raise file.fault(f"times, units, labels and speakers have different lengths: {sorted(lengths)}")
    strange = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(strange):
        told = [f"sample {k}: class {labels[k]}, known are 0..{len(classes) - 1}" for k in strange[:50]]
        raise InputError(str(path), told)

    def read(index: int) -> Events:
        where = f"sample {index}"
        try:
            columns = {"t": whole(file.element(times, index), 1e6), "x": whole(file.element(units, index))}
        except ValueError as error:
            raise file.fault(f"{where}: {error}") from error
        return from_columns(path, where, columns, HEIDELBERG, CLOCK)

    return _of_one_file(name, known, folder, HEIDELBERG, classes, labels, speakers, read)


def open_tidigits(folder: Path, split: str, name: str) -> Recordings:
    """Index the single digits of N-TIDIGITS18; a group is a speaker, numbered by name."""
    path = folder / "n-tidigits.hdf5"
    known, file = stated(path), Hdf5(path)
    everything = file.texts(f"{split}_labels")
    chosen = [key for key in everything if key.rpartition("-")[2] in SAID]
    if not chosen:
        raise file.fault(f"{split}_labels names no single digit")
    labels = np.array([SAID.index(key.rpartition("-")[2]) for key in chosen], np.int64)
    said_by = [key.rpartition("-")[0] for key in chosen]
    places = {speaker: k for k, speaker in enumerate(sorted({_speaker(s) for s in said_by}))}
    groups = np.array([places[_speaker(s)] for s in said_by], np.int64)
    if odd := [key for key in chosen if "/" in key or key.startswith(".")]:
        raise file.fault(f"names that are no names of samples: {odd[:5]}")

    def read(index: int) -> Events:
        key = chosen[index]
        try:
            columns = {
                "t": whole(file.read(f"{split}_timestamps/{key}", "f"), 1e6),
                "x": whole(file.read(f"{split}_addresses/{key}", "iuf")),
            }
        except ValueError as error:
            raise file.fault(f"{key}: {error}") from error
        return from_columns(path, key, columns, TIDIGITS, CLOCK)

    return _of_one_file(name, known, folder, TIDIGITS, SAID, labels, groups, read)


def _speaker(key: str) -> str:
    """Return who speaks: the key's first two parts, e.g. ``man-ae`` (who) of ``man-ae-1a``."""
    return "-".join(key.split("-")[:2])


def _of_one_file(
    name: str,
    known: File,
    folder: Path,
    sensor: tuple[int, int, int],
    classes: tuple[str, ...],
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64] | None,
    read: Callable[[int], Events],
) -> Recordings:
    n = len(labels)
    return Recordings(
        name=name,
        sensor=sensor,
        classes=classes,
        synthetic=False,
        labels=labels,
        groups=unknown_groups(n) if groups is None else groups,
        sizes=np.full(n, known.size // (BYTES_A_SPIKE * max(n, 1)), np.int64),
        identity=identity([known], folder),
        read_place=read,
        targets_of_place=None,
        places=np.arange(n, dtype=np.int64),
    )
