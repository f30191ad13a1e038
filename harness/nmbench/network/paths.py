"""Paths of a NIR graph: from a population through synapses to the next, and the order they impose."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import nir

from nmbench.errors import InputError, unknown
from nmbench.network.primitives import NEURONS

SYNAPSES = (nir.Affine, nir.Linear, nir.Conv1d, nir.Conv2d, nir.SumPool2d, nir.AvgPool2d)
WIRES = (nir.Flatten, nir.Delay, nir.Scale)
SUPPORTED = (nir.Input, nir.Output, *NEURONS, *SYNAPSES, *WIRES)
MAX_PATHS = 10_000
"""More ways from a population to the next are refused: a small file can hold exponentially many."""


@dataclass(frozen=True)
class Path:
    """Names of the nodes from one population (``source``) to the next or to the output (``target``)."""

    source: str
    through: tuple[str, ...]
    target: str


def check_nodes(graph: nir.NIRGraph) -> None:
    """Raise an InputError that lists every node of an unsupported kind and every faulty edge."""
    kinds = [kind.__name__ for kind in SUPPORTED]
    faults = [
        f"node {name!r}: {unknown('kind of node', type(node).__name__, kinds)}"
        for name, node in sorted(graph.nodes.items())
        if type(node) not in SUPPORTED
    ]
    for edge, count in sorted(Counter((str(a), str(b)) for a, b in graph.edges).items()):
        faults += [f"edge {edge}: no node {end!r}" for end in edge if end not in graph.nodes]
        if count > 1:
            faults.append(f"edge {edge}: stands {count} times")
    for kind in (nir.Input, nir.Output):
        names = sorted(name for name, node in graph.nodes.items() if type(node) is kind)
        if len(names) != 1:
            faults.append(f"{len(names)} nodes of kind {kind.__name__} {names}, exactly 1 is supported")
    if faults:
        raise InputError("network", faults)


def trace(graph: nir.NIRGraph) -> list[Path]:
    """Return every path between populations, sorted; a node on none of them is a fault.

    Raises
    ------
    InputError
        Loops without a neuron, dead ends, more than `MAX_PATHS` paths.
    """
    following: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted((str(a), str(b)) for a, b in graph.edges):
        following[source].append(target)
    ends = {name for name, node in graph.nodes.items() if type(node) not in (*SYNAPSES, *WIRES)}
    paths: list[Path] = []
    for source in sorted(ends):
        open_ends: list[tuple[str, ...]] = [(n,) for n in following[source]]
        while open_ends:
            chain = open_ends.pop()
            if chain[-1] in ends:
                paths.append(Path(source, chain[:-1], chain[-1]))
            elif chain[-1] in chain[:-1]:
                raise InputError(
                    "network", [f"a loop without a neuron: {' -> '.join(chain)}, nothing in it takes a step"]
                )
            else:
                open_ends += [(*chain, n) for n in following[chain[-1]]]
            if len(paths) + len(open_ends) > MAX_PATHS:
                raise InputError("network", [f"more than {MAX_PATHS} paths between populations"])
    on_a_path = {name for p in paths for name in (p.source, *p.through, p.target)}
    stray = sorted(set(graph.nodes) - on_a_path)
    if stray:
        raise InputError("network", [f"node {name!r}: lies between no two populations" for name in stray])
    return sorted(paths, key=lambda p: (p.source, p.target, p.through))


def order(start: str, edges: set[tuple[str, str]]) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the nodes reachable from the start in topological order, and the edges that close a cycle.

    One depth-first search, successors by name: an edge to a node still open closes a cycle; without
    those edges the order in which the nodes are left, reversed, is topological (Cormen et al.,
    Introduction to Algorithms, section "Topological sort").
    """
    following: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted(edges):
        following[source].append(target)
    closing: set[tuple[str, str]] = set()
    left: list[str] = []
    entered, open_nodes = {start}, {start}
    stack = [(start, iter(following[start]))]
    while stack:
        node, successors = stack[-1]
        for successor in successors:
            if successor in open_nodes:
                closing.add((node, successor))
            elif successor not in entered:
                entered.add(successor)
                open_nodes.add(successor)
                stack.append((successor, iter(following[successor])))
                break
        else:
            stack.pop()
            open_nodes.remove(node)
            left.append(node)
    return left[::-1], closing
