"""Append-only results: one JSON file a cell, written whole or not at all, never overwritten."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nmbench.documents import read_document
from nmbench.energy.stored import Counted, unpack
from nmbench.errors import InputError, unknown
from nmbench.record import Result, System, canonical, readable
from nmbench.scenario.log import Log
from nmbench.scenario.log import unpack as unpack_log

SYSTEMS, RUNS, COUNTS, LOGS, LOCAL = "systems", "runs", "counts", "logs", "local"
"""Folders beside the suites' own: machines, plans of runs, counts, logs of queries, a user's own results
(ignored by git)."""


Named = TypeVar("Named", Counted, Log)
"""What a file holds that is named by its hash."""


@dataclass(frozen=True)
class Store:
    """A folder of results; what is published lies in it, a user's own runs under ``local/``.

    Both are read alike; `Store` writes to ``local/`` alone.
    """

    root: Path

    @property
    def local(self) -> Path:
        """Folder that runs write to."""
        return self.root / LOCAL

    def add(self, result: Result) -> Path:
        """Write a result and return its path; it must be new."""
        folder = self.local / result.suite / result.platform.name / result.workload.name
        return write_new(folder / f"{result.id}.json", readable(result))

    def add_counts(self, counted: Counted) -> Path:
        """Write what was counted, once: all platforms that ran a network on the same data share it."""
        path = self.local / COUNTS / f"{counted.sha256}.npz"
        return path if path.exists() else write_new(path, counted.pack(), replace=True)

    def add_log(self, log: Log) -> Path:
        """Write the times of a run's queries."""
        path = self.local / LOGS / f"{log.sha256}.npz"
        return path if path.exists() else write_new(path, log.pack(), replace=True)

    def counts(self, sha256: str) -> Counted:
        """Read what was counted.

        Raises
        ------
        InputError
            It is not there, or not what its name says.
        """
        return self._named(COUNTS, sha256, unpack)

    def log(self, sha256: str) -> Log:
        """Read the times of a run's queries.

        Raises
        ------
        InputError
            They are not there, or not what their name says.
        """
        return self._named(LOGS, sha256, unpack_log)

    def _named(self, folder: str, sha256: str, unpack: Callable[[bytes, str], Named]) -> Named:
        """Read a file that is named by the hash of what it says."""
        for base in (self.root, self.local):
            path = base / folder / f"{sha256}.npz"
            if path.exists():
                found = unpack(path.read_bytes(), str(path))
                if found.sha256 != sha256:
                    raise InputError(str(path), [f"holds other {folder}: their hash is {found.sha256}"])
                return found
        raise InputError(str(self.root / folder), [f"no {folder} {sha256}"])

    def add_system(self, system: System) -> Path:
        """Write the machine's record, once."""
        path = self.local / SYSTEMS / f"{system.sha256}.json"
        return path if path.exists() else write_new(path, canonical(system) + "\n", replace=True)

    def results(self, on_fault: Callable[[str], None], run: str | None = None) -> Iterator[Result]:
        """Read every result, published and local, in the order of their ids; of one run, where it is named.

        A file that is no result is told to ``on_fault`` and the rest is read: one faulty record must not
        hide the others, nor be left out in silence.
        """
        for path in self.paths():
            try:
                result = read_document(path, Result)
            except InputError as error:
                on_fault(str(error))
                continue
            if run is None or result.run == run:
                yield result

    def find(self, name: str, on_fault: Callable[[str], None]) -> list[Result]:
        """Return the results that a name stands for: a run or a result, the beginning of its id, last or all.

        Raises
        ------
        InputError
            There is none, or the name is the beginning of several runs.
        """
        there = list(self.results(on_fault))
        subject = str(self.root)
        if not there:
            raise InputError(subject, ["no results yet: nmbench run --suite temporal"])
        if name == "all":
            return there
        wanted = max(r.run for r in there) if name == "last" else name
        found = [r for r in there if r.run.startswith(wanted)]
        found = found or [r for r in there if r.id.startswith(wanted)]
        if not found:
            raise InputError(subject, [unknown("run", name, {r.run for r in there})])
        if len({r.run for r in found}) > 1:
            several = sorted({r.run for r in found})
            raise InputError(subject, [f"{name!r} is the beginning of several runs: {several}"])
        return found

    def paths(self) -> list[Path]:
        """List the files of results by id, which begins with the time."""
        found = []
        for base in (self.root, self.local):
            for suite in base.iterdir() if base.is_dir() else ():
                if suite.is_dir() and suite.name not in (SYSTEMS, RUNS, COUNTS, LOGS, LOCAL, "schema"):
                    found += [p for p in suite.glob("*/*/*.json") if not p.name.startswith(".")]
        return sorted(found, key=lambda p: p.name)


def write_new(path: Path, content: str | bytes, *, replace: bool = False) -> Path:
    """Write a file so that a reader sees all of it or nothing, and that it outlasts a crash.

    Raises
    ------
    FileExistsError
        If it is there already and ``replace`` is false: results are never overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        if replace:
            Path(beside).replace(path)
        else:
            path.hardlink_to(beside)
    finally:
        Path(beside).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path
