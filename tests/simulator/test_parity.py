"""The kernels against the oracle: equal spike for spike, bit for bit, count for count."""

from __future__ import annotations

import dataclasses

import nir
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import cases, chain, conv2d, input_, is_exact, neuron, output, spikes, weights

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.network.presets import PRESETS
from nmbench.simulator.deliver import BLOCKS, DENSE, PATTERN, SPARSE
from nmbench.simulator.engine import compile
from nmbench.simulator.plan import lay_out
from nmbench.simulator.reference import simulate
from nmbench.simulator.run import Run
from nmbench.spikes import SpikeBatch


def assert_equal(a: Run, b: Run) -> None:
    np.testing.assert_array_equal(a.outputs, b.outputs)
    for field in dataclasses.fields(a.counts):
        np.testing.assert_array_equal(getattr(a.counts, field.name), getattr(b.counts, field.name))


@given(cases())
@settings(max_examples=250, deadline=None)
def test_kernel_equals_reference(case: tuple[Network, SpikeBatch]) -> None:
    network, batch = case
    expected = simulate(network, batch)
    assume(is_exact(network, expected.counts))
    assert_equal(compile(network, engine="plain").run(batch), expected)


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_sample_does_not_depend_on_the_batch_its_order_or_the_threads(
    case: tuple[Network, SpikeBatch], random
) -> None:
    network, batch = case
    simulator = compile(network)
    together = simulator.run(batch)
    chosen = [random.randrange(len(batch)) for _ in range(5)]
    again = simulator.run(batch.take(chosen), threads=2)
    np.testing.assert_array_equal(again.outputs, together.outputs[chosen])
    np.testing.assert_array_equal(again.counts.spikes, together.counts.spikes[chosen])
    np.testing.assert_array_equal(again.counts.synaptic_events, together.counts.synaptic_events[chosen])


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_preset_is_simulated_alike(preset: str, dtype: str) -> None:
    network, batch = busy(Dialect.preset(preset, 1e-3, dtype=dtype))
    run = compile(network).run(batch)
    assert run.outputs.dtype == network.dtype
    assert_equal(run, simulate(network, batch))
    assert (run.counts.spikes.sum(axis=(0, 1))[:-1] > 0).all()


def busy(dialect: Dialect | None = None) -> tuple[Network, SpikeBatch]:
    """Convolutions with every border case, a recurrent layer and sparse synapses, all of them firing."""
    rng = np.random.default_rng(1)
    sparse = weights(rng, 30, 60) * (rng.random((30, 60)) < 0.02)
    depthwise = nir.Conv2d(None, np.ones((3, 1, 3, 3)) / 4, 1, 1, 1, 3, np.zeros(3))
    graph = chain(
        input_(2, 11, 9),
        conv2d(np.abs(weights(rng, 3, 2, 5, 3)) + np.float32(1 / 64), (2, 3), (2, 1)),
        neuron(rng, "CubaLIF", (3, 6, 3)),
        depthwise,
        neuron(rng, "IF", (3, 6, 3)),
        nir.Flatten({"input": None}, 0),
        nir.Linear(np.abs(rng.integers(1, 32, (60, 54))) / 64),
        neuron(rng, "LIF", (60,)),
        nir.Linear(np.abs(sparse)),
        neuron(rng, "LI", (30,)),
        output(30),
    )
    graph.nodes["back"] = nir.Linear(np.abs(weights(rng, 60, 60)) / 16)
    graph.edges += [("g", "back"), ("back", "g")]
    return lower(graph, dialect or Dialect(dt=1e-3), "0" * 64), spikes(rng, (2, 11, 9), 3, 20, 0.2)


def test_every_population_fires_and_every_kind_of_row_is_used() -> None:
    network, batch = busy()
    run = compile(network).run(batch)
    assert_equal(run, simulate(network, batch))
    assert (run.counts.spikes.sum(axis=(0, 1))[:-1] > 0).all()
    assert (run.counts.synaptic_events.sum(axis=(0, 1)) > 0).all()
    assert set(lay_out(network).kind) == {DENSE, BLOCKS, SPARSE, PATTERN}


def test_the_callers_memory_is_written() -> None:
    network, batch = busy()
    simulator = compile(network)
    out = np.full((3, 20, 30), np.nan, np.float32)
    run = simulator.run(batch, out=out)
    assert run.outputs is out
    np.testing.assert_array_equal(out, simulator.run(batch).outputs)
    with pytest.raises(ValueError, match="out: expected"):
        simulator.run(batch, out=out[:, :, ::2])


def test_no_samples_give_no_outputs() -> None:
    network, batch = busy()
    assert compile(network).run(batch.take([]), threads=2).outputs.shape == (0, 20, 30)


def test_a_batch_of_another_network_is_refused_with_every_fault() -> None:
    network, batch = busy()
    wrong = dataclasses.replace(batch, shape=(2, 11, 10), dt_s=2e-3)
    for run in (compile(network).run, lambda b: simulate(network, b)):
        with pytest.raises(InputError) as error:
            run(wrong)
        assert len(error.value.faults) == 2


def test_a_backward_projection_without_delay_is_refused() -> None:
    network, _ = busy()
    wrong = tuple(dataclasses.replace(q, delay=0) for q in network.projections)
    with pytest.raises(ValueError, match="back"):
        compile(dataclasses.replace(network, projections=wrong))
