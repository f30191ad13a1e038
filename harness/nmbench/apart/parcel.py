"""What a cell's own process leaves in a folder, and how it is taken: as a stranger's, with every check.

``begun.json`` is there once the platform is, ``record.json`` at the end, and before it the files that it
names by hash, ``counts.npz`` and ``log.npz``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nmbench.cell import Cell
from nmbench.documents import MAX_BYTES, parse_document
from nmbench.energy.stored import unpack as unpack_counts
from nmbench.errors import InputError
from nmbench.prepare import Prepared
from nmbench.record import Result, readable
from nmbench.runner import Ran
from nmbench.scenario.log import unpack as unpack_log
from nmbench.store import write_new
from nmbench.system import system

BEGUN, RECORD, COUNTS, LOG = "begun.json", "record.json", "counts.npz", "log.npz"

MAX_ARRAYS = 1 << 30
"""Most bytes of a file of counts or times."""


def leave(folder: Path, name: str, ran: Ran) -> None:
    """Write a record under a name, whole or not at all, after what it names by hash."""
    if ran.counted is not None:
        write_new(folder / COUNTS, ran.counted.pack())
    if ran.log is not None:
        write_new(folder / LOG, ran.log.pack())
    write_new(folder / name, readable(ran.result))


def take(folder: Path, name: str, cell: Cell, prepared: Prepared, run: str) -> Ran | None:
    """Return what was left under a name; None where nothing was.

    Raises
    ------
    InputError
        It is no record of this cell in this run, or does not hold what its hashes say.
    """
    content = _bytes(folder, name, MAX_BYTES)
    if content is None:
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(name, [f"not UTF-8 text: {error.reason}"]) from error
    result = parse_document(text, Result, name, is_yaml=False)
    if faults := _differences(result, cell, prepared, run):
        raise InputError(name, faults)
    counted = log = None
    if result.counts_sha256 is not None:
        counted = unpack_counts(_needed(folder, COUNTS), COUNTS)
    if result.log_sha256 is not None:
        log = unpack_log(_needed(folder, LOG), LOG)
    found = counted.sha256 if counted else None, log.sha256 if log else None
    if found != (result.counts_sha256, result.log_sha256):
        raise InputError(name, ["names other counts or times by their hash than those beside it"])
    return Ran(result, counted, log)


def _differences(result: Result, cell: Cell, prepared: Prepared, run: str) -> list[str]:
    """Name what is not that of the cell that was asked for."""
    task, platform = cell.task, cell.platform
    names = f"-{task.suite}-{task.workload.name}-{platform.name}-{task.size}-{task.scenario.lower()}-"
    pairs: dict[str, tuple[object, object]] = {
        "id": (names in result.id, True),
        "run": (result.run, run),
        "cell": (result.cell, cell.sha256),
        "suite": (result.suite, task.suite),
        "tier": (result.tier, task.tier),
        "scenario": (result.scenario, task.scenario),
        "workload": (result.workload, prepared.workload_id),
        "network": (result.network, prepared.network_id),
        "platform": ((result.platform.name, result.platform.origin), (platform.name, platform.origin)),
        "size": (result.size, task.size),
        "seed": (result.seed, task.seed),
        "system": (result.system, f"sha256:{system().sha256}"),
        "repriced_from": (result.repriced_from, None),
    }
    return [f"{name}: not that of the cell" for name, (found, wanted) in pairs.items() if found != wanted]


def _needed(folder: Path, name: str) -> bytes:
    content = _bytes(folder, name, MAX_ARRAYS)
    if content is None:
        raise InputError(name, ["is named by the record and not there"])
    return content


def _bytes(folder: Path, name: str, most: int) -> bytes | None:
    """Read a plain file of the folder; None where it is not there."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(name, [error.strerror or str(error)]) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(name, ["no plain file"])
    with os.fdopen(handle, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InputError(name, [f"more than {most} bytes"])
    return content
