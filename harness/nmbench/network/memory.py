"""How much memory there is, so that a network too large for it is refused before anything is allocated."""

from __future__ import annotations

from pathlib import Path

from nmbench.errors import InputError

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Return the memory that this process may still take, by the kernel's estimate and the container's limit.

    None where the system tells neither.
    """
    found = [n for n in (_machine(), _container()) if n is not None]
    return min(found, default=None)


def require(name: str, needed: int) -> None:
    """Raise an InputError that names ``name`` if so many bytes are not there."""
    there = available_bytes()
    if there is not None and needed > there:
        raise InputError(name, [f"{name}: {shortage(needed, there)}"])


def shortage(needed: int, there: int) -> str:
    """Say how much is needed and how much is there."""
    return f"takes about {needed / 2**30:.3g} GiB of memory, {there / 2**30:.3g} GiB are available"


def _machine() -> int | None:
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def _container() -> int | None:
    """Return what the control group leaves, its droppable file cache not counted as used."""
    try:
        limit, used = ((CGROUP / f"memory.{what}").read_text().strip() for what in ("max", "current"))
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    if not limit.isdigit():
        return None
    return max(0, int(limit) - int(used) + int(stat.get("inactive_file", 0)))
