"""Random NIR graphs, dialects and spikes for hypothesis; weights lie on a power-of-two grid."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import nir
import numpy as np
from hypothesis import strategies as st

from nmbench.counts import EventCounts
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
    if kind == "Threshold":
        return nir.Threshold(rng.integers(-1, 3, shape) / 8)
    # gains and thresholds on the grid: the membrane often stands exactly at its threshold
    law = {"r": np.full(shape, 1000.0)}
    spiking = {"v_threshold": rng.integers(1, 5, shape) / 4, "v_reset": rng.integers(-1, 2, shape) / 8}
    return nir.IF(**law, **spiking) if kind == "IF" else nir.I(**law)


SPIKING = st.sampled_from(["CubaLIF", "LIF", "IF", "Threshold"])
GRADED = st.sampled_from(["LI", "CubaLI", "I"])
"""They hand on a value, not spikes."""
MIXED = GRADED | SPIKING

READOUTS = st.sampled_from(["LI", "CubaLI", "I", "CubaLIF", "LIF", "IF", "Threshold"])


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """Every switch at every value, as far as they go together."""
    fields = draw(
        st.fixed_dictionaries(
            {
                "integrator": st.sampled_from(get_args(Dialect.model_fields["integrator"].annotation)),
                "order": st.sampled_from(["synapse_membrane_threshold", "membrane_synapse_threshold"]),
                "tie": st.sampled_from(["gt", "ge"]),
                "reset": st.sampled_from(["to_v_reset", "subtract"]),
                "recurrent_delay": st.sampled_from([1, 2]),
                "recurrent_bias_at_t0": st.booleans(),
                "output_delay": st.sampled_from([0, 1]),
                "v_floor": st.sampled_from([None, -0.25, 0.0, "-v_threshold"]),
                "dtype": st.sampled_from(["float32", "float64"]),
            }
        )
    )
    rare = draw(
        st.sampled_from(
            [{}, {"rereset": True}]
            + [{"reset_delay": d, "multispike": m} for d in (0, 1) for m in (False, True)]
        )
    )
    return Dialect(dt=DT_S, **fields, **rare)


def delay(rng: np.random.Generator, kind: str, n: int) -> nir.Delay:
    """Draw a Delay of up to three steps, the same for every element or not."""
    steps = np.full(1, rng.integers(0, 4)) if kind == "even" else rng.integers(0, 4, n)
    return nir.Delay((steps * DT_S).astype(np.float32))


def convolution(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[nir.NIRNode, tuple[int, ...]]:
    """Draw a Conv1d or Conv2d that fits a signal, and the shape behind it."""
    axes = len(shape) - 1
    groups = int(rng.choice([1, 1, *(g for g in (2, 3) if shape[0] % g == 0), shape[0]]))
    channels = groups * int(rng.integers(1, 4))
    kernel = [int(rng.integers(1, min(5, n) + 1)) for n in shape[1:]]
    dilation = [
        int(rng.integers(1, 1 + (3 if k == 1 else (n - 1) // (k - 1))))
        for k, n in zip(kernel, shape[1:], strict=True)
    ]
    dilation = [min(2, d) for d in dilation] if rng.random() < 0.5 else [1] * axes
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if rng.random() < 0.2:
        padding, stride, sizes = "same", [1] * axes, list(shape[1:])
    else:
        stride, padding = rng.integers(1, 4, axes).tolist(), rng.integers(0, 3, axes).tolist()
        sizes = [
            (n + 2 * p - k) // s + 1 for n, p, k, s in zip(shape[1:], padding, span, stride, strict=True)
        ]
    weight = weights(rng, channels, shape[0] // groups, *kernel)
    if axes == 1:
        padding = padding if padding == "same" else padding[0]
        node = nir.Conv1d(None, weight, stride[0], padding, dilation[0], groups, bias(rng, channels))
    else:
        padding = padding if padding == "same" else tuple(padding)
        node = nir.Conv2d(None, weight, tuple(stride), padding, tuple(dilation), groups, bias(rng, channels))
    return node, (channels, *sizes)


def pool(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[nir.NIRNode, tuple[int, ...]]:
    """Draw a pool; windows hold a power of two of elements, so that averages stay on a grid."""
    size = [int(rng.choice([k for k in (1, 2, 4) if k <= n])) for n in shape[1:]]
    stride = [int(rng.integers(1, 4)) for _ in size]
    padding = [int(rng.integers(0, k // 2 + 1)) for k in size]
    kind = nir.SumPool2d if rng.random() < 0.5 else nir.AvgPool2d
    sizes = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(shape[1:], padding, size, stride, strict=True)]
    return kind(np.array(size), np.array(stride), np.array(padding)), (shape[0], *sizes)


class Builder:
    """Nodes and edges that grow from the input on; ``shape`` is that of the last population ``last``."""

    def __init__(
        self, draw: st.DrawFn, rng: np.random.Generator, shape: tuple[int, ...], kinds: st.SearchStrategy[str]
    ) -> None:
        self.draw, self.rng, self.shape, self.last, self.kinds = draw, rng, shape, "in", kinds
        self.nodes: dict[str, nir.NIRNode] = {"in": input_(*shape)}
        self.edges: list[tuple[str, str]] = []
        self.hidden: list[tuple[str, tuple[int, ...]]] = []

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def add(self, name: str, node: nir.NIRNode) -> str:
        self.nodes[name] = node
        return name

    def join(self, *names: str) -> None:
        self.edges += pairwise(names)

    def between(self, k: str) -> list[str]:
        """Add what may stand before or behind synapses: a delay, a scale, nothing."""
        kind = self.draw(st.sampled_from(["even", "uneven", "scale", None, None]))
        if kind is None:
            return []
        scale = nir.Scale(2.0 ** self.rng.integers(-1, 2, self.draw(st.sampled_from([1, self.size]))))
        return [self.add(f"{kind}{k}", scale if kind == "scale" else delay(self.rng, kind, self.size))]

    def populate(self, name: str, names: list[str]) -> None:
        """Add a population behind the nodes, in one case of four within a graph of its own."""
        node = neuron(self.rng, self.draw(self.kinds), self.shape)
        if self.draw(st.integers(0, 3)) == 0:
            nodes = {"first": nir.Input({"input": None}), name: node, "last": nir.Output({"output": None})}
            node = nir.NIRGraph(nodes, [("first", name), (name, "last")], type_check=False)
            name = f"graph_{name}"
        self.join(*names, self.add(name, node))
        self.last = name
        self.hidden.append((name, self.shape))

    def add_map(self, k: int) -> None:
        """Add convolutions and pools, and a population behind them, which may be flat."""
        names = [self.last, *self.between(f"_a{k}")]
        rows = ["c", "c", "c", "p", "pc", "cp", "cc"] if len(self.shape) == 3 else ["c"]
        for j, what in enumerate(self.draw(st.sampled_from(rows))):
            node, self.shape = (convolution if what == "c" else pool)(self.rng, self.shape)
            names.append(self.add(f"{what}{k}{j}", node))
        names += self.between(f"_b{k}")
        if self.draw(st.sampled_from([False, False, True])):
            names.append(self.add(f"flat{k}", nir.Flatten({"input": None}, 0)))
            self.shape = (self.size,)
        self.populate(f"map{k}", names)

    def affine(self, name: str, size: int) -> str:
        return self.add(name, nir.Affine(weights(self.rng, size, self.size), bias(self.rng, size)))

    def add_layer(self, k: int) -> None:
        """Add a population behind several taps, two layers in a row, or none."""
        kind = self.draw(st.sampled_from(["taps", "taps", "direct", "two"]))
        size, ways = int(self.rng.integers(1, 40)), []
        if kind == "taps":
            for steps in self.draw(st.sampled_from([(0,), (3,), (0, 2), (1, 2, 4)])):
                late = nir.Delay(np.full(1, steps * DT_S, np.float32))
                ways.append([self.add(f"late{k}_{steps}", late), self.affine(f"dense{k}_{steps}", size)])
            self.shape = (size,)
        else:
            ways.append(self.between(f"_d{k}"))
        if kind == "two":
            for j, n in enumerate((int(self.rng.integers(1, 20)), size)):
                ways[0].append(self.affine(f"row{k}{j}", n))
                self.shape = (n,)
        source = self.last
        self.populate(f"layer{k}", [source, *ways[0]])
        for way in ways[1:]:
            self.join(source, *way, self.last)

    def add_feedback(self, k: int) -> None:
        """Lead back from a population to an earlier one or to itself."""
        count = st.integers(0, len(self.hidden) - 1)
        first, second = sorted(self.draw(st.tuples(count, count)))
        (source, many), (target, few) = self.hidden[second], self.hidden[first]
        n = int(np.prod(few))
        affine = nir.Affine(weights(self.rng, n, int(np.prod(many))) / 4, bias(self.rng, n))
        names = [source, self.add(f"back{k}", affine)]
        kind = self.draw(st.sampled_from([None, "even", "uneven"]))
        if kind:
            names.append(self.add(f"again{k}", delay(self.rng, kind, n)))
        self.join(*names, target)


@st.composite
def graphs(draw: st.DrawFn, graded: bool = False) -> nir.NIRGraph:
    """One to four hidden populations, convolutional first or not, with rows of layers, taps and feedback.

    Where ``graded``, any of them may hand on values, and the answer, too, may lead back.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    axes = draw(st.sampled_from([0, 0, 1, 2, 2]))
    shape: tuple[int, ...] = (int(rng.integers(1, 30)),)
    if axes:
        shape = (int(rng.choice([1, 2, 3, 4, 6])), *rng.integers(2, 9, axes).tolist())
    build = Builder(draw, rng, shape, MIXED if graded else SPIKING)
    for k in range(draw(st.integers(1, 2)) if axes else 0):
        if len(build.shape) > 1:
            build.add_map(k)
    for k in range(draw(st.integers(0 if axes else 1, 2))):
        build.add_layer(k)
    classes = int(rng.integers(1, 5))
    read = build.add("read", nir.Linear(weights(rng, classes, build.size)))
    answer = build.add("answer", neuron(rng, draw(READOUTS), (classes,)))
    build.join(build.last, read, answer, build.add("out", output(classes)))
    if graded:
        build.hidden.append((answer, (classes,)))
    for k in range(draw(st.integers(0, 2))):
        build.add_feedback(k)
    return nir.NIRGraph(build.nodes, build.edges, type_check=False)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, SpikeBatch]:
    """A network and samples for it."""
    network = lower(draw(graphs(graded=draw(st.booleans()))), draw(dialects()), "0" * 64)
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


def is_exact(network: Network, counts: EventCounts) -> bool:
    """Tell whether no sum over spikes can have been rounded in a run: its order does not matter then."""
    bits = np.finfo(network.dtype).nmant + 1
    for p in range(1, len(network.populations)):
        into = [r for r, q in enumerate(network.projections) if q.target == p and not q.graded]
        most = counts.synaptic_events[:, :, into].sum(axis=2).max(initial=0)
        weights_ = [network.projections[r].weight.ravel().astype(np.float64) for r in into]
        values = np.concatenate([*weights_, np.zeros(1)])
        fine = next(k for k in range(60) if (values * 2.0**k % 1 == 0).all())
        if most * np.abs(values).max(initial=0) * 2.0**fine >= 2.0**bits:
            return False
    return True
