"""The vector engine against the oracle: equal spike for spike, bit for bit, count for count."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import DT_S, graphs, spikes

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Dynamics, Network, Population, Projection
from nmbench.network.nir_file import read_nir
from nmbench.simulator.engine import Dtype, EngineName, compile
from nmbench.simulator.reference import simulate
from nmbench.simulator.run import Run
from nmbench.simulator.vector import coverage, grid
from nmbench.simulator.vector.places import place
from nmbench.spikes import SpikeBatch

pytestmark = pytest.mark.skipif(coverage.lacking() is not None, reason=str(coverage.lacking()))


NETWORKS = Path(__file__).parents[2] / "workloads" / "temporal" / "networks"

dialects = st.builds(
    Dialect,
    dt=st.just(DT_S),
    integrator=st.sampled_from(["euler", "exponential", "exponential_decay_euler_gain"]),
    order=st.sampled_from(["synapse_membrane_threshold", "membrane_synapse_threshold"]),
    tie=st.sampled_from(["gt", "ge"]),
    reset=st.sampled_from(["to_v_reset", "subtract"]),
    recurrent_delay=st.sampled_from([1, 2]),
    output_delay=st.sampled_from([0, 1]),
    v_floor=st.sampled_from([None, -0.25, 0.0, "-v_threshold"]),
)
"""Every switch that the engine covers."""


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, SpikeBatch]:
    """A network that is covered (biases act from the start on), and samples for it."""
    network = lower(draw(graphs()), draw(dialects), "0" * 64)
    populations = [
        dataclasses.replace(p, dynamics=p.dynamics and dataclasses.replace(p.dynamics, early=()))
        for p in network.populations
    ]
    network = dataclasses.replace(network, populations=tuple(populations))
    seed, samples = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 4))
    mean = draw(st.sampled_from([0.0, 0.05, 0.5]))
    return network, spikes(np.random.default_rng(seed), network.populations[0].shape, samples, 12, mean)


def assert_equal(a: Run, b: Run) -> None:
    np.testing.assert_array_equal(a.outputs, b.outputs)
    for field in dataclasses.fields(a.counts):
        np.testing.assert_array_equal(getattr(a.counts, field.name), getattr(b.counts, field.name))


def on_grid(network: Network, largest: int) -> Network:
    """Round every projection to whole numbers up to ``largest`` on a grid of its own."""
    projections = []
    for k, projection in enumerate(network.projections):
        step = 2.0 ** (-5 - k % 3)
        weight = np.clip(np.round(projection.weight / step), -largest, largest) * step
        projections.append(dataclasses.replace(projection, weight=weight.astype(np.float32)))
    return dataclasses.replace(network, projections=tuple(projections))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_float32_equals_reference(case: tuple[Network, SpikeBatch]) -> None:
    network, batch = case
    assert coverage.uncovered(network) is None
    simulator = compile(network, "vector", "float32")
    assert simulator.engine == "vector, float32 weights"
    assert_equal(simulator.run(batch), simulate(network, batch))


@given(cases(), st.sampled_from(["int16", "int8"]))
@settings(max_examples=150, deadline=None)
def test_whole_numbers_equal_reference(case: tuple[Network, SpikeBatch], dtype: Dtype) -> None:
    network, batch = case
    network = on_grid(network, {"int16": 4000, "int8": 127}[dtype])
    assume(not isinstance(grid.units(network, dtype), str))
    assert_equal(compile(network, "vector", dtype).run(batch), simulate(network, batch))


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_sample_does_not_depend_on_the_batch_its_order_or_the_threads(
    case: tuple[Network, SpikeBatch], random
) -> None:
    network, batch = case
    assert coverage.uncovered(network) is None
    simulator = compile(network, "vector")
    together = simulator.run(batch)
    chosen = [random.randrange(len(batch)) for _ in range(9)]
    again = simulator.run(batch.take(chosen), threads=3)
    np.testing.assert_array_equal(again.outputs, together.outputs[chosen])
    np.testing.assert_array_equal(again.counts.spikes, together.counts.spikes[chosen])
    np.testing.assert_array_equal(again.counts.synaptic_events, together.counts.synaptic_events[chosen])


def law(n: int, **changes: float) -> Dynamics:
    values = {"syn_decay": 0, "syn_gain": 1, "mem_decay": 0.875, "mem_gain": 1, "leak": 0, "bias": 0}
    values |= {"threshold": 1, "v_reset": 0} | changes
    return Dynamics(**{k: np.full(n, v, np.float32) for k, v in values.items()}, spiking=True)


def network(
    weight: np.ndarray, shape: tuple[int, ...], target: tuple[int, ...], **dynamics: float
) -> Network:
    """One population behind the input, dense or convolutional by the weight's axes."""
    kind = "conv2d" if weight.ndim == 4 else "dense"
    populations = (
        Population("in", "Input", shape, None),
        Population("out", "LIF", target, law(int(np.prod(target)), **dynamics)),
    )
    synapses = (Projection("w", 0, 1, kind, weight.astype(np.float32)),)
    return Network(populations, synapses, 1, Dialect(dt=DT_S), "0" * 64)


def repeated(neuron: int, times: int, shape: tuple[int, ...]) -> SpikeBatch:
    """Two samples of three steps; in the second step of the first one neuron spikes many times."""
    offsets = np.array([0, 1, 1 + times, *[2 + times] * 4])
    index = np.array([0, *[neuron] * times, 1], np.int32)
    return SpikeBatch(DT_S, 3, shape, offsets, index)


