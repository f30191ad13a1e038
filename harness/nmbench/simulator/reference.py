"""The oracle: plain NumPy, one sample and one step at a time; every engine equals it spike for spike.

Per step and population, in the network's order: the spikes due are multiplied by the dense weights and
summed in float64 (exact for weights on a power-of-two grid). The values due on graded projections are summed
apart, in float64 and one order, since their sums are not exact: from 0 on, projection after projection as
the network has them, within one by source neuron (C-order), each time the product, itself rounded to
float64, of the weight and the membrane as the source's step left it; a zero weight is no synapse. Both sums
are added and rounded once to the dialect's dtype; then, in that dtype and in this order of operations,

    i = syn_decay*i + syn_gain*(sum + bias)
    v = (mem_decay*v + mem_gain*i) + leak
    v = v_reset, or v - n*drop                where n resets of the step before wait (reset_delay: 1)
    v = max(v, floor)                         populations that reset, under a dialect with a floor
    s = v > threshold                         or >=; of v - drop where the last step's reset left v so high
                                              (rereset under reset: subtract)
    n = s, or as often as the threshold fits  multispike: ceil((v - threshold) / drop), or floor(...) + 1
    v = v_reset where s, or v - n*drop        with drop = threshold - v_reset; reset_delay: 0

from i = v = 0. What a population without a threshold hands on is v. Under ``membrane_synapse_threshold``
a population with a synapse state (CubaLIF, CubaLI) updates v from the i of the step before; one without has
no such choice. A Threshold never resets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.network.connectivity import Integers, connections, dense_macs
from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Floats, Network, Population, Projection
from nmbench.simulator.run import Run, check_batch, check_piece
from nmbench.spikes import SpikeBatch

Doubles = npt.NDArray[np.float64]
Synapses = tuple[Integers, Integers, Doubles]
"""Source neuron, target neuron and weight, ordered by source."""

MAX_SPIKES = 65_535
"""Most spikes of one neuron in one step under a dialect that allows several."""


def simulate(network: Network, batch: SpikeBatch, membranes: Floats | None = None) -> Run:
    """Run every sample from the resting state.

    Parameters
    ----------
    membranes
        Where to write the membrane of the output population after each step and its reset, ``[B, T, C]``,
        not late; not kept where None.

    Raises
    ------
    InputError
        The batch does not fit the network.
    """
    check_batch(network, batch)
    synapses = _graded(network)
    return _run(network, [_Sample(network, synapses) for _ in range(len(batch))], batch, membranes)


class Stream:
    """A recording under way, as `nmbench.simulator.stream.Stream`; it keeps all that was ever emitted."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._synapses = _graded(network)
        self.rest()

    def rest(self) -> None:
        """Return to the resting state: the next piece begins a recording."""
        self._sample = _Sample(self.network, self._synapses)

    def feed(self, batch: SpikeBatch) -> Run:
        """Go on with a piece, one sample of k steps: return their outputs ``[1, k, C]`` and counts.

        Raises
        ------
        InputError
            The piece does not fit the network, or is not one sample.
        """
        check_piece(self.network, batch)
        return _run(self.network, [self._sample], batch, None)


def _graded(network: Network) -> dict[int, Synapses]:
    """Return the synapses of graded projections by their place among all."""
    found = {}
    for r, projection in enumerate(network.projections):
        if projection.graded:
            pre, post, weight = connections(network, projection)
            found[r] = pre, post, weight.astype(np.float64)
    return found


