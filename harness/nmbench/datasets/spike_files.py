"""Encoded sets in files: made a few samples at a time, mapped into memory, checked when they are opened.

A folder holds ``offsets.i8``, ``index.i4`` and ``manifest.json``. What is checked at each opening is
everything: both files are read once in order and hashed (SHA-256, 1 to 2 GB/s with the processor's own
instructions, 0.4 without), and in the same pass the kernels' trust is earned: rows in order, neurons inside.
The read goes through a small buffer; the maps themselves take up memory only as far as they are used.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from nmbench.datasets.cache import Damaged, locked
from nmbench.documents import read_document
from nmbench.errors import InputError
from nmbench.progress import Progress
from nmbench.spikes import SpikeBatch

BLOCK_BYTES = 4 << 20
OFFSETS, INDEX, MANIFEST = "offsets.i8", "index.i4", "manifest.json"


class SpikeManifest(BaseModel):
    """``manifest.json`` of an encoded set.

    Attributes
    ----------
    key
        What the bytes depend on.
    data_sha256
        Of the events before they were encoded, as `EventSet.sha256`.
    events, kept
        How many there were, and how many fell into the window.
    offsets_sha256, index_sha256
        Of the two files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["nmbench.spikes/1"] = "nmbench.spikes/1"
    key: Mapping[str, object]
    dt_s: float
    steps: int
    shape: tuple[int, ...]
    samples: int
    spikes: int
    events: int
    kept: int
    data_sha256: str
    offsets_sha256: str
    index_sha256: str
    seal: str = ""

    def sealed(self) -> SpikeManifest:
        """Return the manifest with the hash of all its other fields."""
        text = json.dumps(self.model_dump(mode="json", exclude={"seal"}), sort_keys=True)
        return self.model_copy(update={"seal": hashlib.sha256(text.encode()).hexdigest()})


class MappedSpikes(SpikeBatch):
    """A `SpikeBatch` over memory maps, whose rows were checked block by block when its files were opened."""

    def __post_init__(self) -> None:
        """Check nothing: that would read the whole map into memory."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """An encoded set.

    Attributes
    ----------
    covered
        Share of the events that fell into the window.
    data_sha256
        Of the events before they were encoded, as `EventSet.sha256`.
    """

    batch: SpikeBatch
    covered: float
    data_sha256: str


class Writer:
    """Writes an encoded set row by row; nothing of what was written is held.

    Attributes
    ----------
    spikes, rows
        Written so far.
    """

    def __init__(self, folder: Path) -> None:
        self._offsets = (folder / OFFSETS).open("wb")
        self._index = (folder / INDEX).open("wb")
        self._hashes = hashlib.sha256(), hashlib.sha256()
        self.spikes = self.rows = 0
        self._put(0, np.zeros(1, "<i8"))

    def add(self, offsets: npt.NDArray[np.int64], index: npt.NDArray[np.int32]) -> None:
        """Append the rows of some samples; their offsets count from 0."""
        self._put(0, (offsets[1:] + self.spikes).astype("<i8", copy=False))
        self._put(1, index.astype("<i4", copy=False))
        self.spikes += len(index)
        self.rows += len(offsets) - 1

    def close(self) -> tuple[str, str]:
        """Bring all to the disk; returns the hashes of both files."""
        for file in (self._offsets, self._index):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        return self._hashes[0].hexdigest(), self._hashes[1].hexdigest()

    def abandon(self) -> None:
        """Close the files as they are."""
        self._offsets.close()
        self._index.close()

    def _put(self, which: int, values: npt.NDArray[np.generic]) -> None:
        data = values.view(np.uint8).data
        self._hashes[which].update(data)
        (self._offsets, self._index)[which].write(data)


def kept_spikes(
    root: Path, key: Mapping[str, object], make: Callable[[Path], SpikeManifest], progress: Progress
) -> Encoded:
    """Return an encoded set, making it first where it is absent or damaged.

    Parameters
    ----------
    root
        Folder of all caches.
    key
        What the bytes depend on: source, split, files, transforms, window, code. Its hash names the folder.
    make
        Writes the set into an empty folder with `Writer` and says what it is.
    """
    text = json.dumps(key, sort_keys=True)
    name = f"{key['source']}-{key['split']}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    folder = root / "spikes" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if folder.exists():
            try:
                return open_spikes(folder)
            except Damaged as damage:
                progress.note(f"cached spikes {folder} are damaged ({damage}): making them again")
                shutil.rmtree(folder)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
        try:
            manifest = make(beside).model_copy(update={"key": json.loads(text)}).sealed()
            (beside / MANIFEST).write_text(manifest.model_dump_json())
            beside.rename(folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return open_spikes(folder)


def open_spikes(folder: Path) -> Encoded:
    """Check an encoded set and map it.

    Raises
    ------
    Damaged
        If it is not what was written.
    """
    try:
        known = read_document(folder / MANIFEST, SpikeManifest)
    except InputError as error:
        raise Damaged(str(error)) from error
    if known.sealed().seal != known.seal:
        raise Damaged("its manifest was changed")
    _check_offsets(folder / OFFSETS, known)
    _check_index(folder / INDEX, known)
    # copy on write: the kernels take arrays that may be written, and what they would write stays theirs
    offsets = np.memmap(folder / OFFSETS, "<i8", "c")
    index = np.memmap(folder / INDEX, "<i4", "c") if known.spikes else np.empty(0, "<i4")
    batch = MappedSpikes(known.dt_s, known.steps, known.shape, np.asarray(offsets), np.asarray(index))
    return Encoded(batch, known.kept / known.events if known.events else 1.0, known.data_sha256)


def _check_offsets(path: Path, known: SpikeManifest) -> None:
    size, last = known.samples * known.steps + 1, 0
    for number, block in enumerate(_blocks(path, "<i8", size, known.offsets_sha256)):
        if (number == 0 and block[0]) or block[0] < last or (np.diff(block) < 0).any():
            raise Damaged(f"{path.name}: rows out of order")
        last = int(block[-1])
    if last != known.spikes:
        raise Damaged(f"{path.name}: rows end at {last} of {known.spikes} spikes")


def _check_index(path: Path, known: SpikeManifest) -> None:
    neurons = int(np.prod(known.shape))
    for block in _blocks(path, "<i4", known.spikes, known.index_sha256):
        if block.min() < 0 or block.max() >= neurons:
            raise Damaged(f"{path.name}: neurons outside 0..{neurons - 1}")


def _blocks(path: Path, dtype: str, count: int, sha256: str) -> Iterator[npt.NDArray[np.integer]]:
    """Read a file of numbers in blocks, and say in the end whether its size and hash are right."""
    digest, buffer, size = hashlib.sha256(), np.empty(BLOCK_BYTES, np.uint8), 0
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size != count * np.dtype(dtype).itemsize:
                raise Damaged(f"{path.name}: {os.fstat(file.fileno()).st_size} bytes for {count} numbers")
            while got := file.readinto(buffer.data):
                digest.update(buffer[:got].data)
                size += got
                yield buffer[:got].view(dtype)
    except (OSError, ValueError) as error:
        raise Damaged(f"{path.name}: {error}") from error
    if digest.hexdigest() != sha256:
        raise Damaged(f"{path.name}: its hash differs from the manifest's")
