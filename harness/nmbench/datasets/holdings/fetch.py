"""Fetch a set: every file from its mirrors, unpacked, with a receipt; what is right is left alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from nmbench.datasets.holdings.belief import mismatch, wrong, wrong_by_hand, wrong_contents
from nmbench.datasets.holdings.catalogue import File, Holding, size_text
from nmbench.datasets.holdings.download import Patience, download
from nmbench.datasets.holdings.lock import locked
from nmbench.datasets.holdings.receipt import (
    Digests,
    Fetched,
    Receipt,
    Trust,
    Unpacked,
    digests,
    read_receipt,
    write_receipt,
)
from nmbench.datasets.holdings.state import missing_of, place_of
from nmbench.datasets.holdings.unpack import unpack
from nmbench.errors import InputError
from nmbench.progress import Progress


def fetch(wanted: Sequence[Holding], root: Path, progress: Progress, patience: Patience) -> list[Holding]:
    """Fetch sets, one after the other; a fault of one does not keep the next from being tried.

    Returns
    -------
    list
        The sets, all of them here now.

    Raises
    ------
    InputError
        In the end, with all faults.
    """
    faults: list[str] = []
    root.mkdir(parents=True, exist_ok=True)
    for known in wanted:
        try:
            fetch_one(known, root, progress, patience)
        except InputError as error:
            faults += [f"{known.name}: {fault}" for fault in error.faults]
        except OSError as error:
            faults.append(f"{known.name}: {error}")
    if faults:
        raise InputError("nmbench data fetch", faults)
    return list(wanted)


def fetch_one(known: Holding, root: Path, progress: Progress, patience: Patience) -> Receipt:
    """Fetch a set into its folder inside the data folder.

    Raises
    ------
    InputError
        With the faults of all its files; what did arrive stays, with its receipt.
    """
    folder = root / known.folder
    faults: list[str] = []
    with locked(root, known.folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(known, folder)
        receipt = _known_so_far(known, folder, progress)
        for file in known.files:
            try:
                receipt = _fetch_file(known, file, folder, receipt, progress, patience)
            except InputError as error:
                faults += [f"{Path(error.subject).name}: {fault}" for fault in error.faults]
        if not faults:
            faults = [f"unpacked, but there are only {lacking}" for lacking in missing_of(known, folder)]
    if faults:
        raise InputError(str(folder), faults)
    return receipt


def _known_so_far(known: Holding, folder: Path, progress: Progress) -> Receipt:
    """Return the receipt that is there, or an empty one."""
    empty = Receipt(name=known.name, adopted=False, written=_now(), fetched=(), unpacked=())
    try:
        found = read_receipt(folder)
    except InputError as error:
        progress.note(f"{error}: written anew")
        return empty
    return empty if found is None or found.adopted else found


def _fetch_file(
    known: Holding, file: File, folder: Path, receipt: Receipt, progress: Progress, patience: Patience
) -> Receipt:
    """Fetch and unpack one file if it is not here; returns the receipt with it in it, which is written."""
    if by_hand := _by_hand(file, folder, progress):
        progress.note(f"{known.name}: {by_hand} is here and right; nothing is fetched in its place")
        return receipt
    there = _there(file, folder, receipt, progress)
    if there and _unpacked_whole(file, folder, receipt):
        progress.note(f"{known.name}: {file.name} is here and right")
        return receipt
    if there is None:
        found, mirror = download(file, folder, progress, patience, lambda path: wrong_contents(file, path))
        there = _fetched(file, found, mirror)
        if there.trust == "first use":
            progress.note(
                f"{known.name}: no digest of {file.name} is known: its bytes are believed because they came, "
                "and verify will find only changes from now on"
            )
    unpacked = _unpack(file, folder, progress)
    others = [f for f in receipt.fetched if f.name != file.name]
    rest = [f for f in receipt.unpacked if f.archive != file.name]
    new = Receipt(
        name=known.name,
        adopted=False,
        written=_now(),
        fetched=(*others, there),
        unpacked=tuple(sorted([*rest, *unpacked], key=lambda f: f.path)),
    )
    write_receipt(folder, new)
    return new


def _by_hand(file: File, folder: Path, progress: Progress) -> Path | None:
    """Return a file of another name that does as well, if it is here.

    Raises
    ------
    InputError
        If it is here but not right: a second one beside it would leave open which is meant.
    """
    path = place_of(file, folder)
    if path is None or path == folder / file.name:
        return None
    if fault := wrong_by_hand(file, path, hashed(path, path.name, progress)):
        raise InputError(str(path), [f"{fault}; take it away first"])
    return path


def _there(file: File, folder: Path, receipt: Receipt, progress: Progress) -> Fetched | None:
    """Hash the file if it is here already; None where it must be fetched."""
    path = folder / file.name
    if not path.is_file():
        return None
    found = hashed(path, file.name, progress)
    before = next((f for f in receipt.fetched if f.name == file.name), None)
    if before is not None and before.sha256 == found.sha256:
        return before
    fault = wrong(file, found) or wrong_contents(file, path)
    if fault is None and before is None and (file.digest_binds or file.contents):
        return _fetched(file, found, None)
    progress.note(f"{file.name} is here, but {fault or 'nothing tells whether it is right'}: fetched anew")
    return None


def _fetched(file: File, found: Digests, mirror: str | None) -> Fetched:
    trust: Trust = "contents" if file.contents else "first use"
    if (file.md5 or file.sha256) and mismatch(file, found) is None:
        trust = "digest"
    return Fetched(
        name=file.name, bytes=found.size, md5=found.md5, sha256=found.sha256, mirror=mirror, trust=trust
    )


def _unpacked_whole(file: File, folder: Path, receipt: Receipt) -> bool:
    """Whether all that came out of an archive is still there, by its sizes."""
    if file.unpack == "none":
        return any(f.name == file.name for f in receipt.fetched)
    mine = [f for f in receipt.unpacked if f.archive == file.name]
    return bool(mine) and all(_size(folder / f.path) == f.bytes for f in mine)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _unpack(file: File, folder: Path, progress: Progress) -> list[Unpacked]:
    if file.unpack == "none":
        return []
    done = 0
    task = f"unpacking {file.name}"

    def seen(count: int) -> None:
        nonlocal done
        done += count
        progress.step(task, done, 0)

    unpacked = unpack(folder / file.name, file.unpack, file.inner, folder, seen)
    progress.step(task, done, done)
    return unpacked


def hashed(path: Path, name: str, progress: Progress) -> Digests:
    """Hash a file and say how far that is."""
    size, done = path.stat().st_size, 0

    def seen(count: int) -> None:
        nonlocal done
        done += count
        progress.step(f"checking {name}", done, max(size, 1))

    return digests(path, seen)


def _check_room(known: Holding, folder: Path) -> None:
    """Refuse to begin what the disc has no room for: what is to come, and as much again to unpack it."""
    need = 0
    for file in known.files:
        size = file.bytes or file.about_bytes or 0
        here = max(_size(folder / file.name), _size(folder / f"{file.name}.part"), 0)
        need += max(size - here, 0) + (size if file.unpack != "none" else 0)
    free = shutil.disk_usage(folder).free
    if need > free:
        raise InputError(
            str(folder), [f"needs some {size_text(need)} of disc space, {size_text(free)} are free"]
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
