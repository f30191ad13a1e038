"""Strangers' HDF5 files: links, values that lie elsewhere, other types and shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tonic_files as plain
from spoilt_files import faults_of, refused

from nmbench.datasets.sets.known import open_set
from nmbench.errors import DataMissing, InputError

Edit = Callable[[h5py.File], None]


def put(name: str, values: object, **more: object) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=values, **more)

    return edit


def link(name: str, target: object) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[name]
        file[name] = target

    return edit


def vast(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (1 << 30,), "u2", chunks=(1 << 16,), compression="gzip")


def outside(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (4,), "u2", external=[("/etc/passwd", 0, 8)])


def virtual(file: h5py.File) -> None:
    del file["labels"]
    layout = h5py.VirtualLayout((4,), "u2")
    layout[:] = h5py.VirtualSource("other.h5", "labels", (4,))
    file.create_virtual_dataset("labels", layout)


HEIDELBERG: dict[str, tuple[Edit, str]] = {
    "external link": (link("labels", h5py.ExternalLink("/etc/passwd", "labels")), "links are not followed"),
    "soft link": (link("spikes/units", h5py.SoftLink("/labels")), "links are not followed"),
    "external values": (outside, "lie in other files"),
    "virtual": (virtual, "lie in other files"),
    "vast": (vast, "wanted at most"),
    "flat": (put("spikes/units", np.zeros(4, "u2")), "wanted one array a sample"),
    "fewer": (put("labels", np.zeros(3, "u2")), "different lengths: [3, 4]"),
    "type": (put("labels", np.zeros(4)), "labels is float64"),
    "shape": (put("labels", np.zeros((4, 1), "u2")), "labels is uint16 (4, 1)"),
    "class": (put("labels", np.array([0, 20, 1, 99], "u2")), "sample 3: class 99, known are 0..19"),
    "keys": (put("extra/keys", np.arange(20)), "wanted texts"),
    "gone": (lambda file: file.pop("extra/speaker"), "has no /extra/speaker"),
    "group": (lambda file: (file.pop("labels"), file.create_group("labels"))[0], "no dataset"),
}


@pytest.mark.parametrize("spoil", sorted(HEIDELBERG))
def test_spoilt_heidelberg(tmp_path: Path, spoil: str) -> None:
    path = plain.make_shd(tmp_path, "test") / "shd_test.h5"
    with h5py.File(path, "r+") as file:
        HEIDELBERG[spoil][0](file)
    refused("shd", tmp_path, "shd_test.h5", HEIDELBERG[spoil][1])


def edited(path: Path, *edits: Edit) -> None:
    with h5py.File(path, "r+") as file:
        for edit in edits:
            edit(file)


def times(*values: float) -> Edit:
    def edit(file: h5py.File) -> None:
        file["spikes/times"][1] = np.array(values, np.float16)

    return edit


WORDS: dict[str, tuple[Edit, str]] = {
    "before": (times(0, -0.5, 1), "sample 1: t in -500000"),
    "no time": (times(0, np.nan, 1), "sample 1: values that are not finite"),
    "fewer": (times(0, 1), "sample 1: columns of unequal lengths: 2 t, 3 x"),
}


@pytest.mark.parametrize("spoil", sorted(WORDS))
def test_spoilt_words(tmp_path: Path, spoil: str) -> None:
    edited(plain.make_shd(tmp_path, "test") / "shd_test.h5", WORDS[spoil][0])
    refused("shd", tmp_path, "shd_test.h5", WORDS[spoil][1])


def test_channels_outside_are_told_of_every_word(tmp_path: Path) -> None:
    plain.make_shd(tmp_path, "test", units=(700, 0, 12))
    told = faults_of("shd", tmp_path)
    assert len(told) == 5 and all("x in 0..700, the sensor has 0..699" in line for line in told[1:])


@pytest.mark.parametrize("cut", [0, 4, 900, -1])
def test_a_cut_hdf5_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = plain.make_shd(tmp_path, "test") / "shd_test.h5"
    path.write_bytes(path.read_bytes()[:cut] or b"no such thing")
    refused("shd", tmp_path, "shd_test.h5", "not a readable HDF5 file")


TIDIGITS: dict[str, tuple[Callable[[str], Edit], str]] = {
    "channel": (lambda key: put(f"test_addresses/{key}", np.array([64, 0, 1])), "x in 0..64"),
    "link": (
        lambda key: link(f"test_addresses/{key}", h5py.ExternalLink("/etc/passwd", "a")),
        "not followed",
    ),
    "names": (lambda _: put("test_labels", np.array([b"a-b-39", b"c-d-77"])), "names no single digit"),
    "places": (lambda _: put("test_labels", np.array([b"a/b-3", b"c-d-7"])), "no names of samples"),
    "flat": (lambda key: put(f"test_timestamps/{key}", np.zeros((3, 2))), "wanted 1 dimensions"),
}


@pytest.mark.parametrize("spoil", sorted(TIDIGITS))
def test_spoilt_tidigits(tmp_path: Path, spoil: str) -> None:
    path = plain.make_tidigits(tmp_path) / "n-tidigits.hdf5"
    with h5py.File(path) as file:
        key = file["test_labels"][0].decode()
    edited(path, TIDIGITS[spoil][0](key))
    refused("ntidigits18", tmp_path, "n-tidigits.hdf5", TIDIGITS[spoil][1])


def test_spoilt_eyes(tmp_path: Path) -> None:
    folder = plain.make_threeet(tmp_path)
    with h5py.File(folder / "data" / "3_1.h5", "r+") as file:
        put("events", np.array([[5, 240, 0, 1], [4, 0, 0, 1]]))(file)
    refused("threeet", tmp_path, "data/3_1.h5", "x in 0..240")
    refused("threeet", tmp_path, "data/3_1.h5", "t in -1..0 us")
    with h5py.File(folder / "data" / "3_1.h5", "r+") as file:
        put("events", np.zeros((5, 3)))(file)
    refused("threeet", tmp_path, "data/3_1.h5", "wanted numbers [n, 4]")
    (folder / "labels" / "3_1.txt").write_text("1 2\nx 3\n1 2 3\n1 nan\n")
    with pytest.raises(InputError) as caught:
        open_set("threeet", tmp_path, "test").targets(0)
    assert "labels/3_1.txt" in caught.value.subject and [f[:6] for f in caught.value.faults] == [
        "line 2", "line 3", "line 4",
    ]  # fmt: skip
    for name in ("../../secret", "/etc/passwd", "a b"):
        (folder / "val_files.txt").write_text(f"3_1\n{name}\n")
        refused("threeet", tmp_path, "val_files.txt", "no name of a recording")
    (folder / "val_files.txt").write_text("9_9\n")
    with pytest.raises(DataMissing, match=r"9_9\.h5"):
        open_set("threeet", tmp_path, "test")
