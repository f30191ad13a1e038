"""Small networks, counts and published networks' outlines, made by hand."""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.outline import Group, Link, Outline
from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Network, Population, Projection
from nmbench.spikes import SpikeBatch

DT_S = 1e-3


def dynamics(n: int, *, spiking: bool = True) -> Dynamics:
    def full(value: float) -> np.ndarray:
        return np.full(n, value, np.float32)

    return Dynamics(
        syn_decay=full(0.5),
        syn_gain=full(1),
        mem_decay=full(0.9),
        mem_gain=full(1),
        leak=full(0),
        bias=full(0),
        threshold=full(1),
        v_reset=full(0),
        spiking=spiking,
    )


def population(name: str, *shape: int, spiking: bool = True) -> Population:
    model = "CubaLIF" if spiking else "LI"
    return Population(name, model, shape, dynamics(int(np.prod(shape)), spiking=spiking))


def source(*shape: int) -> Population:
    return Population("in", "Input", shape, None)


def dense(name: str, source: int, target: int, pre: int, post: int, delay: int = 0) -> Projection:
    weight = np.random.default_rng(pre * 1000 + post).normal(0.3, 0.5, (pre, post)).astype(np.float32)
    return Projection(name, source, target, "dense", weight, delay=delay)


def network(*populations: Population, projections: tuple[Projection, ...]) -> Network:
    return Network(populations, projections, len(populations) - 1, Dialect(dt=DT_S), "0" * 64)


def mlp(inputs: int = 6, hidden: int = 5, classes: int = 3) -> Network:
    """Feed-forward, all synapses present."""
    return network(
        source(inputs),
        population("hidden", hidden),
        population("out", classes, spiking=False),
        projections=(
            dense("in-hidden", 0, 1, inputs, hidden),
            dense("hidden-out", 1, 2, hidden, classes),
        ),
    )


def recurrent(inputs: int = 6, hidden: int = 5, classes: int = 3) -> Network:
    plain = mlp(inputs, hidden, classes)
    loop = dense("hidden-hidden", 1, 1, hidden, hidden, delay=1)
    return network(*plain.populations, projections=(*plain.projections, loop))


def cnn() -> Network:
    """2 x 8 x 8 -> 4 x 4 x 4 (kernel 3, stride 2, padding 1) -> 3 classes."""
    kernel = np.random.default_rng(7).normal(0.2, 0.5, (4, 2, 3, 3)).astype(np.float32)
    conv = Projection("in-conv", 0, 1, "conv2d", kernel, stride=(2, 2), padding=(1, 1))
    return network(
        source(2, 8, 8),
        population("conv", 4, 4, 4),
        population("out", 3, spiking=False),
        projections=(conv, dense("conv-out", 1, 2, 64, 3)),
    )


def counts(network: Network, spikes: np.ndarray) -> EventCounts:
    """Count dense projections whose synapses are all there: ``spikes`` int64 [B, T, P]."""
    sizes = [p.size for p in network.populations]
    updates = np.broadcast_to(np.array([0, *sizes[1:]]), spikes.shape).copy()
    events = np.stack(
        [spikes[:, :, p.source] * sizes[p.target] for p in network.projections],
        axis=2,
    )
    return EventCounts(
        populations=tuple(p.name for p in network.populations),
        projections=tuple(p.name for p in network.projections),
        spikes=spikes.astype(np.int64),
        neuron_updates=updates.astype(np.int64),
        synaptic_events=events.astype(np.int64),
        dense_macs=np.array([p.weight.size for p in network.projections], np.int64),
    )


def spike_batch(
    network: Network, samples: int = 5, steps: int = 7, rate: float = 0.3, seed: int = 0
) -> SpikeBatch:
    shape = network.populations[0].shape
    present = np.random.default_rng(seed).random((samples * steps, int(np.prod(shape)))) < rate
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    return SpikeBatch(DT_S, steps, shape, offsets, np.nonzero(present)[1].astype(np.int32))


