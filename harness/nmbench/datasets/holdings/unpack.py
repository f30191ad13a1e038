"""Unpack a stranger's archive: within limits, nowhere but into its folder, wholly or not at all."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from nmbench.datasets.holdings.catalogue import RECEIPT, Packing, size_text
from nmbench.datasets.holdings.receipt import CHUNK_BYTES, Seen, Unpacked
from nmbench.errors import InputError

MEMBERS_MAX = 1_000_000
RATIO_MAX = 100
"""So many times the archive's size may come out of it; event files shrink two- to tenfold."""
SLACK_BYTES = 1 << 20
DEPTH_MAX = 3
"""Archives within archives."""
LEFT_OUT = "__MACOSX"
"""Folder of macOS's own notes in an archive, which is no part of a set."""

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


class Unsafe(Exception):
    """An archive that is not unpacked: damaged, or made to do harm."""


class Body(Protocol):
    """Content of a member."""

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes."""


class Sink:
    """The folder that an archive is unpacked into, with what it may still take.

    Attributes
    ----------
    written
        What was unpacked, by path.
    """

    def __init__(self, place: Path, most_bytes: int, seen: Seen) -> None:
        self.written: dict[str, Unpacked] = {}
        self._place = place
        self._left_bytes = most_bytes
        self._seen = seen
        self._members = 0

    def count(self, name: str) -> PurePosixPath | None:
        """Count a member and check its name; None where it is left out."""
        self._members += 1
        if self._members > MEMBERS_MAX:
            raise Unsafe(f"more than {MEMBERS_MAX:,} members")
        path = safe_path(name)
        return None if path.parts and path.parts[0] == LEFT_OUT else path

    def folder(self, path: PurePosixPath) -> None:
        """Make a folder."""
        self._place.joinpath(path).mkdir(parents=True, exist_ok=True)

    def file(self, path: PurePosixPath, body: Body, archive: str) -> None:
        """Write a file; no other may lie there already."""
        target = self._place.joinpath(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        try:
            out = target.open("xb")
        except (FileExistsError, IsADirectoryError) as error:
            raise Unsafe(f"{path}: stands in the archive twice") from error
        with out:
            while chunk := body.read(CHUNK_BYTES):
                size += len(chunk)
                self._left_bytes -= len(chunk)
                if self._left_bytes < 0:
                    raise Unsafe(f"{path}: more than {RATIO_MAX} times the archive comes out")
                out.write(chunk)
                digest.update(chunk)
                self._seen(len(chunk))
        self.written[str(path)] = Unpacked(
            path=str(path), bytes=size, sha256=digest.hexdigest(), archive=archive
        )

    def expect(self, size: int) -> None:
        """Refuse at once what promises more than is allowed, or than the disc has room for."""
        if size > self._left_bytes:
            raise Unsafe(f"promises {size:,} bytes, more than {RATIO_MAX} times the archive")
        free = shutil.disk_usage(self._place).free
        if size > free:
            raise Unsafe(f"needs {size_text(size)} of disc space, {size_text(free)} are free")

    def forget(self, path: str) -> None:
        """Take an inner archive away, whose files lie beside it now."""
        del self.written[path]
        self._place.joinpath(path).unlink()


def safe_path(name: str) -> PurePosixPath:
    """Return a member's path if it stays inside the folder; raises `Unsafe`."""
    path = PurePosixPath(name)
    bad = (
        not name
        or "\\" in name
        or "\0" in name
        or name.startswith("/")
        or ".." in path.parts
        or (len(name) > 1 and name[1] == ":")
        or any(len(part.encode()) > 255 for part in path.parts)
        or path.parts[:1] == (RECEIPT,)
    )
    if bad:
        raise Unsafe(f"{name!r}: a path that leads out of the folder, or no path at all")
    return path


