"""The real sets by name: where their files lie, how they are split, and how one is opened.

Nothing is ever downloaded here; where files are absent, `DataMissing` says what to fetch and where to put it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.files import Absent
from nmbench.errors import DataMissing, InputError, unknown

Split = Literal["train", "test"]


@dataclass(frozen=True)
class KnownSet:
    """One real set.

    Attributes
    ----------
    title
        Name in print.
    folder
        Its folder in the data folder: tonic's.
    samples
        Split to the number of samples of the complete set; None where its authors state none.
    files
        Where its files lie in the folder, in words.
    split
        Whose split it is.
    opener
        ``module:function`` of this package: folder, split and name to recordings.
    synthetic
        True where no sensor recorded the events.
    """

    title: str
    folder: str
    samples: Mapping[str, int | None]
    files: str
    split: str
    opener: str
    synthetic: bool = False


_OFFICIAL = "the authors' own"

SETS: Mapping[str, KnownSet] = {
    "nmnist": KnownSet(
        "N-MNIST",
        "NMNIST",
        {"train": 60_000, "test": 10_000},
        "Train/0..9/*.bin, Test/0..9/*.bin",
        _OFFICIAL,
        "orchard:open_nmnist",
    ),
    "dvsgesture": KnownSet(
        "DVS128 Gesture",
        "DVSGesture",
        {"train": 1_077, "test": 264},
        "ibmGestureTrain/user*_*/0..10.npy, ibmGestureTest/user*_*/0..10.npy",
        _OFFICIAL,
        "npy:open_dvsgesture",
    ),
    "shd": KnownSet(
        "Spiking Heidelberg Digits",
        "SHD",
        {"train": 8_156, "test": 2_264},
        "shd_train.h5, shd_test.h5",
        _OFFICIAL,
        "cochleas:open_shd",
    ),
    "ssc": KnownSet(
        "Spiking Speech Commands",
        "SSC",
        {"train": 75_466, "valid": 9_981, "test": 20_382},
        "ssc_train.h5, ssc_valid.h5, ssc_test.h5",
        _OFFICIAL,
        "cochleas:open_ssc",
    ),
    "cifar10dvs": KnownSet(
        "CIFAR10-DVS",
        "CIFAR10DVS",
        {"train": 9_000, "test": 1_000},
        "airplane..truck/*.aedat4 (tonic's mirror) or *.aedat (the authors')",
        "ours, as most of the literature: the last tenth of each class, by the files' numbers",
        "aedat4:open_cifar10dvs",
    ),
    "ncaltech101": KnownSet(
        "N-Caltech101",
        "NCALTECH101",
        # 101 classes of 31 to 800 files: their last fifths, rounded down, are 1,700 of 8,709
        {"train": None, "test": None},
        "Caltech101/*/*.bin (101 folders)",
        "ours: the last fifth of each class, by the files' numbers",
        "orchard:open_ncaltech101",
    ),
    "asldvs": KnownSet(
        "ASL-DVS",
        "ASLDVS",
        {"train": 80_640, "test": 20_160},
        "a..y/*.mat (24 letters)",
        "ours: the last fifth of each letter, by the files' numbers; the files do not say whose hand it is",
        "mat:open_asldvs",
    ),
    "dvslip": KnownSet(
        "DVS-Lip",
        "DVSLip",
        {"train": 14_896, "test": 4_975},
        "DVS-Lip/train/<word>/*.npy, DVS-Lip/test/<word>/*.npy",
        _OFFICIAL,
        "npy:open_dvslip",
    ),
    "ntidigits18": KnownSet(
        "N-TIDIGITS18, single digits",
        "NTIDIGITS18",
        {"train": 2_463, "test": 2_486},
        "n-tidigits.hdf5",
        _OFFICIAL,
        "cochleas:open_tidigits",
    ),
    "threeet": KnownSet(
        "3ET eye tracking",
        "ThreeET_Eyetracking",
        {"train": None, "test": None},
        "train_files.txt, val_files.txt, data/*.h5, labels/*.txt",
        "the authors' own; their validation set is the test here, they publish no other",
        "eyes:open_threeet",
        synthetic=True,
    ),
    "smnist": KnownSet(
        "Spiking sequential MNIST",
        "smnist",
        {"train": 60_000, "test": 10_000},
        "train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], the same with t10k-",
        "MNIST's own",
        "smnist:open_smnist",
        synthetic=True,
    ),
}


def open_set(name: str, root: Path, split: str) -> Recordings:
    """Index one split of a set; its samples are read when they are asked for.

    Parameters
    ----------
    name
        Key of `SETS`.
    root
        The data folder; the set lies in its own folder in it, e.g. ``root/SHD``.
    split
        ``train`` or ``test``; SSC also has ``valid``.

    Raises
    ------
    DataMissing
        If the files are not there; the message says what to fetch and where to put it.
    InputError
        If the name or split is unknown, or the index of the set is broken.
    """
    faults = [] if name in SETS else [unknown("set", name, SETS)]
    splits = SETS[name].samples if name in SETS else ("train", "test")
    faults += [] if split in splits else [unknown("split", split, splits)]
    if faults:
        raise InputError("real sets", faults)
    known = SETS[name]
    module, function = known.opener.split(":")
    opener: Callable[[Path, str, str], Recordings] = getattr(
        importlib.import_module(f"nmbench.datasets.sets.{module}"), function
    )
    try:
        return opener(root / known.folder, split, f"{name}/{split}")
    except Absent as absent:
        raise missing(name, root, str(absent)) from absent


def incomplete(name: str, split: str, recordings: Recordings) -> str | None:
    """Say that a set has not the number of samples of the published one; None where it has."""
    whole = SETS[name].samples[split]
    if whole is None or len(recordings) == whole:
        return None
    return (
        f"{SETS[name].title} ({split}) has {len(recordings)} samples here, the published set {whole}: "
        "results on it are not comparable"
    )


def missing(name: str, root: Path, first: str) -> DataMissing:
    """Return the error that asks for a set; ``first`` is the file or folder that was looked for in vain."""
    from nmbench.datasets import holdings

    return DataMissing(f"{holdings.missing(name, root)}\n  looked for in vain: {first}")
