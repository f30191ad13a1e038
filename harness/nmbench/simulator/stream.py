"""Stream: a sample that arrives piece by piece, while the network keeps its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nmbench.counts import Counts
from nmbench.network.network import Floats, Network
from nmbench.simulator.run import Run, check_piece
from nmbench.spikes import SpikeBatch

INT64 = np.dtype(np.int64)


class Recording(Protocol):
    """An engine's memory of one sample."""

    def run(
        self,
        done: int,
        kept: int,
        offsets: npt.NDArray[np.int64],
        index: npt.NDArray[np.int32],
        outputs: Floats,
        spikes: Counts,
        events: Counts,
    ) -> None:
        """Run the steps from ``done`` on, of which ``kept`` rows before them have run; 0: from rest.

        Outputs, not late, spikes and synaptic events ``[1, k, ...]`` are filled.
        """


class Stream:
    """A recording under way: the pieces' results, one after the other, are those of the whole in one run.

    It serves one caller at a time.
    """

    def __init__(
        self, network: Network, recording: Recording, book: Callable[[Floats, Counts, Counts], Run]
    ) -> None:
        self.network = network
        self._recording, self._book = recording, book
        self._shape, self._dt_s, self._dtype = network.populations[0].shape, network.dialect.dt, network.dtype
        self._classes = network.populations[network.output].size
        self._parts = len(network.populations), len(network.projections)
        self._late = network.dialect.output_delay
        self._kept = max((q.delay for q in network.projections if q.source == 0), default=0)
        self.rest()

    def rest(self) -> None:
        """Return to the resting state: the next piece begins a recording."""
        self._start = 0
        self._due = np.zeros((self._late, self._classes), self._dtype)  # outputs that come late
        self._offsets, self._index = np.zeros(self._kept + 1, np.int64), np.empty(0, np.int32)

    def feed(self, batch: SpikeBatch) -> Run:
        """Go on with a piece, one sample of k steps, k >= 1: return their outputs ``[1, k, C]`` and counts.

        Raises
        ------
        InputError
            The piece does not fit the network, or is not one sample.
        """
        steps = batch.steps
        if batch.shape != self._shape or batch.dt_s != self._dt_s or batch.offsets.size != steps + 1:
            check_piece(self.network, batch)
        outputs = np.empty((1, steps + self._late, self._classes), self._dtype)
        spikes = np.empty((1, steps, self._parts[0]), INT64)
        events = np.empty((1, steps, self._parts[1]), INT64)
        offsets, index = self._joined(batch) if self._kept else (batch.offsets, batch.index)
        now = outputs[:, self._late :] if self._late else outputs
        self._recording.run(self._start, self._kept, offsets, index, now, spikes, events)
        self._start += steps
        if self._late:
            outputs[0, : self._late] = self._due
            self._due = outputs[0, steps:].copy()
            outputs = outputs[:, :steps]
        return self._book(outputs, spikes, events)

    def _joined(self, batch: SpikeBatch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Put the input that may still be on its way before the piece's, and keep what will be."""
        offsets = np.concatenate((self._offsets, batch.offsets[1:] + self._offsets[-1]))
        index = np.concatenate((self._index, batch.index))
        first = offsets[batch.steps]
        self._offsets, self._index = offsets[batch.steps :] - first, index[first:]
        return offsets, index
