"""The side of a cell's own process: it takes a request from stdin, runs the cell and leaves the record."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nmbench.apart import parcel
from nmbench.apart.request import Request
from nmbench.cell import Cell
from nmbench.platforms.base import Platform
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Progress, Silence
from nmbench.runner import Begun, Outcome, record, run_cell

EVERY_S = 0.1
"""How often a step is told."""

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: a signal for when the parent ends."""


class Telling:
    """A listener that passes on what it hears, as lines of JSON."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._next_s, self._told = descriptor, 0.0, (0, 0)

    def step(self, task: str, done: int, total: int) -> None:
        """Pass on a step now and then, and the last one."""
        now = time.monotonic()
        if now >= self._next_s or (done >= total and (done, total) != self._told):
            self._next_s, self._told = now + EVERY_S, (done, total)
            self._say(["step", done, total])

    def note(self, text: str) -> None:
        """Pass on a note."""
        self._say(["note", text])

    def _say(self, words: list[object]) -> None:
        os.write(self._descriptor, json.dumps(words).encode() + b"\n")


def confine(parent: int) -> None:
    """Leave no core file, be the first that a kernel without memory ends, and end with the parent."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # where /proc cannot be written to, the kernel chooses by itself
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def run(request: Request, progress: Progress) -> None:
    """Run the cell; a record that says that it did not end is left as soon as the platform is there."""
    cell = request.cell()
    # in silence: the harness made the same task ready, and said what there was to say
    (prepared,) = prepare([cell.task], request.places.cache, request.places.data, Silence())
    watched = replace(cell, platform=replace(cell.platform, make=_announced(cell, prepared, request)))
    parcel.leave(request.folder, parcel.RECORD, run_cell(watched, prepared, request.run, progress))


def _announced(cell: Cell, prepared: Prepared, request: Request) -> Callable[[], Platform]:
    def make() -> Platform:
        begun, platform = Begun.now(), cell.platform.make()
        unfinished = Outcome("failed", error="no end")
        ran = record(cell, prepared, request.run, begun, platform, unfinished)
        parcel.leave(request.folder, parcel.BEGUN, ran)
        return platform

    return make


def main() -> None:
    """Run as a process; it ends without finalizers, which may hang where a platform left threads behind."""
    confine(int(sys.argv[1]))
    faulthandler.enable(all_threads=False)
    request = Request.model_validate_json(sys.stdin.buffer.read())
    run(request, Telling(request.progress))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
