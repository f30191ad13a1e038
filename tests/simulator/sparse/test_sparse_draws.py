"""What is drawn: tables realise their distributions, networks their rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_networks import networks

from nmbench.network.brunel import brunel
from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import FixedInDegree, SparseNetwork
from nmbench.simulator.sparse.alias import alias_table, mix, normal_table, poisson_table
from nmbench.simulator.sparse.build import build
from nmbench.simulator.sparse.listing import synapse_list


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=32), st.integers(-5, 5))
@settings(deadline=None)
def test_alias_table_realises_its_chances_on_its_grid(chances: list[float], first: int) -> None:
    wanted = np.array(chances) / sum(chances)
    table = alias_table(first, np.array(chances), 32, 11)
    given_ = table.probabilities()
    assert given_.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(given_[: wanted.size], wanted, atol=1 / (32 << 11))
    assert not given_[wanted.size :].any()


@given(st.floats(0.001, 8))
@settings(deadline=None)
def test_poisson_table_has_the_mean_and_the_variance(mean: float) -> None:
    chances, counts = poisson_table(mean).probabilities(), np.arange(32)
    drawn = chances @ counts
    assert drawn == pytest.approx(mean, abs=1e-4)
    assert chances @ (counts - drawn) ** 2 == pytest.approx(mean, abs=2e-3)


def test_normal_table_is_a_rounded_and_cut_normal() -> None:
    table = normal_table(15.0, 7.5, 1, 32767)
    values = table.first + np.arange(table.cut.size)
    expected = np.diff(stats.norm.cdf(np.append(values - 0.5, values[-1] + 0.5), 15, 7.5))
    np.testing.assert_allclose(table.probabilities(), expected / expected.sum(), atol=1e-6)
    assert table.first == 1
    assert normal_table(15.0000001, 0.0, 1, 32767).first == 15
    assert normal_table(0.2, 0.0, 1, 32767).first == 1


def test_split_mix_is_the_published_one() -> None:
    # first outputs of SplitMix64 seeded with 1234567 (the generator's well-known test vector)
    golden = np.uint64(0x9E3779B97F4A7C15)
    state = np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * golden
    assert mix(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(networks(poisson=False), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_layout_follows_the_rules(network: SparseNetwork, partitions: int) -> None:
    layout = build(network, 3, partitions, 1)
    synapses = synapse_list(layout)
    assert layout.synapses == synapses.source.size == sum(network.synapses(p) for p in network.projections)
    np.testing.assert_array_equal(layout.fan_out, np.bincount(synapses.source, minlength=network.size))
    edges = np.cumsum([0, *(p.size for p in network.populations)])
    names = [p.name for p in network.populations]
    population = np.repeat(np.arange(len(names)), np.diff(edges))
    for projection in network.projections:
        source, target = names.index(projection.source), names.index(projection.target)
        own = (population[synapses.source] == source) & (population[synapses.target] == target)
        assert own.sum() == network.synapses(projection)
        weights, delays = synapses.weight[own], synapses.delay[own]
        assert (weights * np.sign(projection.weight.mean) >= 0).all()
        assert (delays >= 1).all()
        if projection.weight.sd == 0:
            assert np.abs(weights - projection.weight.mean).max(initial=0) <= layout.unit / 2
        if projection.delay_ms.sd == 0:
            assert set(delays) <= {round(projection.delay_ms.mean / network.dt_ms)}
        if isinstance(projection.rule, FixedInDegree):
            fan_in = np.bincount(
                synapses.target[own] - edges[target], minlength=edges[target + 1] - edges[target]
            )
            assert set(fan_in) == {projection.rule.sources}


def test_the_same_seed_draws_the_same_network_with_any_threads() -> None:
    for network in (brunel(300, 40), microcircuit(read_microcircuit(), 0.02, 0.05)):
        one, two, other = (build(network, seed, 2, threads) for seed, threads in ((1, 1), (1, 2), (2, 1)))
        np.testing.assert_array_equal(one.rows, two.rows)
        assert not np.array_equal(one.rows, other.rows)


def test_fixed_totals_spread_evenly() -> None:
    network = microcircuit(read_microcircuit(), 0.05, 1.0)
    synapses = synapse_list(build(network, 1, 2, 2))
    sizes = [p.size for p in network.populations]
    edges = np.cumsum([0, *sizes])
    own = (synapses.source < edges[1]) & (synapses.target < edges[1])
    for ends in (synapses.source[own], synapses.target[own]):
        counts = np.bincount(ends, minlength=sizes[0])
        # counts of uniform draws: the index of dispersion is chi-squared over n
        dispersion = ((counts - counts.mean()) ** 2).sum() / counts.mean()
        assert stats.chi2.sf(dispersion, sizes[0] - 1) > 1e-4
        assert stats.chi2.cdf(dispersion, sizes[0] - 1) > 1e-4
    weights = synapses.weight[own]
    assert weights.mean() == pytest.approx(87.8, rel=1e-3)
    assert weights.std() == pytest.approx(8.78, rel=1e-2)
