"""Where things lie on this machine: data, caches and results."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """Return the folder of real data sets: ``NMBENCH_DATA``, else ``~/.local/share/nmbench``."""
    return _folder("NMBENCH_DATA", "XDG_DATA_HOME", ".local/share")


def cache_root() -> Path:
    """Return the folder of what can be built again: ``NMBENCH_CACHE``, else ``~/.cache/nmbench``."""
    return _folder("NMBENCH_CACHE", "XDG_CACHE_HOME", ".cache")


def results_root() -> Path:
    """Return the folder of results: ``NMBENCH_RESULTS``, else ``results`` here."""
    return Path(os.environ.get("NMBENCH_RESULTS") or "results")


def _folder(own: str, xdg: str, default: str) -> Path:
    if os.environ.get(own):
        return Path(os.environ[own]).expanduser()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / default) / "nmbench"
