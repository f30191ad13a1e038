"""Records of sparse networks: what cannot be simulated is refused, with all faults at once."""

from __future__ import annotations

import dataclasses
import math

import pytest

from nmbench.errors import InputError
from nmbench.network.brunel import brunel
from nmbench.network.sparse import (
    Drive,
    FixedInDegree,
    LeakyNeuron,
    SparseNetwork,
    SparsePopulation,
    SparseProjection,
    Spread,
)

NEURON = LeakyNeuron("delta", 20.0, 250.0, 0.0, 20.0, 10.0, 2.0)
POPULATION = SparsePopulation("A", 10, NEURON, Drive(), Spread(0.0))


def network(*populations: SparsePopulation, projections: tuple[SparseProjection, ...] = ()) -> SparseNetwork:
    return SparseNetwork("n", 0.1, populations, projections)


def test_all_faults_are_told_at_once() -> None:
    bad = dataclasses.replace(
        POPULATION,
        size=0,
        neuron=dataclasses.replace(NEURON, tau_m_ms=math.nan, v_reset_mv=30.0),
        drive=Drive(rate_hz=-1.0),
    )
    loop = SparseProjection("A", "B", FixedInDegree(-1), Spread(math.inf), Spread(0.0))
    with pytest.raises(InputError) as told:
        network(bad, bad, projections=(loop,))
    said = str(told.value)
    for part in (
        "population A: stands twice",
        "size: must be above 0",
        "tau_m_ms: must be above 0, not nan",
        "rate_hz: must be at least 0",
        "not below the threshold",
        "unknown population 'B'",
        "number of synapses must be at least 0",
        "weight: must be finite",
        "a loop without delay",
    ):
        assert part in said


def test_exponential_synapses_need_a_time_constant() -> None:
    neuron = dataclasses.replace(NEURON, synapse="exponential")
    with pytest.raises(InputError, match="tau_syn_ms: missing"):
        network(dataclasses.replace(POPULATION, neuron=neuron))


def test_sorts_of_synapses_are_not_mixed() -> None:
    other = dataclasses.replace(NEURON, synapse="exponential", tau_syn_ms=0.5)
    with pytest.raises(InputError, match="cannot be mixed"):
        network(POPULATION, dataclasses.replace(POPULATION, name="B", neuron=other))


def test_numbers_of_synapses() -> None:
    made = brunel(1000)
    assert made.size == 1000
    assert sum(made.synapses(p) for p in made.projections) == 1_000_000
