"""Which meter a run uses: ``auto``, ``none``, ``rapl``, ``nvml[:N]``, ``command:...``, ``csv:...``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from nmbench.errors import InputError, unknown
from nmbench.power.meter import Clock, Meter, NoMeter
from nmbench.quantity import NESTED, Boundary

Device = Literal["cpu", "gpu", "external"]
"""Which part of this host draws a platform's energy; ``external``: a chip that none of its meters sees."""

Sort = Literal["auto", "none", "rapl", "nvml", "command", "csv"]
SORTS: tuple[Sort, ...] = get_args(Sort)

EXTERNAL: tuple[Boundary, ...] = ("system_with_io", "system_without_io", "chip_total")
"""What an external meter can include; the first where the user says nothing: it hangs at the plug."""

SUBJECT = "--power"


@dataclass(frozen=True)
class Wanted:
    """What a text asks for.

    Attributes
    ----------
    target
        Board, command or file; empty where there is none.
    boundary
        Of an external meter.
    """

    sort: Sort
    target: str = ""
    boundary: Boundary = EXTERNAL[0]


def parse(text: str) -> Wanted:
    """Read what a user asks for; nothing is opened.

    Raises
    ------
    InputError
        There is no such meter, or its text is not as it must be.
    """
    name, colon, target = text.partition(":")
    sort = next((s for s in SORTS if s == name), None)
    if sort is None:
        raise InputError(SUBJECT, [unknown("meter", name[:40], SORTS)])
    if sort in ("auto", "none", "rapl") and colon:
        raise InputError(SUBJECT, [f"{sort} takes nothing after it, not {target[:40]!r}"])
    if sort == "nvml":
        if colon and not target.isdecimal() and not target.startswith(("GPU-", "MIG-")):
            raise InputError(SUBJECT, [f"nvml:{target[:40]}: a board's number or its UUID (GPU-...)"])
        return Wanted(sort, target)
    if sort in ("command", "csv"):
        return _external(sort, target)
    return Wanted(sort)


def choose(
    text: str,
    device: Device,
    clock: Clock | None = None,
    sysfs: Path = Path("/sys"),
    nvml: Any = None,
) -> Meter | NoMeter:
    """Open the meter that a user asks for, or say why there is none.

    Parameters
    ----------
    text
        See `parse`; ``auto`` takes RAPL for a CPU and NVML for a GPU.
    device
        Which part of this host draws the platform's energy.
    sysfs, nvml
        Where sysfs is mounted, and the module of NVML: for tests.

    Raises
    ------
    InputError
        The text is wrong, or the external meter that it names cannot be read.
    """
    wanted = parse(text)
    openers: dict[Sort, Callable[[], Meter | NoMeter]] = {
        "auto": lambda: _automatic(device, clock, sysfs, nvml),
        "none": lambda: NoMeter("not measured: switched off (--power none)"),
        "rapl": lambda: _rapl(sysfs, clock),
        "nvml": lambda: _nvml(wanted.target or None, nvml, clock),
        "command": lambda: _command(wanted, clock),
        "csv": lambda: _csv(wanted, clock),
    }
    return openers[wanted.sort]()


def _external(sort: Sort, text: str) -> Wanted:
    """Split off ``@boundary``; an ``@`` before any other word belongs to the command or the file."""
    target, at, word = text.rpartition("@")
    boundary = next((b for b in EXTERNAL if at and b == word), None)
    if boundary is None:
        if at and (word in NESTED or get_close_matches(word, EXTERNAL, cutoff=0.7)):
            raise InputError(SUBJECT, [unknown("boundary", word, EXTERNAL)])
        target, boundary = text, EXTERNAL[0]
    if not target.strip():
        raise InputError(SUBJECT, [f"{sort}: names no {'command' if sort == 'command' else 'file'}"])
    return Wanted(sort, target, boundary)


def _automatic(device: Device, clock: Clock | None, sysfs: Path, nvml: Any) -> Meter | NoMeter:
    if device == "cpu":
        return _rapl(sysfs, clock)
    if device == "gpu":
        return _nvml(None, nvml, clock)
    return NoMeter("no meter of this host sees the chip: name an external one (command:... or csv:...)")


def _rapl(sysfs: Path, clock: Clock | None) -> Meter | NoMeter:
    from nmbench.power.rapl import open_rapl

    return open_rapl(sysfs, clock=clock)


def _nvml(board: str | None, nvml: Any, clock: Clock | None) -> Meter | NoMeter:
    from nmbench.power.nvml import open_nvml

    return open_nvml(board, nvml, clock)


def _command(wanted: Wanted, clock: Clock | None) -> Meter:
    from nmbench.power.command import CommandMeter

    try:
        arguments = shlex.split(wanted.target)
    except ValueError as error:
        raise InputError(SUBJECT, [f"command: {error}"]) from error
    if not arguments:
        raise InputError(SUBJECT, ["command: names no command"])
    return CommandMeter(arguments, wanted.boundary, clock)


def _csv(wanted: Wanted, clock: Clock | None) -> Meter:
    from nmbench.power.csvlog import CsvMeter

    return CsvMeter(Path(wanted.target), wanted.boundary, clock)
