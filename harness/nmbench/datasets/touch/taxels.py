"""The recordings of the braille letters as readings, out of either of the files that hold them.

Strangers' files: nothing is unpacked, nothing in them is run, and every size is checked before it is read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.touch.pickled import Untrusted, read_pickle
from nmbench.errors import InputError

CLASSES = ("Space", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
REPETITIONS = 50
STEPS = 76
TAXELS = 12

FILE_BYTES_MAX = 64 << 20
CONTENT_BYTES_MAX = 64 << 20  # 1,350 trials of 76 x 12 doubles are 10 MB
TRIALS_MAX = 10_000
TRIAL_STEPS_MAX = 10_000
FAULTS_TOLD_MAX = 50

_HEADER = re.compile(
    rb"\{'descr': '(?P<kind>[<>|=]?[A-Za-z][0-9]{0,9})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,18},? ?){0,8})\), \} *\n"
)


@dataclass(frozen=True, eq=False)
class Trials:
    """Slides of the fingertip over a letter.

    Attributes
    ----------
    readings
        Capacitance of each taxel as the sensor gives it, uint8 ``[trials, STEPS, TAXELS]``; less is pressed.
    letter, repetition
        Place in `CLASSES`, and which of the `REPETITIONS` slides, int64 ``[trials]``.
    """

    readings: npt.NDArray[np.uint8]
    letter: npt.NDArray[np.int64]
    repetition: npt.NDArray[np.int64]


def read_trials(path: Path) -> Trials:
    """Read the trials, sorted by letter and repetition, from the ``.npz`` or the original ``.pkl.gz``.

    What a file is, its first bytes say, not its name.

    Raises
    ------
    InputError
        With the file's name and all that is wrong with it.
    """
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InputError(str(path), [f"{path.stat().st_size} bytes, more than {FILE_BYTES_MAX}"])
    data = path.read_bytes()
    if data[:2] == b"PK":
        trials, faults = _from_npz(data)
    elif data[:2] == b"\x1f\x8b":
        trials, faults = _from_pickle(data)
    else:
        trials, faults = None, ["neither a zip (.npz) nor a gzip file (.pkl.gz)"]
    if trials is not None and not faults:
        faults = _twice(trials)
    if faults or trials is None:
        more = len(faults) - FAULTS_TOLD_MAX
        raise InputError(str(path), faults[:FAULTS_TOLD_MAX] + ([f"and {more} more"] if more > 0 else []))
    order = np.lexsort((trials.repetition, trials.letter))
    return Trials(trials.readings[order], trials.letter[order], trials.repetition[order])


def _twice(trials: Trials) -> list[str]:
    numbers, counts = np.unique(trials.letter * REPETITIONS + trials.repetition, return_counts=True)
    return [
        f"letter {CLASSES[n // REPETITIONS]!r}, repetition {n % REPETITIONS}: stands there {count} times"
        for n, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        if count > 1
    ]


def _from_npz(data: bytes) -> tuple[Trials | None, list[str]]:
    """Read ``x`` uint8 [n, 76, 12], ``y`` and ``rep`` uint8 [n], ``names`` <U5 [27]."""
    found: dict[str, npt.NDArray[np.generic]] = {}
    faults = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name, kind in (("x", "u1"), ("y", "u1"), ("rep", "u1"), ("names", "<U5")):
                try:
                    found[name] = _array(_member(archive, f"{name}.npy"), np.dtype(kind))
                except ValueError as error:
                    faults.append(f"{name}.npy: {error}")
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        return None, [f"not a readable zip archive: {error}"]
    if faults:
        return None, faults
    trials = len(found["x"])
    wanted = {"x": (trials, STEPS, TAXELS), "y": (trials,), "rep": (trials,), "names": (len(CLASSES),)}
    faults += [
        f"{name}.npy: shape {list(found[name].shape)}, wanted {list(shape)}"
        for name, shape in wanted.items()
        if found[name].shape != shape
    ]
    if not 1 <= trials <= TRIALS_MAX:
        faults.append(f"x.npy: {trials} trials, wanted 1 to {TRIALS_MAX}")
    for name, size in (("y", len(CLASSES)), ("rep", REPETITIONS)):
        outside = found[name].astype(np.int64).ravel()
        outside = outside[outside >= size]
        if len(outside):
            faults.append(f"{name}.npy: {len(outside)} values not below {size}, the first is {outside[0]}")
    if found["names"].tobytes() != np.array(CLASSES, "<U5").tobytes():
        faults.append(f"names.npy: wanted {', '.join(CLASSES)}")
    made = Trials(found["x"].astype(np.uint8), found["y"].astype(np.int64), found["rep"].astype(np.int64))
    return made, faults


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read one member within the limits; raises ValueError."""
    entries = [info for info in archive.infolist() if info.filename == name]
    if len(entries) != 1:
        raise ValueError("not in the archive" if not entries else "stands in the archive twice")
    info = entries[0]
    if info.flag_bits & 1:
        raise ValueError("encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"compression method {info.compress_type}, known are stored and deflated")
    if info.file_size > CONTENT_BYTES_MAX:
        raise ValueError(f"{info.file_size} bytes, more than {CONTENT_BYTES_MAX}")
    try:
        with archive.open(info) as file:
            # the directory's size may lie: what is read is limited, not what is promised
            return file.read(CONTENT_BYTES_MAX)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ValueError(f"damaged: {error}") from error


def _array(data: bytes, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """Take an array of exactly this type out of ``.npy`` bytes; raises ValueError.

    The header is Python's writing of a mapping; NumPy evaluates it as a literal, here it must look as NumPy
    writes it (format 1.0).
    """
    length = int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10 : 10 + length])
    if data[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ValueError("not an .npy file of format 1.0")
    if header["kind"].decode() != dtype.str:
        raise ValueError(f"type {header['kind'].decode()!r}, wanted {dtype.str!r}")
    if header["fortran"] == b"True":
        raise ValueError("in Fortran order, wanted C order")
    shape = [int(size) for size in header["shape"].replace(b" ", b"").split(b",") if size]
    body = data[10 + length :]
    if len(body) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(body)} bytes of {shape} values, {prod(shape) * dtype.itemsize} are due")
    return np.frombuffer(body, dtype).reshape(shape)


