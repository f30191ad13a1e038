"""Lowering: arrays, order and delays of good graphs; every fault of bad ones by node."""

from __future__ import annotations

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


def test_the_graph_is_left_as_it_is() -> None:
    nodes = small()
    before = {k: (id(v), v.to_dict().keys()) for k, v in nodes.items()}
    net(nodes, "in>w>n>out")
    assert {k: (id(v), v.to_dict().keys()) for k, v in nodes.items()} == before
    assert nodes["w"].weight.dtype == np.float64


def bad(value: float) -> np.ndarray:
    weight = ones(3, 2)
    weight[1, 1] = value
    return weight


FAULTS = {
    "every unsupported node": (
        small(
            p=nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), t=nir.Threshold(ones(2))
        ),
        ["in>w>n>out"],
        ["node 'p': SumPool2d", "node 't': Threshold"],
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
    "synapses in a row": (
        small(x=nir.Linear(ones(3, 3))),
        ["in>w>x>n>out"],
        ["x: several synapse nodes without a neuron"],
    ),
    "graded transmission": (
        small(m=li(3), x=nir.Linear(ones(3, 3))),
        ["in>w>m>x>n>out"],
        ["node 'm': LI does not spike"],
    ),
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
    "uneven delay": (
        small(d=nir.Delay(np.array([1e-3, 2e-3]))),
        ["in>d>w>n>out"],
        ["d.delay: delays that differ"],
    ),
    "dilation": (
        {"in": input_(1, 9, 9), "c": conv(2, 1, 3, dilation=(2, 2)), "n": lif(1), "out": output(2, 5, 5)},
        ["in>c>n>out"],
        ["c: dilation and groups"],
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
