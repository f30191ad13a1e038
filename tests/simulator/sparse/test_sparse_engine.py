"""The sparse engine against its oracle, spike for spike, and against itself with other threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from small_networks import networks

from nmbench.errors import InputError
from nmbench.network.brunel import brunel
from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import (
    Drive,
    FixedInDegree,
    SparseNetwork,
    SparsePopulation,
    SparseProjection,
    Spread,
)
from nmbench.simulator.sparse.alias import poisson_table
from nmbench.simulator.sparse.engine import SparseSimulator, compile_sparse
from nmbench.simulator.sparse.listing import synapse_list
from nmbench.simulator.sparse.memory import Arithmetic
from nmbench.simulator.sparse.noise import counts_plain
from nmbench.simulator.sparse.plan import LazyState
from nmbench.simulator.sparse.reference import poisson_noise, simulate
from nmbench.simulator.sparse.vector import HAS_TABLES, counts64

STEPS = 150
ARITHMETICS = st.sampled_from(["fixed", "double"])


def oracle(
    network: SparseNetwork, arithmetic: Arithmetic, partitions: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    layout = compile_sparse(network, 1, partitions=partitions).layout
    outer = poisson_noise(layout) if any(p.drive.rate_hz for p in network.populations) else None
    return simulate(
        network,
        synapse_list(layout),
        layout.seed,
        steps,
        unit=layout.unit,
        arithmetic=arithmetic,
        noise=outer,
    )


@given(st.booleans().flatmap(lambda poisson: networks(poisson=poisson)), ARITHMETICS, st.integers(2, 3))
@settings(max_examples=60, deadline=None)
def test_equals_the_oracle_with_any_threads(
    network: SparseNetwork, arithmetic: Arithmetic, partitions: int
) -> None:
    steps, ids = oracle(network, arithmetic, partitions, STEPS)
    for threads in (1, 2):
        simulator = compile_sparse(
            network, threads, arithmetic=arithmetic, engine="clock", partitions=partitions
        )
        run = simulator.run(STEPS)
        np.testing.assert_array_equal(run.steps, steps)
        np.testing.assert_array_equal(run.ids, ids)


@given(networks(poisson=False, quiet=True), st.integers(2, 3))
@settings(max_examples=40, deadline=None)
def test_the_lazy_engine_equals_the_oracle(network: SparseNetwork, partitions: int) -> None:
    steps, ids = oracle(network, "double", partitions, 2 * STEPS)
    for threads in (1, 2):
        for sums_first in (0.0, np.inf):  # in every step, and in none
            simulator = compile_sparse(network, threads, engine="lazy", partitions=partitions)
            change(simulator, dense=sums_first)
            run = simulator.run(2 * STEPS)
            np.testing.assert_array_equal(run.steps, steps)
            np.testing.assert_array_equal(run.ids, ids)
            assert (run.engine, run.arithmetic) == ("lazy", "double")


@given(networks(poisson=False, quiet=True), st.integers(1, 40), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_powers_that_begin_anew_and_short_lists_change_no_spike(
    network: SparseNetwork, period: int, room: int
) -> None:
    simulator = compile_sparse(network, 1, engine="lazy")
    own = lazy_state(simulator)
    change(simulator, growth=own.growth[:, : period + 1].copy(), risen=own.risen[:, :room].copy())
    run, whole = (s.run(2 * STEPS) for s in (simulator, compile_sparse(network, 1, engine="lazy")))
    np.testing.assert_array_equal(run.steps, whole.steps)
    np.testing.assert_array_equal(run.ids, whole.ids)


@given(st.integers(2, 7), st.booleans(), st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_weights_that_meet_the_threshold_exactly_make_a_neuron_fire(
    parts: int, sums_first: bool, later: int
) -> None:
    """Each neuron gets ``parts`` spikes at once, which add up to its threshold: a tie in exact numbers."""
    weight = 0.75
    neuron = dataclasses.replace(brunel(100, 10).populations[0].neuron, v_reset_mv=0.0)
    target = dataclasses.replace(neuron, v_th_mv=weight * parts)
    sources = SparsePopulation("S", parts, neuron, Drive(), Spread(25.0))
    network = SparseNetwork(
        "tie",
        0.1,
        (sources, SparsePopulation("T", 70, target, Drive(), Spread(0.0))),
        (SparseProjection("S", "T", FixedInDegree(parts), Spread(weight), Spread(0.1 * (1 + later))),),
    )
    steps, ids = oracle(network, "double", 2, later + 10)
    simulator = compile_sparse(network, 1, engine="lazy")
    change(simulator, dense=0.0 if sums_first else np.inf)
    run = simulator.run(later + 10)
    assert ids.size >= parts + 70
    np.testing.assert_array_equal(run.steps, steps)
    np.testing.assert_array_equal(run.ids, ids)


def lazy_state(simulator: SparseSimulator) -> LazyState:
    assert simulator._lazy is not None
    return simulator._lazy


def change(simulator: SparseSimulator, **fields: object) -> None:
    simulator._lazy = lazy_state(simulator)._replace(**fields)


def test_what_can_be_run_lazily_is_and_the_rest_is_not() -> None:
    for rate_hz in (1.0, 100.0):
        for threads in (1, 2):
            assert compile_sparse(sparse_network(rate_hz), threads).run(10).engine == "lazy"
    assert compile_sparse(sparse_network(1.0), 1, engine="clock").run(10).engine == "clock"
    for poisson in (True, False):
        assert compile_sparse(brunel(400, 100, poisson=poisson), 1).engine == "clock"
    exponential = microcircuit(read_microcircuit(), 0.01, 0.01)
    assert compile_sparse(exponential, 1).engine == "clock"


def test_what_the_lazy_engine_cannot_run_is_told() -> None:
    with pytest.raises(InputError, match=r"its current alone makes it fire"):
        compile_sparse(brunel(100, 10, poisson=False), 1, engine="lazy")
    with pytest.raises(InputError, match=r"Poisson spikes a neuron and step; at most"):
        compile_sparse(brunel(100, 10), 1, engine="lazy")
    quiet = sparse_network(rate_hz=1.0)
    short = dataclasses.replace(quiet.populations[0].neuron, tau_m_ms=0.0005)
    leaky = tuple(dataclasses.replace(p, neuron=short) for p in quiet.populations)
    with pytest.raises(InputError, match=r"tau_m_ms: 0.0005 is too short for steps of 0.1"):
        compile_sparse(dataclasses.replace(quiet, populations=leaky), 1, engine="lazy")
    with pytest.raises(InputError, match="synapses must be delta"):
        compile_sparse(microcircuit(read_microcircuit(), 0.01, 0.01), 1, engine="lazy")


def sparse_network(rate_hz: float) -> SparseNetwork:
    """2,000 neurons that fire when an outer spike reaches them, 100 synapses each that hardly matter."""
    busy = brunel(2000, 100)
    drive = Drive(rate_hz=rate_hz, weight=25.0)
    return dataclasses.replace(
        busy,
        populations=tuple(dataclasses.replace(p, drive=drive) for p in busy.populations),
        projections=tuple(
            dataclasses.replace(p, weight=Spread(p.weight.mean / 50)) for p in busy.projections
        ),
    )


@pytest.mark.parametrize("arithmetic", ["fixed", "double"])
@pytest.mark.parametrize("poisson", [True, False])
def test_w3_equals_the_oracle(arithmetic: Arithmetic, poisson: bool) -> None:
    network = brunel(400, 100, poisson=poisson)
    steps, ids = oracle(network, arithmetic, 2, 500)
    run = compile_sparse(network, 2, arithmetic=arithmetic).run(500)
    assert ids.size > 500
    np.testing.assert_array_equal(run.steps, steps)
    np.testing.assert_array_equal(run.ids, ids)


def test_microcircuit_equals_the_oracle() -> None:
    network = microcircuit(read_microcircuit(), 0.02, 0.2)
    steps, ids = oracle(network, "fixed", 2, 500)
    run = compile_sparse(network, 2).run(500)
    assert ids.size > 100
    np.testing.assert_array_equal(run.steps, steps)
    np.testing.assert_array_equal(run.ids, ids)


def test_a_run_in_parts_is_the_same_run() -> None:
    network = brunel(300, 50)
    whole = compile_sparse(network, 2).run(400)
    simulator = compile_sparse(network, 2)
    parts = [simulator.run(n) for n in (1, 0, 149, 250)]
    np.testing.assert_array_equal(np.concatenate([p.ids for p in parts]), whole.ids)
    np.testing.assert_array_equal(np.concatenate([p.steps for p in parts]), whole.steps)
    assert (parts[-1].begin, parts[-1].end) == (150, 400)


def test_warmup_leaves_the_state_as_it_is() -> None:
    network = brunel(300, 50)
    simulator = compile_sparse(network, 1)
    simulator.warmup()
    np.testing.assert_array_equal(simulator.run(200).ids, compile_sparse(network, 1).run(200).ids)


def test_counts() -> None:
    network = brunel(500, 80)
    simulator = compile_sparse(network, 2)
    seen: list[tuple[int, int]] = []
    run = simulator.run(1500, progress=lambda done, of: seen.append((done, of)))
    fan_out = np.bincount(synapse_list(simulator.layout).source, minlength=500)
    per_neuron = np.bincount(run.ids, minlength=500)
    np.testing.assert_array_equal(run.spike_counts, per_neuron)
    np.testing.assert_array_equal(run.spikes, [per_neuron[:400].sum(), per_neuron[400:].sum()])
    events = per_neuron * fan_out
    np.testing.assert_array_equal(run.synaptic_events, [events[:400].sum(), events[400:].sum()])
    np.testing.assert_array_equal(run.neuron_updates, [400 * 1500, 100 * 1500])
    assert seen[-1] == (1500, 1500)
    assert run.biological_s == pytest.approx(0.15)
    silent = compile_sparse(network, 2).run(1500, record=False)
    assert silent.ids.size == 0
    np.testing.assert_array_equal(silent.spike_counts, per_neuron)


def test_no_neuron_fires_while_it_is_refractory() -> None:
    run = compile_sparse(brunel(400, 100), 2).run(1000)
    order = np.lexsort((run.steps, run.ids))
    ids, steps = run.ids[order], run.steps[order]
    apart = np.diff(steps)[ids[1:] == ids[:-1]]
    assert apart.size > 100
    assert apart.min() > 20


@given(st.integers(0, 2**64 - 1), st.floats(0.001, 8.0), st.integers(-100, 100))
@settings(max_examples=30, deadline=None)
def test_vector_and_plain_draws_are_the_same(draw: int, mean: float, weight: int) -> None:
    if not HAS_TABLES:
        pytest.skip("this processor looks up no table in one instruction")
    table = poisson_table(mean)
    cut, alias = table.cut.astype(np.uint16), table.alias.astype(np.uint16)

    @njit
    def vector(out: np.ndarray, draw: int) -> None:
        counts64(out, 64, cut, alias, np.int32(weight), draw)

    plain, quick = np.zeros(128, np.int32), np.zeros(128, np.int32)
    counts_plain(plain, 64, cut, alias, np.int32(weight), np.uint64(draw))
    vector(quick, np.uint64(draw))
    np.testing.assert_array_equal(plain, quick)


def test_bad_requests_are_told() -> None:
    with pytest.raises(InputError, match="threads: at least 1"):
        compile_sparse(brunel(100, 10), 0)
    with pytest.raises(InputError, match="3 for 2 partitions"):
        compile_sparse(brunel(100, 10), 3)
    with pytest.raises(InputError, match="at most 65536: take more partitions"):
        compile_sparse(brunel(200_000, 1), 1, partitions=2)
    with pytest.raises(InputError, match=r"synapses: takes about .* GiB of memory"):
        compile_sparse(brunel(1_000_000, 1_000_000), 1)
