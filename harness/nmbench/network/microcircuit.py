"""The cortical microcircuit of Potjans & Diesmann (2014), from its parameter file to a sparse network.

A network of fewer neurons or synapses keeps the mean and the variance of what a neuron receives: weights are
divided by the square root of the share of synapses, and a constant current stands in for the mean that is
lost (van Albada et al. 2015, PLoS Comput. Biol. 11:e1004490; in the form of the paper's own model code).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nmbench.documents import read_document
from nmbench.errors import InputError, unknown
from nmbench.network.sparse import (
    Drive,
    FixedTotal,
    LeakyNeuron,
    SparseNetwork,
    SparsePopulation,
    SparseProjection,
    Spread,
)

PATH = Path(__file__).parents[1] / "workloads" / "scaling" / "microcircuit.yaml"
"""The parameters that come with the package."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
AtLeastZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NeuronParameters(_Strict):
    """One set of constants for all neurons; see `LeakyNeuron`."""

    tau_m_ms: Positive
    tau_syn_ms: Positive
    c_m_pf: Positive
    e_l_mv: Finite
    v_th_mv: Finite
    v_reset_mv: Finite
    t_ref_ms: AtLeastZero


class SpreadParameters(_Strict):
    """A normal distribution."""

    mean: Finite
    sd: AtLeastZero


class DelayParameters(_Strict):
    """Mean delays by the sort of the source."""

    excitatory: Positive
    inhibitory: Positive


class PopulationParameters(_Strict):
    """A population at full density; ``rate_hz`` is what its neurons are known to fire."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+[EI]$")]
    size: Annotated[int, Field(gt=0)]
    background_inputs: Annotated[int, Field(ge=0)]
    rate_hz: AtLeastZero
    v0_mv: SpreadParameters

    @property
    def excitatory(self) -> bool:
        """Whether its neurons excite."""
        return self.name.endswith("E")


class WeightFactor(_Strict):
    """A projection whose mean weight is ``factor`` times that of its sort."""

    source: str
    target: str
    factor: Positive


class Microcircuit(_Strict):
    """The parameter file ``microcircuit.yaml``."""

    version: Annotated[int, Field(ge=1)]
    name: str
    summary: str
    sources: dict[str, str]
    dt_ms: Positive
    neuron: NeuronParameters
    weight_pa: Positive
    weight_relative_sd: AtLeastZero
    inhibition: Annotated[float, Field(lt=0, allow_inf_nan=False)]
    delay_ms: DelayParameters
    delay_relative_sd: AtLeastZero
    background_hz: AtLeastZero
    populations: Annotated[tuple[PopulationParameters, ...], Field(min_length=1)]
    connection_probability: tuple[tuple[Probability, ...], ...]
    weight_factors: tuple[WeightFactor, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names, count = [p.name for p in self.populations], len(self.populations)
        faults = [f"population {n} stands twice" for n in sorted({n for n in names if names.count(n) > 1})]
        shape = [len(row) for row in self.connection_probability]
        if shape != [count] * count:
            faults.append(f"connection_probability: {count} x {count} values are wanted, rows have {shape}")
        for factor in self.weight_factors:
            ends = (factor.source, factor.target)
            faults += [f"weight_factors: {unknown('population', n, names)}" for n in ends if n not in names]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def mean_weight_pa(self, target: str, source: PopulationParameters) -> float:
        """Return the mean weight of a projection at full density."""
        factors = [f.factor for f in self.weight_factors if (f.source, f.target) == (source.name, target)]
        weight_pa = self.weight_pa * (1.0 if source.excitatory else self.inhibition)
        return weight_pa * math.prod(factors)

    def synapses(self, target: int, source: int) -> float:
        """Return the number of synapses of a projection at full density.

        So many pairs, drawn with repetition, connect the given share of all pairs at least once
        (Potjans & Diesmann 2014, eq. 1).
        """
        pairs = self.populations[target].size * self.populations[source].size
        return math.log1p(-self.connection_probability[target][source]) / math.log1p(-1.0 / pairs)


def read_microcircuit(path: Path = PATH) -> Microcircuit:
    """Read a parameter file.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return read_document(path, Microcircuit)


def microcircuit(
    parameters: Microcircuit, neurons: float = 1.0, synapses: float = 1.0, *, poisson: bool = True
) -> SparseNetwork:
    """Return the network with these shares of its neurons and of the synapses of each neuron.

    Without ``poisson`` the background is a constant current of the same mean.

    Raises
    ------
    InputError
        Where a share is not above 0 and at most 1.
    """
    shares = {"neurons": neurons, "synapses": synapses}
    faults = [f"share of {n}: above 0 and at most 1, not {s}" for n, s in shares.items() if not 0 < s <= 1]
    if faults:
        raise InputError(f"network {parameters.name}", faults)
    return SparseNetwork(
        name=parameters.name,
        dt_ms=parameters.dt_ms,
        populations=tuple(
            _population(parameters, k, neurons, synapses, poisson) for k in range(len(parameters.populations))
        ),
        projections=tuple(_projections(parameters, neurons, synapses)),
    )


def _population(
    parameters: Microcircuit, k: int, neurons: float, synapses: float, poisson: bool
) -> SparsePopulation:
    own = parameters.populations[k]
    tau_syn_s = parameters.neuron.tau_syn_ms / 1000
    background_pa_hz = parameters.weight_pa * own.background_inputs * parameters.background_hz
    recurrent_pa_hz = sum(
        parameters.mean_weight_pa(own.name, source) * (parameters.synapses(k, j) / own.size) * source.rate_hz
        for j, source in enumerate(parameters.populations)
    )
    lost = 1.0 - math.sqrt(synapses)
    current_pa = tau_syn_s * lost * recurrent_pa_hz
    current_pa += tau_syn_s * background_pa_hz * (lost if poisson else 1.0)
    drive = Drive(current_pa=current_pa)
    if poisson:
        drive = Drive(
            current_pa=current_pa,
            rate_hz=own.background_inputs * parameters.background_hz * synapses,
            weight=parameters.weight_pa / math.sqrt(synapses),
        )
    neuron = LeakyNeuron(synapse="exponential", **parameters.neuron.model_dump())
    v0_mv = Spread(own.v0_mv.mean, own.v0_mv.sd)
    return SparsePopulation(own.name, max(1, round(own.size * neurons)), neuron, drive, v0_mv)


def _projections(parameters: Microcircuit, neurons: float, synapses: float) -> list[SparseProjection]:
    made = []
    for k, target in enumerate(parameters.populations):
        for j, source in enumerate(parameters.populations):
            number = round(parameters.synapses(k, j) * neurons * synapses)
            if not number:
                continue
            weight_pa = parameters.mean_weight_pa(target.name, source) / math.sqrt(synapses)
            delays = parameters.delay_ms
            delay_ms = delays.excitatory if source.excitatory else delays.inhibitory
            made.append(
                SparseProjection(
                    source.name,
                    target.name,
                    FixedTotal(number),
                    Spread(weight_pa, abs(weight_pa) * parameters.weight_relative_sd),
                    Spread(delay_ms, delay_ms * parameters.delay_relative_sd),
                )
            )
    return made
