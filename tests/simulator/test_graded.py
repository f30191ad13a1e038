"""Populations that hand on values: closed forms, the defined arithmetic, counts, engine and oracle."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from math import fsum

import nir
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import (
    DT_S,
    GRADED,
    MIXED,
    Builder,
    chain,
    conv2d,
    dialects,
    input_,
    is_exact,
    neuron,
    output,
    spikes,
    weights,
)
from test_parity import assert_equal

from nmbench.errors import InputError
from nmbench.network.connectivity import connections
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.network.presets import PRESETS
from nmbench.simulator.deliver import BLOCKS, DENSE, PATTERN, SPARSE
from nmbench.simulator.engine import compile
from nmbench.simulator.plan import lay_out
from nmbench.simulator.reference import simulate
from nmbench.simulator.vector import coverage
from nmbench.spikes import SpikeBatch

FINE = Dialect(dt=DT_S, dtype="float64")


def li(tau_s: float, n: int = 1) -> nir.LI:
    return nir.LI(tau=np.full(n, tau_s), r=np.ones(n), v_leak=np.zeros(n))


def integrator(n: int = 1) -> nir.I:
    """Add up what arrives: its gain is 1 a step."""
    return nir.I(r=np.full(n, 1 / DT_S))


def linear(*rows: list[float]) -> nir.Linear:
    return nir.Linear(np.array(rows, np.float64))


def at(*steps: int, last: int, n: int = 1) -> SpikeBatch:
    """One sample in which input neuron 0 spikes at these steps."""
    offsets = np.searchsorted(steps, np.arange(last + 1))
    return SpikeBatch(DT_S, last, (n,), offsets.astype(np.int64), np.zeros(len(steps), np.int32))


def test_a_cascade_is_the_convolution_of_its_impulse_responses() -> None:
    taus, w = (4e-3, 9e-3), (2.0, -0.5)
    graph = chain(
        input_(1), linear([w[0]]), li(taus[0]), linear([w[1]]), li(taus[1]), output(1)
    )  # fmt: skip
    batch = at(3, 10, last=60)
    arriving = np.bincount([3, 10], minlength=60)
    expected = arriving
    for tau, weight in zip(taus, w, strict=True):
        response = weight * (1 - np.exp(-DT_S / tau)) * np.exp(-DT_S / tau) ** np.arange(60)
        expected = np.convolve(expected, response)[:60]
    run = simulate(lower(graph, FINE, ""), batch)
    np.testing.assert_allclose(run.outputs[0, :, 0], expected, rtol=1e-12, atol=1e-15)
    assert abs(expected).max() > 0.05


def test_values_arrive_within_the_step_behind_a_delay_and_a_step_late_in_a_loop() -> None:
    """Integrators under a single spike, by hand."""
    later = nir.Delay(np.array([2 * DT_S]))

    def answer(*nodes: nir.NIRNode, back: list[str] | None = None, **switches) -> list[float]:
        graph = chain(input_(1), linear([1]), integrator(), *nodes, output(1))
        if back:
            known = {"half": linear([0.5]), "late": later}
            graph.nodes |= {name: known[name] for name in back[1:-1]}
            graph.edges += pairwise(back)
        network = lower(graph, Dialect(dt=DT_S, **switches), "")
        run = simulate(network, at(1, last=6))
        assert_equal(compile(network).run(at(1, last=6)), run)
        return run.outputs[0, :, 0].tolist()

    assert answer(linear([1]), integrator()) == [0, 1, 2, 3, 4, 5]
    assert answer(integrator()) == [0, 1, 2, 3, 4, 5]  # no synapse between
    assert answer(later, linear([3]), integrator()) == [0, 0, 0, 3, 6, 9]
    assert answer(linear([1]), integrator(), output_delay=1) == [0, 0, 0, 1, 2, 3]
    assert answer(back=["b", "half", "b"]) == [0, 1, 1.5, 2.25, 3.375, 5.0625]
    assert answer(back=["b", "half", "b"], recurrent_delay=2) == [0, 1, 1, 1.5, 2, 2.75]
    assert answer(back=["b", "late", "half", "b"]) == [0, 1, 1, 1, 1.5, 2]
    # b -> c -> b: to the earlier population a step late, within the step onwards
    assert answer(linear([1]), integrator(), back=["d", "half", "b"]) == [0, 1, 2.5, 5.25, 10.625, 21.3125]


def test_a_value_makes_a_neuron_fire() -> None:
    """A leaky integrator drives a neuron over its threshold two steps after the only spike."""
    fires = nir.IF(r=np.full(1, 1 / DT_S), v_threshold=np.full(1, 2.5), v_reset=np.zeros(1))
    graph = chain(input_(1), linear([1]), integrator(), linear([1]), fires, output(1))
    run = simulate(lower(graph, Dialect(dt=DT_S), ""), at(0, last=7))
    assert run.outputs[0, :, 0].tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert run.counts.spikes[0].tolist() == [
        [1, 0, 0],
        [0] * 3,
        [0, 0, 1],
        [0] * 3,
        [0] * 3,
        [0, 0, 1],
        [0] * 3,
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_values_are_made_in_the_defined_order_and_rounded_once(dtype: str) -> None:
    """Followed in Python floats, which are float64; any other order or a sum in float32 differs."""
    rng = np.random.default_rng(5)
    first, second = rng.normal(0, 1, (2, 3, 50)) * 10.0 ** rng.integers(-4, 5, (2, 3, 50))
    start = rng.normal(0, 1, 50)
    graph = chain(
        input_(1), nir.Linear(start[:, None]), integrator(50), nir.Linear(first), integrator(3), output(3)
    )
    graph.nodes["e"] = nir.Linear(second)
    graph.edges += [("b", "e"), ("e", "d")]
    network = lower(graph, Dialect(dt=DT_S, dtype=dtype), "")
    run = simulate(network, at(0, last=1))
    assert_equal(compile(network).run(at(0, last=1)), run)
    cast = network.dtype.type
    value = [float(cast(x) * cast(DT_S * (1 / DT_S))) for x in start]
    sums = []
    for target in range(3):
        terms = [float(cast(w)) * v for m in (first, second) for w, v in zip(m[target], value, strict=True)]
        total = 0.0
        for term in terms:
            total += term
        sums.append(total)
        assert dtype == "float32" or total != fsum(terms)
    np.testing.assert_array_equal(run.outputs[0, 0], np.array(sums, dtype))


def test_counts_by_hand() -> None:
    """Two values of which one is zero, through weights of which some are; spikes and values apart."""
    graph = chain(
        input_(2), linear([1, 0], [0, 1]), integrator(2), linear([1, 2], [0, 3], [4, 0]), integrator(3),
        output(3),
    )  # fmt: skip
    network = lower(graph, Dialect(dt=DT_S), "")
    counts = simulate(network, at(1, 1, last=4, n=2)).counts
    assert network.graded == ("c",)
    assert counts.synaptic_events[0].tolist() == [[0, 0], [2, 0], [0, 0], [0, 0]]
    assert counts.effective_macs is not None
    assert counts.effective_macs[0].tolist() == [[0, 0], [0, 2], [0, 2], [0, 2]]
    assert counts.dense_macs.tolist() == [4, 6]
    assert counts.spikes[0].tolist() == [[0, 0, 0], [2, 0, 0], [0, 0, 0], [0, 0, 0]]
    means = counts.per_inference()
    assert (means["synaptic_events"], means["effective_macs"]) == (2, 6)
    assert counts.per_part()["effective_macs"] == {"a": 0, "c": 6}


def test_a_convolution_of_values_counts_what_lies_on_the_map() -> None:
    kernel = np.ones((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 0] = 0
    graph = chain(
        input_(1, 3, 3), conv2d(np.ones((1, 1, 1, 1), np.float32)), nir.I(r=np.full((1, 3, 3), 1 / DT_S)),
        conv2d(kernel, padding=(1, 1)), nir.I(r=np.full((1, 3, 3), 1 / DT_S)), output(1, 3, 3),
    )  # fmt: skip
    network = lower(graph, Dialect(dt=DT_S), "")
    batch = dataclasses.replace(at(0, last=2, n=9), shape=(1, 3, 3))
    run = simulate(network, batch)
    assert run.counts.effective_macs is not None
    # the corner reaches 4 targets, through taps (1,1) (1,0) (0,1) (0,0): the last is zero
    assert run.counts.effective_macs[0].tolist() == [[0, 3], [0, 3]]
    assert run.outputs[0, 1].reshape(3, 3).tolist() == [[2, 2, 0], [2, 0, 0], [0, 0, 0]]
    assert_equal(compile(network).run(batch), run)


def test_what_diverges_does_so_alike() -> None:
    """Infinite values through synapses; through a zero weight nothing comes, and inf - inf is no number."""
    graph = chain(input_(1), linear([1], [1], [0]), integrator(3), linear([1, -1, 0], [0, 0, 1], [1, 0, 0]),
        nir.IF(r=np.full(3, 1 / DT_S), v_threshold=np.ones(3), v_reset=np.zeros(3)), linear([1, 1, 1]),
        integrator(), output(1))  # fmt: skip
    graph.nodes["x"] = nir.Linear(np.eye(3) * 2.0**100)
    graph.nodes["y"] = linear([1, 0, 0])
    graph.edges += [("b", "x"), ("x", "b"), ("b", "y"), ("y", "f")]
    for floor in (None, -1.0):
        network = lower(graph, Dialect(dt=DT_S, v_floor=floor), "")
        run = simulate(network, at(0, last=8))
        assert_equal(compile(network, "plain").run(at(0, last=8)), run)
        # the third alone, while it sees what is large and then infinite; then a current of 0 * inf
        assert run.counts.spikes[0, :, 2].tolist() == [0, 1, 1, 0, 0, 0, 0, 0]
        assert np.isposinf(run.outputs[0, 2, 0]) and np.isnan(run.outputs[0, 3:, 0]).all()


def every_row(dialect: Dialect) -> tuple[Network, SpikeBatch]:
    """Values through every kind of row: kernels, groups, whole and sparse rows; with a loop and delays."""
    rng = np.random.default_rng(2)
    graph = chain(
        input_(2, 7, 6),
        conv2d(np.abs(weights(rng, 4, 2, 1, 1)) + np.float32(1 / 64)),
        neuron(rng, "CubaLI", (4, 7, 6)),
        conv2d(rng.normal(0, 0.2, (4, 4, 3, 3)), (2, 1), (1, 2)),
        neuron(rng, "LI", (4, 4, 8)),
        nir.Conv2d(None, rng.normal(0, 0.2, (4, 2, 3, 2)), 1, 1, (1, 2), 2, rng.normal(0, 0.1, 4)),
        neuron(rng, "LIF", (4, 4, 8)),
        nir.Flatten({"input": None}, 0),
        nir.Linear(rng.integers(-4, 8, (40, 128)) / 64),
        neuron(rng, "I", (40,)),
        output(40),
        names="abcdefghij",
    )
    graph.nodes["sparse"] = nir.Linear(rng.normal(0, 1, (40, 40)) * (rng.random((40, 40)) < 0.02))
    graph.nodes["late"] = nir.Delay(np.arange(40) % 3 * DT_S)
    graph.nodes["back"] = nir.Linear(rng.normal(0, 0.05, (128, 40)))
    graph.edges += [("i", "late"), ("late", "sparse"), ("sparse", "i"), ("i", "back"), ("back", "f")]
    return lower(graph, dialect, "0" * 64), spikes(rng, (2, 7, 6), 3, 15, 0.2)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_row_carries_values(preset: str, dtype: str) -> None:
    network, batch = every_row(Dialect.preset(preset, DT_S, dtype=dtype))
    simulator = compile(network)
    run, plan = simulator.run(batch), lay_out(network)
    assert set(plan.kind[plan.graded == 1]) == {DENSE, BLOCKS, SPARSE, PATTERN}
    assert_equal(run, simulate(network, batch))
    assert run.counts.effective_macs is not None
    assert (run.counts.effective_macs.sum(axis=(0, 1)) > 0).tolist() == plan.graded.astype(bool).tolist()
    assert np.isfinite(run.outputs).all() and run.counts.spikes[:, :, 1:].sum() > 0
    again = simulator.run(batch.take([2, 0]), threads=2)
    assert_equal(
        dataclasses.replace(again, counts=again.counts.take([1, 0])),
        dataclasses.replace(run, outputs=run.outputs[[2, 0]], counts=run.counts.take([0, 2])),
    )


@st.composite
def maps(draw: st.DrawFn) -> tuple[Network, SpikeBatch]:
    """Values of a map through convolutions and pools, with delays and feedback."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (int(rng.choice([1, 2, 3, 4, 6])), *rng.integers(3, 9, draw(st.integers(1, 2))).tolist())
    build = Builder(draw, rng, shape, GRADED)
    build.populate("lead", ["in"])
    build.kinds = MIXED
    build.add_map(0)
    if len(build.shape) > 1:
        build.add_map(1)
    for k in range(draw(st.integers(0, 2))):
        build.add_feedback(k)
    build.join(build.last, build.add("out", output(*build.shape)))
    network = lower(nir.NIRGraph(build.nodes, build.edges, type_check=False), draw(dialects()), "0" * 64)
    return network, spikes(rng, shape, draw(st.integers(1, 3)), 10, draw(st.sampled_from([0.05, 0.3])))


