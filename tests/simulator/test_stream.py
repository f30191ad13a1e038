"""A recording fed piece by piece equals the whole in one run, however it is cut, in engines and oracle."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import DT_S, cases, chain, conv2d, input_, is_exact, neuron, output, spikes
from test_parity import assert_equal, busy
from test_vector import cases as covered
from test_vector import on_grid
from test_vector_rows import batch as rows
from test_vector_rows import layers, population

from nmbench.counts import EventCounts
from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network, Population, Projection
from nmbench.network.nir_file import read_nir
from nmbench.simulator import reference, stream
from nmbench.simulator.engine import Dtype, Simulator, compile
from nmbench.simulator.run import Run
from nmbench.simulator.vector import coverage, grid
from nmbench.simulator.vector.engine import Vector
from nmbench.simulator.vector.grid import Width
from nmbench.simulator.vector.recording import Recording
from nmbench.spikes import SpikeBatch

NETWORKS = Path(__file__).parents[2] / "workloads" / "temporal" / "networks"
STEPS = 12
"""Of the samples of random cases."""

avx512 = pytest.mark.skipif(coverage.lacking() is not None, reason=str(coverage.lacking()))
cuts = st.sets(st.integers(1, STEPS - 1)) | st.just(set(range(1, STEPS)))
"""Steps at which pieces end; in every one of them."""


def cut(batch: SpikeBatch, at: set[int], sample: int = 0) -> list[SpikeBatch]:
    """Cut a sample into pieces, in memory of their own."""
    parts = [batch.part(sample, first, last) for first, last in pairwise([0, *sorted(at), batch.steps])]
    return [dataclasses.replace(part, index=part.index.copy()) for part in parts]


def feed(under_way: stream.Stream | reference.Stream, pieces: list[SpikeBatch]) -> Run:
    """Feed pieces from rest and join what comes; each piece's memory is used for something else behind it."""
    under_way.rest()
    runs = []
    for piece in pieces:
        runs.append(under_way.feed(piece))
        piece.index[:] = 0
        piece.offsets[:] = 0
    counts = [run.counts for run in runs]
    joined = {
        field: np.concatenate([getattr(c, field) for c in counts], axis=1)
        for field in ("spikes", "neuron_updates", "synaptic_events")
    }
    macs = [c.effective_macs for c in counts if c.effective_macs is not None]
    return Run(
        np.concatenate([run.outputs for run in runs], axis=1),
        EventCounts(
            counts[0].populations,
            counts[0].projections,
            dense_macs=counts[0].dense_macs,
            effective_macs=np.concatenate(macs, axis=1) if macs else None,
            **joined,
        ),
    )


def off_grid(network: Network) -> Network:
    """Give weights as many digits as they hold: the order of a sum matters."""
    factor = network.dtype.type(np.pi / 3)
    projections = [dataclasses.replace(q, weight=q.weight * factor) for q in network.projections]
    return dataclasses.replace(network, projections=tuple(projections))


@given(cases(), cuts)
@settings(max_examples=150, deadline=None)
def test_the_oracle_goes_on_where_it_stood(case: tuple[Network, SpikeBatch], at: set[int]) -> None:
    network, batch = case
    under_way = reference.Stream(network)
    for sample in range(len(batch)):
        assert_equal(
            feed(under_way, cut(batch, at, sample)), reference.simulate(network, batch.take([sample]))
        )


@given(cases(), cuts)
@settings(max_examples=250, deadline=None)
def test_the_plain_engine_equals_the_oracle_fed_alike(case: tuple[Network, SpikeBatch], at: set[int]) -> None:
    network, batch = case
    fed = feed(compile(network, "plain").stream(), cut(batch, at))
    assert_equal(fed, compile(network, "plain").run(batch.take([0])))
    expected = feed(reference.Stream(network), cut(batch, at))
    assume(is_exact(network, expected.counts))
    assert_equal(fed, expected)


@avx512
@given(covered(), cuts, st.sampled_from(["float32", "int16", "int8"]))
@settings(max_examples=150, deadline=None)
def test_the_vector_engine_equals_the_oracle_fed_alike(
    case: tuple[Network, SpikeBatch], at: set[int], dtype: Dtype
) -> None:
    network, batch = case
    if dtype != "float32":
        network = on_grid(network, {"int16": 4000, "int8": 127}[dtype])
        assume(not isinstance(grid.units(network, dtype), str))
    fed = feed(compile(network, "vector", dtype).stream(), cut(batch, at))
    assert_equal(fed, feed(reference.Stream(network), cut(batch, at)))
    assert_equal(fed, reference.simulate(network, batch.take([0])))


