"""A sample that comes piece by piece, in the vector engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmbench.counts import Counts
from nmbench.network.network import Floats, Network
from nmbench.simulator.vector.compiled import continue_compiled
from nmbench.simulator.vector.kernel import Ints, Longs, continue_sample, fits
from nmbench.simulator.vector.layout import Layout
from nmbench.simulator.vector.records import UNLIMITED
from nmbench.simulator.vector.weights import aligned


class Recording:
    """The memory of one sample, and the layout under which it goes on.

    Where a piece brings more spikes at once than whole numbers are proven for, it and those behind it run in
    float32, in the same memory: between steps sums are 0, and all that outlasts a step is float32, or a list,
    and lies in the same place under both.

    Parameters
    ----------
    wide
        Returns the layout of float32 weights; called when it is needed.
    """

    def __init__(self, network: Network, layout: Layout, wide: Callable[[], Layout]) -> None:
        self._output, self._wide = network.output, wide
        self._memory = aligned(layout.room, np.int64)
        self._address = int(self._memory.ctypes.data)
        self._way = self._narrow = _Way.under(layout, network.output)

    def run(
        self,
        done: int,
        kept: int,
        offsets: Longs,
        index: Ints,
        outputs: Floats,
        spikes: Counts,
        events: Counts,
    ) -> None:
        """Run the steps from ``done`` on, of which ``kept`` rows before them have run; 0: from rest.

        Outputs, spikes and synaptic events ``[1, k, ...]`` are filled.
        """
        if done == 0:
            self._way = self._narrow
        way, steps = self._way, spikes.shape[1]
        if way.bounds and not fits(*way.bounds, steps, offsets, index):
            way = self._way = _Way.under(self._wide(), self._output)
        read_and_filled = offsets, index, outputs, spikes, events
        way.kernel(*way.fixed, done, kept, self._address, steps, *read_and_filled)


@dataclass(frozen=True, eq=False)
class _Way:
    """How steps run under a layout.

    Attributes
    ----------
    bounds
        What `fits` is asked about, None of float32.
    kernel, fixed
        What runs them, and what it is handed first.
    layout
        Kept, since addresses point into it.
    """

    bounds: tuple[int, Longs, Longs] | None
    kernel: Callable[..., Any]
    fixed: tuple[Any, ...]
    layout: Layout

    @classmethod
    def under(cls, layout: Layout, output: int) -> _Way:
        """Gather what a layout says; outputs do not come late here."""
        limits, entrance = (layout.limit, layout.zeroed), layout.populations[0]
        if layout.sample:
            compiled = (layout.sample, *limits, int(entrance["heads"]), int(entrance["mask"]))
            return cls(_bounds(layout), continue_compiled, compiled, layout)
        records = (layout.populations, layout.projections, layout.readout)
        return cls(_bounds(layout), continue_sample, (*records, output, *limits), layout)


def _bounds(layout: Layout) -> tuple[int, Longs, Longs] | None:
    """Return what `fits` is asked about, None of float32."""
    blocks = [layout.projections[p["incoming"] : p["inner"]] for p in layout.populations[1:]]
    outer = np.concatenate([layout.projections[:0], *blocks])
    limits, most = outer["limit"].astype(np.int64), outer["most"].astype(np.int64)
    if min(layout.limit, *limits.tolist(), UNLIMITED) == UNLIMITED:
        return None
    return layout.limit, limits, most