def _run(network: Network, samples: list[_Sample], batch: SpikeBatch, membranes: Floats | None) -> Run:
    """Run each sample on, from where it stands, by the batch's steps."""
    populations, projections = network.populations, network.projections
    shape = len(samples), batch.steps
    outputs = np.zeros((*shape, populations[network.output].size), network.dtype)
    spikes = np.zeros((*shape, len(populations)), np.int64)
    events, macs = np.zeros((2, *shape, len(projections)), np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # values that feed themselves may diverge
        for at in np.ndindex(shape):
            sample = samples[at[0]]
            outputs[at] = sample.step(batch.row(*at), spikes[at], events[at], macs[at])
            if membranes is not None:
                membranes[at] = sample.membrane
    sizes = [0, *(p.size for p in populations[1:])]
    counts = EventCounts(
        populations=tuple(p.name for p in populations),
        projections=tuple(p.name for p in projections),
        spikes=spikes,
        neuron_updates=np.broadcast_to(np.array(sizes, np.int64), spikes.shape),
        synaptic_events=events,
        dense_macs=dense_macs(network),
        effective_macs=macs if network.graded else None,
    )
    return Run(outputs, counts)


class _Sample:
    """One sample: each population's state, and all that it emitted, by step from the first on."""

    def __init__(self, network: Network, synapses: dict[int, Synapses]) -> None:
        self.network, self.synapses = network, synapses
        self.neurons = [_Neurons(p, network.dialect) for p in network.populations[1:]]
        self.emitted: list[list[Doubles]] = [[] for _ in network.populations]

    @property
    def membrane(self) -> Floats:
        """That of the output population."""
        return self.neurons[self.network.output - 1].v

    def step(
        self,
        arriving: npt.NDArray[np.int32],
        spikes: npt.NDArray[np.int64],
        events: npt.NDArray[np.int64],
        macs: npt.NDArray[np.int64],
    ) -> Floats:
        """Go one step on; fill its counts ``[P]``, ``[R]``, ``[R]`` and return its outputs ``[C]``."""
        network, emitted = self.network, self.emitted
        t = len(emitted[0])
        inputs = network.populations[0].size
        emitted[0].append(np.bincount(arriving, minlength=inputs).astype(np.float64))
        for p, population in enumerate(self.neurons, start=1):
            total, graded = np.zeros((2, network.populations[p].size))
            for r, projection in enumerate(network.projections):
                if projection.target != p or t < projection.delay:
                    continue
                due = emitted[projection.source][t - projection.delay]
                if projection.graded:
                    macs[r] = _multiply(graded, self.synapses[r], due)
                else:
                    total += transmit(network, projection, due, projection.weight)
                    events[r] = transmit(network, projection, due, projection.weight != 0).sum()
            now = (total + graded).astype(network.dtype)
            emitted[p].append(population.step(now, t).astype(np.float64))
        spikes[:] = [
            0 if population.graded else history[t].sum()
            for population, history in zip(network.populations, emitted, strict=True)
        ]
        shown, late = emitted[network.output], network.dialect.output_delay
        return (shown[t - late] if t >= late else np.zeros_like(shown[t])).astype(network.dtype)


def _multiply(total: Doubles, synapses: Synapses, values: Doubles) -> int:
    """Add each synapse's product to its target, one after the other; count those of values not zero."""
    pre, post, weight = synapses
    np.add.at(total, post, weight * values[pre])
    return int(np.count_nonzero(values[pre]))


def transmit(
    network: Network, projection: Projection, spikes: Doubles, weight: npt.NDArray[np.generic]
) -> Doubles:
    """Return what each target receives from spikes (times each source neuron fired), ``[n_target]``."""
    if projection.kind == "dense":
        return np.asarray(spikes @ weight.astype(np.float64))
    source, target = network.maps(projection)
    (down, across), (pad_rows, pad_columns) = projection.stride, projection.padding
    groups, (high, wide) = projection.groups, weight.shape[2:]
    step_down, step_across = projection.dilation
    # zeros before and behind the image, more than any window asks for
    room = (step_down * high + down * target[1], step_across * wide + across * target[2])
    image = np.pad(spikes.reshape(source), ((0, 0), *((n, n) for n in room)))
    received = np.zeros((groups, target[0] // groups, *target[1:]))
    for j, i in np.ndindex(high, wide):
        top, left = room[0] - pad_rows + j * step_down, room[1] - pad_columns + i * step_across
        seen = image[:, top : top + down * target[1] : down, left : left + across * target[2] : across]
        tap = weight[:, :, j, i].astype(np.float64).reshape(groups, -1, weight.shape[1])
        received += np.einsum("goc,gcyx->goyx", tap, seen.reshape(groups, -1, *target[1:]))
    return received.ravel()


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
        self.i = np.zeros(population.size, dialect.dtype)
        self.v = np.zeros(population.size, dialect.dtype)
        self.waiting = np.zeros(population.size, dialect.dtype)  # resets, reset_delay: 1

    def step(self, total: Floats, t: int) -> Floats:
        """Advance by one step under what arrives in it, summed; return what each neuron hands on.

        That is how often it spikes, or its membrane where it has no threshold.
        """
        law, dialect = self.law, self.dialect
        bias = next((early for until, early in law.early if t < until), law.bias)
        before, self.i = self.i, law.syn_decay * self.i + law.syn_gain * (total + bias)
        left_above = self.over(self.v)
        current = before if self.sees_last_current else self.i
        self.v = (law.mem_decay * self.v + law.mem_gain * current) + law.leak
        if not law.spiking:
            return self.v
        if not law.resets:
            return self.over(self.v).astype(self.v.dtype)
        self.v = np.where(self.waiting > 0, self.after(self.waiting), self.v)
        if dialect.v_floor is not None:
            floor = (
                -law.threshold if dialect.v_floor == "-v_threshold" else self.v.dtype.type(dialect.v_floor)
            )
            self.v = np.maximum(self.v, floor)
        repeats = dialect.rereset and dialect.reset == "subtract"
        fired = self.over(np.where(repeats & left_above, self.v - self.drop, self.v)).astype(self.v.dtype)
        if dialect.multispike:
            fit = (self.v - law.threshold) / self.drop
            fit = np.floor(fit) + 1 if dialect.tie == "ge" else np.ceil(fit)
            fired *= np.minimum(fit, MAX_SPIKES)
        if dialect.reset_delay:
            self.waiting = fired
        else:
            self.v = np.where(fired > 0, self.after(fired), self.v)
        return fired

    @property
    def drop(self) -> Floats:
        """How far one reset by subtraction lowers the membrane."""
        return self.law.threshold - self.law.v_reset

    def over(self, v: Floats) -> npt.NDArray[np.bool_]:
        """Tell who stands above the threshold, or at it."""
        return v >= self.law.threshold if self.dialect.tie == "ge" else v > self.law.threshold

    def after(self, resets: Floats) -> Floats:
        """Return the membranes after so many resets."""
        return self.law.v_reset if self.dialect.reset == "to_v_reset" else self.v - resets * self.drop
