"""Log: when each sample was asked for, taken up and answered; the raw numbers behind every score."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench import arrays
from nmbench.errors import InputError

MAX_BYTES = 4 << 30
"""Most bytes that a file may hold once it is unpacked: some 100 million samples."""

TYPES = {"sample": "<i8", "scheduled": "<f8", "started": "<f8", "completed": "<f8", "together": "<i4"}

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Log:
    """A run of n samples, in the order in which they were asked for.

    Attributes
    ----------
    sample
        Which one of the test set, int64 ``[n]``; of Streaming, the recording.
    scheduled, started, completed
        Seconds on the scenario's clock, float64 ``[n]``: when the query was due, when it was handed over,
        when its answer was there (NaN: it never was). Latency counts from when it was due.
    together
        Samples that were handed over in the same call, int32 ``[n]``.
    """

    sample: npt.NDArray[np.int64]
    scheduled: Seconds
    started: Seconds
    completed: Seconds
    together: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.sample)

    def latency(self, per_query: int = 1) -> Seconds:
        """Return the seconds of each query of so many samples, until the last of them is answered."""
        waited = self.completed - self.scheduled
        return waited if per_query == 1 else waited.reshape(-1, per_query).max(axis=1)

    @property
    def busy(self) -> Seconds:
        """Seconds of the call that answered each sample, float64 ``[n]``."""
        return self.completed - self.started

    @property
    def seconds(self) -> float:
        """From the clock's start to the last answer."""
        return float(np.nanmax(self.completed)) if len(self) else 0.0

    @cached_property
    def sha256(self) -> str:
        """Hash what the log says."""
        return arrays.sha256(self._arrays)

    def pack(self) -> bytes:
        """Return the bytes of its file: a zip of plain arrays, no pickle."""
        return arrays.pack(self._arrays)

    @property
    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {f.name: np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}


def unpack(data: bytes, subject: str) -> Log:
    """Read a file's bytes.

    Raises
    ------
    InputError
        It is no such file, or too large; ``subject`` names it.
    """
    try:
        found = arrays.unpack(data, TYPES, MAX_BYTES)
        if missing := [name for name in TYPES if name not in found]:
            raise ValueError(f"no arrays {missing}")
    except arrays.FAULTS as error:
        raise InputError(subject, [f"no file of times: {error}"]) from None
    wrong = [name for name, array in found.items() if array.dtype != np.dtype(TYPES[name])]
    if wrong or len({array.shape for array in found.values()}) > 1 or found["sample"].ndim != 1:
        raise InputError(subject, [f"no file of times: types or lengths of {wrong or 'its arrays'}"])
    return Log(**found)
