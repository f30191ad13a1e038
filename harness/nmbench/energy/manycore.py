"""Placement on chips of many cores: Loihi, Loihi 2, SpiNNaker, SpiNNaker 2.

A population takes as many cores as its scarcest resource asks for (MODELS.md, "Mapper"); no core holds
two populations. Resources, where the card limits them: neurons, synapse memory, all memory (neurons and
synapses together), input axons and output axons of a core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nmbench.energy.card import Card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.mapping import (
    Mapping,
    Misfit,
    Placement,
    Route,
    Stream,
    mesh,
    over,
    switched_on,
)
from nmbench.energy.outline import Outline
from nmbench.energy.split import Cuts, Part, Storage, axons_in, cuts, destinations, synapse_bytes

ROUNDS = 20
"""Output axons depend on the targets' cores, which depend on theirs: at most so many rounds."""

RESOURCES = (
    "neurons_per_core",
    "synapse_bytes_per_core",
    "memory_bytes_per_core",
    "axons_in_per_core",
    "axons_out_per_core",
)
"""Limits of a core, by name; a card has some of them."""

Use = Callable[[Part], float]


@dataclass(frozen=True)
class _Chip:
    """What of a card the placement reads, once."""

    limits: dict[str, float]
    storage: Storage
    neuron_bytes: dict[str, float]
    powers: bool

    @classmethod
    def of(cls, card: Card, models: set[str]) -> _Chip:
        limits = {name: card.limit(name) for name in RESOURCES}
        usual = card.limit("neuron_bytes") or 0.0
        own = {model: card.limit(f"neuron_bytes_{model.lower()}") for model in models}
        return cls(
            limits={name: limit for name, limit in limits.items() if limit is not None},
            storage=Storage.of(card),
            neuron_bytes={m: usual if size is None else size for m, size in own.items()},
            powers=bool(card.limit("power_of_two_tiles")),
        )


def place_on_cores(outline: Outline, card: Card, conditions: Conditions = USUAL) -> Mapping | Misfit:
    """Place every population; `Misfit` names each limit that is broken, per population and for the whole."""
    chip = _Chip.of(card, {group.model for group in outline.groups})
    settled = _settle_all(outline, chip)
    if isinstance(settled, Misfit):
        return settled
    parts, asked = settled
    placements = [_placement(outline, chip, g, parts[g], asked[g]) for g in range(len(parts))]
    cores = sum(placement.cores for placement in placements)
    memory = sum(placement.synapse_bytes for placement in placements)
    on = switched_on(_chips(card, cores, memory), card, conditions)
    if isinstance(on, Misfit):
        return Misfit((*on.faults, _largest(placements)))
    return Mapping(
        outline=outline,
        placements=tuple(placements),
        routes=tuple(_route(outline, chip, i, parts) for i in range(len(outline.links))),
        streams=tuple(
            Stream(link.source, link.target, destinations(outline, link, parts[link.target]))
            for link in outline.streams
        ),
        chips=on.chips,
        boards=on.boards,
        input_cores=conditions.input_cores
        or math.ceil(
            outline.groups[0].size / (card.limit("inputs_per_core") or card.value("neurons_per_core"))
        ),
        mesh=mesh(math.ceil(cores / card.value("cores_per_router"))),
        conditions=conditions,
    )


def _settle_all(outline: Outline, chip: _Chip) -> tuple[list[Part], list[dict[str, int]]] | Misfit:
    """Choose the part of every group, and what each resource alone would ask for."""
    ways = [cuts(outline, group, powers=chip.powers) for group in range(len(outline.groups))]
    parts = [way.part(0) for way in ways]
    asked: list[dict[str, int]] = [{} for _ in ways]
    faults: list[str] = []
    alike: dict[object, tuple[Part, dict[str, int]] | Misfit] = {}
    # only output axons look at other groups' parts
    for _ in range(ROUNDS if "axons_out_per_core" in chip.limits else 1):
        before = list(parts)
        for group in reversed(range(1, len(ways))):
            # a thousand like populations are settled once; a misfit names its population
            kind = _kind(outline, chip, group, parts)
            found = alike.get(kind)
            if found is None or isinstance(found, Misfit):
                found = alike[kind] = _settle(outline, chip, group, ways[group], parts)
            if isinstance(found, Misfit):
                faults += found.faults
            else:
                parts[group], asked[group] = found
        if faults:
            return Misfit(tuple(faults))
        if parts == before or "axons_out_per_core" not in chip.limits:
            return parts, asked
    return Misfit((f"output axons: no placement settles in {ROUNDS} rounds",))


