"""Many cells: the plan of a run, what of it is there already, and the loop that finishes it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmbench.cell import Cell
from nmbench.documents import read_document
from nmbench.record import Result, readable
from nmbench.runner import Ran
from nmbench.store import RUNS, Store, write_new


class Run(BaseModel):
    """The plan of a run, written before its first cell: ``runs/<id>.json``.

    Attributes
    ----------
    cells
        Hash of each cell (`Cell.sha256`) in the order in which they run.
    left_out
        Workloads of the suite that the run does without, each with the reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["nmbench.run/1"] = Field("nmbench.run/1", alias="schema")
    id: str
    started: str
    cells: tuple[str, ...]
    left_out: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """Hash of the cells: the same command on the same files has the same one."""
        return _fingerprint(self.cells)


@dataclass(frozen=True)
class Opened:
    """A run that may be worked on, the cells whose records are there, and whether it was cut off before."""

    run: Run
    there: frozenset[str]
    resumed: bool


@contextmanager
def open_run(
    store: Store,
    cells: Sequence[Cell],
    on_fault: Callable[[str], None],
    left_out: Mapping[str, str] = {},
    *,
    fresh: bool = False,
) -> Iterator[Opened]:
    """Take up the last run of the same cells that was cut off, or begin a new one; locked meanwhile.

    ``fresh`` begins a new one in any case; ``on_fault`` hears of records that cannot be read. A run that
    another process works on is left alone.
    """
    folder = store.local / RUNS
    folder.mkdir(parents=True, exist_ok=True)
    planned = tuple(cell.sha256 for cell in cells)
    if not fresh:
        for path in sorted(folder.glob("*.json"), reverse=True):
            run = read_document(path, Run)
            if run.fingerprint != _fingerprint(planned):
                continue
            with _lock(folder / f"{run.id}.lock") as ours:
                there = frozenset(r.cell for r in store.results(on_fault, run.id))
                if ours and not there.issuperset(run.cells):
                    yield Opened(run, there, resumed=True)
                    return
    run = new_run(planned, left_out)
    with _lock(folder / f"{run.id}.lock"):
        write_new(folder / f"{run.id}.json", readable(run))
        yield Opened(run, frozenset(), resumed=False)


def new_run(cells: Sequence[str], left_out: Mapping[str, str] = {}) -> Run:
    """Return a run of these cells (`Cell.sha256`) that begins now, under an id of its own."""
    now = datetime.now(UTC)
    return Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        started=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        cells=tuple(cells),
        left_out=dict(left_out),
    )


def left_out(store: Store, runs: Iterable[str]) -> dict[str, str]:
    """Return the workloads that runs did without, each with a reason, as far as their plans are here."""
    found: dict[str, str] = {}
    for run in sorted(runs):
        path = store.local / RUNS / f"{run}.json"
        if path.is_file():
            found |= read_document(path, Run).left_out
    return found


def add_whole(store: Store, run: Run, results: Iterable[Result]) -> Path:
    """Write a run whose records are all there already; return the path of its plan."""
    for result in results:
        store.add(result)
    return write_new(store.local / RUNS / f"{run.id}.json", readable(run))


def finish(
    opened: Opened,
    cells: Sequence[Cell],
    run_cell: Callable[[Cell], Ran],
    store: Store,
) -> Iterator[tuple[Cell, Result]]:
    """Run the cells that are missing, one after the other, and write each as it ends."""
    for cell in cells:
        if cell.sha256 not in opened.there:
            ran = run_cell(cell)
            if ran.counted is not None:  # before the record that names it
                store.add_counts(ran.counted)
            if ran.log is not None:
                store.add_log(ran.log)
            store.add(ran.result)
            yield cell, ran.result


def _fingerprint(cells: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(cells).encode()).hexdigest()


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Try for an advisory lock; it goes with the process, however that ends."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = True
        except BlockingIOError:
            ours = False
        yield ours
    finally:
        os.close(handle)
