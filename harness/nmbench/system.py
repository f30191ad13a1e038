"""What machine and software this is: captured, never typed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

from nmbench import __version__
from nmbench.record import Noise, Software, System

PACKAGES = (
    "numpy",
    "numba",
    "llvmlite",
    "scipy",
    "tonic",
    "nir",
    "h5py",
    "scikit-learn",
    "espeakng-loader",
    "pandas",
)


@cache
def system() -> System:
    """Describe this machine."""
    return System(
        cpu=_cpu(),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        distribution=_distribution(),
        virtual="hypervisor" if "hypervisor" in _cpuinfo("flags").split() else None,
        governor=_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        packages=_versions(),
    )


@cache
def software() -> Software:
    """Describe what runs; commit and dirty are None outside a git checkout of nmbench."""
    commit = _git("rev-parse", "HEAD")
    return Software(
        nmbench=__version__,
        python=platform.python_version(),
        packages=_versions(),
        commit=commit,
        dirty=bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None,
    )


def noise() -> Noise:
    """Read how busy the machine is: load of a minute, share of ten seconds that tasks waited for a CPU."""
    pressure = _text("/proc/pressure/cpu")
    share = float(pressure.split("avg10=")[1].split()[0]) / 100 if pressure and "avg10=" in pressure else None
    return Noise(load1=os.getloadavg()[0], cpu_pressure=share)


def waited_s() -> float | None:
    """Return the seconds, since the machine began, in which a task that could run waited for a CPU."""
    pressure = _text("/proc/pressure/cpu")
    if not pressure or "total=" not in pressure:
        return None
    return int(pressure.split("total=")[1].split()[0]) / 1e6


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _cpu() -> str:
    return _cpuinfo("model name") or platform.processor() or "unknown"


def _cpuinfo(field: str) -> str:
    for line in (_text("/proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == field:
            return value.strip()
    return ""


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return "unknown"


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _git(*words: str) -> str | None:
    """Ask git about the checkout of nmbench that this file lies in; None where there is none, or no git."""
    here = Path(__file__).resolve().parent
    if here.parent.name != "harness":
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