def test_more_spikes_at_once_than_a_map_of_int16_holds_are_summed_in_float32() -> None:
    made = network(np.full((1, 1, 1, 1), 100 / 128), (1, 2, 2), (1, 2, 2), threshold=300)
    simulator = compile(made, "vector", "int8")
    for times in (300, 400):  # 327 times 100 units fit
        batch = repeated(3, times, (1, 2, 2))
        assert_equal(simulator.run(batch), simulate(made, batch))
        assert_equal(simulator.run(batch, threads=2), simulate(made, batch))
    assert simulator.run(repeated(3, 400, (1, 2, 2))).counts.spikes[0, 1, 1] == 1


def test_spikes_out_of_order_are_summed_in_float32() -> None:
    made = network(np.full((1, 1, 1, 1), 100 / 128), (1, 2, 2), (1, 2, 2), threshold=300)
    batch = SpikeBatch(DT_S, 1, (1, 2, 2), np.array([0, 400]), np.array([3, 0] * 200, np.int32))
    assert_equal(compile(made, "vector", "int8").run(batch), simulate(made, batch))


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_rows_of_large_whole_numbers_go_to_memory_before_they_overflow(events: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.choice([-8000, 8000, 7999], (5, 70)) / 4096
    made = network(weight, (5,), (70,), threshold=50)
    index = rng.integers(0, 5, events) if seed % 2 else np.full(events, 2)
    batch = SpikeBatch(DT_S, 1, (5,), np.array([0, events]), index.astype(np.int32))
    assert_equal(compile(made, "vector", "int16").run(batch), simulate(made, batch))


@pytest.mark.parametrize(
    ("weight", "dtype", "message"),
    [
        (np.full((2, 3), 1 / 3), "int16", "int16 holds 32767"),
        (np.array([[1 / 4096, 4 + 1 / 4096]] * 2), "int8", "int8 holds 127"),
        (np.array([[1 / 2048, 9000 / 2048]] * 2), "int16", "4 rows overflow int16"),
        (np.full((2, 3), 2.0**-120), "int16", "whole numbers times 2"),
        (np.full((1, 40, 3, 3), 127 / 128), "int8", "int16 overflows"),
    ],
)
def test_whole_numbers_that_cannot_be_proven_are_refused(
    weight: np.ndarray, dtype: Dtype, message: str
) -> None:
    conv = weight.ndim == 4
    made = network(weight, (40, 4, 4) if conv else weight.shape[:1], (1, 2, 2) if conv else weight.shape[1:])
    with pytest.raises(InputError, match=message):
        compile(made, "vector", dtype)
    auto = compile(made)
    assert auto.engine == "vector, float32 weights"
    assert auto.reason


def test_auto_takes_the_narrowest_whole_numbers() -> None:
    assert compile(network(np.full((2, 3), 0.5), (2,), (3,))).engine == "vector, int8 weights"
    assert compile(network(np.array([[1.0, 129 / 128]]), (1,), (2,))).engine == "vector, int16 weights"


@pytest.mark.parametrize("engine", ["auto", "vector"])
def test_what_is_not_covered_goes_to_the_plain_engine(engine: EngineName) -> None:
    made = dataclasses.replace(
        network(np.full((2, 3), 0.5), (2,), (3,)), dialect=Dialect(dt=DT_S, multispike=True)
    )
    if engine == "vector":
        with pytest.raises(InputError, match="multispike"):
            compile(made, engine)
    else:
        simulator = compile(made, engine)
        assert (simulator.engine, simulator.reason) == ("plain, float32 weights", "dialect.multispike True")
        with pytest.raises(InputError, match="the plain engine keeps float32"):
            compile(made, engine, "int8")


def test_unknown_names_are_refused() -> None:
    made = network(np.full((2, 3), 0.5), (2,), (3,))
    with pytest.raises(InputError, match="did you mean 'vector'"):
        compile(made, "vectr")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="int4"):
        compile(made, dtype="int4")  # type: ignore[arg-type]


def test_a_law_that_differs_from_neuron_to_neuron_is_kept_for_each() -> None:
    made = network(np.ones((2, 1, 1, 1)), (1, 3, 3), (2, 3, 3))
    blocks = [place(made, 1).blocks]
    out = made.populations[1]
    assert out.dynamics is not None
    for decay in (np.repeat([0.5, 0.25], 9), np.linspace(0.1, 0.9, 18)):
        dynamics = dataclasses.replace(out.dynamics, mem_decay=decay.astype(np.float32))
        changed = dataclasses.replace(
            made, populations=(made.populations[0], dataclasses.replace(out, dynamics=dynamics))
        )
        blocks.append(place(changed, 1).blocks)
        batch = spikes(np.random.default_rng(0), (1, 3, 3), 2, 10, 0.4)
        assert_equal(compile(changed, "vector").run(batch), simulate(changed, batch))
    assert blocks == [1, 1, 9]


@pytest.mark.parametrize("path", sorted(NETWORKS.glob("*.nir")), ids=lambda path: path.stem)
def test_the_shipped_networks_run_on_8_bits_and_equal_the_reference(path: Path) -> None:
    graph, sha256 = read_nir(path)
    dt_s = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["recipe"]["dt_s"]
    made = lower(graph, Dialect(dt=dt_s), sha256)
    simulator = compile(made)
    assert (simulator.engine, simulator.reason) == ("vector, int8 weights", None)
    shape = made.populations[0].shape
    batch = spikes(np.random.default_rng(0), shape, 2, 22, 1.5)
    batch = dataclasses.replace(batch, dt_s=dt_s)
    run = simulator.run(batch)
    assert_equal(run, simulate(made, batch))
    assert (run.counts.spikes[:, :, 1:-1].sum(axis=(0, 1)) > 0).all()
