"""Hash a set again, against the known digests and its receipt: a fault for every file that differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nmbench.datasets.holdings.advice import advice
from nmbench.datasets.holdings.belief import wrong_by_hand
from nmbench.datasets.holdings.catalogue import RECEIPT, File, Holding
from nmbench.datasets.holdings.receipt import (
    Digests,
    Fetched,
    Receipt,
    Unpacked,
    digests,
    files_in,
    read_receipt,
    write_receipt,
)
from nmbench.datasets.holdings.state import missing_of, place_of, state
from nmbench.errors import DataMissing, InputError
from nmbench.progress import Progress


@dataclass(frozen=True)
class Verdict:
    """What was found of a set.

    Attributes
    ----------
    checked
        Files whose bytes were compared with a known digest.
    faults
        One line for each file that differs, is missing or is too many.
    notes
        What could not be told, and why.
    """

    name: str
    checked: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def verify(known: Holding, root: Path, progress: Progress) -> Verdict:
    """Hash every file of a set and compare.

    Raises
    ------
    DataMissing
        If nothing of the set is here.
    """
    folder = root / known.folder
    if state(known, root).what in ("absent", "begun"):
        raise DataMissing(advice(known, root.absolute(), state(known, root)))
    try:
        receipt = read_receipt(folder)
    except InputError as error:
        return Verdict(known.name, 0, tuple(f"{RECEIPT}: {fault}" for fault in error.faults), ())
    count = _Count(_all_bytes(known, folder, receipt), f"verifying {known.name}", progress)
    checked, faults, notes = _verify_files(known, folder, receipt, count)
    if receipt is None:
        notes += _without_receipt(known, checked)
        faults += [f"only {lacking}" for lacking in missing_of(known, folder)]
        if not checked and not faults:
            faults.append("nothing here has a known digest; --adopt makes a receipt of the files as they are")
        return Verdict(known.name, checked, tuple(faults), tuple(notes))
    if receipt.adopted:
        notes.append(
            f"files placed by hand and adopted on {receipt.written[:10]}: changes since then are found"
        )
    for unpacked in receipt.unpacked:
        faults += _verify_unpacked(folder, unpacked, count)
    faults += [f"{path}: is not in the receipt" for path in _extra(known, folder, receipt)]
    return Verdict(known.name, checked + len(receipt.unpacked), tuple(faults), tuple(notes))


def adopt(known: Holding, root: Path, progress: Progress) -> Receipt:
    """Write a receipt for files that were placed by hand, as they are now.

    Raises
    ------
    DataMissing
        If the set is not here.
    InputError
        If a file is not the known one, if files are missing, or if there is a receipt already.
    """
    folder = root / known.folder
    found = state(known, root)
    if found.what in ("absent", "begun"):
        raise DataMissing(advice(known, root.absolute(), found))
    if read_receipt(folder) is not None:
        raise InputError(str(folder), [f"there is a receipt already ({RECEIPT}): verify compares with it"])
    if faults := [f"only {lacking}" for lacking in missing_of(known, folder)]:
        raise InputError(str(folder), faults)
    paths = list(files_in(folder)) if folder.is_dir() else []
    paths = [path for path in paths if not _ours(path, folder)]
    links = [f"{path.relative_to(folder)}: a link, or no file" for path in paths if not _regular(path)]
    if links:
        raise InputError(str(folder), links)
    count = _Count(sum(path.stat().st_size for path in paths), f"adopting {known.name}", progress)
    receipt, faults = _adopted(known, folder, paths, count)
    if faults:
        raise InputError(str(folder), faults)
    if not receipt.fetched and not receipt.unpacked:
        raise InputError(
            str(folder), [f"no file in it; receipts are for files in this folder, not in {root}"]
        )
    write_receipt(folder, receipt)
    return receipt


def _adopted(known: Holding, folder: Path, paths: Iterable[Path], count: _Count) -> tuple[Receipt, list[str]]:
    fetched: list[Fetched] = []
    unpacked: list[Unpacked] = []
    faults = []
    files = {place_of(file, folder): file for file in known.files}
    for path in paths:
        digest = digests(path, count.seen)
        name = str(path.relative_to(folder))
        if path in files:
            fault = wrong_by_hand(files[path], path, digest)
            faults += [f"{name}: {fault}"] if fault else []
            fetched.append(
                Fetched(
                    name=name,
                    bytes=digest.size,
                    md5=digest.md5,
                    sha256=digest.sha256,
                    mirror=None,
                    trust="adopted",
                )
            )
        else:
            unpacked.append(Unpacked(path=name, bytes=digest.size, sha256=digest.sha256, archive=None))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    receipt = Receipt(
        name=known.name, adopted=True, written=now, fetched=tuple(fetched), unpacked=tuple(unpacked)
    )
    return receipt, faults


class _Count:
    """Bytes worked on, told to whoever waits."""

    def __init__(self, total: int, task: str, progress: Progress) -> None:
        self._total, self._task, self._progress, self._done = total, task, progress, 0

    def seen(self, count: int) -> None:
        self._done += count
        self._progress.step(self._task, self._done, max(self._total, 1))


def _verify_files(
    known: Holding, folder: Path, receipt: Receipt | None, count: _Count
) -> tuple[int, list[str], list[str]]:
    """Hash the archives, and the files that are read as they are."""
    checked = 0
    faults: list[str] = []
    notes: list[str] = []
    before = {fetched.name: fetched for fetched in receipt.fetched} if receipt else {}
    for file in known.files:
        path = place_of(file, folder)
        if path is None:
            faults += [f"{file.name}: is missing"] if file.name in before or not known.present else []
            notes += [] if faults and faults[-1].startswith(file.name) else [f"{file.name} is not here"]
            continue
        found = digests(path, count.seen)
        fault = _fault(file, path, found, before.get(path.name))
        faults += [f"{path.name}: {fault}"] if fault else []
        if path.name in before or file.digest_binds or file.contents or _is_instead(file, path):
            checked += 1
            if path.name in before and before[path.name].trust == "first use":
                notes.append(f"{path.name} was believed because it came: no digest of it is published")
        else:
            notes.append(f"{path.name}: no digest of it is known")
    return checked, faults, notes


def _fault(file: File, path: Path, found: Digests, before: Fetched | None) -> str | None:
    fault = wrong_by_hand(file, path, found)
    if fault is None and before is not None and (found.size, found.sha256) != (before.bytes, before.sha256):
        return f"is not what it was: SHA-256 {found.sha256}, the receipt says {before.sha256}"
    return fault


def _is_instead(file: File, path: Path) -> bool:
    return file.instead is not None and path.name == file.instead.name


def _verify_unpacked(folder: Path, known: Unpacked, count: _Count) -> list[str]:
    path = folder / known.path
    if path.is_symlink() or not path.is_file():
        return [f"{known.path}: is missing"]
    if (size := path.stat().st_size) != known.bytes:
        return [f"{known.path}: {size:,} bytes, the receipt says {known.bytes:,}"]
    found = digests(path, count.seen)
    if found.sha256 != known.sha256:
        return [f"{known.path}: is not what it was: SHA-256 {found.sha256}, the receipt says {known.sha256}"]
    return []


def _without_receipt(known: Holding, checked: int) -> list[str]:
    if not known.present or not checked:
        return []
    return [
        "no receipt: the archives were verified, the unpacked files cannot be; fetch unpacks them anew "
        "with one, --adopt makes one of the files as they are"
    ]


def _extra(known: Holding, folder: Path, receipt: Receipt) -> list[str]:
    inside = {fetched.name for fetched in receipt.fetched} | {file.path for file in receipt.unpacked}
    inside |= {file.name for file in known.files}
    paths = (path for path in files_in(folder) if not _ours(path, folder))
    return [name for path in paths if (name := path.relative_to(folder).as_posix()) not in inside]


def _ours(path: Path, folder: Path) -> bool:
    """Whether a file is one of ours beside the set: its receipt, or a download that is not whole yet."""
    return path.parent == folder and (
        path.name in (RECEIPT, f"{RECEIPT}.new") or path.name.endswith((".part", ".part.json"))
    )


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _all_bytes(known: Holding, folder: Path, receipt: Receipt | None) -> int:
    places = [place_of(file, folder) for file in known.files]
    total = sum(path.stat().st_size for path in places if path)
    return total + (sum(file.bytes for file in receipt.unpacked) if receipt else 0)
