"""Small files, byte for byte as tonic expects the real sets on disk."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

WORDS = (
    "zero one two three four five six seven eight nine null eins zwei drei vier fünf sechs sieben acht neun"
)


def nmnist_bytes(events: list[tuple[int, int, int, int]]) -> bytes:
    """Pack (x, y, t, p) as Orchard's 40 bits: x, y, then one bit of polarity and 23 of time."""
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, t, p in events)


DIGIT = [(33, 0, 5, 1), (0, 33, 900, 0), (7, 9, 300_000, 1)]


def make_nmnist(root: Path, split: str) -> Path:
    """Write 10,000 recordings (fewer are none to tonic), three events each, the first with its number."""
    folder = root / "NMNIST"
    folder.mkdir()
    (folder / f"{split}.zip").write_bytes(b"PK")
    for digit in range(10):
        (folder / split.capitalize() / str(digit)).mkdir(parents=True)
        for k in range(1_000):
            number = digit * 1_000 + k + 1
            data = nmnist_bytes([(33, digit, number % 100, 1), *DIGIT[1:]])
            (folder / split.capitalize() / str(digit) / f"{number:05d}.bin").write_bytes(data)
    return folder


def make_dvsgesture(root: Path, split: str) -> Path:
    """Write 11 classes of 10 recordings: float columns x, y, p and t in ms on the recording's own clock."""
    folder = root / "DVSGesture"
    folder.mkdir()
    (folder / f"ibmGesture{split.capitalize()}.tar.gz").write_bytes(b"\x1f\x8b")
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


def make_shd(root: Path, split: str, units: tuple[int, ...] = (699, 0, 12)) -> Path:
    """Write four utterances as zenkelab.org does: float16 seconds, uint16 channels, ragged."""
    folder = root / "SHD"
    folder.mkdir(exist_ok=True)
    (folder / f"shd_{split}.h5.zip").write_bytes(b"PK")
    with h5py.File(folder / f"shd_{split}.h5", "w") as file:
        times = file.create_dataset("spikes/times", (4,), h5py.vlen_dtype(np.float16))
        channels = file.create_dataset("spikes/units", (4,), h5py.vlen_dtype(np.uint16))
        for k in range(4):
            times[k] = np.array([0.25, 0.0625 * k, 1.0], np.float16)
            channels[k] = np.array(units, np.uint16)
        file["labels"] = np.array([0, 19, 11, 3], np.uint16)
        file["extra/speaker"] = np.array([4, 4, 0, 11], np.uint16)
        file["extra/keys"] = np.array([word.encode() for word in WORDS.split()])
    return folder
