"""The zones of Linux's powercap tree that count energy: ``/sys/class/powercap/intel-rapl:*``.

Intel's driver serves AMD since Zen under the same names (drivers/powercap/intel_rapl_msr.c).
``intel-rapl-mmio:*`` shows the same packages through another register and is left out. Layout:
Documentation/power/powercap.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nmbench.power.meter import MeterError

Part = Literal["package", "dram", "psys"]

CEILING_W: dict[Part, float] = {"package": 1000.0, "dram": 500.0, "psys": 4000.0}
"""More than any socket (500 W and its boost), memory or machine draws: an estimate, for wraps alone."""

REMEDY = (
    "only root may read RAPL's counters (CVE-2020-8694): run as root, or let a group read energy_uj and "
    "max_energy_range_uj by a udev rule (docs/power.md)"
)

_FOLDER = re.compile(r"intel-rapl:\d{1,4}(:\d{1,4}){0,3}")
_NAME = re.compile(r"(package)-(\d{1,4})(-die-\d{1,4})?|(dram|psys)(-\d{1,4})?")
_DIGITS = re.compile(r"[0-9]{1,19}")

Read = Callable[[Path], str]


def read_text(path: Path) -> str:
    """Return the first bytes of a file of sysfs; none of them is longer."""
    with path.open("rb") as file:
        return file.read(64).decode("ascii", errors="replace").strip()


@dataclass(frozen=True)
class Zone:
    """One counter of energy.

    Attributes
    ----------
    name
        The kernel's: ``package-0``, ``package-0-die-1``, ``dram``, ``psys``.
    socket
        Number of the package; None for what belongs to no package of its own name.
    range_uj
        The counter starts again past it.
    """

    folder: Path
    name: str
    part: Part
    socket: int | None
    range_uj: int

    @property
    def longest_s(self) -> float:
        """A window within which the counter wraps once at most, at any plausible power."""
        return self.range_uj * 1e-6 / CEILING_W[self.part]

    def read(self, read: Read) -> int:
        """Return the counter, in uJ.

        Raises
        ------
        MeterError
            It cannot be read, or is no number within the zone's own range.
        """
        try:
            text = read(self.folder / "energy_uj")
        except OSError as error:
            raise MeterError(f"RAPL {self.name}: {error.strerror or type(error).__name__}") from error
        count = _number(text)
        if count is None or count > self.range_uj:
            raise MeterError(f"RAPL {self.name}: counter {text!r} is no number up to {self.range_uj}")
        return count

    def uj_between(self, before: int, after: int) -> int:
        """Return what was counted, in uJ, with one wrap where the counter fell (exact to one unit)."""
        return (after - before) % (self.range_uj + 1)


def find_zones(sysfs: Path, read: Read = read_text) -> list[Zone]:
    """Return packages, memory and platform that RAPL counts, in the order of their numbers.

    Raises
    ------
    MeterError
        There are none, they may not be read, or one is not as the kernel makes them.
    """
    tree = sysfs / "class" / "powercap"
    if not tree.is_dir():
        raise MeterError(
            "this kernel shows no RAPL (/sys/class/powercap is absent): a virtual machine or a container, "
            "a processor without it, or the module intel_rapl_msr is not loaded"
        )
    folders = [entry for entry in tree.iterdir() if _FOLDER.fullmatch(entry.name)]
    zones = [_zone(folder, sysfs, read) for folder in sorted(folders, key=_numbers)]
    found = [zone for zone in zones if zone is not None]
    if not any(zone.part == "package" for zone in found):
        raise MeterError(
            "this kernel shows no RAPL package (/sys/class/powercap has no intel-rapl:0 of that kind): a "
            "virtual machine, a processor without it, or the module intel_rapl_msr is not loaded"
        )
    return found


def _zone(folder: Path, sysfs: Path, read: Read) -> Zone | None:
    """Return the zone of a folder; None where it counts what another zone includes (cores, graphics)."""
    if not folder.resolve().is_relative_to(sysfs.resolve()):
        raise MeterError(f"RAPL {folder.name} is a link that leaves sysfs")
    if not folder.exists():
        raise MeterError(
            f"RAPL {folder.name} is hidden, as containers do with it: run outside of the container"
        )
    try:
        name = read(folder / "name")
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        text = read(folder / "max_energy_range_uj")
        read(folder / "energy_uj")
    except PermissionError as error:
        raise MeterError(REMEDY) from error
    except OSError as error:
        raise MeterError(f"RAPL {folder.name}: {error.strerror or type(error).__name__}") from error
    limit = _number(text)
    if not limit:
        raise MeterError(
            f"RAPL {name}: max_energy_range_uj is {text!r}: a wrap of its counter could not be told"
        )
    part: Part = "package" if match[1] else "dram" if match[4] == "dram" else "psys"
    return Zone(folder, name, part, int(match[2]) if match[2] else None, limit)


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in folder.name.split(":")[1:]]


def _number(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) else None