@avx512
@given(covered(), cuts)
@settings(max_examples=60, deadline=None)
def test_sums_that_are_rounded_are_rounded_alike(case: tuple[Network, SpikeBatch], at: set[int]) -> None:
    network, batch = off_grid(case[0]), case[1]
    for engine in ("plain", "vector"):
        simulator = compile(network, engine, "float32")
        assert_equal(feed(simulator.stream(), cut(batch, at)), simulator.run(batch.take([0])))


@avx512
@given(
    st.integers(0, 2**32 - 1),
    cuts,
    st.sampled_from(["int16", "int8"]),
    st.sampled_from(["CubaLIF", "LIF", "IF"]),
    st.integers(0, 3),
    st.integers(0, STEPS - 1),
)
@settings(max_examples=100, deadline=None)
def test_maps_go_on_in_float32_where_more_comes_at_once_than_whole_numbers_hold(
    seed: int, at: set[int], dtype: Dtype, model: str, delay: int, step: int
) -> None:
    network, calm = maps(np.random.default_rng(seed), model, delay)
    batch = burst(calm, step, 5000)
    expected = reference.simulate(network, batch)
    assume(is_exact(network, expected.counts))
    simulator = compile(network, "vector", dtype)
    assert_equal(simulator.run(batch), expected)
    under_way = simulator.stream()
    assert isinstance(under_way._recording, Recording)
    assert_equal(feed(under_way, cut(batch, at)), expected)
    assert under_way._recording._way is not under_way._recording._narrow
    assert_equal(feed(under_way, cut(calm, at)), reference.simulate(network, calm))
    assert under_way._recording._way is under_way._recording._narrow, "rest gives whole numbers back"


def maps(rng: np.random.Generator, model: str, delay: int) -> tuple[Network, SpikeBatch]:
    """Two convolutions, the second with its source's spikes of two steps, on a grid that int8 holds."""
    graph = chain(
        input_(2, 6, 5),
        conv2d(np.ones((3, 2, 3, 3), np.float32), (1, 1), (1, 1)),
        neuron(rng, model, (3, 6, 5)),
        conv2d(np.ones((18, 3, 2, 2), np.float32), (2, 1)),
        neuron(rng, model, (18, 3, 4)),
        nir.Flatten({"input": None}, 0),
        nir.Linear(np.ones((4, 216), np.float32)),
        neuron(rng, "LI", (4,)),
        output(4),
    )
    network = lower(graph, Dialect(dt=DT_S), "0" * 64)
    first, second, *others = (
        dataclasses.replace(q, weight=(rng.integers(-8, 9, q.weight.shape) / 32).astype(np.float32))
        for q in network.projections
    )
    first.weight[:, 1, 1, 1] = 8 / 32
    later = dataclasses.replace(second, name="later", delay=1)
    ways = (dataclasses.replace(first, delay=delay), second, later, *others)
    return dataclasses.replace(network, projections=ways), spikes(rng, (2, 6, 5), 1, STEPS, 0.5)


def burst(batch: SpikeBatch, step: int, times: int) -> SpikeBatch:
    """Let the last input neuron spike many times in a step, before the others do."""
    at = batch.offsets[step]
    index = np.insert(batch.index, at, np.full(times, batch.size - 1, np.int32))
    offsets = batch.offsets + np.where(np.arange(batch.steps + 1) > step, times, 0)
    return dataclasses.replace(batch, offsets=offsets, index=index)


@avx512
@given(
    st.integers(0, 2**32 - 1),
    cuts,
    st.sampled_from([("float32", 255), ("int16", 4000), ("int8", 127)]),
    st.sampled_from(["ascending", "repeated", "none"]),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from(["together", "step by step", "late"]),
)
@settings(max_examples=120, deadline=None)
def test_rows_alone_go_on_in_the_functions_of_their_network(
    seed: int, at: set[int], kind: tuple[Width, int], order: str, delays: tuple[int, int], way: str
) -> None:
    rng = np.random.default_rng(seed)
    width, largest = kind
    dialect = Dialect(dt=DT_S, output_delay=int(way == "late"))
    network = layers(rng, [30, 40, 5], largest, dialect, spiking=way == "step by step")
    first, *others = network.projections
    ways = [dataclasses.replace(first, name=f"{first.name}_{d}", delay=d) for d in delays]
    network = dataclasses.replace(network, projections=(*ways, *others))
    samples = rows(rng, 30, STEPS, order, samples=1)
    engine = Vector(network, width)
    assert bool(engine._layout.sample) == (way == "together")
    simulator = Simulator(network, engine, None)
    assert_equal(feed(simulator.stream(), cut(samples, at)), reference.simulate(network, samples))


