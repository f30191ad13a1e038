"""Small files as tonic expects the real sets on disk: packed ones (AEDAT, MATLAB, IDX)."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def aedat2_bytes(pairs: list[tuple[int, int]]) -> bytes:
    """Pack (address, us) as jAER does."""
    head = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n"
    return head + b"".join(struct.pack(">II", *pair) for pair in pairs)


def lz4_frame(data: bytes, block: int = 1 << 16) -> bytes:
    """Pack into an LZ4 frame of linked blocks; greedy copies of up to some hundred bytes."""
    out = struct.pack("<IBBB", 0x184D2204, 0x40, 0x40, 0xC0)
    for first in range(0, len(data), block):
        packed = _lz4_block(data, first, min(first + block, len(data)))
        out += struct.pack("<I", len(packed)) + packed
    return out + struct.pack("<I", 0)


def _lz4_block(data: bytes, first: int, end: int) -> bytes:
    out, place, literal = bytearray(), first, first
    while place < end - 12:
        found = data.rfind(data[place : place + 4], max(0, place - 65_000), place)
        if found < 0:
            place += 1
            continue
        length = 4
        while place + length < end - 5 and data[found + length] == data[place + length]:
            length += 1
        out += _sequence(data[literal:place], length) + struct.pack("<H", place - found)
        out += _more(length - 4)
        place += length
        literal = place
    return bytes(out + _sequence(data[literal:end], 4))


def _sequence(literals: bytes, length: int) -> bytes:
    token = min(len(literals), 15) << 4 | min(length - 4, 15)
    return bytes([token]) + _more(len(literals)) + literals


def _more(length: int) -> bytes:
    return b"" if length < 15 else b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])


DV = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("on", "u1"), ("unused", "u1", (3,))])

INFO = """<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">
<node name="0" path="/mainloop/Recorder/outInfo/0/">
<attr key="compression" type="string">NONE</attr>
<attr key="typeIdentifier" type="string">EVTS</attr>
<node name="info" path="/mainloop/Recorder/outInfo/0/info/">
<attr key="sizeX" type="int">128</attr><attr key="sizeY" type="int">128</attr>
</node></node></node></dv>"""


def aedat4_bytes(packets: list[npt.NDArray[np.void]], lz4: bool = False) -> bytes:
    """Pack arrays of `DV` as DV does, one a packet, as they are or in LZ4."""
    info = INFO.encode()
    vtable = struct.pack("<5H", 10, 20, 4, 8, 16) + bytes(6)
    table = struct.pack("<iiqI", 16, int(lz4), -1, 4) + struct.pack("<I", len(info)) + info + bytes(4)
    header = struct.pack("<I4s", 24, b"IOHE") + vtable + table
    out = b"#!AER-DAT4.0\r\n" + struct.pack("<I", len(header)) + header
    for packet in packets:
        body = struct.pack("<I4s", 16, b"EVTS") + struct.pack("<3H", 6, 8, 4) + bytes(2)
        body += struct.pack("<iI", 8, 4) + struct.pack("<I", len(packet)) + packet.tobytes()
        body = struct.pack("<I", len(body)) + body
        body = lz4_frame(body) if lz4 else body
        out += struct.pack("<ii", 0, len(body)) + body
    return out


def make_cifar10dvs(root: Path, ending: str = ".aedat4", each: int = 10, lz4: bool = False) -> Path:
    """Write ``each`` recordings a class in either release's format."""
    folder = root / "CIFAR10DVS"
    for label, name in enumerate(CIFAR):
        (folder / name).mkdir(parents=True)
        for k in range(each):
            rows = [(10**15 + 5, 127, label, 1), (10**15 + 9, 0, 127, 0), (10**15 + 70, k, 3, 1)]
            pairs = [(label << 8 | 127 << 1, 5), (127 << 8 | 1, 9), (3 << 8 | k << 1, 70)]
            events = np.array([(*row, (0, 0, 0)) for row in rows], DV)
            new = aedat4_bytes([events[:2], events[2:]], lz4) if ending == ".aedat4" else None
            data = aedat2_bytes(pairs) if new is None else new
            (folder / name / f"cifar10_{name}_{k}{ending}").write_bytes(data)
    return folder


def make_asldvs(root: Path, each: int = 5, packed: bool = True) -> Path:
    """Write ``each`` signs a letter, as MATLAB saves columns."""
    folder = root / "ASLDVS"
    for letter in "abcdefghiklmnopqrstuvwxy":
        (folder / letter).mkdir(parents=True)
        for k in range(each):
            columns = {
                "ts": np.array([[7_000], [7_001], [90_000 + k]], np.uint32),
                "x": np.array([[239], [k], [3]], np.uint8),
                "y": np.array([[0], [179], [ord(letter) - 97]], np.uint8),
                "pol": np.array([[1], [0], [1]], np.uint8),
            }
            place = folder / letter / f"{letter}_{k + 1:04d}.mat"
            scipy.io.savemat(place, columns, do_compression=packed)
    return folder


def make_smnist(root: Path, split: str, images: npt.NDArray[np.uint8], packed: bool = False) -> Path:
    """Write pictures ``[n, 28, 28]`` as MNIST has them; the labels count up."""
    folder = root / "smnist"
    folder.mkdir(exist_ok=True, parents=True)
    stem = {"train": "train", "test": "t10k"}[split]
    labels = (np.arange(len(images)) % 10).astype(np.uint8)
    contents = {
        f"{stem}-images-idx3-ubyte": struct.pack(">4I", 2051, len(images), 28, 28) + images.tobytes(),
        f"{stem}-labels-idx1-ubyte": struct.pack(">2I", 2049, len(labels)) + labels.tobytes(),
    }
    for name, data in contents.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / name).write_bytes(data)
    return folder
