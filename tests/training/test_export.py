"""The exported NIR graph computes what the torch model does; the grid is a grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir, write_nir
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch
from nmbench.training.export import cuba_lif_node, export
from nmbench.training.grid import BIAS_BITS, on_grid, straight_through
from nmbench.training.model import ConvSynapses, DenseSynapses, Net
from nmbench.training.recipe import Conv, Dense, Recipe

STEPS, SAMPLES, CLASSES = 14, 3, 4
COMMON = {
    "dt_s": 0.01,
    "steps": STEPS,
    "tau_syn_s": (0.005, 0.02),
    "tau_mem_s": (0.01, 0.06),
    "tau_readout_s": 0.05,
    "epochs": 1,
    "batch": 2,
    "learning_rate": 1e-3,
    "dropout": 0.5,
}
CONVOLUTIONAL = (
    (2, 9, 8),
    [
        Conv(kind="conv", channels=3, kernel=5, stride=2, padding=2),
        Conv(kind="conv", channels=4, kernel=3, padding=1),
        Dense(kind="dense", units=11, recurrent=True),
    ],
)
DELAYED = (
    (13,),
    [
        Dense(kind="dense", units=12, delays=(0, 1, 4), taps="one_at_random"),
        Dense(kind="dense", units=10, delays=(2, 5), recurrent=True),
    ],
)


def network(case: tuple, seed: int, rounded: bool = True) -> Net:
    """Return a random network in evaluation mode, with a used batch norm; its weights on a grid if asked."""
    shape, layers = case
    torch.manual_seed(seed)
    net = Net(shape, CLASSES, Recipe(layers=layers, **COMMON)).eval()
    with torch.no_grad():
        for layer in net.stack:
            norm = layer.synapses.norm
            norm.running_mean.normal_(0.0, 0.2)
            norm.running_var.uniform_(0.05, 0.2)
            norm.weight.uniform_(0.8, 1.6)
            norm.bias.uniform_(0.3, 0.8)
            if rounded:
                put_on_grid(layer)
        if not rounded:
            return net
        for weight, bits in ((net.readout.weight, 8), (net.readout.bias, BIAS_BITS)):
            weight.copy_(on_grid(weight, bits))
    return net


def put_on_grid(layer) -> None:
    """Replace a layer's synapses by the folded and rounded ones; its batch norm then only adds the bias."""
    weight, bias = layer.synapses.rounded(8)
    layer.synapses.weight.copy_(weight)
    norm = layer.synapses.norm
    norm.eps = 0.0
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.fill_(1.0)
    norm.bias.copy_(bias)
    if layer.recurrent is not None:
        layer.recurrent.copy_(on_grid(layer.recurrent, 8))


def spikes(shape: tuple[int, ...], seed: int) -> tuple[SpikeBatch, torch.Tensor]:
    """Return the same random input, counts up to 2 included, for the simulator and for torch."""
    size = int(np.prod(shape))
    counts = np.random.default_rng(seed).choice(3, p=[0.75, 0.2, 0.05], size=(SAMPLES, STEPS, size))
    rows = counts.reshape(-1, size)
    offsets = np.concatenate([[0], np.cumsum(rows.sum(1))]).astype(np.int64)
    index = np.concatenate([np.repeat(np.arange(size), row) for row in rows]).astype(np.int32)
    dense = torch.from_numpy(counts.astype(np.float32)).transpose(0, 1).unflatten(2, shape)
    return SpikeBatch(COMMON["dt_s"], STEPS, shape, offsets, index), dense


def assert_simulates_as(net: Net, case: tuple, seed: int, folder: Path) -> None:
    """Export a network that computes on the grid, and compare every layer's spikes and the readout."""
    batch, dense = spikes(case[0], seed)
    write_nir(folder / "net.nir", export(net, 8))
    graph, sha256 = read_nir(folder / "net.nir")

    run = simulate(lower(graph, Dialect(dt=COMMON["dt_s"]), sha256), batch)
    with torch.no_grad():
        trace, fired = net(dense)

    for number, layer in enumerate(fired, start=1):
        population = run.counts.populations.index(f"neurons{number}")
        expected = layer.flatten(2).sum(2).numpy().T
        assert expected.sum() > 0, "a silent layer proves nothing"
        np.testing.assert_array_equal(run.counts.spikes[:, :, population], expected)
    np.testing.assert_allclose(run.outputs, trace.transpose(0, 1).numpy(), rtol=1e-5, atol=1e-6)


CASES = pytest.mark.parametrize("case", [CONVOLUTIONAL, DELAYED], ids=["convolutional", "delayed"])


@pytest.mark.parametrize("seed", range(3))
@CASES
def test_simulated_export_equals_the_torch_model(case: tuple, seed: int, tmp_path: Path) -> None:
    assert_simulates_as(network(case, seed), case, seed, tmp_path)


@pytest.mark.parametrize("seed", range(3))
@CASES
def test_the_quantised_forward_pass_is_the_exported_network(case: tuple, seed: int, tmp_path: Path) -> None:
    net = network(case, seed, rounded=False)
    exact = net(spikes(case[0], seed)[1])[0]
    net.quantise(8)
    assert_simulates_as(net, case, seed, tmp_path)
    assert not torch.equal(exact, net(spikes(case[0], seed)[1])[0]), "nothing was rounded"


