"""Lower a NIR graph and a dialect to a `Network`: the arrays that simulators and models read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import nir
import numpy as np

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.memory import available_bytes, shortage
from nmbench.network.nested import flatten
from nmbench.network.network import Network, Population, Projection, Shape
from nmbench.network.operators import Kernel
from nmbench.network.paths import SYNAPSES, Path, check_nodes, order, trace
from nmbench.network.primitives import NEURONS, Doubles, checked, dynamics, numbers, read_parameters
from nmbench.network.stages import Stage, read_stages
from nmbench.network.synapses import Bias, BiasKey, Chain, demand, fold

MAX_NEURONS = 2**24
"""Largest population that is lowered."""


@dataclass(frozen=True)
class _Way:
    """A path with its nodes as read, and the name that its faults and projections bear."""

    path: Path
    stages: list[Stage]
    shape: Shape
    name: str

    @property
    def arrives(self) -> Shape:
        """Shape of what the target receives."""
        return self.stages[-1].shape if self.stages else self.shape


@dataclass(frozen=True)
class _Arrival:
    """A path, or one of its delays, folded into a projection's arrays."""

    way: _Way
    chain: Chain


def lower(graph: nir.NIRGraph, dialect: Dialect, sha256: str) -> Network:
    """Lower a graph; it is left as it is.

    Populations stand in topological order, projections by target, then source, then name. In a cycle
    the edge that closes it in a depth-first search from the input (successors by name) is delivered
    ``dialect.recurrent_delay`` steps late, every other from a population of neurons
    ``dialect.output_delay`` steps, on top of any Delay node.

    Parameters
    ----------
    graph
        Any nodes of NIR, nested or not. Layers without a neuron between become one projection; a readout
        is read directly. What does not spike (I, LI, CubaLI) hands on its membrane: see `Projection.graded`.
    sha256
        Hash of the file that the graph was read from.

    Raises
    ------
    InputError
        All faults of the graph by node and field: kinds, values, shapes, delays, stray nodes, and
        projections that together take more memory than there is, before they are made.
    """
    graph = flatten(graph)
    check_nodes(graph)
    paths = trace(graph)
    start, output = _output(graph, paths)
    inner = [p for p in paths if not isinstance(graph.nodes[p.target], nir.Output)]
    sequence, closing = order(start, {(p.source, p.target) for p in inner})
    _check_reach({output, *(p.source for p in inner), *(p.target for p in inner)}, sequence)
    shapes, ways = _propagate(graph, inner, sequence, closing, dialect)
    _check_memory(ways, dialect)
    arrivals = _fold(ways)
    populations = _populations(graph, sequence, shapes, arrivals, closing, dialect)
    projections = _projections(populations, arrivals, closing, dialect)
    return Network(populations, projections, sequence.index(output), dialect, sha256)


def _output(graph: nir.NIRGraph, paths: list[Path]) -> tuple[str, str]:
    """Return the input node and the population that the output node reads."""
    start = next(name for name, node in graph.nodes.items() if isinstance(node, nir.Input))
    read = [p for p in paths if isinstance(graph.nodes[p.target], nir.Output)]
    faults = [
        f"node {name!r}: between the last population and the output only a Flatten is supported yet"
        for p in read
        for name in p.through
        if not isinstance(graph.nodes[name], nir.Flatten)
    ]
    if len(read) != 1 or read[0].source == start:
        faults.append(f"the output reads {[p.source for p in read]}, expected one population of neurons")
    if faults:
        raise InputError("network", faults)
    return start, read[0].source


def _check_reach(populations: set[str], sequence: list[str]) -> None:
    """Refuse populations out of the input's reach."""
    lost = sorted(populations - set(sequence))
    if lost:
        raise InputError("network", [f"node {name!r}: cannot be reached from the input" for name in lost])


def _propagate(
    graph: nir.NIRGraph,
    paths: list[Path],
    sequence: list[str],
    closing: set[tuple[str, str]],
    dialect: Dialect,
) -> tuple[dict[str, Shape], list[_Way]]:
    """Carry shapes from the input on; a population's is that of the first signal that reaches it."""
    sizes = numbers(sequence[0], "shape", graph.nodes[sequence[0]].input_type["input"], "float64")
    shapes = {sequence[0]: tuple(int(n) for n in sizes.ravel())}
    ways: list[_Way] = []
    faults = _value_faults(graph, dialect)
    # paths that close a cycle come last: by then the shape of every source is known
    for path in sorted(paths, key=lambda p: ((p.source, p.target) in closing, sequence.index(p.source))):
        if path.source not in shapes:
            continue  # the fault that left it without a shape is on the list already
        try:
            shape = _checked(path.source, shapes[path.source])
            stages = read_stages([(n, graph.nodes[n]) for n in path.through], shape, dialect)
            way = _Way(path, stages, shape, _synapse(graph, path))
            target = _checked(path.target, shapes.setdefault(path.target, way.arrives))
        except InputError as error:
            faults += error.faults
            continue
        if np.prod(way.arrives) != np.prod(target):
            faults.append(f"{path.target}: {path.source} hands it {way.arrives}, others {target}")
        ways.append(way)
    if faults:
        raise InputError("network", dict.fromkeys(faults))
    return shapes, ways


