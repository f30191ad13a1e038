"""Graphs within graphs, written out as one flat graph."""

from __future__ import annotations

import nir

from nmbench.errors import InputError

MAX_DEPTH = 16
"""Deepest nesting of graphs that is read."""

Nodes = dict[str, nir.NIRNode]
Edges = list[tuple[str, str]]


def flatten(graph: nir.NIRGraph) -> nir.NIRGraph:
    """Return the graph with the nodes of every graph in it as its own; the one handed in stays as it is.

    Node ``b`` of graph ``a`` becomes ``a.b``. The Input and Output of ``a`` vanish: whatever leads to ``a``
    leads to what its Input leads to. Edges of NIR do not name a port, so either may stand only once.

    Raises
    ------
    InputError
        Every graph in it with several inputs or outputs, and names that collide.
    """
    faults: list[str] = []
    nodes, edges = _flat(graph, "", faults, 0)
    if faults:
        raise InputError("network", faults)
    return nir.NIRGraph(nodes, edges, type_check=False)


def _flat(graph: nir.NIRGraph, prefix: str, faults: list[str], depth: int) -> tuple[Nodes, Edges]:
    if depth > MAX_DEPTH:
        raise InputError("network", [f"node {prefix[:-1]!r}: graphs nested deeper than {MAX_DEPTH}"])
    nodes: Nodes = {}
    edges = [(f"{prefix}{a}", f"{prefix}{b}") for a, b in graph.edges]
    for name, node in graph.nodes.items():
        full = f"{prefix}{name}"
        if not isinstance(node, nir.NIRGraph):
            inner, ports = {full: node}, []
        else:
            inner, joined = _flat(node, f"{full}.", faults, depth + 1)
            ports = _ports(full, node, faults)
            edges = _enter([*edges, *joined], full, ports)
            inner = {n: v for n, v in inner.items() if n not in ports}
        faults += [f"node {n!r}: stands twice, once inside a graph" for n in inner if n in nodes]
        nodes |= inner
    return nodes, edges


def _ports(name: str, graph: nir.NIRGraph, faults: list[str]) -> list[str]:
    """Return the names of a nested graph's input and output."""
    ports = []
    for kind in (nir.Input, nir.Output):
        found = sorted(f"{name}.{n}" for n, node in graph.nodes.items() if type(node) is kind)
        if len(found) != 1:
            faults.append(
                f"node {name!r}: {len(found)} nodes of kind {kind.__name__} in this graph, "
                "exactly 1 is supported"
            )
        ports += found
    return ports


def _enter(edges: Edges, name: str, ports: list[str]) -> Edges:
    """Lead the edges to a nested graph through its input, those from it through its output."""
    if len(ports) != 2:
        return edges  # a fault by now
    entry, leave = ports
    edges = [(leave if a == name else a, entry if b == name else b) for a, b in edges]
    for port in ports:
        before = [a for a, b in edges if b == port]
        behind = [b for a, b in edges if a == port]
        edges = [edge for edge in edges if port not in edge] + [(a, b) for a in before for b in behind]
    return edges
