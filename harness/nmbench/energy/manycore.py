"""Placement on chips of many cores: Loihi, Loihi 2, SpiNNaker, SpiNNaker 2.

A population takes as many cores as its scarcest resource asks for (MODELS.md, "Mapper"); no core holds
two populations. Resources, where the card limits them: neurons, synapse memory, all memory (neurons and
synapses together), input axons and output axons of a core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nmbench.energy.card import Card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.mapping import Mapping, Misfit, Placement, Route, Storage, Stream, mesh, over
from nmbench.energy.outline import Outline
from nmbench.energy.split import Cuts, Part, axons_in, cuts, destinations, synapse_bytes

ROUNDS = 20
"""Output axons depend on the targets' cores, which depend on theirs: at most so many rounds."""

Use = Callable[[Part], float]


def place_on_cores(outline: Outline, card: Card, conditions: Conditions = USUAL) -> Mapping | Misfit:
    """Place every population; `Misfit` names each limit that is broken, per population and for the whole."""
    ways = [cuts(outline, group) for group in range(len(outline.groups))]
    parts = [way.part(0) for way in ways]
    asked: list[dict[str, int]] = [{} for _ in ways]
    faults: list[str] = []
    for _ in range(ROUNDS):
        before = list(parts)
        for group in reversed(range(1, len(ways))):
            found = _settle(outline, card, group, ways[group], parts)
            if isinstance(found, Misfit):
                faults += found.faults
            else:
                parts[group], asked[group] = found
        if faults:
            return Misfit(tuple(faults))
        if parts == before:
            break
    else:
        faults.append(f"output axons: no placement settles in {ROUNDS} rounds")
    placements = [_placement(outline, card, g, parts[g], asked[g]) for g in range(len(ways))]
    cores = sum(placement.cores for placement in placements)
    memory = sum(placement.synapse_bytes for placement in placements)
    chips = _chips(card, cores, memory)
    boards = math.ceil(chips / card.value("chips_per_board"))
    if chips > card.value("chips"):
        faults.append(over("chips", chips, card.value("chips")))
    if faults:
        return Misfit(tuple(faults))
    return Mapping(
        outline=outline,
        placements=tuple(placements),
        routes=tuple(_route(outline, card, i, parts) for i in range(len(outline.links))),
        streams=tuple(
            Stream(link.source, link.target, destinations(outline, link, parts[link.target]))
            for link in outline.streams
        ),
        chips=chips,
        boards=boards,
        input_cores=conditions.input_cores
        or math.ceil(outline.groups[0].size / card.value("neurons_per_core")),
        mesh=mesh(math.ceil(cores / card.value("cores_per_router"))),
        conditions=conditions,
    )


def _settle(
    outline: Outline, card: Card, group: int, ways: Cuts, parts: Sequence[Part]
) -> tuple[Part, dict[str, int]] | Misfit:
    """Choose the coarsest cut of one group that fits every resource, and what each alone would ask for."""
    tests = {
        resource: _within(use, card.value(resource))
        for resource, use in _uses(outline, card, group, parts).items()
    }
    alone = {resource: ways.first(test) for resource, test in tests.items()}
    way = ways.first(lambda part: all(test(part) for test in tests.values()))
    if way is None:
        finest = ways.part(len(ways) - 1)
        uses = _uses(outline, card, group, parts)
        name = outline.groups[group].name
        return Misfit(
            tuple(
                over(f"{name}: {resource.replace('_', ' ')}", uses[resource](finest), card.value(resource))
                for resource, test in tests.items()
                if not test(finest)
            )
        )
    return ways.part(way), {r: ways.part(w).cores for r, w in alone.items() if w is not None}


def _within(use: Use, limit: float) -> Callable[[Part], bool]:
    return lambda part: use(part) <= limit


def _uses(outline: Outline, card: Card, group: int, parts: Sequence[Part]) -> dict[str, Use]:
    """Return, by the name of its limit, how much of a resource one part of the group takes."""
    links, streams = outline.links, outline.streams
    neuron_bytes = _neuron_bytes(card, outline.groups[group].model)

    def synapses(part: Part) -> float:
        return sum(synapse_bytes(outline, links[i], part, card)[0] for i in outline.incoming[group])

    def messages_in(part: Part) -> float:
        return sum(axons_in(outline, stream, part) for stream in streams if stream.target == group)

    def messages_out(part: Part) -> float:
        reached = [
            destinations(outline, stream, part if stream.target == group else parts[stream.target])
            for stream in streams
            if stream.source == group
        ]
        return part.neurons * sum(reached)

    uses: dict[str, Use] = {
        "neurons_per_core": lambda part: part.neurons,
        "synapse_bytes_per_core": synapses,
        "memory_bytes_per_core": lambda part: part.neurons * neuron_bytes + synapses(part),
        "axons_in_per_core": messages_in,
        "axons_out_per_core": messages_out,
    }
    return {name: use for name, use in uses.items() if card.limit(name) is not None}


def _neuron_bytes(card: Card, model: str) -> float:
    own = card.limit(f"neuron_bytes_{model.lower()}")
    return own if own is not None else card.limit("neuron_bytes") or 0.0


def _placement(outline: Outline, card: Card, group: int, part: Part, asked: dict[str, int]) -> Placement:
    name = outline.groups[group].name
    if group == 0:
        return Placement(name, 0, 0, 0, "none: the input", {})
    per_core = sum(synapse_bytes(outline, outline.links[i], part, card)[0] for i in outline.incoming[group])
    binding = max(asked, key=lambda resource: asked[resource])
    return Placement(name, part.cores, part.neurons, math.ceil(per_core * part.cores), binding, asked)


def _route(outline: Outline, card: Card, index: int, parts: Sequence[Part]) -> Route:
    link = outline.links[index]
    part = parts[link.target]
    _, full = synapse_bytes(outline, link, part, card)
    storage: Storage = "conv" if link.kind == "conv2d" else "dense" if full else "sparse"
    return Route(link.name, storage)


def _input_cores(outline: Outline, card: Card) -> int:
    return math.ceil(outline.groups[0].size / card.value("neurons_per_core"))


def _chips(card: Card, cores: int, memory: int) -> int:
    chips = math.ceil(cores / card.value("cores_per_chip"))
    shared = card.limit("synapse_bytes_per_chip")
    return max(chips, math.ceil(memory / shared)) if shared else chips