def _kind(outline: Outline, chip: _Chip, group: int, parts: Sequence[Part]) -> object:
    """Return all that the choice of a group's part looks at: equal for two groups, they are cut alike."""
    into = [outline.links[i] for i in outline.incoming[group]]
    reading = [outline.links[i].kind for i in outline.outgoing[group]]
    streams = [outline.streams[i] for i in outline.streams_from[group]]
    reached: list[object] = []
    if "axons_out_per_core" in chip.limits:
        reached = [
            (s.form, outline.groups[s.target].shape, s.target == group, parts[s.target]) for s in streams
        ]
    own = outline.groups[group]
    sources = [(link.form, outline.groups[link.source].shape, link.source) for link in into]
    return own.shape, own.model, "conv2d" in reading, tuple(_alike(sources)), tuple(reached)


def _alike(sources: Sequence[tuple[object, tuple[int, ...], int]]) -> Iterator[tuple[object, ...]]:
    """Replace sources by numbers in their order: which links share one matters, not which it is."""
    numbers: dict[int, int] = {}
    for form, shape, source in sources:
        yield form, shape, numbers.setdefault(source, len(numbers))


def _settle(
    outline: Outline, chip: _Chip, group: int, ways: Cuts, parts: Sequence[Part]
) -> tuple[Part, dict[str, int]] | Misfit:
    """Choose the coarsest cut of one group that fits every resource, and what each alone would ask for."""
    uses = _uses(outline, chip, group, parts)
    tests = {resource: _within(use, chip.limits[resource]) for resource, use in uses.items()}
    alone = {resource: ways.first(test) for resource, test in tests.items()}
    start = max((way for way in alone.values() if way is not None), default=0)
    way = ways.first(lambda part: all(test(part) for test in tests.values()), start)
    if way is None:
        finest = ways.part(len(ways) - 1)
        name = outline.groups[group].name
        return Misfit(
            tuple(
                over(f"{name}: {resource.replace('_', ' ')}", uses[resource](finest), chip.limits[resource])
                for resource, test in tests.items()
                if not test(finest)
            )
        )
    return ways.part(way), {r: ways.part(w).cores for r, w in alone.items() if w is not None}


def _within(use: Use, limit: float) -> Callable[[Part], bool]:
    return lambda part: use(part) <= limit


def _uses(outline: Outline, chip: _Chip, group: int, parts: Sequence[Part]) -> dict[str, Use]:
    """Return, by the name of its limit, how much of a resource one part of the group takes."""
    into = [outline.links[i] for i in outline.incoming[group]]
    streams_in = [outline.streams[i] for i in outline.streams_into[group]]
    streams_out = [outline.streams[i] for i in outline.streams_from[group]]
    neuron_bytes = chip.neuron_bytes[outline.groups[group].model]

    known: dict[Part, float] = {}

    def synapses(part: Part) -> float:
        if part not in known:
            known[part] = sum(synapse_bytes(outline, link, part, chip.storage)[0] for link in into)
        return known[part]

    def messages_in(part: Part) -> float:
        return sum(axons_in(outline, stream, part) for stream in streams_in)

    def messages_out(part: Part) -> float:
        reached = [
            destinations(outline, stream, part if stream.target == group else parts[stream.target])
            for stream in streams_out
        ]
        return part.neurons * sum(reached)

    uses: dict[str, Use] = {
        "neurons_per_core": lambda part: part.slots,
        "synapse_bytes_per_core": synapses,
        "memory_bytes_per_core": lambda part: part.slots * neuron_bytes + synapses(part),
        "axons_in_per_core": messages_in,
        "axons_out_per_core": messages_out,
    }
    return {name: use for name, use in uses.items() if name in chip.limits}


def _placement(outline: Outline, chip: _Chip, group: int, part: Part, asked: dict[str, int]) -> Placement:
    name = outline.groups[group].name
    if group == 0:
        return Placement(name, 0, 0, 0, "none: the input", {})
    links = [outline.links[i] for i in outline.incoming[group]]
    per_core = sum(synapse_bytes(outline, link, part, chip.storage)[0] for link in links)
    binding = max(asked, key=lambda resource: asked[resource])
    return Placement(name, part.cores, part.neurons, math.ceil(per_core * part.cores), binding, asked)


def _route(outline: Outline, chip: _Chip, index: int, parts: Sequence[Part]) -> Route:
    link = outline.links[index]
    if link.kind == "conv2d":
        return Route(link.name, "conv")
    _, full = synapse_bytes(outline, link, parts[link.target], chip.storage)
    return Route(link.name, "dense" if full else "sparse")


def _chips(card: Card, cores: int, memory: int) -> int:
    chips = math.ceil(cores / card.value("cores_per_chip"))
    shared = card.limit("synapse_bytes_per_chip")
    return max(chips, math.ceil(memory / shared)) if shared else chips


def _largest(placements: Sequence[Placement]) -> str:
    """Say which population takes most cores, and for want of what."""
    most = max(placements, key=lambda placement: placement.cores)
    return f"{most.population} alone takes {most.cores:,} cores, by {most.binding.replace('_', ' ')}"
