"""The microcircuit's file against figures of the paper and of its other implementations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmbench.errors import InputError
from nmbench.network.microcircuit import PATH, microcircuit, read_microcircuit
from nmbench.network.sparse import FixedTotal


def test_size_is_what_publications_state() -> None:
    network = microcircuit(read_microcircuit())
    assert network.size == 77_169
    # Potjans & Diesmann (2014): about 0.3 billion; SPEED.md's prototype and NEST counted 298.9 million
    assert sum(network.synapses(p) for p in network.projections) == pytest.approx(298.9e6, rel=1e-3)


def test_in_degrees_are_what_the_paper_states() -> None:
    # L23E has 2,200 synapses from L23E (C = 0.1009): K = ln(1 - C) / ln(1 - 1 / (N N)) / N
    network = microcircuit(read_microcircuit())
    own = next(p for p in network.projections if (p.source, p.target) == ("L23E", "L23E"))
    assert isinstance(own.rule, FixedTotal)
    assert own.rule.synapses / 20683 == pytest.approx(-np.log(1 - 0.1009) * 20683, rel=1e-3)


def test_weights_and_delays_by_sort() -> None:
    network = microcircuit(read_microcircuit())
    for p in network.projections:
        inhibitory = p.source.endswith("I")
        mean = 87.8 * (-4 if inhibitory else 2 if (p.source, p.target) == ("L4E", "L23E") else 1)
        assert p.weight.mean == pytest.approx(mean)
        assert p.weight.sd == pytest.approx(abs(mean) / 10)
        assert (p.delay_ms.mean, p.delay_ms.sd) == ((0.75, 0.375) if inhibitory else (1.5, 0.75))


@pytest.mark.parametrize("synapses", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("poisson", [True, False])
def test_fewer_synapses_keep_the_mean_input(synapses: float, poisson: bool) -> None:
    parameters = read_microcircuit()
    rates = {p.name: p.rate_hz for p in parameters.populations}
    means = []
    for share in (1.0, synapses):
        network = microcircuit(parameters, 1.0, share, poisson=poisson)
        tau_s = parameters.neuron.tau_syn_ms / 1000
        mean = {
            p.name: p.drive.current_pa + tau_s * p.drive.weight * p.drive.rate_hz for p in network.populations
        }
        for p in network.projections:
            in_degree = network.synapses(p) / network.population(p.target).size
            mean[p.target] += tau_s * p.weight.mean * in_degree * rates[p.source]
        means.append(list(mean.values()))
    np.testing.assert_allclose(means[0], means[1], rtol=1e-4)


def test_shares_out_of_range_are_told() -> None:
    with pytest.raises(InputError, match=r"share of neurons.*2") as told:
        microcircuit(read_microcircuit(), 2.0, 0.0)
    assert "share of synapses" in str(told.value)


def test_a_bad_file_is_told_with_all_faults(tmp_path: Path) -> None:
    text = PATH.read_text(encoding="utf-8")
    text = text.replace("source: L4E, target", "source: L9E, target").replace("dt_ms: 0.1", "dt_ms: -1")
    path = tmp_path / "m.yaml"
    path.write_text(text + "surprise: 1\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_microcircuit(path)
    assert "dt_ms" in str(told.value)
    assert "surprise" in str(told.value)
    path.write_text(text.replace("dt_ms: -1", "dt_ms: 0.1"), encoding="utf-8")
    with pytest.raises(InputError, match="unknown population 'L9E'"):
        read_microcircuit(path)
