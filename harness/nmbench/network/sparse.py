"""Large sparse recurrent networks: populations of leaky neurons, projections by rule.

A network of this sort is a recipe, not a list of synapses: it says how many there are, how they are drawn,
and how their weights and delays are spread. Its own units are the field's: ms, mV, pA, pF. Weights are in pA
where synapses are exponential (amplitude of the current) and in mV where they are delta (jump of the
membrane).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nmbench.errors import InputError, unknown

Synapse = Literal["exponential", "delta"]


@dataclass(frozen=True)
class Spread:
    """A normal distribution; with ``sd`` 0 one value."""

    mean: float
    sd: float = 0.0


@dataclass(frozen=True)
class LeakyNeuron:
    r"""Leaky integrate-and-fire neuron, integrated exactly on the grid (Rotter & Diesmann 1999).

    .. math::
        \dot{V} = -(V - E_L) / \tau_m + I / C_m

    With exponential synapses :math:`I` decays with ``tau_syn_ms`` and a spike adds its weight to it; with
    delta synapses a spike adds its weight to :math:`V`, and is lost while the neuron is refractory. At
    :math:`V \ge V_{th}` the neuron fires, and its membrane stays at ``v_reset_mv`` for ``t_ref_ms``.
    These are ``iaf_psc_exp`` and ``iaf_psc_delta`` of NEST.
    """

    synapse: Synapse
    tau_m_ms: float
    c_m_pf: float
    e_l_mv: float
    v_th_mv: float
    v_reset_mv: float
    t_ref_ms: float
    tau_syn_ms: float | None = None


@dataclass(frozen=True)
class Drive:
    """What comes from outside: a constant current, and Poisson spikes (another train for each neuron).

    ``rate_hz`` is of all of a neuron's outer inputs together, ``weight`` of one of them.
    """

    current_pa: float = 0.0
    rate_hz: float = 0.0
    weight: float = 0.0


@dataclass(frozen=True)
class SparsePopulation:
    """Like neurons under a like drive; ``v0_mv`` is the spread of the membranes at the start."""

    name: str
    size: int
    neuron: LeakyNeuron
    drive: Drive
    v0_mv: Spread


@dataclass(frozen=True)
class FixedInDegree:
    """Each target has ``sources`` synapses; sources are drawn uniformly, with repetition, itself included."""

    sources: int


@dataclass(frozen=True)
class FixedTotal:
    """``synapses`` in all; the source and the target of each are drawn uniformly, with repetition."""

    synapses: int


@dataclass(frozen=True)
class SparseProjection:
    """Synapses from one population to another.

    Weights keep the sign of their mean (the distribution is cut at 0) and delays are at least one step.
    """

    source: str
    target: str
    rule: FixedInDegree | FixedTotal
    weight: Spread
    delay_ms: Spread


@dataclass(frozen=True)
class SparseNetwork:
    """Populations, projections and the step of time.

    Raises
    ------
    InputError
        With every fault: names, sizes, constants that are not finite or out of range.
    """

    name: str
    dt_ms: float
    populations: tuple[SparsePopulation, ...]
    projections: tuple[SparseProjection, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        faults = list(_faults(self))
        if faults:
            raise InputError(f"network {self.name}", faults)

    @property
    def size(self) -> int:
        """Neurons in all."""
        return sum(p.size for p in self.populations)

    @property
    def synapse(self) -> Synapse:
        """Sort of synapse, the same in the whole network."""
        return self.populations[0].neuron.synapse

    def population(self, name: str) -> SparsePopulation:
        """Return the population of that name."""
        return next(p for p in self.populations if p.name == name)

    def synapses(self, projection: SparseProjection) -> int:
        """Return the number of synapses of a projection."""
        if isinstance(projection.rule, FixedTotal):
            return projection.rule.synapses
        return projection.rule.sources * self.population(projection.target).size


def _faults(network: SparseNetwork) -> Iterable[str]:
    if not (math.isfinite(network.dt_ms) and network.dt_ms > 0):
        yield f"dt_ms: must be above 0, not {network.dt_ms}"
    if not network.populations:
        yield "populations: none"
    names = [p.name for p in network.populations]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"population {name}: stands twice"
    if len({p.neuron.synapse for p in network.populations}) > 1:
        yield "populations: exponential and delta synapses cannot be mixed in one network"
    for population in network.populations:
        yield from (f"population {population.name}: {fault}" for fault in _population_faults(population))
    for projection in network.projections:
        where = f"projection {projection.source} -> {projection.target}"
        for end in (projection.source, projection.target):
            if end not in names:
                yield f"{where}: {unknown('population', end, names)}"
        yield from (f"{where}: {fault}" for fault in _projection_faults(projection, network.dt_ms))


def _population_faults(population: SparsePopulation) -> Iterable[str]:
    neuron, drive = population.neuron, population.drive
    positive = {"size": population.size, "tau_m_ms": neuron.tau_m_ms, "c_m_pf": neuron.c_m_pf}
    if neuron.synapse == "exponential":
        if neuron.tau_syn_ms is None:
            yield "tau_syn_ms: missing, and exponential synapses need it"
        else:
            positive["tau_syn_ms"] = neuron.tau_syn_ms
    yield from (f"{name}: must be above 0, not {value}" for name, value in positive.items() if not value > 0)
    least = {"t_ref_ms": neuron.t_ref_ms, "rate_hz": drive.rate_hz, "v0_mv.sd": population.v0_mv.sd}
    yield from (f"{name}: must be at least 0, not {value}" for name, value in least.items() if not value >= 0)
    rest = {
        "e_l_mv": neuron.e_l_mv,
        "v_th_mv": neuron.v_th_mv,
        "v_reset_mv": neuron.v_reset_mv,
        "current_pa": drive.current_pa,
        "weight": drive.weight,
        "v0_mv.mean": population.v0_mv.mean,
    }
    for name, value in (positive | least | rest).items():
        if not math.isfinite(value):
            yield f"{name}: must be finite, not {value}"
    if neuron.v_reset_mv >= neuron.v_th_mv:
        yield f"v_reset_mv: {neuron.v_reset_mv} is not below the threshold {neuron.v_th_mv}"


def _projection_faults(projection: SparseProjection, dt_ms: float) -> Iterable[str]:
    rule, weight, delay = projection.rule, projection.weight, projection.delay_ms
    count = rule.synapses if isinstance(rule, FixedTotal) else rule.sources
    if count < 0:
        yield f"rule: the number of synapses must be at least 0, not {count}"
    for name, value in {"weight": weight, "delay_ms": delay}.items():
        if not (math.isfinite(value.mean) and math.isfinite(value.sd)):
            yield f"{name}: must be finite, not {value.mean} with sd {value.sd}"
        elif value.sd < 0:
            yield f"{name}: sd must be at least 0, not {value.sd}"
    if not delay.mean > dt_ms / 2:
        yield f"delay_ms: {delay.mean} is less than a step of {dt_ms} ms: a loop without delay"
