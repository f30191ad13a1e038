"""The mapper: network -> cores, chips, boards, memory and hops, by the rule of the platform's family.

========== ==========================================================================================
family     rule
========== ==========================================================================================
loihi      one population a set of cores (`manycore`); a convolution keeps its kernel once a core
spinnaker  the same; synapses lie in the chip's shared memory, convolutions expanded to synapses
memristor  one projection a grid of crossbar tiles, ``ceil(rows / usable) x ceil(columns / 256)``; a
           convolution is a matrix of ``C_in*kh*kw`` rows, used once a position
akida      one layer on as many NPUs as its weights fill; feed-forward layers alone
gpu, cpu   the whole network on one device, as far as its memory goes
========== ==========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from nmbench.energy.card import Card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.manycore import place_on_cores
from nmbench.energy.mapping import Mapping, Misfit, Placement, Route, Stream, mesh, over, switched_on
from nmbench.energy.outline import Outline, outline
from nmbench.network.network import Network


def place(network: Network | Outline, card: Card, conditions: Conditions = USUAL) -> Mapping | Misfit:
    """Place a network on a platform.

    Parameters
    ----------
    network
        Or its outline alone: sizes without weights.
    conditions
        Of the run, where a measurement states them.

    Returns
    -------
    Mapping | Misfit
        `Misfit` names each limit that the network breaks, and by how much.
    """
    sizes = network if isinstance(network, Outline) else outline(network)
    if card.family in ("loihi", "spinnaker"):
        return place_on_cores(sizes, card, conditions)
    placed = _RULES[card.family](sizes, card)
    if isinstance(placed, Misfit):
        return placed
    on = switched_on(placed.chips, card, conditions)
    if isinstance(on, Misfit):
        return on
    return replace(placed, chips=on.chips, boards=on.boards, conditions=conditions)


def _place_on_crossbars(sizes: Outline, card: Card) -> Mapping | Misfit:
    routes = []
    for link in sizes.links:
        conv = link.kind == "conv2d"
        read, written = sizes.maps(link)
        rows, columns = math.prod(read), math.prod(written)
        if conv:
            rows, columns = read[0] * math.prod(link.kernel), written[0]
        # groups of channels are blocks on the diagonal of one matrix, or matrices side by side
        tiles = min(
            (_tiles(card, rows / parts, columns / parts, parts) for parts in {1, link.groups}), key=math.prod
        )
        positions = math.prod(written[1:]) if conv else 1
        routes.append(Route(link.name, "conv" if conv else "dense", tiles, positions))
    used = [sum(math.prod(routes[i].tiles) for i in sizes.incoming[g]) for g in range(len(sizes.groups))]
    if sum(used) > card.value("cores_per_chip"):
        most = max(range(len(used)), key=lambda g: used[g])
        fault = over("crossbar tiles", sum(used), card.value("cores_per_chip"))
        return Misfit((f"{fault}; {sizes.groups[most].name} alone takes {used[most]:,}",))
    area = card.value("rows_per_tile") * card.value("columns_per_tile")
    bytes_ = [math.ceil(n * area * card.value("synapse_bits") / 8) for n in used]
    return _mapping(sizes, used, bytes_, "crossbar tiles", routes)


def _tiles(card: Card, rows: float, columns: float, parts: int) -> tuple[int, int]:
    """Return the tiles down and across of so many matrices side by side."""
    down, across = rows / card.value("rows_per_tile"), columns / card.value("columns_per_tile")
    return math.ceil(down), math.ceil(across) * parts


def _place_on_npus(sizes: Outline, card: Card) -> Mapping | Misfit:
    recurrent = sum(link.target <= link.source for link in sizes.links)
    delayed = sum(link.target > link.source and link.delay > 0 for link in sizes.links)
    stateful = [f"{n} {what}" for n, what in ((recurrent, "recurrent"), (delayed, "delayed")) if n]
    faults = []
    if stateful:
        faults.append(
            f"feed-forward layers only, no state from step to step: {' and '.join(stateful)} of "
            f"{len(sizes.links)} projections"
        )
    bytes_ = _weight_bytes(sizes, card)
    used = [0, *(max(1, math.ceil(b / card.value("synapse_bytes_per_core"))) for b in bytes_[1:])]
    if sum(used) > card.value("cores_per_chip"):
        faults.append(over("NPUs", sum(used), card.value("cores_per_chip")))
    if sum(bytes_) > card.value("synapse_bytes_per_chip"):
        faults.append(over("weights of a chip", sum(bytes_), card.value("synapse_bytes_per_chip"), "bytes"))
    if faults:
        return Misfit(tuple(faults))
    return _mapping(sizes, used, bytes_, "synapse bytes", _plain_routes(sizes))


def _place_on_device(sizes: Outline, card: Card) -> Mapping | Misfit:
    bytes_ = _weight_bytes(sizes, card)
    memory = card.value("synapse_bytes_per_chip")
    if sum(bytes_) > memory:
        return Misfit((over("memory of the device", sum(bytes_), memory, "bytes"),))
    used = [0, *(1 for _ in sizes.groups[1:])]
    return _mapping(sizes, used, bytes_, "one device", _plain_routes(sizes))


_RULES: dict[str, Callable[[Outline, Card], Mapping | Misfit]] = {
    "memristor": _place_on_crossbars,
    "akida": _place_on_npus,
    "gpu": _place_on_device,
    "cpu": _place_on_device,
}


def _weight_bytes(sizes: Outline, card: Card) -> list[int]:
    """Count the bytes of each group's incoming weights, kernels stored once."""
    bits = card.value("synapse_bits")
    kept = sizes.listed_weights if card.model in ("events", "either") else sizes.stored_weights
    stored = [[kept(sizes.links[i]) for i in incoming] for incoming in sizes.incoming]
    return [math.ceil(sum(weights) * bits / 8) for weights in stored]


def _plain_routes(sizes: Outline) -> list[Route]:
    return [Route(link.name, "conv" if link.kind == "conv2d" else "dense") for link in sizes.links]


def _mapping(
    sizes: Outline, used: Sequence[int], bytes_: Sequence[int], binding: str, routes: Sequence[Route]
) -> Mapping:
    placements = tuple(
        Placement(group.name, n, math.ceil(group.size / n) if n else 0, size, binding, {binding: n})
        for group, n, size in zip(sizes.groups, used, bytes_, strict=True)
    )
    return Mapping(
        outline=sizes,
        placements=placements,
        routes=tuple(routes),
        streams=tuple(Stream(link.source, link.target, 1.0) for link in sizes.streams),
        chips=1,
        boards=1,
        input_cores=0,
        mesh=mesh(sum(used)),
    )
