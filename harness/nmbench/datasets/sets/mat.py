"""ASL-DVS: one MATLAB 5 file a sample, columns ``ts`` (us), ``x``, ``y`` and ``pol``.

scipy reads these files too, but a small one may unpack to any size there; this reader unpacks within a limit,
knows numbers alone, and spends a third of the time. As in tonic, the row counts from the top: ``179 - y``;
tonic gives arrays ``[n, 1]``.

Source: Bi et al. 2019 (ICCV); the format: MathWorks, MAT-File Format, "Level 5 MAT-files".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.decode import Clock, Column, from_columns, whole
from nmbench.datasets.sets.files import class_folders, files, indexed_labels, read_bytes
from nmbench.datasets.sets.index import listed
from nmbench.datasets.sets.splits import last_of_each_class
from nmbench.datasets.sets.tonic import class_names
from nmbench.errors import InputError

SENSOR = (240, 180, 2)
CLOCK = Clock(starts_at_zero=False, slack_us=10_000)
FILE_MAX = 256 << 20
NAMES = {"ts": "t", "x": "x", "y": "y", "pol": "p"}
NUMBERS = {
    1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8",
}  # fmt: skip
MATRIX, PACKED = 14, 15
NUMERIC_CLASSES = range(6, 16)
COMPLEX = 0x0800


def columns_of(data: memoryview) -> dict[str, Column]:
    """Return the real arrays of a MATLAB 5 file by name, flattened in MATLAB's order.

    Raises
    ------
    ValueError
        If it is not such a file, or damaged; `struct.error` and `zlib.error` where it is cut off.
    """
    if len(data) < 136 or bytes(data[126:128]) != b"IM" or bytes(data[124:126]) != b"\x00\x01":
        raise ValueError("no MATLAB 5 file (little-endian)")
    found: dict[str, Column] = {}
    for kind, body in _elements(data[128:]):
        if kind not in (PACKED, MATRIX):
            continue
        name, values = _matrix(_inside(body) if kind == PACKED else body)
        if name in found:
            raise ValueError(f"array {name!r} stands twice")
        if values is not None:
            found[name] = values
    return found


def _inside(body: memoryview) -> memoryview:
    inner = list(_elements(memoryview(_unpacked(body))))
    if len(inner) != 1 or inner[0][0] != MATRIX:
        raise ValueError("a packed element that holds no array")
    return inner[0][1]


def _unpacked(body: memoryview) -> bytes:
    machine = zlib.decompressobj()
    out = machine.decompress(body, FILE_MAX)
    if not machine.eof:
        raise ValueError(f"a packed element is cut off, or larger than {FILE_MAX} bytes")
    return out


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind >> 16:  # the small form: up to four bytes inside the tag
            kind, size, body, step = kind & 0xFFFF, kind >> 16, place + 4, 8
        else:
            body, step = place + 8, 8 + (size if kind == PACKED else -(-size // 8) * 8)
        if body + size > len(data) or (step == 8 and size > 4 and body == place + 4):
            raise ValueError(f"an element at byte {place} is cut off")
        yield kind, data[body : body + size]
        place += step


def _matrix(body: memoryview) -> tuple[str, Column | None]:
    """Return an array's name and values; None where it is no array of real numbers."""
    parts = _elements(body)
    flags, shape, name = (next(parts, (0, memoryview(b"")))[1] for _ in range(3))
    if len(flags) < 8 or len(shape) % 4 or len(shape) < 8:
        raise ValueError("an array without a shape")
    (flag,) = struct.unpack_from("<I", flags)
    title = bytes(name).decode("latin-1")
    if flag & 0xFF not in NUMERIC_CLASSES or flag & COMPLEX:
        return title, None
    kind, content = next(parts, (0, memoryview(b"")))
    if kind not in NUMBERS:
        raise ValueError(f"array {title!r} of an unknown type {kind}")
    dtype = np.dtype(NUMBERS[kind])
    count = 1
    for length in struct.unpack(f"<{len(shape) // 4}i", shape):
        count *= length
    if count < 0 or count * dtype.itemsize != len(content):
        raise ValueError(f"array {title!r} has {len(content)} bytes, its shape wants {count} of {dtype}")
    return title, np.frombuffer(content, dtype)


def read_mat(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one sign; time starts with its first event."""
    data = read_bytes(path, FILE_MAX)
    try:
        arrays = columns_of(data.data)
        if missing := [name for name in NAMES if name not in arrays]:
            raise ValueError(f"no arrays of numbers {', '.join(missing)}")
        columns = {ours: whole(arrays[theirs]) for theirs, ours in NAMES.items()}
        columns["y"] = sensor[1] - 1 - columns["y"].astype(np.int64)
        columns["p"] = _polarity(columns["p"])
    except (ValueError, struct.error, zlib.error) as error:
        raise InputError(str(path), [f"not a readable sample: {error}"]) from error
    if not len(columns["t"]):
        raise InputError(str(path), ["holds no events"])
    return from_columns(path, "", columns, sensor, CLOCK)


def _polarity(values: npt.NDArray[np.generic]) -> Column:
    """Take -1 and 1 for off and on where a file has no 0."""
    signed = len(values) > 0 and values.min() == -1 and not (values == 0).any()
    return np.where(values == -1, 0, values) if signed else values


def open_asldvs(folder: Path, split: str, name: str) -> Recordings:
    """Index ASL-DVS: a folder a letter; its split is made here: the last fifth of each letter is the test."""
    classes = class_names("ASLDVS")
    # the samples lie in a/ .. y/; j and z are signed with a movement and are not in the set
    found = files(class_folders(folder, classes), (".mat",))
    labels = indexed_labels(found, folder, classes, lambda f: f.label)
    everything = listed(name, folder, found, 7, SENSOR, classes, labels, read_mat)
    return everything.take(last_of_each_class(labels, split, one_in=5))
