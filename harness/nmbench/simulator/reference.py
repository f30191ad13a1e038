"""The oracle: plain NumPy, one sample and one step at a time; every engine equals it spike for spike.

Per step and population, in the network's order: the spikes due are multiplied by the dense weights; the
sum, made in float64, is rounded once to float32 (exact for weights on a power-of-two grid); then, in
float32 and in this order of operations,

    i = syn_decay*i + syn_gain*(sum + bias)
    v = (mem_decay*v + mem_gain*i) + leak
    v = max(v, v_floor)                       spiking populations under a dialect with a floor
    s = v > threshold                         or >=
    v = v_reset where s                       or v - (threshold - v_reset)

from i = v = 0. Under ``membrane_synapse_threshold`` a population with a synapse state (CubaLIF, CubaLI)
updates v from the i of the step before; one without has no such choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.network.connectivity import dense_macs
from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Floats, Network, Population, Projection
from nmbench.simulator.run import Run, check_batch
from nmbench.spikes import SpikeBatch

Doubles = npt.NDArray[np.float64]


def simulate(network: Network, batch: SpikeBatch) -> Run:
    """Run every sample from the resting state.

    Raises
    ------
    InputError
        The batch does not fit the network.
    """
    check_batch(network, batch)
    populations, projections = network.populations, network.projections
    outputs = np.zeros((len(batch), batch.steps, populations[network.output].size), np.float32)
    spikes = np.zeros((len(batch), batch.steps, len(populations)), np.int64)
    events = np.zeros((len(batch), batch.steps, len(projections)), np.int64)
    for sample in range(len(batch)):
        _simulate_sample(network, batch, sample, outputs[sample], spikes[sample], events[sample])
    sizes = [0, *(p.size for p in populations[1:])]
    counts = EventCounts(
        populations=tuple(p.name for p in populations),
        projections=tuple(p.name for p in projections),
        spikes=spikes,
        neuron_updates=np.broadcast_to(np.array(sizes, np.int64), spikes.shape),
        synaptic_events=events,
        dense_macs=dense_macs(network),
    )
    return Run(outputs, counts)


def _simulate_sample(
    network: Network,
    batch: SpikeBatch,
    sample: int,
    outputs: Floats,
    spikes: npt.NDArray[np.int64],
    events: npt.NDArray[np.int64],
) -> None:
    """Fill one sample's outputs ``[T, C]`` and counts ``[T, P]``, ``[T, R]``."""
    late = network.dialect.output_delay
    neurons = [_Neurons(p, network.dialect) for p in network.populations[1:]]
    emitted: list[list[Doubles]] = [[] for _ in network.populations]  # by population, then step
    for t in range(batch.steps):
        emitted[0].append(np.bincount(batch.row(sample, t), minlength=batch.size).astype(np.float64))
        for p, population in enumerate(neurons, start=1):
            total = np.zeros(network.populations[p].size)
            for r, projection in enumerate(network.projections):
                if projection.target == p and t >= projection.delay:
                    due = emitted[projection.source][t - projection.delay]
                    total += transmit(network, projection, due, projection.weight)
                    events[t, r] = transmit(network, projection, due, projection.weight != 0).sum()
            emitted[p].append(population.step(total.astype(np.float32)).astype(np.float64))
        spikes[t] = [history[t].sum() for history in emitted]
        readout = neurons[network.output - 1]
        if t + late < batch.steps:
            outputs[t + late] = emitted[network.output][t] if readout.law.spiking else readout.v


def transmit(
    network: Network, projection: Projection, spikes: Doubles, weight: npt.NDArray[np.generic]
) -> Doubles:
    """Return what each target receives from spikes (times each source neuron fired), ``[n_target]``."""
    if projection.kind == "dense":
        return np.asarray(spikes @ weight.astype(np.float64))
    (down, across), (pad_rows, pad_columns) = projection.stride, projection.padding
    image = spikes.reshape(network.populations[projection.source].shape)
    image = np.pad(image, ((0, 0), (pad_rows, pad_rows), (pad_columns, pad_columns)))
    windows = np.lib.stride_tricks.sliding_window_view(image, weight.shape[2:], axis=(1, 2))
    received = np.einsum("cyxij,ocij->oyx", windows[:, ::down, ::across], weight.astype(np.float64))
    return np.asarray(received.ravel())


class _Neurons:
    """One population's state and its step."""

    def __init__(self, population: Population, dialect: Dialect) -> None:
        if population.dynamics is None:
            raise ValueError(f"{population.name} has no dynamics")
        self.law: Dynamics = population.dynamics
        self.dialect = dialect
        self.sees_last_current = dialect.order == "membrane_synapse_threshold" and population.model in (
            "CubaLIF",
            "CubaLI",
        )
        self.i = np.zeros(population.size, np.float32)
        self.v = np.zeros(population.size, np.float32)

    def step(self, total: Floats) -> npt.NDArray[np.bool_]:
        """Advance by one step under the summed weights that arrive in it; return who spikes."""
        law, before = self.law, self.i
        self.i = law.syn_decay * self.i + law.syn_gain * (total + law.bias)
        current = before if self.sees_last_current else self.i
        self.v = (law.mem_decay * self.v + law.mem_gain * current) + law.leak
        if not law.spiking:
            return np.zeros(len(self.v), np.bool_)
        if self.dialect.v_floor is not None:
            self.v = np.maximum(self.v, np.float32(self.dialect.v_floor))
        fired = self.v >= law.threshold if self.dialect.tie == "ge" else self.v > law.threshold
        after = law.v_reset if self.dialect.reset == "to_v_reset" else self.v - (law.threshold - law.v_reset)
        self.v = np.where(fired, after, self.v)
        return fired
