"""Lowering: arrays, order and delays of good graphs; every fault of bad ones by node."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np
import pytest

from nmbench.errors import InputError
from nmbench.network.connectivity import dense_macs, fan_out
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower

DIALECT = Dialect(dt=1e-3)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape)


def input_(*shape: int) -> nir.Input:
    return nir.Input({"input": np.array(shape)})


def output(*shape: int) -> nir.Output:
    return nir.Output({"output": np.array(shape)})


def lif(*shape: int) -> nir.LIF:
    return nir.LIF(tau=0.01 * ones(*shape), r=ones(*shape), v_leak=0 * ones(*shape), v_threshold=ones(*shape))


def li(*shape: int) -> nir.LI:
    return nir.LI(tau=0.01 * ones(*shape), r=ones(*shape), v_leak=0 * ones(*shape))


def conv(out: int, channels: int, kernel: int, **changes) -> nir.Conv2d:
    fields = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": np.zeros(out)} | changes
    return nir.Conv2d(input_shape=None, weight=ones(out, channels, kernel, kernel), **fields)


def bad(value: float) -> np.ndarray:
    weight = ones(3, 2)
    weight[1, 1] = value
    return weight


class Warp(nir.NIRNode):
    """A kind of node that nobody knows."""

    def __init__(self) -> None:
        pass


class CubaLif(Warp):
    """A kind of node that is nearly one."""


def pool(kind: type, kernel: int, stride: int, padding: int = 0) -> nir.NIRNode:
    return kind(np.full(2, kernel), np.full(2, stride), np.full(2, padding))


def nested(**nodes: nir.NIRNode) -> nir.NIRGraph:
    """Return a graph of nodes in a row, to stand within another."""
    ends = {"first": nir.Input({"input": None}), "last": nir.Output({"output": None})}
    names = ["first", *nodes, "last"]
    return nir.NIRGraph(ends | nodes, list(pairwise(names)), type_check=False)


def net(nodes: dict[str, nir.NIRNode], *edges: str, dialect: Dialect = DIALECT):
    """Lower nodes joined by edges such as ``in>w>n``."""
    pairs = [p for e in edges for p in zip(e.split(">")[:-1], e.split(">")[1:], strict=True)]
    return lower(nir.NIRGraph(nodes, pairs, type_check=False), dialect, "hash")


def small(**changes: nir.NIRNode) -> dict[str, nir.NIRNode]:
    return {"in": input_(2), "w": nir.Linear(ones(3, 2)), "n": lif(3), "out": output(3)} | changes


@pytest.mark.parametrize(
    ("integrator", "expected"),
    [
        (
            "euler",
            {"syn_decay": 0.8, "syn_gain": 0.2 * 3, "mem_decay": 0.9, "mem_gain": 0.1 * 2, "leak": 0.1 * 4},
        ),
        (
            "exponential",
            {
                "syn_decay": np.exp(-0.2),
                "syn_gain": (1 - np.exp(-0.2)) * 3,
                "mem_decay": np.exp(-0.1),
                "mem_gain": (1 - np.exp(-0.1)) * 2,
                "leak": (1 - np.exp(-0.1)) * 4,
            },
        ),
        (
            "exponential_decay_euler_gain",
            {
                "syn_decay": np.exp(-0.2),
                "syn_gain": 0.2 * 3,
                "mem_decay": np.exp(-0.1),
                "mem_gain": (1 - np.exp(-0.1)) * 2,
                "leak": (1 - np.exp(-0.1)) * 4,
            },
        ),
    ],
)
def test_coefficients_of_the_cuba_lif(integrator: str, expected: dict[str, float]) -> None:
    node = nir.CubaLIF(
        tau_syn=0.005 * ones(3), tau_mem=0.01 * ones(3), r=2 * ones(3), v_leak=4 * ones(3),
        v_threshold=5 * ones(3), v_reset=-ones(3), w_in=3 * ones(3),
    )  # fmt: skip
    law = (
        net(small(n=node), "in>w>n>out", dialect=Dialect(dt=1e-3, integrator=integrator))
        .populations[1]
        .dynamics
    )
    assert law is not None and law.spiking
    for name, value in (expected | {"threshold": 5, "v_reset": -1, "bias": 0}).items():
        array = getattr(law, name)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, np.full(3, value, np.float64).astype(np.float32), err_msg=name)


def test_parameters_broadcast_to_the_shape_that_arrives() -> None:
    nodes = {"in": input_(2, 6, 5), "c": conv(4, 2, 3, stride=(2, 1), padding=(1, 0), bias=np.arange(4.0))}
    network = net(nodes | {"n": lif(1), "out": output(4, 3, 3)}, "in>c>n>out")
    population, projection = network.populations[1], network.projections[0]
    assert population.shape == (4, 3, 3)
    assert population.dynamics is not None
    np.testing.assert_array_equal(population.dynamics.bias, np.repeat(np.arange(4), 9))
    assert (projection.kind, projection.stride, projection.padding) == ("conv2d", (2, 1), (1, 0))
    assert dense_macs(network).tolist() == [4 * 9 * 2 * 9]
    assert fan_out(network, projection).sum() == 4 * 2 * (3 * 3 * 9 - 3 * 3)  # one row of taps in the padding


def test_dense_weights_are_stored_by_source() -> None:
    weight = np.arange(6.0).reshape(3, 2)
    network = net(small(w=nir.Linear(weight)), "in>w>n>out")
    np.testing.assert_array_equal(network.projections[0].weight, weight.T)
    assert network.projections[0].weight.flags.c_contiguous
    np.testing.assert_array_equal(fan_out(network, network.projections[0]), [2, 3])
    assert (network.output, network.sha256, network.neurons) == (1, "hash", 3)


def test_scales_fold_into_the_weights() -> None:
    weight = np.arange(1.0, 7).reshape(3, 2)
    nodes = small(
        w=nir.Affine(weight, np.array([1.0, 2, 3])),
        a=nir.Scale(np.array([2.0, 3])),
        b=nir.Scale(np.array([5.0, 6, 7])),
    )
    network = net(nodes, "in>a>w>b>n>out")
    np.testing.assert_array_equal(network.projections[0].weight, (weight * [2, 3] * [[5], [6], [7]]).T)
    assert network.populations[1].dynamics is not None
    np.testing.assert_array_equal(network.populations[1].dynamics.bias, [5, 12, 21])


def test_taps_become_projections_with_their_delays() -> None:
    taps = {f"d{k}": nir.Delay(np.full(2, k * 1e-3, np.float32)) for k in (2, 70)}
    weights = {f"w{k}": nir.Affine(ones(3, 2), ones(3)) for k in (2, 70)}
    network = net(small() | taps | weights, "in>w>n>out", "in>d2>w2>n", "in>d70>w70>n")
    assert [(q.name, q.delay) for q in network.projections] == [("w", 0), ("w2", 2), ("w70", 70)]
    assert network.max_delay == 70
    assert network.populations[1].dynamics is not None
    np.testing.assert_array_equal(network.populations[1].dynamics.bias, [2, 2, 2])


def test_a_shared_affine_adds_its_bias_once() -> None:
    nodes = small(w=nir.Affine(ones(3, 2), ones(3)), d=nir.Delay(np.array([1e-3])))
    network = net(nodes, "in>w>n>out", "in>d>w")
    assert [(q.name, q.delay) for q in network.projections] == [("in>d>w>n", 1), ("in>w>n", 0)]
    assert network.populations[1].dynamics is not None
    np.testing.assert_array_equal(network.populations[1].dynamics.bias, [1, 1, 1])


@pytest.mark.parametrize("delay", [1, 2])
def test_only_the_edge_that_closes_a_cycle_is_late(delay: int) -> None:
    nodes = {
        "in": input_(2), "w": nir.Linear(ones(3, 2)), "a": lif(3), "ab": nir.Linear(ones(4, 3)), "b": lif(4),
        "ba": nir.Linear(ones(3, 4)), "bb": nir.Linear(ones(4, 4)), "late": nir.Delay(np.array([3e-3])),
        "bo": nir.Linear(ones(5, 4)), "o": li(5), "out": output(5),
    }  # fmt: skip
    dialect = Dialect(dt=1e-3, recurrent_delay=delay)
    network = net(nodes, "in>w>a>ab>b>bo>o>out", "b>ba>a", "b>bb>late>b", dialect=dialect)
    assert [p.name for p in network.populations] == ["in", "a", "b", "o"]
    assert {q.name: q.delay for q in network.projections} == {
        "w": 0, "ba": delay, "ab": 0, "bb": 3 + delay, "bo": 0,
    }  # fmt: skip


def test_a_direct_edge_is_one_to_one() -> None:
    network = net({"in": input_(3), "n": lif(3), "out": output(3)}, "in>n>out")
    np.testing.assert_array_equal(network.projections[0].weight, np.eye(3))
    assert network.projections[0].name == "in>n"


def test_a_bias_shared_with_a_recurrence_begins_with_the_first_to_bring_it() -> None:
    nodes = small(x=nir.Affine(ones(3, 3), ones(3)), w=nir.Linear(ones(3, 2)))
    dialect = Dialect(dt=1e-3, recurrent_bias_at_t0=False)
    law = net(nodes, "in>w>x>n>out", "n>x", dialect=dialect).populations[1].dynamics
    assert law is not None
    assert law.bias.tolist() == [1, 1, 1] and law.early == ()


def test_a_nested_graph_is_its_nodes() -> None:
    inner = nested(n=lif(3), w=nir.Linear(2 * ones(3, 3)))
    outer = nested(a=nir.Linear(ones(3, 2)), deep=nested(b=lif(3), g=inner))
    nodes = {"in": input_(2), "x": outer, "o": li(3), "out": output(3)}
    network = net(nodes, "in>x>o>out")
    assert [p.name for p in network.populations] == ["in", "x.deep.b", "x.deep.g.n", "o"]
    assert [q.name for q in network.projections] == ["x.a", "x.deep.b>x.deep.g.n", "x.deep.g.w"]
    assert list(outer.nodes) == ["first", "last", "a", "deep"]


def test_a_recurrent_layer_may_be_a_graph() -> None:
    """The form that snnTorch and Norse export: neurons and their recurrence within one node."""
    ends = {"i": nir.Input({"input": None}), "o": nir.Output({"output": None})}
    edges = [("i", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "o")]
    layer = nir.NIRGraph(ends | {"lif": lif(3), "w": nir.Linear(ones(3, 3))}, edges, type_check=False)
    network = net(small(n=layer), "in>w>n>out")
    assert {(q.name, q.delay) for q in network.projections} == {("w", 0), ("n.w", 1)}


def test_a_nest_too_deep_is_refused() -> None:
    graph = nested(n=lif(3))
    for _ in range(20):
        graph = nested(g=graph)
    with pytest.raises(InputError, match="nested deeper than 16"):
        net(small(n=graph), "in>w>n>out")


def test_a_threshold_forgets() -> None:
    law = net(small(n=nir.Threshold(ones(3) / 2)), "in>w>n>out").populations[1].dynamics
    assert law is not None and law.spiking and not law.resets
    np.testing.assert_array_equal([law.mem_decay, law.mem_gain, law.threshold], [[0] * 3, [1] * 3, [0.5] * 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_have_the_dialects_dtype(dtype: str) -> None:
    network = net(
        small(w=nir.Affine(ones(3, 2) / 3, ones(3) / 3)), "in>w>n>out", dialect=Dialect(dt=1e-3, dtype=dtype)
    )
    law = network.populations[1].dynamics
    assert law is not None
    assert {network.dtype, network.projections[0].weight.dtype, law.bias.dtype, law.threshold.dtype} == {
        np.dtype(dtype)
    }
    assert network.projections[0].weight[0, 0] == np.dtype(dtype).type(1 / 3)


def test_outputs_come_late_layer_by_layer_but_not_the_input() -> None:
    nodes = small(v=nir.Linear(ones(3, 3)), m=lif(3), r=nir.Linear(ones(3, 3)))
    network = net(nodes, "in>w>n>v>m>out", "m>r>n", dialect=Dialect(dt=1e-3, output_delay=1))
    assert {q.name: q.delay for q in network.projections} == {"w": 0, "v": 1, "r": 1}


def test_a_population_that_does_not_spike_hands_on_values() -> None:
    """As late as spikes: within the step forwards, ``recurrent_delay`` backwards, Delay nodes on top."""
    nodes = small(
        m=li(3), x=nir.Linear(ones(3, 3)), r=nir.Linear(ones(3, 3)), b=nir.Affine(ones(3, 3), ones(3))
    )
    nodes |= {"d": nir.Delay(np.array([0, 2e-3, 2e-3]))}
    edges = ("in>w>m>x>n>out", "m>r>m", "n>d>b>m")
    for late in (0, 1):
        network = net(nodes, *edges, dialect=Dialect(dt=1e-3, recurrent_delay=2, output_delay=late))
        assert [p.graded for p in network.populations] == [False, True, False]
        assert network.graded == ("r", "x")
        assert {q.name: q.delay for q in network.projections} == {
            "w": 0, "r": 2, "x": late, "b@0": 2, "b@2": 4
        }  # fmt: skip


def test_values_pass_layers_without_a_neuron_between() -> None:
    """A convolution and a pool of a map of values are one projection, as those of spikes are."""
    nodes = {"in": input_(1, 4, 4), "c": conv(2, 1, 1), "m": nir.I(r=ones(2, 4, 4)), "k": conv(3, 2, 3)}
    nodes |= {"p": pool(nir.AvgPool2d, 2, 1), "n": lif(3, 1, 1), "out": output(3, 1, 1)}
    network = net(nodes, "in>c>m>k>p>n>out")
    carried = network.projections[1]
    assert (carried.graded, carried.kind, carried.weight.shape) == (True, "conv2d", (3, 2, 4, 4))


@pytest.mark.parametrize("at_once", [True, False])
def test_the_bias_of_a_recurrence_may_begin_a_step_late(at_once: bool) -> None:
    nodes = small(w=nir.Affine(ones(3, 2), ones(3)), r=nir.Affine(ones(3, 3), 4 * ones(3)))
    law = (
        net(nodes, "in>w>n>out", "n>r>n", dialect=Dialect(dt=1e-3, recurrent_bias_at_t0=at_once))
        .populations[1]
        .dynamics
    )
    assert law is not None
    np.testing.assert_array_equal(law.bias, [5, 5, 5])
    assert [(until, bias.tolist()) for until, bias in law.early] == ([] if at_once else [(1, [1, 1, 1])])


def test_the_graph_is_left_as_it_is() -> None:
    nodes = small()
    before = {k: (id(v), v.to_dict().keys()) for k, v in nodes.items()}
    net(nodes, "in>w>n>out")
    assert {k: (id(v), v.to_dict().keys()) for k, v in nodes.items()} == before
    assert nodes["w"].weight.dtype == np.float64


FAULTS = {
    "every unsupported node": (
        small(p=Warp(), t=CubaLif()),
        ["in>w>n>out"],
        [
            "node 'p': unknown kind of node 'Warp'",
            "node 't': unknown kind of node 'CubaLif': did you mean 'CubaLI'",
        ],
    ),
    "no port of a nested graph": (
        small(g=nir.NIRGraph({"x": lif(3)}, [], type_check=False)),
        ["in>w>g>n>out"],
        ["node 'g': 0 nodes of kind Input", "node 'g': 0 nodes of kind Output"],
    ),
    "a name that a nested graph has, too": (
        small(g=nested(x=lif(3)), **{"g.x": lif(3)}),
        ["in>w>g>n>out"],
        ["node 'g.x': stands twice"],
    ),
    "values of every node": (
        small(w=nir.Affine(bad(np.inf), bad(np.nan)[0:3, 1]), n=nir.LIF(*[np.full(3, np.nan)] * 4)),
        ["in>w>n>out"],
        [
            "w.weight: holds",
            "n.tau: holds",
            "n.r: holds",
            "n.v_leak: holds",
            "n.v_threshold: holds",
            "w.bias: holds",
        ],
    ),
    "an edge to nowhere": (small(), ["in>w>n>out", "n>ghost"], ["no node 'ghost'"]),
    "an edge twice": (small(), ["in>w>n>out", "in>w"], ["stands 2 times"]),
    "two inputs": (small(in2=input_(2)), ["in>w>n>out", "in2>w"], ["2 nodes of kind Input"]),
    "no output": ({"in": input_(2), "w": nir.Linear(ones(3, 2)), "n": lif(3)}, ["in>w>n"], ["kind Output"]),
    "a stray node": (small(x=nir.Linear(ones(3, 3))), ["in>w>n>out", "n>x"], ["node 'x': lies between"]),
    "a loop without a neuron": (
        small(x=nir.Linear(ones(3, 3))),
        ["in>w>n>out", "w>x>x"],
        ["loop without a neuron: w -> x -> x"],
    ),
    "unreached neurons": (small(m=lif(3)), ["in>w>n>out", "m>n"], ["node 'm'"]),
    "nan": (small(w=nir.Linear(bad(np.nan))), ["in>w>n>out"], ["w.weight: holds values that are not finite"]),
    "beyond float32": (
        small(w=nir.Linear(bad(1e39))),
        ["in>w>n>out"],
        ["w.weight: holds values that are not finite in float32"],
    ),
    "beyond float32 in one step": (
        small(n=nir.LI(tau=ones(3), r=1e38 * ones(3), v_leak=1e38 * ones(3))),
        ["in>w>n>out"],
        ["n: leak, mem_gain of a step of 1000 s"],
    ),
    "dense shape": (small(w=nir.Linear(ones(3, 5))), ["in>w>n>out"], ["w.weight: shape (3, 5)"]),
    "every neuron field": (
        small(n=nir.LIF(tau=-ones(3), r=np.inf * ones(3), v_leak=ones(3), v_threshold=ones(3))),
        ["in>w>n>out"],
        ["n.tau: time constants must be above 0 s", "n.r: holds values that are not finite"],
    ),
    "neuron shape": (
        small(n=lif(4)),
        ["in>w>n>out"],
        ["n: r, tau, v_leak, v_reset, v_threshold of shape (4,)"],
    ),
    "fractional delay": (
        small(d=nir.Delay(np.array([1.5e-3]))),
        ["in>d>w>n>out"],
        ["0.0015 s is no whole number of steps"],
    ),
    "negative delay": (small(d=nir.Delay(np.array([-1e-3]))), ["in>d>w>n>out"], ["d.delay: -0.001 s"]),
    "shape of a delay": (
        small(d=nir.Delay(ones(5))),
        ["in>d>w>n>out"],
        ["d.delay: shape (5,)"],
    ),
    "groups": (
        {"in": input_(4, 9, 9), "c": conv(3, 2, 3, groups=2), "n": lif(1), "out": output(3, 7, 7)},
        ["in>c>n>out"],
        ["c.weight: shape (3, 2, 3, 3), expected (a multiple of 2, 2, rows, columns)"],
    ),
    "a stride of nothing": (
        {"in": input_(1, 9, 9), "c": conv(2, 1, 3, stride=0), "n": lif(1), "out": output(2, 7, 7)},
        ["in>c>n>out"],
        ["c.stride: (0, 0) is not one or two whole numbers of at least 1"],
    ),
    "same at a stride": (
        {
            "in": input_(1, 9, 9),
            "c": conv(2, 1, 3, stride=2, padding="same"),
            "n": lif(1),
            "out": output(2, 5, 5),
        },
        ["in>c>n>out"],
        ["c.padding: 'same' at stride (2, 2)"],
    ),
    "a pool of a flat signal": (
        {"in": input_(9), "p": pool(nir.AvgPool2d, 3, 3), "n": lif(1), "out": output(1)},
        ["in>p>n>out"],
        ["p: a AvgPool2d takes (C, H, W)"],
    ),
    "a pool larger than its map": (
        {"in": input_(1, 2, 2), "p": pool(nir.SumPool2d, 3, 1), "n": lif(1), "out": output(1)},
        ["in>p>n>out"],
        ["p: windows (3, 3)"],
    ),
    "layers that would fill a matrix": (
        {
            "in": input_(2, 128, 128),
            "p": pool(nir.AvgPool2d, 2, 2),
            "c": conv(16, 2, 3, padding=1),
            "s": nir.Scale(np.arange(2.0 * 64 * 64)),
            "n": lif(1),
            "out": output(16, 64, 64),
        },
        ["in>p>s>c>n>out"],
        ["p: layers without a neuron between, from 32768 to 65536 elements"],
    ),
    "channels": (
        {"in": input_(3, 9, 9), "c": conv(2, 1, 3), "n": lif(1), "out": output(2, 7, 7)},
        ["in>c>n>out"],
        ["c.weight: shape (2, 1, 3, 3)"],
    ),
    "kernel too large": (
        {"in": input_(1, 2, 2), "c": conv(2, 1, 3), "n": lif(1), "out": output(2, 1, 1)},
        ["in>c>n>out"],
        ["c: kernel"],
    ),
    "flat signal into a convolution": (
        {"in": input_(9), "c": conv(2, 1, 3), "n": lif(1), "out": output(2, 7, 7)},
        ["in>c>n>out"],
        ["(C, H, W)"],
    ),
    "sizes that disagree": (
        small(d=nir.Delay(np.array([1e-3])), x=nir.Linear(ones(4, 2))),
        ["in>w>n>out", "in>d>x>n"],
        ["n: in hands it"],
    ),
    "a huge population": (
        {"in": input_(2**30), "w": nir.Linear(ones(3, 2)), "n": lif(3), "out": output(3)},
        ["in>w>n>out"],
        ["in: a pop"],
    ),
    "weights at the output": (
        small(x=nir.Linear(ones(3, 3))),
        ["in>w>n>x>out"],
        ["node 'x': between the last"],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults_name_their_nodes(case: str) -> None:
    nodes, edges, expected = FAULTS[case]
    with pytest.raises(InputError) as error:
        net(nodes, *edges, dialect=Dialect(dt=1e3, integrator="euler") if "one step" in case else DIALECT)
    for fragment in expected:
        assert any(fragment in fault for fault in error.value.faults), error.value
    assert len(error.value.faults) == len(expected), error.value
