"""The receipt in a set's folder: every file with its size and digest, as it was when it was fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmbench.datasets.holdings.catalogue import RECEIPT, Sha256
from nmbench.documents import read_document

RECEIPT_BYTES_MAX = 256 << 20
"""The largest set has 100,800 files, some 15 MB of receipt."""

CHUNK_BYTES = 1 << 20

Seen = Callable[[int], None]
"""Called with the number of bytes that were just worked on."""

Trust = Literal["digest", "contents", "first use", "adopted"]
"""Why the bytes are believed: the known digest, the known digest of what is in them, or because they came."""


class Fetched(BaseModel):
    """A fetched file: an archive, or a file that is read as it is.

    Attributes
    ----------
    mirror
        Where it came from; None where it was placed by hand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    bytes: int = Field(ge=0)
    md5: str
    sha256: Sha256
    mirror: str | None
    trust: Trust


class Unpacked(BaseModel):
    """A file that came out of an archive, by its path in the set's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    bytes: int = Field(ge=0)
    sha256: Sha256
    archive: str | None


class Receipt(BaseModel):
    """What is in a set's folder.

    Attributes
    ----------
    adopted
        True where the files were placed by hand and hashed as they lay there: changes since then are found,
        not whether the files were right then.
    written
        When, UTC.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["nmbench-receipt/1"] = "nmbench-receipt/1"
    name: str
    adopted: bool
    written: str
    fetched: tuple[Fetched, ...]
    unpacked: tuple[Unpacked, ...]


@dataclass(frozen=True)
class Digests:
    """Size and digests of a file."""

    size: int
    md5: str
    sha256: str


def read_receipt(place: Path) -> Receipt | None:
    """Read the receipt of a folder; None where there is none.

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = place / RECEIPT
    if not path.is_file():
        return None
    return read_document(path, Receipt, max_bytes=RECEIPT_BYTES_MAX)


def write_receipt(place: Path, receipt: Receipt) -> None:
    """Write the receipt of a folder, wholly or not at all."""
    beside = place / f"{RECEIPT}.new"
    with beside.open("w", encoding="utf-8") as file:
        file.write(receipt.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(place / RECEIPT)


def digests(path: Path, seen: Seen) -> Digests:
    """Hash a file."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
            seen(len(chunk))
    return Digests(size, md5.hexdigest(), sha256.hexdigest())


def files_in(place: Path) -> Iterator[Path]:
    """List the files of a folder and its folders, sorted; links are listed, not followed."""
    with os.scandir(place) as entries:
        here = sorted(entries, key=lambda entry: entry.name)
    for entry in here:
        if entry.is_dir(follow_symlinks=False):
            yield from files_in(Path(entry.path))
        else:
            yield Path(entry.path)
