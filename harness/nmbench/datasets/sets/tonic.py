"""Real event sets through tonic, from where they lie on disk: N-MNIST, DVS128 Gesture, SHD.

The only file that imports tonic (GPL-3.0-only), and only inside functions. Nothing is ever downloaded: where
tonic would, `DataMissing` says what to fetch and where to put it.

Sources: Orchard et al. 2015 (Front. Neurosci. 9, 437), Amir et al. 2017 (CVPR, 7243), Cramer et al. 2022
(IEEE TNNLS 33, 2744).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events, EventSet, event_set
from nmbench.errors import DataMissing, InputError, unknown

Split = Literal["train", "test"]

FAULTS_TOLD_MAX = 50


@dataclass(frozen=True)
class TonicSet:
    """How one of tonic's sets is found and read.

    Attributes
    ----------
    title
        Name in print.
    dataset
        Class in ``tonic.datasets``; also the folder under the data folder.
    sensor
        Width, height, polarities of our events. An audio set has one polarity: ``p = 0`` here, while tonic
        fills in 1.
    unpacked
        Split to where the archive's files lie inside the set's folder.
    starts_at_zero
        False where a sample's clock runs on from the whole recording's: its first event becomes ``t = 0``.
    url
        Split to address, where tonic's class has none as an attribute.
    """

    title: str
    dataset: str
    sensor: tuple[int, int, int]
    unpacked: Mapping[str, str]
    starts_at_zero: bool = True
    url: Mapping[str, str] | None = None


SETS: Mapping[str, TonicSet] = {
    "nmnist": TonicSet(
        "N-MNIST",
        "NMNIST",
        (34, 34, 2),
        {"train": "Train/0..9/*.bin (at least 10,000)", "test": "Test/0..9/*.bin (at least 10,000)"},
    ),
    "dvsgesture": TonicSet(
        "DVS128 Gesture",
        "DVSGesture",
        (128, 128, 2),
        {
            "train": "ibmGestureTrain/user*_*/0..10.npy (at least 100)",
            "test": "ibmGestureTest/user*_*/0..10.npy (at least 100)",
        },
        starts_at_zero=False,
    ),
    "shd": TonicSet(
        "Spiking Heidelberg Digits",
        "SHD",
        (700, 1, 1),
        {"train": "shd_train.h5", "test": "shd_test.h5"},
        url={
            "train": "https://zenkelab.org/datasets/shd_train.h5.zip",
            "test": "https://zenkelab.org/datasets/shd_test.h5.zip",
        },
    ),
}


def load(
    name: str,
    root: Path,
    split: Split,
    progress: Callable[[int, int], None],
    limit: int | None = None,
) -> EventSet:
    """Read one split of a set.

    Parameters
    ----------
    name
        Key of `SETS`.
    root
        The data folder; the set lies in the folder of tonic's class in it, e.g. ``root/SHD``.
    split
        ``train`` or ``test``.
    progress
        Called with samples done and all.
    limit
        Read at most so many samples, spread evenly over the set; None for all.

    Returns
    -------
    EventSet
        In the order of the files' paths, or of the file; groups are subjects or speakers where the set tells.

    Raises
    ------
    DataMissing
        If the files are not there; the message says what to fetch and where to put it.
    InputError
        If the name or split is unknown, or files are broken, with all faults.
    """
    faults = [] if name in SETS else [unknown("set", name, SETS)]
    faults += [] if split in ("train", "test") else [unknown("split", split, ("train", "test"))]
    faults += [f"limit: {limit}, must be at least 1"] if limit is not None and limit < 1 else []
    if faults:
        raise InputError("tonic", faults)
    known = SETS[name]
    data = _open(known, root, split)
    order = _in_order(data)
    if limit is not None and limit < len(order):
        order = order[np.arange(limit) * len(order) // limit]
    samples, labels = _read(known, data, order, root / known.dataset, progress)
    return event_set(
        name=f"{name}/{split}",
        sensor=known.sensor,
        samples=samples,
        labels=labels,
        groups=_groups(data)[order],
        classes=_classes(data),
        synthetic=False,
    )


def _open(known: TonicSet, root: Path, split: Split) -> Any:
    """Open tonic's set; its class keeps its name, which is its folder, but cannot download."""
    from tonic import datasets

    base = getattr(datasets, known.dataset)

    def refuse(_self: object) -> NoReturn:
        raise _missing(known, base, root, split)

    local = type(known.dataset, (base,), {"download": refuse})
    try:
        return local(save_to=str(root), train=split == "train")
    except FileNotFoundError as error:
        # tonic looks for any .h5 beside the archive, and then opens the one of this split
        raise _missing(known, base, root, split) from error
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            str(root / known.dataset), [f"not the {known.title} that tonic knows: {error}"]
        ) from error


