"""The plain engine: kernels without intrinsics, for every processor and every network."""

from __future__ import annotations

from nmbench.counts import Counts
from nmbench.network.network import Floats, Network
from nmbench.simulator.kernels import run_samples, run_steps
from nmbench.simulator.plan import lay_out, new_state
from nmbench.simulator.records import Ints, Longs, Plan, State
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

    def begin(self) -> Recording:
        """Return memory of its own for a sample that comes piece by piece."""
        return Recording(self._plan)


class Recording:
    """The memory of one sample that comes piece by piece."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan._replace(output_delay=0)
        self._state = new_state(plan)

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
        steps = spikes.shape[1]
        one = outputs[0], spikes[0], events[0]
        run_steps(self._plan, self._state, done, kept, steps, offsets, index, *one)
