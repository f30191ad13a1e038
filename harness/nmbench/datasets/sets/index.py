"""A set of one file a sample, as recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.files import File, identity


def listed(
    name: str,
    folder: Path,
    found: Sequence[File],
    event_bytes: int,
    sensor: tuple[int, int, int],
    classes: tuple[str, ...],
    labels: npt.NDArray[np.int64],
    read: Callable[[Path, tuple[int, int, int]], Events],
    groups: npt.NDArray[np.int64] | None = None,
) -> Recordings:
    """Return the files as recordings; ``event_bytes`` is about what an event takes in a file."""
    paths = [file.path for file in found]
    return Recordings(
        name=name,
        sensor=sensor,
        classes=classes,
        synthetic=False,
        labels=labels,
        groups=unknown_groups(len(found)) if groups is None else groups,
        sizes=np.array([file.size for file in found], np.int64) // event_bytes,
        identity=identity(found, folder),
        read_place=lambda place: read(paths[place], sensor),
        targets_of_place=None,
        places=np.arange(len(found), dtype=np.int64),
    )


def unknown_groups(count: int) -> npt.NDArray[np.int64]:
    """Return the groups of samples of which nobody knows who made them."""
    return np.full(count, -1, np.int64)
