"""Lower a NIR graph and a dialect to a `Network`: the arrays that simulators and models read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import nir
import numpy as np

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.network import Network, Population, Projection
from nmbench.network.paths import SYNAPSES, Path, check_nodes, order, trace
from nmbench.network.primitives import dynamics, numbers
from nmbench.network.synapses import Chain, fold

MAX_NEURONS = 2**24
"""Largest population that is lowered."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Arrival:
    """A path with what its nodes were folded into."""

    path: Path
    chain: Chain
    synapse: str


def lower(graph: nir.NIRGraph, dialect: Dialect, sha256: str) -> Network:
    """Lower a graph; it is left as it is.

    Populations stand in topological order, projections by target, then source, then name. In a cycle
    the edge that closes it in a depth-first search from the input (successors by name) is delivered
    ``dialect.recurrent_delay`` steps late, on top of any Delay node.

    Parameters
    ----------
    graph
        Nodes Input, Output, neurons, Affine, Linear, Conv2d, and Flatten, Delay, Scale before or behind
        them.
    sha256
        Hash of the file that the graph was read from.

    Raises
    ------
    InputError
        All faults of the graph by node: unsupported primitives, shapes, values, delays, stray nodes.
    """
    check_nodes(graph)
    paths = trace(graph)
    start, output = _output(graph, paths)
    inner = [p for p in paths if not isinstance(graph.nodes[p.target], nir.Output)]
    sequence, closing = order(start, {(p.source, p.target) for p in inner})
    _check_wiring(graph, inner, {output, *(p.source for p in inner), *(p.target for p in inner)}, sequence)
    shapes, arrivals = _propagate(graph, inner, sequence, closing, dialect)
    populations = _populations(graph, sequence, shapes, arrivals, dialect)
    projections = _projections(sequence, arrivals, closing, dialect)
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


def _check_wiring(graph: nir.NIRGraph, paths: list[Path], populations: set[str], sequence: list[str]) -> None:
    """Refuse populations out of the input's reach, and potentials handed on as if they were spikes."""
    faults = [
        f"node {name!r}: cannot be reached from the input" for name in sorted(populations - set(sequence))
    ]
    faults += [
        f"node {name!r}: {type(graph.nodes[name]).__name__} does not spike; "
        "as the source of another population it is not supported yet"
        for name in sorted({p.source for p in paths})
        if isinstance(graph.nodes[name], nir.LI | nir.CubaLI | nir.I)
    ]
    if faults:
        raise InputError("network", faults)


def _propagate(
    graph: nir.NIRGraph,
    paths: list[Path],
    sequence: list[str],
    closing: set[tuple[str, str]],
    dialect: Dialect,
) -> tuple[dict[str, Shape], list[_Arrival]]:
    """Carry shapes from the input on; a population's is that of the first signal that reaches it."""
    sizes = numbers(sequence[0], "shape", graph.nodes[sequence[0]].input_type["input"])
    shapes = {sequence[0]: tuple(int(n) for n in sizes.ravel())}
    arrivals: list[_Arrival] = []
    faults: list[str] = []
    # paths that close a cycle come last: by then the shape of every source is known
    for path in sorted(paths, key=lambda p: ((p.source, p.target) in closing, sequence.index(p.source))):
        if path.source not in shapes:
            continue  # the fault that left it without a shape is on the list already
        try:
            shape = _checked(path.source, shapes[path.source])
            chain = fold([(n, graph.nodes[n]) for n in path.through], shape, dialect.dt)
            shape = _checked(path.target, shapes.setdefault(path.target, chain.shape))
        except InputError as error:
            faults += error.faults
            continue
        if np.prod(chain.shape) != np.prod(shape):
            faults.append(f"{path.target}: {path.source} hands it {chain.shape}, others {shape}")
        arrivals.append(_Arrival(path, chain, _synapse(graph, path)))
    if faults:
        raise InputError("network", dict.fromkeys(faults))
    return shapes, arrivals


def _checked(name: str, shape: Shape) -> Shape:
    size = int(np.prod([float(n) for n in shape]))
    if not shape or min(shape) < 1 or size > MAX_NEURONS:
        raise InputError(
            name, [f"{name}: a population of shape {shape}; 1 to {MAX_NEURONS} neurons are read"]
        )
    return shape


def _populations(
    graph: nir.NIRGraph,
    sequence: list[str],
    shapes: dict[str, Shape],
    arrivals: list[_Arrival],
    dialect: Dialect,
) -> tuple[Population, ...]:
    populations = [Population(sequence[0], "Input", shapes[sequence[0]], None)]
    faults: list[str] = []
    for name in sequence[1:]:
        shape, node = shapes[name], graph.nodes[name]
        # two sources may share one Affine: its bias arrives once per way from it to the target
        biases = {
            arrival.path.through[position:]: bias
            for arrival in arrivals
            if arrival.path.target == name
            for position, bias in arrival.chain.bias.items()
        }
        total = np.sum([*biases.values(), np.zeros(int(np.prod(shape)))], axis=0)
        try:
            law = dynamics(name, node, shape, total, dialect)
        except InputError as error:
            faults += error.faults
            continue
        populations.append(Population(name, type(node).__name__, shape, law))
    if faults:
        raise InputError("network", faults)
    return tuple(populations)


def _projections(
    sequence: list[str], arrivals: list[_Arrival], closing: set[tuple[str, str]], dialect: Dialect
) -> tuple[Projection, ...]:
    shared = Counter(a.synapse for a in arrivals)
    projections = []
    for arrival in arrivals:
        path, chain, name = arrival.path, arrival.chain, arrival.synapse
        if shared[name] > 1:
            name = ">".join((path.source, *path.through, path.target))
        late = dialect.recurrent_delay if (path.source, path.target) in closing else 0
        projections.append(
            Projection(
                name,
                sequence.index(path.source),
                sequence.index(path.target),
                chain.kind,
                chain.weights(name),
                chain.stride,
                chain.padding,
                chain.delay + late,
            )
        )
    return tuple(sorted(projections, key=lambda p: (p.target, p.source, p.name)))


def _synapse(graph: nir.NIRGraph, path: Path) -> str:
    """Return the node that holds the weights of a path, or the path's ends where it has none."""
    synapses = [n for n in path.through if isinstance(graph.nodes[n], SYNAPSES)]
    return synapses[0] if synapses else f"{path.source}>{path.target}"
