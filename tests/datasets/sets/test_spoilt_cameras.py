"""Strangers' files of cameras: each is refused by its name; and sets that are not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tonic_files as plain
from spoilt_files import faults_of, refused, silent

from nmbench.datasets.recordings import FAULTS_TOLD_MAX
from nmbench.datasets.sets import decode, files, hdf5
from nmbench.datasets.sets.known import SETS, incomplete, open_set
from nmbench.errors import DataMissing, InputError


@pytest.mark.parametrize("name", sorted(SETS))
def test_missing_sets_are_asked_for(tmp_path: Path, name: str) -> None:
    for split in SETS[name].samples:
        with pytest.raises(DataMissing) as missing:
            open_set(name, tmp_path, split)
        text = str(missing.value)
        assert str(tmp_path / SETS[name].folder) in text and "http" in text and "looked for in vain" in text
    assert not list(tmp_path.iterdir())


def test_the_other_splits_file_is_not_taken(tmp_path: Path) -> None:
    plain.make_shd(tmp_path, "test")
    with pytest.raises(DataMissing, match=r"shd_train\.h5"):
        open_set("shd", tmp_path, "train")


def test_unknown_names_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_set("nmist", tmp_path, "tran")
    assert len(caught.value.faults) == 2
    assert "did you mean 'nmnist'" in str(caught.value) and "did you mean 'train'" in str(caught.value)


def test_a_set_that_is_not_whole_is_noted(tmp_path: Path) -> None:
    plain.make_nmnist(tmp_path, "test")
    note = incomplete("nmnist", "test", open_set("nmnist", tmp_path, "test"))
    assert note is not None and "20 samples" in note and "10000" in note
    plain.make_ncaltech101(tmp_path)
    assert incomplete("ncaltech101", "test", open_set("ncaltech101", tmp_path, "test")) is None


Spoil = Callable[[Path], None]


def rows(*events: tuple[float, float, float, float]) -> Spoil:
    return lambda path: np.save(path, np.array(events))


GESTURES: dict[str, tuple[Spoil, str]] = {
    "shape": (lambda p: np.save(p, np.zeros((5, 2))), "wanted numbers [n, 4]"),
    "pickle": (lambda p: np.save(p, np.array([{"a": 1}], object), allow_pickle=True), "Python objects"),
    "text": (lambda p: np.save(p, np.array([["a"] * 4])), "wanted numbers"),
    "left of it": (rows((-1, 0, 1, 9)), "x in -1..-1"),
    "below it": (rows((0, 128, 1, 9)), "y in 128..128"),
    "polarity": (rows((0, 0, 2, 9)), "p in 2..2"),
    "not whole": (rows((0.5, 0, 1, 9), (1, 1, 1, 9)), "1 values that are no whole numbers"),
    "not a number": (rows((0, 0, 1, np.nan)), "1 values that are no whole numbers"),
    "infinite": (rows((0, 0, 1, 1), (0, 0, 1, np.inf)), "1 values that are no whole numbers"),
    "backwards": (rows((0, 0, 1, 50), (0, 0, 1, 20)), "runs back by 30000 us at event 1"),
    "too long": (rows((0, 0, 1, 0), (0, 0, 1, 5e6)), "t in 0..5000000000 us"),
    "cut off": (lambda p: p.write_bytes(p.read_bytes()[:-8]), "which promises"),
    "longer": (lambda p: p.write_bytes(p.read_bytes() + b"12345678"), "which promises"),
    "no array": (lambda p: p.write_bytes(b"\x93NUMPY\x01"), "not a .npy file"),
    "empty": (lambda p: p.write_bytes(b""), "empty"),
    "no events": (lambda p: np.save(p, np.zeros((0, 4))), "which promises"),
    "lying": (lambda p: p.write_bytes(p.read_bytes().replace(b"(3, 4)", b"(9, 4)")), "which promises"),
    "a pipe": (lambda p: (p.unlink(), os.mkfifo(p))[0], "not a regular file"),
}


@pytest.mark.parametrize("spoil", sorted(GESTURES))
def test_spoilt_gestures(tmp_path: Path, spoil: str) -> None:
    place = plain.make_dvsgesture(tmp_path, "test") / "ibmGestureTest" / "user03_led" / "4.npy"
    act, says = GESTURES[spoil]
    if spoil == "a pipe":
        recordings = open_set("dvsgesture", tmp_path, "test")
        act(place)
        with pytest.raises(InputError, match=says):
            recordings.event_set(silent)
        return
    act(place)
    refused("dvsgesture", tmp_path, "user03_led/4.npy", says)


def test_all_spoilt_files_are_told_but_not_without_end(tmp_path: Path) -> None:
    folder = plain.make_dvsgesture(tmp_path, "test") / "ibmGestureTest"
    spoilt = sorted(folder.glob("user0[1-3]*/*.npy"))
    for path in spoilt:
        path.write_bytes(b"nothing")
    told = faults_of("dvsgesture", tmp_path)
    assert len(told) == 1 + len(spoilt) and all(any(str(p) in line for line in told) for p in spoilt)
    for path in folder.glob("*/*.npy"):
        path.write_bytes(b"nothing")
    told = faults_of("dvsgesture", tmp_path)
    assert len(told) == 2 + FAULTS_TOLD_MAX and "reading stopped" in told[-1]


def test_strange_names_are_no_classes(tmp_path: Path) -> None:
    folder = plain.make_dvsgesture(tmp_path, "test") / "ibmGestureTest"
    (folder / "user01_led" / "11.npy").write_bytes(b"x")
    refused("dvsgesture", tmp_path, "user01_led/11.npy", "no class '11'")
    (folder / "user01_led" / "11.npy").unlink()
    (folder / "user01_led").rename(folder / "somebody")
    refused("dvsgesture", tmp_path, "somebody", "not a subject's folder")
    place = plain.make_ncaltech101(tmp_path) / "Caltech101"
    (place / "thing_000").rename(place.parent / "elsewhere")
    refused("ncaltech101", tmp_path, "Caltech101", "100 class folders, wanted 101")
    words = plain.make_dvslip(tmp_path, "test") / "DVS-Lip" / "test"
    (words / "young").rename(words / "yuong")
    refused("dvslip", tmp_path, "yuong/0.npy", "no class 'yuong'")


BINS: dict[str, tuple[bytes, str]] = {
    "cut off": (plain.orchard_bytes([(1, 1, 1, 1)])[:-1], "cut off, an event has 5"),
    "empty": (b"", "empty"),
    "outside": (plain.orchard_bytes([(34, 1, 1, 1), (1, 34, 2, 1)]), "x in 1..34"),
    "backwards": (plain.orchard_bytes([(1, 1, 90_000, 1), (1, 1, 3, 1)]), "runs back by 89997 us at event 1"),
}


@pytest.mark.parametrize("spoil", sorted(BINS))
def test_spoilt_digits(tmp_path: Path, spoil: str) -> None:
    place = plain.make_nmnist(tmp_path, "test") / "Test" / "3" / "00007.bin"
    place.write_bytes(BINS[spoil][0])
    refused("nmnist", tmp_path, "3/00007.bin", BINS[spoil][1])
    if spoil == "outside":
        assert any("y in 1..34" in line for line in faults_of("nmnist", tmp_path))


def test_a_little_disorder_is_sorted(tmp_path: Path) -> None:
    place = plain.make_nmnist(tmp_path, "test") / "Test" / "0" / "00001.bin"
    place.write_bytes(plain.orchard_bytes([(1, 1, 900, 1), (2, 1, 880, 1), (3, 1, 880, 0)]))
    sample = open_set("nmnist", tmp_path, "test").read(0)
    assert sample["t"].tolist() == [880, 880, 900] and sample["x"].tolist() == [2, 3, 1]


def test_too_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = plain.make_nmnist(tmp_path, "test") / "Test" / "3" / "00007.bin"
    with place.open("r+b") as file:
        file.truncate(5 * decode.EVENTS_MAX + 5)  # a hole: it takes no room on the disk
    refused("nmnist", tmp_path, "3/00007.bin", "more than")
    folder = plain.make_shd(tmp_path, "test")
    monkeypatch.setattr(hdf5, "FILE_MAX", 100)
    refused("shd", tmp_path, "shd_test.h5", "bytes, more than 100")
    monkeypatch.setattr(files, "FILES_MAX", 3)
    refused("nmnist", tmp_path, "Test", "more than 3 entries")
    assert folder.is_dir()


def test_too_many_events_of_a_spoken_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.make_shd(tmp_path, "test")
    monkeypatch.setattr(decode, "EVENTS_MAX", 2)
    told = faults_of("shd", tmp_path)
    assert len(told) == 5 and "sample 2: 3 events, more than 2" in told[3]
