"""Random NIR graphs, dialects and spikes for hypothesis; weights lie on a power-of-two grid."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np
from hypothesis import strategies as st

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.spikes import SpikeBatch

DT_S = 1e-3
GRID = 64


def chain(*nodes: nir.NIRNode, names: str = "abcdefghij") -> nir.NIRGraph:
    """Join nodes in a row between an Input and an Output, which come first and last in ``nodes``."""
    named = dict(zip(["in", *names[: len(nodes) - 2], "out"], nodes, strict=True))
    keys = list(named)
    return nir.NIRGraph(named, list(pairwise(keys)), type_check=False)


def input_(*shape: int) -> nir.Input:
    return nir.Input({"input": np.array(shape)})


def output(*shape: int) -> nir.Output:
    return nir.Output({"output": np.array(shape)})


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw grid weights of which some are zero: no synapses."""
    drawn = rng.integers(-GRID // 4, GRID, shape) / GRID
    if rng.random() < 0.5:
        drawn = np.round(4 * drawn) / 4
    return (drawn * (rng.random(shape) < rng.choice([0.02, 0.5, 1.0]))).astype(np.float32)


def bias(rng: np.random.Generator, n: int) -> np.ndarray:
    return (rng.integers(-8, 9, n) / GRID).astype(np.float32)


def conv2d(weight: np.ndarray, stride=(1, 1), padding=(0, 0), bias_=None) -> nir.Conv2d:
    zeros = np.zeros(len(weight), np.float32)
    return nir.Conv2d(None, weight, stride, padding, 1, 1, zeros if bias_ is None else bias_)


def neuron(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> nir.NIRNode:
    """Draw a population whose gains let a few grid weights reach its threshold."""

    def between(lo: float, hi: float) -> np.ndarray:
        return rng.uniform(lo, hi, shape).astype(np.float32)

    spiking = {"v_threshold": between(0.2, 1), "v_reset": between(-0.3, 0.1)}
    if kind in ("CubaLIF", "CubaLI"):
        law = {
            "tau_syn": between(2e-3, 8e-3),
            "tau_mem": between(2e-3, 2e-2),
            "r": between(2, 8),
            "v_leak": between(-0.1, 0.1),
            "w_in": between(0.5, 2),
        }
        return nir.CubaLIF(**law, **spiking) if kind == "CubaLIF" else nir.CubaLI(**law)
    if kind in ("LIF", "LI"):
        law = {"tau": between(2e-3, 2e-2), "r": between(2, 8), "v_leak": between(-0.1, 0.1)}
        return nir.LIF(**law, **spiking) if kind == "LIF" else nir.LI(**law)
    # gains and thresholds on the grid: the membrane often stands exactly at its threshold
    law = {"r": np.full(shape, 1000.0)}
    spiking = {"v_threshold": rng.integers(1, 5, shape) / 4, "v_reset": rng.integers(-1, 2, shape) / 8}
    return nir.IF(**law, **spiking) if kind == "IF" else nir.I(**law)


SPIKING = st.sampled_from(["CubaLIF", "LIF", "IF"])
READOUTS = st.sampled_from(["LI", "CubaLI", "I", "CubaLIF", "LIF", "IF"])

dialects = st.builds(
    Dialect,
    dt=st.just(DT_S),
    integrator=st.sampled_from(["euler", "exponential", "exponential_decay_euler_gain"]),
    order=st.sampled_from(["synapse_membrane_threshold", "membrane_synapse_threshold"]),
    tie=st.sampled_from(["gt", "ge"]),
    reset=st.sampled_from(["to_v_reset", "subtract"]),
    recurrent_delay=st.sampled_from([1, 2]),
    output_delay=st.sampled_from([0, 1]),
    v_floor=st.sampled_from([None, -0.25, 0.0]),
)


@st.composite
def graphs(draw: st.DrawFn) -> nir.NIRGraph:
    """One to three hidden populations, convolutional first or not, with taps and feedback."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes: dict[str, nir.NIRNode] = {}
    edges: list[tuple[str, str]] = []
    convolutions = draw(st.integers(0, 2))
    shape = tuple(rng.integers(2, 9, 3).tolist()) if convolutions else (int(rng.integers(1, 30)),)
    nodes["in"] = input_(*shape)
    last, hidden = "in", []

    def connect(source: str, name: str, target: str, node: nir.NIRNode, delay: int) -> None:
        steps = [source, name, target]
        nodes[name] = node
        if delay:
            nodes[f"{name}_late"] = nir.Delay(np.full(1, delay * DT_S, np.float32))
            steps.insert(1, f"{name}_late")
        edges.extend(pairwise(steps))

    for k in range(convolutions):
        kernel = [int(rng.integers(1, min(5, n) + 1)) for n in shape[1:]]
        stride, padding = tuple(rng.integers(1, 4, 2).tolist()), tuple(rng.integers(0, 3, 2).tolist())
        channels = int(rng.integers(1, 5))
        node = conv2d(weights(rng, channels, shape[0], *kernel), stride, padding, bias(rng, channels))
        sizes = zip(shape[1:], padding, kernel, stride, strict=True)
        shape = (channels, *((n + 2 * p - w) // s + 1 for n, p, w, s in sizes))
        connect(last, f"conv{k}", f"map{k}", node, draw(st.sampled_from([0, 0, 2])))
        last = f"map{k}"
        nodes[last] = neuron(rng, draw(SPIKING), shape)
        hidden.append((last, shape))
    for k in range(draw(st.integers(0 if convolutions else 1, 2))):
        size, before = int(rng.integers(1, 40)), int(np.prod(shape))
        for delay in draw(st.sampled_from([(0,), (3,), (0, 2), (1, 2, 4)])):
            affine = nir.Affine(weights(rng, size, before), bias(rng, size))
            connect(last, f"dense{k}_{delay}", f"layer{k}", affine, delay)
        last, shape = f"layer{k}", (size,)
        nodes[last] = neuron(rng, draw(SPIKING), shape)
        hidden.append((last, shape))
    for k in range(draw(st.integers(0, 2))):
        first, second = sorted(draw(st.tuples(*[st.integers(0, len(hidden) - 1)] * 2)))
        (source, many), (target, few) = hidden[second], hidden[first]
        back = nir.Linear(weights(rng, int(np.prod(few)), int(np.prod(many))) / 4)
        connect(source, f"back{k}", target, back, draw(st.sampled_from([0, 0, 3])))
    classes = int(rng.integers(1, 5))
    connect(last, "read", "answer", nir.Linear(weights(rng, classes, int(np.prod(shape)))), 0)
    nodes |= {"answer": neuron(rng, draw(READOUTS), (classes,)), "out": output(classes)}
    edges.append(("answer", "out"))
    return nir.NIRGraph(nodes, edges, type_check=False)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, SpikeBatch]:
    """A network and samples for it."""
    network = lower(draw(graphs()), draw(dialects), "0" * 64)
    seed, samples = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 4))
    mean = draw(st.sampled_from([0.0, 0.05, 0.5]))
    return network, spikes(np.random.default_rng(seed), network.populations[0].shape, samples, 12, mean)


def spikes(
    rng: np.random.Generator, shape: tuple[int, ...], samples: int, steps: int, mean: float
) -> SpikeBatch:
    """Draw spikes, Poisson by neuron and step: some neurons spike twice in a step."""
    counts = rng.poisson(mean, (samples * steps, int(np.prod(shape))))
    index = np.concatenate([np.repeat(np.arange(counts.shape[1]), row) for row in counts])
    offsets = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])
    return SpikeBatch(DT_S, steps, shape, offsets.astype(np.int64), index.astype(np.int32))