@CASES
def test_gradients_pass_the_rounding_and_reach_every_parameter(case: tuple) -> None:
    net = network(case, 0, rounded=False).train()
    net.dropout = 0.0
    net.quantise(8)
    means = [layer.synapses.norm.running_mean.clone() for layer in net.stack]
    net(spikes(case[0], 0)[1])[0].square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    for layer, mean in zip(net.stack, means, strict=True):
        assert torch.equal(layer.synapses.norm.running_mean, mean), "batch norm is frozen"


def test_the_rounding_has_the_gradient_of_none() -> None:
    values = torch.tensor([0.3, -4.0, 0.01], requires_grad=True)
    (straight_through(values, 4) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    torch.testing.assert_close(values.grad, torch.tensor([1.0, 2.0, 3.0]))


@given(st.integers(0, 1000), st.floats(0.05, 1.0))
def test_pruning_keeps_the_strongest_of_every_neuron(seed: int, density: float) -> None:
    torch.manual_seed(seed)
    layer = Dense(kind="dense", units=5, delays=(0, 1, 3), taps="one_at_random")
    synapses = DenseSynapses(20, layer, low=False)
    before = synapses.folded()[0].detach().abs().flatten(1)
    synapses.prune(density)
    kept = synapses.mask.flatten(1) > 0
    assert (kept.sum(1) == max(1, round(density * 20))).all()
    for strength, mask in zip(before, kept, strict=True):
        assert strength[mask].min() >= strength[~mask].max()


def test_every_synapse_counts_once_when_delays_are_drawn(tmp_path: Path) -> None:
    graph = export(network(DELAYED, 0), 8)
    branches = [graph.nodes[f"synapses1_{d}"].weight for d in (0, 1, 4)]
    assert (sum((w != 0).astype(int) for w in branches) <= 1).all()
    assert all((w != 0).any() for w in branches)
    assert graph.nodes["delay1_4"].delay == pytest.approx(np.full(13, 0.04))


def test_folded_dense_equals_the_batch_norm() -> None:
    torch.manual_seed(0)
    synapses = DenseSynapses(6, Dense(kind="dense", units=5, delays=(0, 2)), low=False).eval()
    used(synapses.norm)
    x = torch.rand(9, 2, 6)
    weight, bias = (part.detach().numpy() for part in synapses.folded())
    late = torch.cat([torch.zeros(2, 2, 6), x[:-2]])
    expected = x.numpy() @ weight[:, 0].T + late.numpy() @ weight[:, 1].T + bias
    np.testing.assert_allclose(synapses(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_folded_convolution_equals_the_batch_norm() -> None:
    torch.manual_seed(0)
    synapses = ConvSynapses(2, Conv(kind="conv", channels=3, kernel=3, stride=2, padding=1), low=False).eval()
    used(synapses.norm)
    x = torch.rand(2, 2, 2, 7, 6)
    weight, bias = synapses.folded()
    expected = torch.nn.functional.conv2d(x.flatten(0, 1), weight, bias, 2, 1)
    torch.testing.assert_close(synapses(x).flatten(0, 1), expected, rtol=1e-4, atol=1e-5)


def used(norm) -> None:
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.1, 2.0)
        norm.weight.normal_()
        norm.bias.normal_()


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-30, 30, width=32)),
    st.sampled_from([8, 16]),
)
def test_grid_values_are_integers_times_one_power_of_two(values: np.ndarray, bits: int) -> None:
    rounded = on_grid(torch.from_numpy(values), bits).numpy()
    limit = 2 ** (bits - 1) - 1
    largest = np.abs(values).max()
    if largest == 0:
        assert (rounded == 0).all()
        return
    exponents = range(-160, 8)
    fits = [
        e
        for e in exponents
        if (np.abs(scaled := np.ldexp(rounded.astype(np.float64), -e)) <= limit).all()
        and (scaled == np.rint(scaled)).all()
    ]
    assert fits
    # rounding to the coarsest grid that holds every value is a bound: the choice is at least as good
    coarsest = 2.0 ** np.ceil(np.log2(largest / limit))
    bound = np.square(np.rint(values / coarsest) * coarsest - values).sum()
    assert np.square(rounded.astype(np.float64) - values).sum() <= bound * (1 + 1e-6) + 1e-300


@given(arrays(np.int64, 20, elements=st.integers(-127, 127)), st.integers(-12, 3))
def test_values_on_the_grid_stay(integers: np.ndarray, exponent: int) -> None:
    values = np.ldexp(integers.astype(np.float64), exponent)
    np.testing.assert_array_equal(on_grid(torch.from_numpy(values), 8), values)


def test_synapse_gain_is_one() -> None:
    layer = network(CONVOLUTIONAL, 1).stack[0]
    node = cuba_lif_node(layer)
    np.testing.assert_allclose(COMMON["dt_s"] / node.tau_syn * node.w_in, 1.0, rtol=1e-15)
    assert node.tau_mem.shape == layer.shape
