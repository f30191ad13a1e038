"""A split of our own for the sets that come without one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def last_of_each_class(labels: npt.NDArray[np.int64], split: str, one_in: int) -> npt.NDArray[np.int64]:
    """Return the samples of ``split``: the test is the last of ``one_in`` of each class, in the order given.

    A run at the end rather than every n-th: cuts of one recording, and pictures of one photographer, have
    neighbouring numbers, and must not stand on both sides. Depends on the order alone, not on chance.
    """
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        train = len(members) - len(members) // one_in
        chosen.append(members[:train] if split == "train" else members[train:])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
