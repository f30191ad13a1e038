"""The harness's side: start a cell's own process, and make a record of whatever becomes of it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nmbench.apart import parcel
from nmbench.apart.limits import Limits
from nmbench.apart.process import Ending, Process
from nmbench.apart.request import Places, Request
from nmbench.apart.words import harmless
from nmbench.cell import Cell
from nmbench.errors import InputError
from nmbench.prepare import Prepared
from nmbench.progress import Progress
from nmbench.runner import Begun, Outcome, Ran, record

COMMAND = (sys.executable, "-m", "nmbench.apart.child")

MOST_NOTES, NOTE_LENGTH = 20, 500


def run_apart(
    cell: Cell, prepared: Prepared, run: str, progress: Progress, limits: Limits, places: Places
) -> Ran:
    """Run one cell in a process of its own; whatever becomes of that is a record.

    Only an interrupt gets through, and ends the process first.

    Raises
    ------
    InputError
        This is no Linux: processes are watched through what its kernel tells of them.
    """
    if sys.platform != "linux":
        raise InputError("--isolate", ["needs Linux"])
    begun = Begun.now()
    with tempfile.TemporaryDirectory(prefix="nmbench-apart-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        try:
            process = Process((*COMMAND, str(os.getpid())))
        except OSError as error:
            return _failed(cell, prepared, run, begun, Ending(f"did not start: {error.strerror}", ""), folder)
        request = Request.of(cell, run, places, folder, process.channel)
        ending = process.run(request.model_dump_json().encode(), limits, _listener(cell, progress))
        try:
            ran = parcel.take(folder, parcel.RECORD, cell, prepared, run)
        except InputError as error:
            ending = Ending(f"left what is no record of it: {harmless(str(error))}", ending.said)
            ran = None
        return ran or _failed(cell, prepared, run, begun, ending, folder)


def _failed(cell: Cell, prepared: Prepared, run: str, begun: Begun, ending: Ending, folder: Path) -> Ran:
    """Return the record of a cell whose process left none."""
    who = "LoadGen's process" if cell.task.how.generator == "loadgen" else "the cell's process"
    error = f"{who}: {ending.reason}" + (f"; its last words: {ending.said}" if ending.said else "")
    failed = record(cell, prepared, run, begun, None, Outcome("failed", error=error))
    try:
        left = parcel.take(folder, parcel.BEGUN, cell, prepared, run)
    except InputError:
        left = None  # then the record says no more of the platform than its name
    if left is None or left.result.status != "failed":
        return failed
    kept = {"error": error, "wall_s": time.perf_counter() - begun.clock}
    return Ran(left.result.model_copy(update=kept))


def _listener(cell: Cell, progress: Progress) -> Callable[[bytes], None]:
    """Return who passes on lines of the process as progress of its cell; what is none is left out."""
    notes = 0

    def hear(line: bytes) -> None:
        nonlocal notes
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return
        match said:
            case ["step", int(done), int(total)] if 0 <= done <= total < 1 << 53:
                progress.step(cell.label, done, total)
            case ["note", str(text)] if notes < MOST_NOTES:
                notes += 1
                progress.note(harmless(text, NOTE_LENGTH))

    return hear
