"""Small files, byte for byte as tonic expects the real sets on disk: binaries, arrays and HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

WORDS = (
    "zero one two three four five six seven eight nine null eins zwei drei vier fünf sechs sieben acht neun"
)


def orchard_bytes(events: list[tuple[int, int, int, int]]) -> bytes:
    """Pack (x, y, t, p) as Orchard's 40 bits: x, y, then one bit of polarity and 23 of time."""
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, t, p in events)


def make_nmnist(root: Path, split: str, each: int = 2) -> Path:
    """Write ``each`` recordings a digit, three events each, the first with its number."""
    folder = root / "NMNIST"
    for digit in range(10):
        (folder / split.capitalize() / str(digit)).mkdir(parents=True)
        for k in range(each):
            number = digit * each + k + 1
            data = orchard_bytes([(33, digit, number % 100, 1), (0, 33, 900, 0), (7, 9, 300_000, 1)])
            (folder / split.capitalize() / str(digit) / f"{number:05d}.bin").write_bytes(data)
    return folder


def make_ncaltech101(root: Path, each: int = 5) -> Path:
    """Write 101 classes of recordings; the second event of three is an overflow of the clock."""
    folder = root / "NCALTECH101" / "Caltech101"
    for kind in range(101):
        place = folder / f"thing_{kind:03d}"
        place.mkdir(parents=True)
        for k in range(each):
            rows = [(3 + k, 2, 100, 1), (0, 240, 0, 0), (239, 179, kind, 0), (9, 5, 7_000, 1)]
            (place / f"image_{k + 1:04d}.bin").write_bytes(orchard_bytes(rows))
    return root / "NCALTECH101"


def make_dvsgesture(root: Path, split: str) -> Path:
    """Write 11 classes of 10 recordings: float columns x, y, p and t in ms on the recording's own clock."""
    folder = root / "DVSGesture"
    for user in range(1, 11):
        place = (
            folder / f"ibmGesture{split.capitalize()}" / f"user{user:02d}_{'led' if user % 2 else 'natural'}"
        )
        place.mkdir(parents=True)
        for label in range(11):
            t_ms = np.array([70_000, 70_003, 71_000]) + user
            events = np.array([[127, 0, 1, t_ms[0]], [label, user, 0, t_ms[1]], [5, 127, 1, t_ms[2]]])
            np.save(place / f"{label}.npy", events.astype(float))
    return folder


LIPS = np.dtype([("t", "<i4"), ("x", "u1"), ("y", "u1"), ("p", "?")])


def make_dvslip(root: Path, split: str, words: tuple[str, ...] = ("accused", "young", "these")) -> Path:
    """Write two samples a word: structured arrays with their own order and types of fields."""
    folder = root / "DVSLip" / "DVS-Lip" / split
    for k, word in enumerate(words):
        (folder / word).mkdir(parents=True)
        for number in range(2):
            rows = [(1_000, 127, k, True), (1_007, 0, 127, False), (90_000 + number, 64, 3, True)]
            np.save(folder / word / f"{number}.npy", np.array(rows, LIPS))
    return root / "DVSLip"


def make_heidelberg(
    root: Path, name: str, split: str, times: npt.DTypeLike, units: tuple[int, ...] = (699, 0, 12)
) -> Path:
    """Write four utterances as zenkelab.org does: seconds, uint16 channels, ragged."""
    folder = root / name.upper()
    folder.mkdir(exist_ok=True, parents=True)
    with h5py.File(folder / f"{name}_{split}.h5", "w") as file:
        seconds = file.create_dataset("spikes/times", (4,), h5py.vlen_dtype(times))
        channels = file.create_dataset("spikes/units", (4,), h5py.vlen_dtype(np.uint16))
        for k in range(4):
            seconds[k] = np.array([0.25, 0.0625 * k, 1.0], times)
            channels[k] = np.array(units, np.uint16)
        file["labels"] = np.array([0, 19, 11, 3], np.uint16)
        file["extra/speaker"] = np.array([4, 4, 0, 11], np.uint16)
        file["extra/keys"] = np.array([word.encode() for word in WORDS.split()])
    return folder


def make_shd(root: Path, split: str, units: tuple[int, ...] = (699, 0, 12)) -> Path:
    """Write the Spiking Heidelberg Digits: float16."""
    return make_heidelberg(root, "shd", split, np.float16, units)


def make_tidigits(root: Path) -> Path:
    """Write N-TIDIGITS18: names of samples with what was said, addresses and seconds under each name."""
    folder = root / "NTIDIGITS18"
    folder.mkdir(parents=True)
    said = {"train": ["o", "1", "39z", "z"], "test": ["9", "oo", "2"]}
    with h5py.File(folder / "n-tidigits.hdf5", "w") as file:
        for split, digits in said.items():
            names = [f"{'wo' * (k % 2)}man-a{k}-{digit}" for k, digit in enumerate(digits)]
            file[f"{split}_labels"] = np.array([name.encode() for name in names])
            for k, name in enumerate(names):
                file[f"{split}_addresses/{name}"] = np.array([63, k, 0], np.int64)
                file[f"{split}_timestamps/{name}"] = np.array([0.001, 0.25 + k / 8, 0.5 + k], np.float32)
    return folder


def make_threeet(root: Path) -> Path:
    """Write 3ET: two recordings for training and one to validate, with a target every 10 ms."""
    folder = root / "ThreeET_Eyetracking"
    for inner in ("data", "labels"):
        (folder / inner).mkdir(parents=True)
    for split, names in {"train": ["1_1", "2_1"], "val": ["3_1"]}.items():
        (folder / f"{split}_files.txt").write_text("".join(f"{name}\n" for name in names))
        for k, name in enumerate(names):
            rows = [[5_000, 239, 0, 1], [5_010, k, 179, 0], [25_000, 7, 8, 1]]
            with h5py.File(folder / "data" / f"{name}.h5", "w") as file:
                file["events"] = np.array(rows, np.int64)
            (folder / "labels" / f"{name}.txt").write_text(f"{100 + k}.5 90 0\n101 91.25 1\n")
    return folder