def _from_pickle(data: bytes) -> tuple[Trials | None, list[str]]:
    """Read the original file: trials in a row, letter by letter, each a mapping with ``taxel_data``.

    The layout is what ``SpyTorchTutorial5.ipynb`` of fzenke/spytorch takes out of it: trial
    ``letter * 50 + repetition``, readings ``[steps, 12]`` up to 255; all trials are cut to the shortest.
    """
    try:
        top = read_pickle(_unpacked(data))
    except Untrusted as error:
        return None, [str(error)]
    wanted = len(CLASSES) * REPETITIONS
    items = _in_order(top)
    if items is None or len(items) != wanted:
        said = type(top).__name__ if items is None else f"{len(items)} trials"
        return None, [f"holds {said}, wanted a list or a mapping of {wanted} trials"]
    readings, faults = [], []
    for number, item in enumerate(items):
        try:
            readings.append(_readings(item))
        except ValueError as error:
            letter, repetition = CLASSES[number // REPETITIONS], number % REPETITIONS
            faults.append(f"trial {number} ({letter!r}, repetition {repetition}): {error}")
    if faults:
        return None, faults
    shortest = min(len(trial) for trial in readings)
    if shortest != STEPS:
        return None, [f"the shortest trial has {shortest} readings, wanted {STEPS}"]
    numbers = np.arange(wanted)
    return Trials(
        np.stack([trial[:STEPS] for trial in readings]), numbers // REPETITIONS, numbers % REPETITIONS
    ), []


def _unpacked(data: bytes) -> bytes:
    """Unpack gzip members within the limit."""
    parts, total = [], 0
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            part = stream.decompress(data, CONTENT_BYTES_MAX - total + 1)
        except zlib.error as error:
            raise Untrusted(f"not a readable gzip file: {error}") from error
        parts.append(part)
        total += len(part)
        if total > CONTENT_BYTES_MAX:
            raise Untrusted(f"unpacks to more than {CONTENT_BYTES_MAX} bytes")
        if not stream.eof:
            raise Untrusted("not a readable gzip file: cut off")
        data = stream.unused_data
    return b"".join(parts)


def _in_order(top: object) -> list[object] | None:
    if isinstance(top, list | tuple):
        return list(top)
    if isinstance(top, dict) and set(top) == set(range(len(top))):
        return [top[number] for number in range(len(top))]
    return None


def _readings(item: object) -> npt.NDArray[np.uint8]:
    """Check one trial; raises ValueError."""
    if not isinstance(item, dict) or not isinstance(item.get("taxel_data"), np.ndarray):
        raise ValueError("no array 'taxel_data'")
    values = item["taxel_data"]
    if values.ndim != 2 or values.shape[1] != TAXELS or not 1 <= len(values) <= TRIAL_STEPS_MAX:
        raise ValueError(f"readings {list(values.shape)}, wanted [1..{TRIAL_STEPS_MAX}, {TAXELS}]")
    if values.dtype.kind not in "iuf":
        raise ValueError(f"readings of type {values.dtype}, wanted numbers")
    if not ((values >= 0) & (values <= 255)).all():  # a NaN is neither
        raise ValueError("readings outside 0..255")
    whole: npt.NDArray[np.uint8] = values.astype(np.uint8)
    if (whole != values).any():
        raise ValueError("readings that are no whole numbers")
    return whole
