"""Limits of a cell that runs apart: seconds and bytes, and what they usually are."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from nmbench.spec import Tier

TIME_S: dict[Tier, float] = {"quick": 600.0, "official": 6 * 3600.0}
"""A quick cell takes some 10 s; an official one runs its 600 s a few times while Server's rate is sought."""

SHARE = 0.75
"""Of the memory that this machine, or the control group, has."""

GIB = 1 << 30
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": GIB, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """How long a cell may take, its start included, and how much memory it may hold with its children."""

    time_s: float
    memory_bytes: int

    @classmethod
    def usual(cls, tier: Tier) -> Limits:
        """Return the limits of a tier on this machine."""
        return cls(TIME_S[tier], int(SHARE * memory_bytes()))


def limits(tier: Tier, time_s: float | None, memory: str | None, faults: list[str]) -> Limits:
    """Return what a command's words say, the usual where they say nothing; faults are added to the list."""
    usual = Limits.usual(tier)
    if time_s is not None and not (0 < time_s < math.inf):
        faults.append(f"time limit {time_s:g}: seconds, more than 0")
    size = usual.memory_bytes if memory is None else size_bytes(memory)
    if size is None:
        faults.append(f"memory limit {memory!r}: a size as 4G or 512M")
    return Limits(time_s or usual.time_s, size or usual.memory_bytes)


def size_bytes(text: str) -> int | None:
    """Return the bytes of a size as ``4G``, ``512M`` or ``2.5GiB`` (powers of 1024); None for other words."""
    found = _SIZE.fullmatch(text.strip())
    if not found or not float(found[1]):
        return None
    return int(float(found[1]) * _UNITS[found[2].upper()])


def size_text(size: float) -> str:
    """Name a size for people."""
    return f"{size / GIB:.3g} GiB" if size >= GIB / 10 else f"{size / (1 << 20):.3g} MiB"


def memory_bytes() -> int:
    """Return the memory of this machine, or of its control group where that has less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        group = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return whole
    return min(whole, int(group)) if group.isdecimal() else whole