def _value_faults(graph: nir.NIRGraph, dialect: Dialect) -> list[str]:
    """Look at the numbers of every node, whatever the shapes are."""
    faults: list[str] = []
    for name, node in sorted(graph.nodes.items()):
        for field in ("weight", "bias", "scale", "delay"):
            if hasattr(node, field):
                try:
                    checked(name, field, getattr(node, field), dialect.dtype)
                except InputError as error:
                    faults += error.faults
        if type(node) in NEURONS:
            try:
                read_parameters(name, node, dialect)
            except InputError as error:
                faults += error.faults
    return faults


def _checked(name: str, shape: Shape) -> Shape:
    size = int(np.prod([float(n) for n in shape]))
    if not shape or min(shape) < 1 or size > MAX_NEURONS:
        raise InputError(
            name, [f"{name}: a population of shape {shape}; 1 to {MAX_NEURONS} neurons are read"]
        )
    return shape


def _check_memory(ways: list[_Way], dialect: Dialect) -> None:
    """Predict what the projections take, and refuse them by name before anything of that size is made."""
    itemsize = np.dtype(dialect.dtype).itemsize
    demands = [(demand(w.stages, int(np.prod(w.shape)), itemsize), w) for w in ways]
    needed, there = sum(size for size, _ in demands), available_bytes()
    if there is None or needed <= there:
        return
    faults = [f"the synapses {shortage(needed, there)}"]
    for size, way in sorted(demands, key=lambda pair: -pair[0])[:5]:
        faults.append(f"{way.name}: {way.shape} to {way.arrives}, {size / 2**30:.3g} GiB")
    raise InputError("network", faults)


def _fold(ways: list[_Way]) -> list[_Arrival]:
    arrivals: list[_Arrival] = []
    faults: list[str] = []
    for way in ways:
        try:
            arrivals += [_Arrival(way, chain) for chain in fold(way.name, way.stages, way.shape)]
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError("network", dict.fromkeys(faults))
    return arrivals


def _populations(
    graph: nir.NIRGraph,
    sequence: list[str],
    shapes: dict[str, Shape],
    arrivals: list[_Arrival],
    closing: set[tuple[str, str]],
    dialect: Dialect,
) -> tuple[Population, ...]:
    populations = [Population(sequence[0], "Input", shapes[sequence[0]], None)]
    faults: list[str] = []
    for name in sequence[1:]:
        shape, node = shapes[name], graph.nodes[name]
        biases: dict[BiasKey, Bias] = {}
        # two sources may share one Affine: its bias arrives once per way from it to the target
        for arrival in (a for a in arrivals if a.way.path.target == name):
            path = arrival.way.path
            first = 0 if dialect.recurrent_bias_at_t0 or (path.source, path.target) not in closing else 1
            for key, bias in arrival.chain.biases.items():
                since = max(first, bias.since)
                if key not in biases or since < biases[key].since:
                    biases[key] = Bias(since, bias.values)
        size = int(np.prod(shape))
        starts = sorted({bias.since for bias in biases.values()} - {0})
        early = tuple((until, _sum(biases.values(), until, size)) for until in starts)
        total = _sum(biases.values(), np.inf, size)
        try:
            law = dynamics(name, node, shape, total, dialect, early)
        except InputError as error:
            faults += error.faults
            continue
        populations.append(Population(name, type(node).__name__, shape, law))
    if faults:
        raise InputError("network", faults)
    return tuple(populations)


def _sum(biases: Iterable[Bias], before: float, size: int) -> Doubles:
    """Add up the biases that have begun before a step."""
    total: Doubles = np.sum([*(b.values for b in biases if b.since < before), np.zeros(size)], axis=0)
    return total


def _projections(
    populations: tuple[Population, ...],
    arrivals: list[_Arrival],
    closing: set[tuple[str, str]],
    dialect: Dialect,
) -> tuple[Projection, ...]:
    index = {population.name: k for k, population in enumerate(populations)}
    ways = {id(a.way): a.way for a in arrivals}
    shared = Counter(way.name for way in ways.values())
    projections = []
    for arrival in arrivals:
        way, chain, operator = arrival.way, arrival.chain, arrival.chain.operator
        path, name = way.path, way.name
        if shared[name] > 1:
            name = ">".join((path.source, *path.through, path.target))
        name += chain.suffix
        ends = index[path.source], index[path.target]
        source, target = (populations[end] for end in ends)
        late: int = dialect.output_delay if source.dynamics is not None else 0
        if (path.source, path.target) in closing:
            late = dialect.recurrent_delay
        weight = chain.weights(name, np.dtype(dialect.dtype))
        bare = Projection(name, *ends, "dense", weight, delay=chain.delay + late, graded=source.graded)
        if isinstance(operator, Kernel):
            positions = int(np.prod(operator.target[1:]))
            projection = replace(
                bare,
                kind="conv2d",
                stride=operator.stride,
                padding=operator.padding,
                dilation=operator.dilation,
                groups=operator.groups,
                source_map=operator.source if operator.source != source.shape else None,
                target_map=operator.target if operator.target != target.shape else None,
                macs=None if operator.macs == weight.size * positions else operator.macs,
            )
        else:
            projection = replace(bare, macs=None if operator.macs == weight.size else operator.macs)
        projections.append(projection)
    return tuple(sorted(projections, key=lambda p: (p.target, p.source, p.name)))


def _synapse(graph: nir.NIRGraph, path: Path) -> str:
    """Return the node that holds the weights of a path, or the path's ends where it has none."""
    synapses = [n for n in path.through if isinstance(graph.nodes[n], SYNAPSES)]
    return synapses[0] if synapses else f"{path.source}>{path.target}"