@avx512
@pytest.mark.parametrize("spiking", [False, True])
@pytest.mark.parametrize("delay", [0, 2])
def test_more_rows_at_once_than_int32_holds_are_summed_in_float32_from_there_on(
    delay: int, spiking: bool
) -> None:
    """Weights of 2^-16 beside those of 8191: sums of more than three rows are proven for float32 alone."""
    projections = (
        Projection("w", 0, 1, "dense", np.full((2, 3), 8191, np.float32), delay=delay),
        Projection("r", 1, 1, "dense", np.full((3, 3), 2.0**-16, np.float32), delay=1),
        Projection("out", 1, 2, "dense", np.eye(3, dtype=np.float32)),
    )
    populations = (
        Population("in", "Input", (2,), None),
        population("p", 3, True, threshold=8192 * 3),
        population("out", 3, spiking),
    )
    made = Network(populations, projections, 2, Dialect(dt=DT_S), "0" * 64)
    simulator = compile(made, "vector", "int16")
    times = [0, 3, 2, 0, 5, 1, 3, 0, 5, 4, 1, 0]
    offsets = np.concatenate([[0], np.cumsum(times)]).astype(np.int64)
    batch = SpikeBatch(DT_S, STEPS, (2,), offsets, (np.arange(offsets[-1]) % 2).astype(np.int32))
    expected = reference.simulate(made, batch)
    assert expected.counts.spikes[0, 7:, 1].sum() > 0
    assert_equal(simulator.run(batch), expected)
    under_way = simulator.stream()
    for at in ({2}, {4}, {5}, {3, 4, 5, 6, 8}, set(range(1, STEPS))):
        assert_equal(feed(under_way, cut(batch, at)), expected)


def test_a_run_or_another_recording_in_between_disturbs_nothing() -> None:
    network, batch = busy(Dialect(dt=1e-3, output_delay=1, recurrent_delay=2))
    for simulator in (compile(network, "plain"), compile(network)):
        whole = simulator.run(batch)
        streams = [simulator.stream() for _ in range(len(batch))]
        pieces = [cut(batch, {3, 4, 11}, sample) for sample in range(len(batch))]
        outputs: list[list[np.ndarray]] = [[] for _ in streams]
        for k in range(4):
            for under_way, mine, seen in zip(streams, pieces, outputs, strict=True):
                seen.append(under_way.feed(mine[k]).outputs[0])
                simulator.run(batch)
        together = [np.concatenate(seen) for seen in outputs]
        np.testing.assert_array_equal(together, whole.outputs)
        assert len({whole.outputs[k].tobytes() for k in range(len(batch))}) == len(batch)


def test_a_piece_that_does_not_fit_is_refused_with_every_fault_and_changes_nothing() -> None:
    network, batch = busy()
    wrong = dataclasses.replace(batch, shape=(2, 11, 10), dt_s=2e-3)
    for under_way in (compile(network).stream(), reference.Stream(network)):
        first, second = cut(batch, {7})
        outputs = [under_way.feed(first).outputs]
        with pytest.raises(InputError) as error:
            under_way.feed(wrong)
        assert len(error.value.faults) == 3
        with pytest.raises(InputError, match="0 samples"):
            under_way.feed(batch.take([]))
        outputs.append(under_way.feed(second).outputs)
        whole = reference.simulate(network, batch.take([0])).outputs
        np.testing.assert_array_equal(np.concatenate(outputs, axis=1), whole)


@pytest.mark.parametrize("path", sorted(NETWORKS.glob("*-base.nir")), ids=lambda path: path.stem)
def test_the_shipped_networks_go_on_by_windows(path: Path) -> None:
    graph, sha256 = read_nir(path)
    dt_s = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["recipe"]["dt_s"]
    made = lower(graph, Dialect(dt=dt_s), sha256)
    batch = spikes(np.random.default_rng(0), made.populations[0].shape, 1, 30, 1.5)
    batch = dataclasses.replace(batch, dt_s=dt_s)
    fed = feed(compile(made).stream(), cut(batch, {10, 20}))
    assert_equal(fed, reference.simulate(made, batch))
    assert (fed.counts.spikes[:, 20:, 1:-1].sum(axis=(0, 1)) > 0).all()
