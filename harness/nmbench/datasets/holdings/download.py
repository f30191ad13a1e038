"""Fetch one file: to a part beside it, taken up again where it broke off, believed only by its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from nmbench.datasets.holdings.belief import wrong
from nmbench.datasets.holdings.catalogue import File, size_text
from nmbench.datasets.holdings.receipt import CHUNK_BYTES, Digests
from nmbench.datasets.holdings.web import (
    TIMEOUT_S,
    Answer,
    Dropped,
    Mark,
    Refused,
    Unranged,
    Unreachable,
    ask,
)
from nmbench.errors import InputError
from nmbench.progress import Progress

UNKNOWN_BYTES_MAX = 64 << 30
"""Most bytes that are taken of a file whose size nobody states."""

RESTARTS_MAX = 2
"""So often a file that was put together from several tries is begun anew at one mirror."""


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Attributes
    ----------
    tries
        In a row without a new byte, at one mirror.
    tries_in_all
        At one mirror, however many bytes came.
    first_wait_s, longest_wait_s
        Before the second try, doubled for each further one; also the longest that a server may ask for.
    """

    tries: int = 5
    tries_in_all: int = 200
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    timeout_s: float = TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep


class Origin(BaseModel):
    """Where a part came from, kept beside it (`<name>.part.json`) for the next time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    etag: str | None
    modified: str | None


class Part:
    """The bytes of a file that came so far, and their digests."""

    def __init__(self, place: Path, name: str) -> None:
        self.path = place / f"{name}.part"
        self.note = place / f"{name}.part.json"
        self.size = 0
        self._handle: IO[bytes] = self.path.open("ab")
        self.hash()
        self.mixed = self.size > 0
        """Whether bytes of several requests are in it."""

    def leave(self) -> None:
        """Close the file; an empty one is taken away."""
        self._handle.close()
        if self.size == 0:
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)

    def hash(self) -> None:
        """Hash what is there."""
        self._md5, self._sha256, self.size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                self._count(chunk)

    def append(self, chunk: bytes) -> None:
        """Write what came."""
        self._handle.write(chunk)
        self._count(chunk)

    def restart(self) -> None:
        """Throw away what is there."""
        self._handle.truncate(0)
        self._handle.flush()
        self.note.unlink(missing_ok=True)
        self.mixed = False
        self.hash()

    def origin(self) -> Origin | None:
        """Return where the bytes came from, where that is known."""
        try:
            return Origin.model_validate_json(self.note.read_bytes())
        except (OSError, ValidationError):
            return None  # without it the part is fetched anew, or the digest tells

    def comes_from(self, url: str, mark: Mark) -> None:
        """Note where the bytes come from."""
        text = Origin(url=url, etag=mark.etag, modified=mark.modified).model_dump_json()
        self.note.write_text(text, encoding="utf-8")

    def digests(self) -> Digests:
        """Return size and digests of what came so far, which is then on the disc."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        return Digests(self.size, self._md5.hexdigest(), self._sha256.hexdigest())

    def keep(self, target: Path) -> None:
        """Give the part its own name."""
        self._handle.close()
        self.path.replace(target)
        self.note.unlink(missing_ok=True)

    def _count(self, chunk: bytes) -> None:
        self._md5.update(chunk)
        self._sha256.update(chunk)
        self.size += len(chunk)


def download(
    file: File, place: Path, progress: Progress, patience: Patience, believed: Callable[[Path], str | None]
) -> tuple[Digests, str]:
    """Fetch a file from the first mirror that gives it whole and right.

    Parameters
    ----------
    place
        Folder that the file goes to.
    believed
        Called with the whole part where there is no digest of the bytes; the fault that it finds, or None.

    Returns
    -------
    tuple
        Size and digests, and the mirror.

    Raises
    ------
    InputError
        With the fault of each mirror.
    """
    part, faults = Part(place, file.name), []
    try:
        for mirror in file.mirrors:
            try:
                found = _from_mirror(file, mirror, part, progress, patience, believed)
            except (Refused, Dropped) as error:
                faults.append(f"{mirror}: {error}")
                continue
            part.keep(place / file.name)
            return found, mirror
    finally:
        part.leave()
    raise InputError(file.name, faults)