def outline_counts(
    outline: Outline, steps: int, probability: dict[str, float], macs: list[int] | None = None
) -> EventCounts:
    """Expected counts of one sample, rounded, from spike probabilities per neuron and step."""
    sizes = [g.size for g in outline.groups]
    spikes = [round(n * probability.get(g.name, 0.0)) for n, g in zip(sizes, outline.groups, strict=True)]
    return evenly(outline, steps, spikes, macs)


def evenly(outline: Outline, steps: int, spikes: list[int], macs: list[int] | None = None) -> EventCounts:
    """Counts of one sample whose populations emit the same number of spikes every step."""
    sizes = [g.size for g in outline.groups]
    events = [round(spikes[x.source] * x.synapses / sizes[x.source]) for x in outline.links]

    def every_step(values: list[int] | np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.array(values, np.int64), (1, steps, len(values))).copy()

    return EventCounts(
        populations=tuple(g.name for g in outline.groups),
        projections=tuple(x.name for x in outline.links),
        spikes=every_step(spikes),
        neuron_updates=every_step([0, *sizes[1:]]),
        synaptic_events=every_step(events),
        dense_macs=np.array(macs or [outline.stored_weights(x) for x in outline.links], np.int64),
    )


def full_link(groups: tuple[Group, ...], source: int, target: int, delay: int = 0) -> Link:
    return Link(
        f"{groups[source].name}-{groups[target].name}",
        source,
        target,
        "dense",
        groups[source].size * groups[target].size,
        delay=delay,
    )


def chain(*sizes: int) -> Outline:
    groups = tuple(Group(f"p{i}", "LIF" if i else "Input", (n,)) for i, n in enumerate(sizes))
    return Outline(groups, tuple(full_link(groups, i, i + 1) for i in range(len(sizes) - 1)))


def keyword_spotter(branches: int = 0) -> Outline:
    """Blouw 2019: 390-256-256-29, or 390-256-[branches of ten dense layers of 256]-256-29."""
    sizes = [390, 256]
    names = ["in", "h1"]
    ends: list[int] = []
    pairs = [(0, 1)]
    for branch in range(branches):
        for layer in range(10):
            names.append(f"b{branch}.{layer}")
            pairs.append((1 if layer == 0 else len(sizes) - 1, len(sizes)))
            sizes.append(256)
        ends.append(len(sizes) - 1)
    pairs += [(end, len(sizes)) for end in ends or [1]]
    sizes += [256, 29]
    names += ["h2", "out"]
    pairs.append((len(sizes) - 2, len(sizes) - 1))
    groups = tuple(
        Group(n, "LIF" if i else "Input", (s,)) for i, (n, s) in enumerate(zip(names, sizes, strict=True))
    )
    return Outline(groups, tuple(full_link(groups, a, b) for a, b in pairs))


def pilotnet_sdnn() -> Outline:
    """Intel lava-dl's PilotNet SDNN, (C, H, W) as its tutorial prints the layers."""
    shapes = [
        (3, 66, 200),
        (24, 32, 99),
        (36, 15, 49),
        (48, 7, 24),
        (64, 4, 22),
        (64, 2, 20),
        (100,),
        (50,),
        (10,),
        (1,),
    ]
    strides = [(2, 2), (2, 2), (2, 2), (2, 1), (1, 1)]
    paddings = [(0, 0), (0, 0), (0, 0), (1, 0), (0, 0)]
    groups = tuple(Group(f"l{i}", "SigmaDelta" if i else "Input", s) for i, s in enumerate(shapes))
    links = []
    for i in range(9):
        if i >= 5:
            links.append(full_link(groups, i, i + 1))
            continue
        positions = shapes[i + 1][1] * shapes[i + 1][2]
        synapses = shapes[i][0] * shapes[i + 1][0] * 9 * positions
        links.append(Link(f"c{i}", i, i + 1, "conv2d", synapses, (3, 3), strides[i], paddings[i]))
    return Outline(groups, tuple(links))
