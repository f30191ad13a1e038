"""Layers between two populations against a naive application, node by node and element by element."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.energy.outline import outline
from nmbench.errors import InputError
from nmbench.network import compose, memory, synapses
from nmbench.network.connectivity import connections, dense_macs, fan_out
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network

DT_S = 1e-3
STEPS = 8


def whole(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-3, 4, shape).astype(np.float64)


def slide(x: np.ndarray, weight: np.ndarray, stride, before, behind, dilation, groups: int) -> np.ndarray:
    """Cross-correlate (C, *axes) in the plainest way, one output at a time."""
    x = np.pad(x, [(0, 0), *zip(before, behind, strict=True)])
    span = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]
    sizes = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:], span, stride, strict=True)]
    result = np.zeros((weight.shape[0], *sizes))
    part_in, part_out = x.shape[0] // groups, weight.shape[0] // groups
    for o, *at in np.ndindex(*result.shape):
        group = o // part_out
        window = [slice(a * s, a * s + k, d) for a, s, k, d in zip(at, stride, span, dilation, strict=True)]
        seen = x[(slice(group * part_in, (group + 1) * part_in), *window)]
        result[(o, *at)] = (seen * weight[o]).sum()
    return result


def apply(node: nir.NIRNode, x: np.ndarray) -> np.ndarray:
    """Apply a node as NIR and PyTorch define it to a signal in time, ``[T, *shape]``."""
    if isinstance(node, nir.Flatten):
        return x.reshape(len(x), -1)
    if isinstance(node, nir.Scale):
        return x * node.scale.reshape(-1 if node.scale.size == 1 else x.shape[1:])
    if isinstance(node, nir.Delay):
        steps = np.rint(np.broadcast_to(node.delay.ravel(), (x[0].size,)) / DT_S).astype(int)
        flat, late = x.reshape(len(x), -1), np.zeros((len(x), x[0].size))
        for k, d in enumerate(steps):
            late[d:, k] = flat[: len(x) - d, k]
        return late.reshape(x.shape)
    if isinstance(node, nir.Affine | nir.Linear):
        bias = node.bias if isinstance(node, nir.Affine) else 0
        return x.reshape(len(x), -1) @ node.weight.T + bias
    axes = x.ndim - 2
    if isinstance(node, nir.Conv1d | nir.Conv2d):
        size, groups, bias = node.weight.shape[2:], node.groups, node.bias
        weight = node.weight
        stride, dilation = (np.broadcast_to(v, (axes,)) for v in (node.stride, node.dilation))
        if node.padding == "same":
            total = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]
            before, behind = [n // 2 for n in total], [n - n // 2 for n in total]
        else:
            before = behind = np.broadcast_to(0 if node.padding == "valid" else node.padding, (axes,))
    else:
        size, groups, bias = tuple(node.kernel_size), x.shape[1], np.zeros(x.shape[1])
        each = 1 / np.prod(size) if isinstance(node, nir.AvgPool2d) else 1
        weight, stride, dilation = np.full((groups, 1, *size), each), node.stride, (1, 1)
        before = behind = node.padding
    shape = (-1, *[1] * axes)
    return np.stack(
        [slide(s, weight, stride, before, behind, dilation, groups) + bias.reshape(shape) for s in x]
    )


def chain(*nodes: nir.NIRNode, shape: tuple[int, ...]) -> Network:
    """Lower nodes in a row between the input and a readout that adds up what arrives."""
    named = {"in": nir.Input({"input": np.array(shape)})}
    named |= {f"n{k}": node for k, node in enumerate(nodes)}
    named |= {"sum": nir.I(r=np.array([1 / DT_S])), "out": nir.Output({"output": None})}
    return lower(nir.NIRGraph(named, list(pairwise(named)), type_check=False), Dialect(dt=DT_S), "")


def arriving(network: Network, x: np.ndarray) -> np.ndarray:
    """Sum what arrives at the readout in each step, synapse by synapse, biases included: ``[T, n]``."""
    law = network.populations[1].dynamics
    assert law is not None
    total = np.zeros((len(x), network.populations[1].size))
    for t in range(len(x)):
        total[t] = next((b for until, b in law.early if t < until), law.bias)
    for projection in network.projections:
        pre, post, weight = connections(network, projection)
        late = np.zeros((len(x), x[0].size))
        late[projection.delay :] = x.reshape(len(x), -1)[: len(x) - projection.delay]
        for t in range(len(x)):
            np.add.at(total[t], post, weight * late[t, pre])
    return total


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[nir.NIRNode], tuple[int, ...]]:
    """One to four layers that fit one another."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    axes = draw(st.sampled_from([0, 1, 2, 2, 2]))
    first = shape = (int(rng.choice([1, 2, 4])), *rng.integers(2, 9, axes).tolist())
    nodes: list[nir.NIRNode] = []
    for _ in range(draw(st.integers(0, 4))):
        kinds = ["scale", "scales", "channels", "delay", "delays", "flat", "affine", "linear"]
        kinds += [[], ["conv"] * 6, ["conv", "sum", "avg"] * 4][len(shape) - 1]
        node: nir.NIRNode
        match draw(st.sampled_from(kinds)):
            case "scale":
                node = nir.Scale(whole(rng, 1))
            case "scales":
                node = nir.Scale(whole(rng, *shape))
            case "channels":
                each = whole(rng, shape[0], *[1] * (len(shape) - 1))
                node = nir.Scale(np.broadcast_to(each, shape).copy())
            case "delay":
                node = nir.Delay(rng.integers(0, 3, 1) * DT_S)
            case "delays":
                node = nir.Delay(rng.integers(0, 3, shape) * DT_S)
            case "flat":
                node = nir.Flatten({"input": None}, 0)
            case "affine" | "linear" as kind:
                weight, out = whole(rng, n := int(rng.integers(1, 9)), int(np.prod(shape))), whole(rng, n)
                node = nir.Affine(weight, out) if kind == "affine" else nir.Linear(weight)
            case "conv":
                node = convolution(rng, shape)
            case kind:
                size = [int(rng.choice([k for k in (1, 2, 4) if k <= n])) for n in shape[1:]]
                cls = nir.SumPool2d if kind == "sum" else nir.AvgPool2d
                padding = np.array([int(rng.integers(0, k // 2 + 1)) for k in size])
                node = cls(np.array(size), rng.integers(1, 4, 2), padding)
        shape = apply(node, np.zeros((1, *shape))).shape[1:]
        nodes.append(node)
    return nodes, first


def convolution(rng: np.random.Generator, shape: tuple[int, ...]) -> nir.NIRNode:
    axes, groups = len(shape) - 1, int(rng.choice([g for g in (1, 2, 4) if shape[0] % g == 0]))
    size = [int(rng.integers(1, min(4, n) + 1)) for n in shape[1:]]
    dilation = [
        2 if 2 * (k - 1) < n and rng.random() < 0.5 else 1 for k, n in zip(size, shape[1:], strict=True)
    ]
    padding = rng.choice(["same", "valid", "numbers"])
    stride = [1] * axes if padding == "same" else rng.integers(1, 4, axes).tolist()
    padding = tuple(rng.integers(0, 3, axes).tolist()) if padding == "numbers" else str(padding)
    out = groups * int(rng.integers(1, 3))
    weight, bias = whole(rng, out, shape[0] // groups, *size), whole(rng, out)
    if axes == 1:
        padding = padding if isinstance(padding, str) else padding[0]
        return nir.Conv1d(None, weight, stride[0], padding, dilation[0], groups, bias)
    return nir.Conv2d(None, weight, tuple(stride), padding, tuple(dilation), groups, bias)


@given(rows(), st.integers(0, 2**32 - 1), st.sampled_from([0, 10_000]))
@settings(max_examples=200, deadline=None)
def test_a_row_of_layers_does_what_its_nodes_do(case, seed: int, one_to_one: int) -> None:
    nodes, shape = case
    kept, synapses.MAX_ONE_TO_ONE = synapses.MAX_ONE_TO_ONE, one_to_one
    try:
        network = chain(*nodes, shape=shape)
    finally:
        synapses.MAX_ONE_TO_ONE = kept
    x = np.random.default_rng(seed).integers(0, 3, (STEPS, *shape)).astype(np.float64)
    expected = x
    for node in nodes:
        expected = apply(node, expected)
    # a bias behind a delay begins late; one before it, at once: as the node is applied above, from step 0 on
    np.testing.assert_array_equal(arriving(network, x), expected.reshape(STEPS, -1))


@given(rows())
@settings(max_examples=100, deadline=None)
def test_synapses_are_counted_alike_everywhere(case) -> None:
    nodes, shape = case
    network = chain(*nodes, shape=shape)
    sizes = outline(network)
    for projection, link in zip(network.projections, sizes.links, strict=True):
        pre, post, weight = connections(network, projection)
        assert (weight != 0).all() and len({*zip(pre.tolist(), post.tolist(), strict=True)}) == len(pre)
        fan = fan_out(network, projection)
        np.testing.assert_array_equal(fan, np.bincount(pre, minlength=len(fan)))
        assert link.synapses == len(pre)
        assert len(pre) <= sizes.groups[link.source].size * sizes.groups[link.target].size
        assert 0 <= sizes.density(link) <= 1
        if projection.macs is None and projection.kind == "conv2d":
            assert sizes.stored_weights(link) == projection.weight.size


def conv(out: int, channels: int, kernel: int, **changes) -> nir.Conv2d:
    fields = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": np.zeros(out)} | changes
    return nir.Conv2d(None, np.ones((out, channels, kernel, kernel)), **fields)


def pool(kernel: int, padding: int = 0) -> nir.NIRNode:
    return nir.AvgPool2d(np.full(2, kernel), np.full(2, kernel), np.full(2, padding))


def test_a_pool_before_a_convolution_stays_a_convolution() -> None:
    """The form of 128x128 inputs: no dense matrix of 2^15 x 2^14 is made."""
    network = chain(pool(4), conv(16, 2, 3, padding=1), shape=(2, 128, 128))
    (projection,) = network.projections
    assert (projection.kind, projection.weight.shape, projection.stride) == (
        "conv2d",
        (16, 2, 12, 12),
        (4, 4),
    )
    assert projection.padding == (4, 4) and projection.groups == 1
    # a dense engine would make the two layers' products, not those of the one large kernel
    assert dense_macs(network).tolist() == [2 * 32 * 32 * 16 + 16 * 2 * 9 * 32 * 32]


def test_depthwise_layers_stay_grouped() -> None:
    network = chain(pool(2), pool(3), conv(8, 1, 3, groups=8), shape=(8, 40, 40))
    (projection,) = network.projections
    assert (projection.groups, projection.weight.shape) == (8, (8, 1, 18, 18))


def test_a_convolution_before_a_dense_layer_becomes_dense() -> None:
    network = chain(
        conv(2, 1, 3), nir.Flatten({"input": None}, 0), nir.Linear(np.ones((5, 8))), shape=(1, 4, 4)
    )
    (projection,) = network.projections
    assert (projection.kind, projection.weight.shape, projection.macs) == ("dense", (16, 5), 18 * 4 + 40)


def test_an_uneven_delay_is_a_projection_for_each_delay() -> None:
    network = chain(nir.Linear(np.ones((3, 2))), nir.Delay(np.array([0, 2, 2]) * DT_S), shape=(2,))
    assert [(q.name, q.delay) for q in network.projections] == [("n0@0", 0), ("n0@2", 2)]
    np.testing.assert_array_equal(network.projections[1].weight, [[0, 1, 1]] * 2)


def test_too_many_delays_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synapses, "MAX_DELAYS", 2)
    with pytest.raises(InputError, match="n0: 3 different delays, at most 2"):
        chain(nir.Linear(np.ones((3, 2))), nir.Delay(np.arange(3) * DT_S), shape=(2,))


def test_more_synapses_than_memory_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.broadcast_to(np.float32(1), (5_000, 10_000))  # 0.7 GiB, were it made
    monkeypatch.setattr(memory, "_machine", lambda: 2**28)
    monkeypatch.setattr(memory, "_container", lambda: None)
    with pytest.raises(InputError) as error:
        chain(nir.Linear(weight), shape=(10_000,))
    assert len(error.value.faults) == 2
    assert "the synapses" in error.value.faults[0] and "0.25 GiB are available" in error.value.faults[0]
    assert error.value.faults[1].startswith("n0: (10000,) to (5000,)")


def test_a_composition_larger_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "require", lambda name, needed: memory.require(name, 2**50))
    with pytest.raises(InputError, match=r"n0: takes about 1\.05e\+06 GiB of memory"):
        chain(conv(2, 1, 3), nir.Flatten({"input": None}, 0), nir.Linear(np.ones((5, 8))), shape=(1, 4, 4))


def test_available_memory_is_the_smaller_of_machine_and_container(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available_bytes() is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   5 kB\n")
    assert memory.available_bytes() == 5 * 1024
    for name, content in {
        "max": "4000\n",
        "current": "3000\n",
        "stat": "anon 1\ninactive_file 500\n",
    }.items():
        (tmp_path / f"memory.{name}").write_text(content)
    assert memory.available_bytes() == 1500
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() == 5 * 1024
