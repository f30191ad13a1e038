"""The plain engine: kernels without intrinsics, for every processor and every network."""

from __future__ import annotations

from nmbench.counts import Counts
from nmbench.network.network import Floats, Network
from nmbench.simulator.kernels import run_samples
from nmbench.simulator.plan import lay_out, new_state
from nmbench.simulator.records import State
from nmbench.spikes import SpikeBatch


class Plain:
    """A network laid out for the plain kernels, with a worker's memory for each thread."""

    name = "plain"

    def __init__(self, network: Network) -> None:
        self.dtype = network.dialect.dtype
        self._plan = lay_out(network)
        self._states: list[State] = []

    def reserve(self, workers: int) -> None:
        """Have memory for so many workers."""
        while len(self._states) < workers:
            self._states.append(new_state(self._plan))

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
        run_samples(
            self._plan,
            self._states[worker],
            first,
            last,
            batch.steps,
            batch.offsets,
            batch.index,
            outputs,
            spikes,
            events,
        )
