"""Event sets built once: kept in a folder with a manifest of per-sample hashes, verified at each load."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from nmbench.datasets.events import EVENT, MARK, EventSet
from nmbench.documents import read_document
from nmbench.errors import InputError
from nmbench.progress import Progress

ARRAYS = ("events", "offsets", "labels", "groups")
MARKS = "marks"
"""Of sets that have them."""


class SplitManifest(BaseModel):
    """What the manifest says of one split; ``samples`` are `EventSet.sample_sha256`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sensor: tuple[int, int, int]
    classes: tuple[str, ...]
    synthetic: bool
    samples: tuple[str, ...]
    marks: bool = False


class Manifest(BaseModel):
    """``manifest.json`` of a cached data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["nmbench.events/1"] = "nmbench.events/1"
    key: Mapping[str, object]
    splits: dict[str, SplitManifest]


class Damaged(Exception):
    """A cached set that is not what was written; the message says what is wrong."""


def cached(
    root: Path,
    key: Mapping[str, object],
    build: Callable[[], Mapping[str, EventSet]],
    splits: Sequence[str],
    progress: Progress,
) -> dict[str, EventSet]:
    """Return the splits of a data set, building it first where it is absent or damaged.

    Parameters
    ----------
    root
        Folder of all caches.
    key
        What the bytes depend on: source, options, seed, code. Its hash names the folder; JSON values.
    build
        Makes all splits.
    splits
        Those wanted now; only they are read and verified.
    """
    text = json.dumps(key, sort_keys=True)
    folder = root / "events" / f"{key['source']}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if folder.exists():
            try:
                return {split: _read(folder, split) for split in splits}
            except Damaged as damage:
                progress.note(f"cached data set {folder} is damaged ({damage}): building it again")
                shutil.rmtree(folder)
        _write(folder, json.loads(text), build())
        return {split: _read(folder, split) for split in splits}


def _write(folder: Path, key: Mapping[str, object], sets: Mapping[str, EventSet]) -> None:
    """Write into a folder beside, then rename: a reader sees all of it or nothing."""
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
    try:
        for split, events in sets.items():
            for name in ARRAYS:
                np.save(beside / f"{split}-{name}.npy", getattr(events, name), allow_pickle=False)
            if events.marks is not None:
                np.save(beside / f"{split}-{MARKS}.npy", events.marks, allow_pickle=False)
        manifest = Manifest(
            key=key,
            splits={
                split: SplitManifest(
                    name=e.name,
                    sensor=e.sensor,
                    classes=e.classes,
                    synthetic=e.synthetic,
                    samples=tuple(e.sample_sha256()),
                    marks=e.marks is not None,
                )
                for split, e in sets.items()
            },
        )
        (beside / "manifest.json").write_text(manifest.model_dump_json())
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _read(folder: Path, split: str) -> EventSet:
    try:
        manifest = read_document(folder / "manifest.json", Manifest).splits[split]
        arrays = {
            name: np.load(folder / f"{split}-{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in (*ARRAYS, *([MARKS] if manifest.marks else []))
        }
    except InputError as error:
        raise Damaged(str(error)) from error
    except KeyError as error:
        raise Damaged(f"no split {split!r}") from error
    except (OSError, ValueError, EOFError) as error:
        raise Damaged(f"{split}: {error}") from error
    if arrays["events"].dtype != EVENT or any(arrays[n].dtype != np.int64 for n in ARRAYS[1:]):
        raise Damaged(f"{split}: wrong types of the arrays")
    if manifest.marks and arrays[MARKS].dtype != MARK:
        raise Damaged(f"{split}: wrong type of the marks")
    events = EventSet(
        name=manifest.name,
        sensor=manifest.sensor,
        classes=manifest.classes,
        synthetic=manifest.synthetic,
        **arrays,
    )
    if tuple(events.sample_sha256()) != manifest.samples:
        raise Damaged(f"{split}: the samples' hashes differ from the manifest's")
    return events


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock: two runs that need the same data build it once."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
