"""Every set as we decode it against what tonic returns, event for event, on files in their own formats."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tonic_files as plain
import tonic_files_packed as packed

from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.known import SETS, open_set

PICTURES = np.random.default_rng(5).integers(-80, 330, (12, 28, 28)).clip(0, 255).astype(np.uint8)

MAKE: dict[str, Callable[[Path, str], object]] = {
    "nmnist": plain.make_nmnist,
    "dvsgesture": plain.make_dvsgesture,
    "shd": plain.make_shd,
    "ssc": lambda root, split: plain.make_heidelberg(root, "ssc", split, np.float32),
    "cifar10dvs": lambda root, _: packed.make_cifar10dvs(root, lz4=True),
    "ncaltech101": lambda root, _: plain.make_ncaltech101(root),
    "asldvs": lambda root, _: packed.make_asldvs(root),
    "dvslip": plain.make_dvslip,
    "ntidigits18": lambda root, _: plain.make_tidigits(root),
    "threeet": lambda root, _: plain.make_threeet(root),
    "smnist": lambda root, split: packed.make_smnist(root, split, PICTURES),
}

TONIC: dict[str, tuple[str, Callable[[str], dict[str, object]]]] = {
    "nmnist": ("NMNIST", lambda split: {"train": split == "train"}),
    "dvsgesture": ("DVSGesture", lambda split: {"train": split == "train"}),
    "shd": ("SHD", lambda split: {"train": split == "train"}),
    "ssc": ("SSC", lambda split: {"split": split}),
    "cifar10dvs": ("CIFAR10DVS", lambda _: {}),
    "ncaltech101": ("NCALTECH101", lambda _: {}),
    "asldvs": ("ASLDVS", lambda _: {}),
    "dvslip": ("DVSLip", lambda split: {"train": split == "train"}),
    "ntidigits18": ("NTIDIGITS18", lambda split: {"train": split == "train", "single_digits": True}),
    "threeet": ("ThreeET_Eyetracking", lambda split: {"split": {"train": "train", "test": "val"}[split]}),
    "smnist": ("SMNIST", lambda split: {"train": split == "train"}),
}
FROM_FIRST_EVENT = ("dvsgesture", "cifar10dvs", "asldvs", "dvslip", "threeet")
SPLIT_HERE = ("cifar10dvs", "ncaltech101", "asldvs")


def silent(_done: int, _total: int) -> None:
    pass


def tonic_set(name: str, root: Path, split: str) -> Any:
    """Open tonic's data set on the small files: it wants as many files as the real set has, and archives."""
    from tonic import datasets

    cls, options = TONIC[name]
    base = getattr(datasets, cls)
    local = type(cls, (base,), {"_check_exists": lambda _self: True})
    return local(str(root), **options(split))


def normalised(name: str, events: npt.NDArray[np.void], sensor: tuple[int, int, int]) -> list[list[int]]:
    """Bring tonic's events to rows t, x, y, p as our sets promise them, by the facts that the docs state."""
    flat = events.reshape(-1)  # tonic's ASL-DVS gives [n, 1]
    t, x = flat["t"].astype(np.int64), flat["x"].astype(np.int64)
    y, p = np.zeros_like(t), np.zeros_like(t)
    if sensor[1] > 1:
        y, p = flat["y"].astype(np.int64), flat["p"].astype(np.int64)
    if name in FROM_FIRST_EVENT:
        t = t - t.min()
    order = np.argsort(t, kind="stable")
    rows: list[list[int]] = np.stack([t, x, y, p], axis=1)[order].tolist()
    return rows


def rows_of(recordings: Recordings) -> list[list[list[int]]]:
    samples = [recordings.read(k) for k in range(len(recordings))]
    return [np.stack([s[f].astype(np.int64) for f in "txyp"], axis=1).tolist() for s in samples]


@pytest.mark.parametrize("name", sorted(SETS))
def test_events_and_labels_are_tonics(tmp_path: Path, name: str) -> None:
    if name == "cifar10dvs" and importlib.util.find_spec("aedat") is None:
        pytest.skip("tonic reads AEDAT 4 through the package aedat, which is not installed")
    splits = ("train", "test")
    for split in splits if name not in (*SPLIT_HERE, "ntidigits18", "threeet") else ("",):
        MAKE[name](tmp_path, split)
    for split in splits:
        ours, theirs = open_set(name, tmp_path, split), tonic_set(name, tmp_path, split)
        expected = []
        for k in range(len(theirs)):
            events, label = theirs[k]
            if name == "ncaltech101":  # tonic shifts each sample to its own corner, and names classes
                label = ours.classes.index(label)
            label = -1 if name == "threeet" else int(label)
            expected.append((label, normalised(name, events, ours.sensor)))
        got = list(zip(ours.labels.tolist(), rows_of(ours), strict=True))
        if name == "ncaltech101":
            got = [(label, in_corner(rows)) for label, rows in got]
        if name in SPLIT_HERE:
            assert len(got) < len(expected) and all(sample in expected for sample in got)
        else:  # tonic's own order is the file system's for some sets
            assert sorted(got) == sorted(expected)