def unpack(
    archive: Path, packing: Packing, inner: Sequence[str], place: Path, seen: Callable[[int], None]
) -> list[Unpacked]:
    """Unpack an archive into a folder.

    Parameters
    ----------
    inner
        Patterns of zip archives inside that are unpacked too, each where it lies, and taken away.
    place
        The folder; what is there of the same name is replaced. Files are written to a folder beside and moved
        here when all are there.
    seen
        Called with the number of bytes that were just written.

    Returns
    -------
    list
        The files, by path.

    Raises
    ------
    InputError
        If it is damaged or unsafe; then nothing of it is left.
    """
    beside = place / f".unpacking-{archive.name}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    most = RATIO_MAX * archive.stat().st_size + SLACK_BYTES
    try:
        sink = Sink(beside, most, seen)
        with _faults(archive):
            _open(archive, packing, sink, PurePosixPath(), archive.name)
            _unpack_inner(beside, inner, sink, archive.name)
            _check_names(beside, archive.name, sink)
        _move(beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return [sink.written[path] for path in sorted(sink.written)]


@contextmanager
def _faults(archive: Path) -> Iterator[None]:
    """Name the archive with whatever is wrong with it."""
    try:
        yield
    except Unsafe as error:
        raise InputError(str(archive), [f"not unpacked: {error}"]) from error
    except _BROKEN as error:
        raise InputError(
            str(archive), [f"not unpacked, it is damaged: {error or type(error).__name__}"]
        ) from error
    except OSError as error:
        raise InputError(str(archive), [f"not unpacked: {error.strerror or error}"]) from error


def _open(archive: Path, packing: Packing, sink: Sink, into: PurePosixPath, name: str) -> None:
    if packing == "zip":
        _unzip(archive, sink, into, name)
    elif packing == "tar.gz":
        _untar(archive, sink, into, name)
    else:
        with gzip.open(archive) as body:
            sink.file(into / archive.name.removesuffix(".gz"), body, name)


def _unzip(archive: Path, sink: Sink, into: PurePosixPath, name: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        sink.expect(sum(info.file_size for info in opened.infolist()))
        for info in opened.infolist():
            path = sink.count(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.flag_bits & 1:
                raise Unsafe(f"{info.filename}: encrypted")
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Unsafe(f"{info.filename}: a link or a device")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Unsafe(
                    f"{info.filename}: packed by method {info.compress_type}, known: stored, deflated"
                )
            if path is None:
                continue
            if info.is_dir():
                sink.folder(into / path)
                continue
            with opened.open(info) as body:
                sink.file(into / path, body, name)


def _untar(archive: Path, sink: Sink, into: PurePosixPath, name: str) -> None:
    with gzip.open(archive) as raw:
        with tarfile.open(fileobj=raw, mode="r|") as opened:
            for info in opened:
                path = sink.count(info.name)
                if not (info.isreg() or info.isdir()) or info.issparse():
                    raise Unsafe(f"{info.name}: a link, a device or a sparse file")
                if path is None:
                    continue
                if info.isdir():
                    sink.folder(into / path)
                    continue
                body = opened.extractfile(info)
                if body is None:
                    raise Unsafe(f"{info.name}: has no content")
                sink.file(into / path, body, name)
        left = RATIO_MAX * SLACK_BYTES
        while chunk := raw.read(CHUNK_BYTES):  # gzip checks its sum at the end
            left -= len(chunk)
            if left < 0:
                raise Unsafe("too much behind the last member")


def _unpack_inner(beside: Path, inner: Sequence[str], sink: Sink, name: str) -> None:
    for _ in range(DEPTH_MAX):
        waiting = [
            path
            for path in sorted(sink.written)
            if any(fnmatch.fnmatchcase(PurePosixPath(path).name, pattern) for pattern in inner)
        ]
        if not waiting:
            return
        for path in waiting:
            try:
                _open(beside / path, "zip", sink, PurePosixPath(path).parent, name)
            except (Unsafe, *_BROKEN) as error:
                raise Unsafe(f"{path} in it: {error}") from error
            sink.forget(path)
    raise Unsafe(f"archives in archives, more than {DEPTH_MAX} deep")


def _check_names(beside: Path, archive: str, sink: Sink) -> None:
    """Refuse what would take the place of the archive, of the receipt, or of our own folders."""
    if not sink.written:
        raise Unsafe("no file in it")
    for entry in beside.iterdir():
        if entry.name in (archive, RECEIPT) or entry.name.startswith((".unpacking-", ".old-")):
            raise Unsafe(f"{entry.name}: a member of a name that is not for members")


def _move(beside: Path, place: Path) -> None:
    """Give what was unpacked its place; what lay there is taken away."""
    for entry in sorted(beside.iterdir()):
        _move_entry(entry, place / entry.name)


def _move_entry(entry: Path, target: Path) -> None:
    old = entry.parent / f".old-{entry.name}"
    if target.is_symlink() or target.exists():
        target.replace(old)
    entry.replace(target)
