"""What of a set is here, told without reading it: absent, begun, packed, ready, not as fetched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nmbench.datasets.holdings.catalogue import File, Holding
from nmbench.datasets.holdings.receipt import Receipt, read_receipt
from nmbench.errors import InputError

What = Literal["absent", "begun", "incomplete", "packed", "ready", "by hand", "damaged?"]


@dataclass(frozen=True)
class State:
    """How a set stands on this machine.

    Attributes
    ----------
    what
        ``begun``: a download broke off. ``packed``: the archives alone. ``by hand``: all is there, without a
        receipt to verify it by. ``damaged?``: a file is missing or has another size than its receipt says.
    why
        What is missing or differs; empty where nothing is.
    """

    what: What
    why: str = ""


def place_of(file: File, folder: Path) -> Path | None:
    """Find a file: by its name in the set's folder or, where that is allowed, as people put it by hand."""
    if (folder / file.name).is_file():
        return folder / file.name
    if file.known_as is None and file.instead is None:
        return None
    for place in (folder, folder.parent):
        by_hand = [place / file.name]
        by_hand += place.glob(file.known_as) if file.known_as else []
        by_hand += [place / file.instead.name] if file.instead else []
        for path in sorted(by_hand):
            if path.is_file() and not path.name.endswith(".part"):
                return path
    return None


def missing_of(holding: Holding, folder: Path) -> list[str]:
    """Name the patterns of which too few files are there."""
    faults = []
    for present in holding.present:
        found = sum(1 for _ in itertools.islice(_files(folder, present.pattern), present.at_least))
        if found < present.at_least:
            faults.append(f"{found:,} of {present}")
    return faults


def state(holding: Holding, root: Path) -> State:
    """Look at what is there, without hashing anything."""
    folder = root / holding.folder
    files = [place_of(file, folder) for file in holding.files]
    try:
        receipt = read_receipt(folder)
    except InputError as error:
        return State("damaged?", f"its receipt: {error.faults[0]}")
    if receipt and (fault := changed(receipt, folder)):
        return State("damaged?", fault)
    absent = [file.name for file, found in zip(holding.files, files, strict=True) if found is None]
    lacking = missing_of(holding, folder)
    if not lacking and (holding.present or not absent):
        without = f"without {', '.join(absent)}" if absent else ""
        return State("ready" if receipt else "by hand", without)
    if not absent:
        return State("packed", f"to unpack: {', '.join(lacking)}")
    return _in_parts(holding, folder, absent, lacking)


def _in_parts(holding: Holding, folder: Path, absent: list[str], lacking: list[str]) -> State:
    if len(absent) < len(holding.files) or (holding.present and len(lacking) < len(holding.present)):
        return State("incomplete", f"missing: {', '.join(absent)}")
    if any((folder / f"{file.name}.part").is_file() for file in holding.files):
        return State("begun", "a download broke off; fetch goes on with it")
    return State("absent")


def changed(receipt: Receipt, folder: Path) -> str | None:
    """Name the first file that is missing or has another size than the receipt says."""
    known = [(file.name, file.bytes) for file in receipt.fetched]
    known += [(file.path, file.bytes) for file in receipt.unpacked]
    for name, size in known:
        try:
            found = (folder / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if found != size:
            return f"{name} has {found:,} of {size:,} bytes"
    return None


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.glob(pattern) if path.is_file())