def _missing(known: TonicSet, dataset: Any, root: Path, split: Split) -> DataMissing:
    archive = getattr(dataset, f"{split}_filename", None) or getattr(dataset, f"{split}_zip")
    url = known.url[split] if known.url else getattr(dataset, f"{split}_url")
    folder = (root / known.dataset).absolute()
    state = "is there, its unpacked files are not" if (folder / archive).is_file() else "is not there"
    return DataMissing(
        f"{known.title} ({split}) is not complete on this machine: {folder / archive} {state}.\n"
        f"  fetch: {url} (MD5 {getattr(dataset, f'{split}_md5')})\n"
        f"  put it at: {folder / archive}\n"
        f"  and unpack it there, so that these exist: {folder / known.unpacked[split]}\n"
        f"  (keep the archive: tonic looks for both; another data folder is named by NMBENCH_DATA)"
    )


def _in_order(data: Any) -> npt.NDArray[np.int64]:
    """Order samples by path: tonic's own order is the file system's for DVS128 Gesture."""
    paths = [Path(p).parts for p in data.data]
    if not paths:
        return np.arange(len(data))
    return np.array(sorted(range(len(paths)), key=paths.__getitem__), dtype=np.int64)


def _groups(data: Any) -> npt.NDArray[np.int64]:
    for attribute in ("users", "speaker"):
        if hasattr(data, attribute):
            return np.asarray(getattr(data, attribute), dtype=np.int64)
    return np.full(len(data), -1, dtype=np.int64)


def _classes(data: Any) -> tuple[str, ...]:
    return tuple(c.decode() if isinstance(c, bytes) else str(c) for c in data.classes)


def _read(
    known: TonicSet,
    data: Any,
    order: npt.NDArray[np.int64],
    folder: Path,
    progress: Callable[[int, int], None],
) -> tuple[list[Events], list[int]]:
    """Read the samples and their labels, or raise `InputError` with a fault for each broken one."""
    samples: list[Events] = []
    labels: list[int] = []
    faults = []
    classes = len(data.classes)
    for done, index in enumerate(order.tolist(), start=1):
        try:
            events, label = data[index]
            samples.append(_converted(known, events))
            labels.append(int(label))
            if not 0 <= labels[-1] < classes:
                raise ValueError(f"class {label}, known are 0..{classes - 1}")
        except (OSError, ValueError, KeyError, IndexError) as error:
            where = Path(data.data[index]).relative_to(folder) if data.data else f"sample {index}"
            faults.append(f"{where}: {error}")
        progress(done, len(order))
    if faults:
        more = len(faults) - FAULTS_TOLD_MAX
        raise InputError(str(folder), faults[:FAULTS_TOLD_MAX] + ([f"and {more} more"] if more > 0 else []))
    return samples, labels


def _converted(known: TonicSet, events: npt.NDArray[np.void]) -> Events:
    """Take tonic's events by field name into ours; raises ValueError where a value does not fit."""
    out = np.zeros(len(events), EVENT)
    if len(events) == 0:
        return out
    width, height, polarities = known.sensor
    fields: Sequence[tuple[str, int]] = [("x", width)]
    if height > 1:
        fields = [("x", width), ("y", height), ("p", polarities)]
    for field, size in fields:
        values = events[field].astype(np.int64)
        if values.min() < 0 or values.max() >= size:
            raise ValueError(f"{field} in {values.min()}..{values.max()}, the sensor has 0..{size - 1}")
        out[field] = values
    t_us = events["t"].astype(np.int64)
    if not known.starts_at_zero:
        t_us = t_us - t_us.min()
    if t_us.min() < 0 or t_us.max() >= 1 << 32:
        raise ValueError(f"t in {t_us.min()}..{t_us.max()} us, wanted 0..{(1 << 32) - 1}")
    out["t"] = t_us
    return out