def _from_mirror(
    file: File,
    url: str,
    part: Part,
    progress: Progress,
    patience: Patience,
    believed: Callable[[Path], str | None],
) -> Digests:
    idle, restarts, came = 0, 0, False
    for k in range(patience.tries_in_all):
        before = part.size
        try:
            if file.bytes is None or part.size != file.bytes:
                _stream(file, url, part, progress, patience.timeout_s)
        except Unranged as error:
            if part.size == 0 or restarts == RESTARTS_MAX:
                raise Refused(str(error)) from error
            if not (file.digest_binds and wrong(file, part.digests()) is None):
                restarts += 1
                part.restart()
                continue
        except Dropped as error:
            came |= part.size > before
            idle = 0 if part.size > before else idle + 1
            if isinstance(error, Unreachable) and not came:
                raise  # the next mirror is a better try than a server that nobody has seen yet
            if idle >= patience.tries or k + 1 == patience.tries_in_all:
                raise
            _wait(error, idle, url, progress, patience)
            continue
        found = part.digests()
        fault = wrong(file, found) or (None if file.digest_binds else believed(part.path))
        if fault is None:
            return found
        mixed = part.mixed
        part.restart()
        restarts += 1
        if not mixed or restarts > RESTARTS_MAX:
            raise Refused(fault)
        progress.note(f"{file.name}: {fault}, after it was put together from several tries: begun anew")
    raise Dropped(f"broke off {patience.tries_in_all} times")


def _wait(error: Dropped, idle: int, url: str, progress: Progress, patience: Patience) -> None:
    wait_s = patience.first_wait_s * 2.0 ** max(idle - 1, 0) if error.wait_s is None else error.wait_s
    wait_s = min(wait_s, patience.longest_wait_s)
    progress.note(f"{url}: {error}; again in {wait_s:.0f} s")
    patience.sleep(wait_s)


def _stream(file: File, url: str, part: Part, progress: Progress, timeout_s: float) -> None:
    """Ask for what is missing and append it; returns when the file is whole by what the server promised."""
    start, mark = _resume(file, url, part)
    if start == 0 and part.size:
        part.restart()
    with ask(url, start, mark, timeout_s) as answer:
        most = _most(file, answer)
        if answer.start == 0 and part.size:
            part.restart()
        elif answer.start:
            part.mixed = True
        part.comes_from(url, answer.mark)
        for piece in answer.pieces():
            if part.size + len(piece) > most:
                part.restart()
                raise Refused(f"more than {most:,} bytes: stopped")
            part.append(piece)
            progress.step(file.name, part.size, answer.total or file.bytes or 0)
        if answer.total is not None and part.size < answer.total:
            raise Dropped(f"the connection broke after {part.size:,} of {answer.total:,} bytes")


def _resume(file: File, url: str, part: Part) -> tuple[int, Mark | None]:
    """Decide from which byte to go on, and under which condition."""
    origin = part.origin()
    if part.size == 0:
        return 0, None
    if origin is not None and origin.url == url:
        mark = Mark(origin.etag, origin.modified)
        if mark.condition:
            return part.size, mark
    # another server's bytes may only be gone on with where the digest of the whole will tell
    return (part.size, None) if file.digest_binds else (0, None)


def _most(file: File, answer: Answer) -> int:
    """Return the most bytes that are taken; refuse a promise that cannot be right."""
    if file.bytes is not None:
        if answer.total is not None and answer.total != file.bytes and file.digest_binds:
            raise Refused(f"promises {answer.total:,} bytes, the file has {file.bytes:,}")
        return file.bytes
    most = UNKNOWN_BYTES_MAX if file.about_bytes is None else 2 * file.about_bytes + (64 << 20)
    if answer.total is not None and answer.total > most:
        raise Refused(f"promises {size_text(answer.total)}, the file has {file.size}")
    return most if answer.total is None else answer.total
