"""The vector engine: a network laid out for `nmbench.simulator.vector.kernel`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nmbench.counts import Counts
from nmbench.network.network import Floats, Network
from nmbench.simulator.vector.compiled import run_compiled
from nmbench.simulator.vector.grid import Width
from nmbench.simulator.vector.kernel import run_samples
from nmbench.simulator.vector.layout import Layout, build
from nmbench.simulator.vector.recording import Recording
from nmbench.simulator.vector.weights import Array, aligned
from nmbench.spikes import SpikeBatch


class Vector:
    """A network laid out for the vector kernel, with a worker's memory for each thread.

    Parameters
    ----------
    dtype
        How weights are stored; states are float32 always, and the results are the same.

    Raises
    ------
    ValueError
        The weights are no whole numbers of that width, or their sums may overflow.
    """

    name = "vector"

    def __init__(self, network: Network, dtype: Width) -> None:
        self.dtype: Width = dtype
        self._network = network
        self._layout = build(network, dtype)
        layout = self._layout
        self._kernel: Callable[..., int] = run_compiled if layout.sample else run_samples
        records = (layout.populations, layout.projections, layout.readout)
        own = (*records, network.output, network.dialect.output_delay)
        self._fixed = ((layout.sample,) if layout.sample else own) + (layout.limit, layout.zeroed)
        self._memory: list[Array] = []
        self._addresses: list[int] = []
        self._floats: dict[int, Vector] = {}
        self._wide: Layout | None = None

    def reserve(self, workers: int) -> None:
        """Have memory for so many workers."""
        while len(self._memory) < workers:
            memory = aligned(self._layout.words, np.int64)
            self._memory.append(memory)
            self._addresses.append(memory.ctypes.data)

    def run(
        self,
        worker: int,
        first: int,
        last: int,
        batch: SpikeBatch,
        outputs: Floats,
        spikes: Counts,
        events: Counts,
    ) -> None:
        """Run samples ``first`` to ``last`` (excluded) in one worker's memory."""
        fixed, memory = self._fixed, self._addresses[worker]
        steps, offsets, index = batch.steps, batch.offsets, batch.index
        while first < last:
            first = self._kernel(*fixed, memory, first, last, steps, offsets, index, outputs, spikes, events)
            if first < last:  # more spikes at once than whole numbers are proven for
                self._float(worker).run(0, first, first + 1, batch, outputs, spikes, events)
                first += 1

    def begin(self) -> Recording:
        """Return memory of its own for a sample that comes piece by piece."""
        return Recording(self._network, self._layout, self._beside)

    def _beside(self) -> Layout:
        """Return the layout of float32 weights for what these have begun."""
        if self._wide is None:
            self._wide = build(self._network, "float32", self.dtype)
        return self._wide

    def _float(self, worker: int) -> Vector:
        """Return this worker's own engine of float32 weights."""
        if worker not in self._floats:
            self._floats[worker] = Vector(self._network, "float32")
            self._floats[worker].reserve(1)
        return self._floats[worker]
