"""Strangers' files and folders: found and read with limits, each fault with the file's name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError

FILES_MAX = 1_000_000
"""Most entries of a set's folder; the largest real set (ASL-DVS) has 100,800 files."""

Bytes = npt.NDArray[np.uint8]


class Absent(Exception):
    """Files of a set that are not on this machine; the message names the first."""


@dataclass(frozen=True)
class File:
    """A file as the folder's index knows it.

    Attributes
    ----------
    label
        Name of the folder that it lies in: the class, in most sets.
    """

    path: Path
    label: str
    size: int
    changed_ns: int


def stated(path: Path, label: str = "") -> File:
    """Look a single file up.

    Raises
    ------
    Absent
        If it is not there.
    """
    try:
        known = path.stat()
    except OSError as error:
        raise Absent(str(path)) from error
    if not stat.S_ISREG(known.st_mode):
        raise InputError(str(path), ["not a regular file"])
    return File(path, label, known.st_size, known.st_mtime_ns)


def folders(folder: Path) -> list[Path]:
    """List the folders inside a folder, sorted; hidden ones and macOS's ``__MACOSX`` are none of a set's.

    Raises
    ------
    Absent
        If there is none.
    """
    try:
        with os.scandir(folder) as entries:
            found = [Path(e.path) for e in _at_most(entries) if e.is_dir() and e.name[0] not in "._"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Absent(str(folder)) from error
    if not found:
        raise Absent(f"{folder}/*/")
    return sorted(found)


def class_folders(folder: Path, known: Sequence[str]) -> list[Path]:
    """List the folders that are named as classes, in a folder or, as some archives unpack, one level deeper.

    Raises
    ------
    Absent
        If there is none.
    """
    outer = folders(folder)
    if here := [place for place in outer if place.name in known]:
        return here
    for place in outer:
        with contextlib.suppress(Absent):
            if inner := [deeper for deeper in folders(place) if deeper.name in known]:
                return inner
    raise Absent(f"{folder / known[0]}/")


def files(folders_: Sequence[Path], suffixes: tuple[str, ...]) -> list[File]:
    """List the files of these endings in folders, in natural order of their names (2 before 10).

    Raises
    ------
    Absent
        If there is none in any of the folders.
    """
    found = []
    for folder in folders_:
        with os.scandir(folder) as entries:
            here = [e for e in _at_most(entries) if e.name.endswith(suffixes) and e.name[0] != "."]
        known = [(e, e.stat()) for e in here if e.is_file()]
        listed = [File(Path(e.path), folder.name, s.st_size, s.st_mtime_ns) for e, s in known]
        found += sorted(listed, key=lambda f: natural(f.path.name))
    if not found:
        raise Absent(f"{folders_[0]}/*{suffixes[0]}")
    if len(found) > FILES_MAX:
        raise InputError(str(folders_[0].parent), [f"more than {FILES_MAX} files"])
    return found


def _at_most(entries: Iterable[os.DirEntry[str]]) -> Iterable[os.DirEntry[str]]:
    for k, entry in enumerate(entries):
        if k >= FILES_MAX:
            raise InputError(str(Path(entry.path).parent), [f"more than {FILES_MAX} entries"])
        yield entry


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts runs of digits as numbers."""
    parts = re.findall(r"(\d+)|(\D+)", name)
    return tuple((int(digits), "") if digits else (-1, text) for digits, text in parts)


def identity(found: Iterable[File], root: Path) -> str:
    """Hash paths, sizes and times of change, as git does before it reads; not the content."""
    digest = hashlib.sha256()
    for file in found:
        digest.update(f"{file.path.relative_to(root)}\0{file.size}\0{file.changed_ns}\n".encode())
    return digest.hexdigest()


def read_bytes(path: Path, most: int, parts: int = 1) -> Bytes:
    """Read a whole file.

    Parameters
    ----------
    most
        Bytes that are read at most.
    parts
        The file is so many bytes, or a multiple: the size of one event.

    Raises
    ------
    InputError
        If it cannot be read, is empty, larger, cut off, or no regular file.
    """
    try:
        # without O_NONBLOCK a pipe of that name would wait for ever
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(str(path), [error.strerror or str(error)]) from error
    with os.fdopen(handle, "rb", buffering=0) as file:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise InputError(str(path), ["not a regular file"])
        faults = [] if known.st_size else ["empty"]
        faults += [f"{known.st_size} bytes, more than {most}"] if known.st_size > most else []
        if known.st_size % parts:
            faults.append(f"{known.st_size} bytes: cut off, an event has {parts}")
        if faults:
            raise InputError(str(path), faults)
        out = np.empty(known.st_size, np.uint8)
        try:
            got = file.readinto(out.data)
        except OSError as error:
            raise InputError(str(path), [error.strerror or str(error)]) from error
        if got != len(out):
            raise InputError(str(path), [f"{got} of {len(out)} bytes could be read"])
        return out


def indexed_labels(
    found: Sequence[File], root: Path, known: Sequence[str], of: Callable[[File], str]
) -> npt.NDArray[np.int64]:
    """Return each file's place among the known classes.

    Raises
    ------
    InputError
        With the first file of each class that is not known.
    """
    places = {name: k for k, name in enumerate(known)}
    names = [of(file) for file in found]
    strange: dict[str, File] = {}
    for name, file in zip(names, found, strict=True):
        if name not in places:
            strange.setdefault(name, file)
    if strange:
        faults = [f"{f.path.relative_to(root)}: no class {n!r}" for n, f in sorted(strange.items())[:50]]
        raise InputError(str(root), faults)
    return np.array([places[name] for name in names], np.int64)