@given(maps())
@settings(max_examples=150, deadline=None)
def test_values_of_maps_equal_the_reference(case: tuple[Network, SpikeBatch]) -> None:
    network, batch = case
    expected = simulate(network, batch)
    assume(is_exact(network, expected.counts))
    assert_equal(compile(network).run(batch), expected)


@given(maps())
@settings(max_examples=30, deadline=None)
def test_a_projection_has_events_or_multiply_accumulates(case: tuple[Network, SpikeBatch]) -> None:
    """Never both, and in no step more multiply-accumulates than it has synapses."""
    network, batch = case
    counts = compile(network).run(batch).counts
    assert counts.effective_macs is not None
    for r, projection in enumerate(network.projections):
        macs, events = counts.effective_macs[:, :, r], counts.synaptic_events[:, :, r]
        assert not (events if projection.graded else macs).any()
        assert macs.max(initial=0) <= len(connections(network, projection)[0])


def test_other_engines_refuse_by_name() -> None:
    graph = chain(input_(1), linear([1]), li(5e-3), linear([1]), li(5e-3), output(1))
    network = lower(graph, Dialect(dt=DT_S), "")
    simulator = compile(network)
    assert simulator.engine == "plain, float32 weights"
    if coverage.lacking() is None:
        assert simulator.reason == "c: graded True"
    with pytest.raises(InputError, match="engine vector: "):
        compile(network, "vector")


def test_a_network_says_what_its_projections_carry() -> None:
    graph = chain(input_(1), linear([1]), li(5e-3), linear([1]), li(5e-3), output(1))
    network = lower(graph, Dialect(dt=DT_S), "")
    wrong = tuple(dataclasses.replace(q, graded=not q.graded) for q in network.projections)
    with pytest.raises(ValueError, match=r"\['a', 'c'\]: graded"):
        dataclasses.replace(network, projections=wrong)
