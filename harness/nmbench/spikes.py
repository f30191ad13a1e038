"""Input of a network: spikes per sample and time step, as a platform is handed them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class SpikeBatch:
    """Input spikes of several samples in compressed rows, one row a (sample, step).

    Attributes
    ----------
    dt_s
        Duration of a step, seconds.
    steps
        Steps per sample, T.
    shape
        Shape of the input population, ``(C, H, W)`` or ``(N,)``; spikes are flat C-order indices into it.
    offsets
        Row ``b * T + t`` is ``index[offsets[b * T + t]:offsets[b * T + t + 1]]``, int64 ``[B * T + 1]``.
    index
        Input neuron of each spike, int32 ``[n_spikes]``; a neuron that spiked twice in a step stands twice.
    """

    dt_s: float
    steps: int
    shape: tuple[int, ...]
    offsets: npt.NDArray[np.int64]
    index: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        """Check the rows: a kernel trusts them."""
        if (len(self.offsets) - 1) % self.steps:
            raise ValueError(f"{len(self.offsets) - 1} rows are no multiple of {self.steps} steps")
        if len(self.index) and not (self.index.min() >= 0 and self.index.max() < self.size):
            raise ValueError(f"spike indices outside 0..{self.size - 1}")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.index) or (np.diff(self.offsets) < 0).any():
            raise ValueError("offsets do not cover the spikes")

    def __len__(self) -> int:
        """Count the samples, B."""
        return (len(self.offsets) - 1) // self.steps

    @property
    def size(self) -> int:
        """Count the input neurons."""
        return int(np.prod(self.shape))

    def row(self, sample: int, step: int) -> npt.NDArray[np.int32]:
        """Return the input neurons that spike in one step of one sample."""
        r = sample * self.steps + step
        return self.index[self.offsets[r] : self.offsets[r + 1]]

    def take(self, samples: npt.ArrayLike) -> SpikeBatch:
        """Return the samples (int, ``[m]``) in that order."""
        chosen = np.asarray(samples, dtype=np.int64)
        starts, ends = self.offsets[chosen * self.steps], self.offsets[(chosen + 1) * self.steps]
        counts = np.diff(self.offsets).reshape(-1, self.steps)[chosen].ravel()
        parts = [self.index[a:b] for a, b in zip(starts, ends, strict=True)]
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            index=np.concatenate([np.empty(0, np.int32), *parts]),
        )

    def part(self, sample: int, first: int, last: int) -> SpikeBatch:
        """Return one sample's steps ``first`` to ``last`` (excluded)."""
        rows = self.offsets[sample * self.steps + first : sample * self.steps + last + 1]
        index = self.index[rows[0] : rows[-1]]
        return replace(self, steps=last - first, offsets=rows - rows[0], index=index)

    def then(self, piece: SpikeBatch) -> SpikeBatch:
        """Return one sample that goes on with the steps of another."""
        return replace(
            self,
            steps=self.steps + piece.steps,
            offsets=np.concatenate([self.offsets, self.offsets[-1] + piece.offsets[1:]]),
            index=np.concatenate([self.index, piece.index]),
        )

    def sha256(self) -> str:
        """Hash the shape, the step and every spike."""
        digest = hashlib.sha256(repr((float(self.dt_s), self.steps, self.shape)).encode())
        digest.update(self.offsets.astype("<i8").tobytes())
        digest.update(self.index.astype("<i4").tobytes())
        return digest.hexdigest()