def in_corner(rows: list[list[int]]) -> list[list[int]]:
    table = np.array(rows)
    table[:, 1:3] -= table[:, 1:3].min(axis=0)
    shifted: list[list[int]] = table.tolist()
    return shifted


@pytest.mark.parametrize("name", SPLIT_HERE)
def test_our_splits_are_of_each_class_the_last_files(tmp_path: Path, name: str) -> None:
    MAKE[name](tmp_path, "")
    train, test = (open_set(name, tmp_path, split) for split in ("train", "test"))
    each = 10 if name == "cifar10dvs" else 5
    assert len(train) == (each - 1) * len(test) and set(train.labels) == set(test.labels)
    assert not set(train.places) & set(test.places)
    assert set(train.places) | set(test.places) == set(range(len(train) + len(test)))
    # the last in the order of numbers: 10 comes after 9
    assert all(max(train.places[train.labels == c]) < min(test.places[test.labels == c]) for c in test.labels)


@pytest.mark.parametrize("name", sorted(SETS))
def test_the_lazy_set_is_the_whole_one(tmp_path: Path, name: str) -> None:
    MAKE[name](tmp_path, "test")
    lazy = open_set(name, tmp_path, "test")
    whole = lazy.event_set(silent)
    assert lazy.name == whole.name == f"{name}/test" and lazy.sensor == whole.sensor
    assert lazy.synthetic is whole.synthetic is SETS[name].synthetic
    for k, sample in enumerate(lazy):
        np.testing.assert_array_equal(sample, whole[k])
        assert (np.diff(sample["t"].astype(np.int64)) >= 0).all()
    backwards = np.arange(len(lazy))[::-1]
    assert lazy.take(backwards).event_set(silent).sha256() == whole.take(backwards).sha256()
    assert (lazy.take(backwards).identity == lazy.identity) is (len(lazy) == 0)


def test_aedat2_of_the_authors_is_read_as_jaer_does(tmp_path: Path) -> None:
    packed.make_cifar10dvs(tmp_path, ".aedat")
    recordings = open_set("cifar10dvs", tmp_path, "test")
    assert recordings.labels.tolist() == [*range(10)]
    rows = [[0, 0, 4, 1], [4, 127, 127, 0], [65, 127 - 9, 3, 1]]
    assert rows_of(recordings)[4] == rows  # the last of ten automobiles, birds, cats, deer


def test_both_releases_at_once_are_refused(tmp_path: Path) -> None:
    folder = packed.make_cifar10dvs(tmp_path, ".aedat")
    shutil.copy(folder / "cat" / "cifar10_cat_1.aedat", folder / "cat" / "cifar10_cat_1.aedat4")
    with pytest.raises(Exception, match=r"which of the two releases"):
        open_set("cifar10dvs", tmp_path, "train")


def test_targets_of_a_regression(tmp_path: Path) -> None:
    plain.make_threeet(tmp_path)
    recordings = open_set("threeet", tmp_path, "train")
    assert recordings.classes == () and recordings.labels.tolist() == [-1, -1]
    targets = recordings.take([1]).targets(0)
    assert targets is not None and targets.tolist() == [[101.5, 90, 0], [101, 91.25, 1]]
    plain.make_nmnist(tmp_path, "train")
    assert open_set("nmnist", tmp_path, "train").targets(0) is None


def test_packed_pictures_are_the_unpacked_ones(tmp_path: Path) -> None:
    packed.make_smnist(tmp_path / "a", "train", PICTURES)
    packed.make_smnist(tmp_path / "b", "train", PICTURES, packed=True)
    one, other = (open_set("smnist", tmp_path / place, "train") for place in "ab")
    assert one.event_set(silent).sha256() == other.event_set(silent).sha256()


def test_matlab_may_pack_or_not(tmp_path: Path) -> None:
    packed.make_asldvs(tmp_path / "a")
    packed.make_asldvs(tmp_path / "b", packed=False)
    one, other = (open_set("asldvs", tmp_path / place, "test") for place in "ab")
    assert one.event_set(silent).sha256() == other.event_set(silent).sha256()


def test_ssc_has_a_validation_set(tmp_path: Path) -> None:
    plain.make_heidelberg(tmp_path, "ssc", "valid", np.float32)
    assert open_set("ssc", tmp_path, "valid").name == "ssc/valid"


@pytest.mark.slow
def test_real_recordings(tmp_path: Path, real_data: Path) -> None:
    from nmbench.datasets.sets.aedat4 import read_aedat4
    from nmbench.datasets.sets.orchard import read_bin

    digit, mixed = real_data / "events" / "nmnist.bin", real_data / "events" / "sample.aedat4"
    for recording in (digit, mixed):
        if not recording.is_file():
            pytest.skip(f"no {recording}")
    sample = read_bin(digit, (34, 34, 2))
    assert len(sample) == 4_325  # as SOURCE.md beside the file says
    assert 250_000 < sample["t"][-1] < 350_000 and set(sample["p"]) == {0, 1}
    events = read_aedat4(mixed, (320, 240, 2))
    # as the package aedat 2.3 decodes it
    assert len(events) == 111_954 and events["t"][-1] == 589_917
    assert [*events[1]] == [3, 149, 206, 0]
