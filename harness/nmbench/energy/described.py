"""Networks as a file of measurements describes them: sizes, no weights; a billion neurons take a line."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt

from nmbench.energy.outline import Group, Link, Outline
from nmbench.errors import unknown

MOST_POPULATIONS, MOST_PROJECTIONS = 4096, 65_536
MOST_NEURONS = 2_000_000_000
"""Of one population: two such, fully joined, have fewer pairs than int64 holds."""
LONGEST_MAP, LONGEST_KERNEL = 16_384, 255
"""Rows or columns of a map that a convolution touches, and of its kernel, stride and padding."""
MOST_PAIRS = 9 * 10**18
"""Multiply-accumulates of all projections together."""

NO_INPUT = "(no input)"
"""Stands first in the outline of a network without an input: one source that reaches nothing."""

_NUMERAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def number(value: object) -> object:
    """Take ``1e-3`` for a number: YAML 1.1 reads it as text, since it has no point."""
    return float(value) if isinstance(value, str) and _NUMERAL.fullmatch(value) else value


def count(value: object) -> object:
    """Take ``1.28e11`` for a whole number."""
    found = number(value)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _both(value: object) -> object:
    found = count(value)
    return (found, found) if isinstance(found, int) and not isinstance(found, bool) else found


def _synapses(value: object) -> object:
    found = count(value)
    if isinstance(found, str) and found not in ("dense", "one_to_one"):
        raise ValueError(unknown("synapses", found, ["dense", "one_to_one", "a count"]))
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise ValueError("dense, one_to_one or a whole number")
    if isinstance(found, int) and found < 0:
        raise ValueError(f"a count of at least 0, not {found}")
    return found


Name = Annotated[str, Field(min_length=1, max_length=100)]
Number = Annotated[FiniteFloat, BeforeValidator(number), Field(strict=True)]
NotNegative = Annotated[Number, Field(ge=0)]
Count = Annotated[StrictInt, BeforeValidator(count)]
Size = Annotated[Count, Field(ge=1, le=MOST_NEURONS)]
Side = Annotated[Count, Field(ge=1, le=LONGEST_KERNEL)]
Sides = Annotated[tuple[Side, Side], BeforeValidator(_both)]
Margin = Annotated[Count, Field(ge=0, le=LONGEST_KERNEL)]
Margins = Annotated[tuple[Margin, Margin], BeforeValidator(_both)]


class Described(BaseModel):
    """Strict: no unknown fields, no conversions beyond those of numerals."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DescribedPopulation(Described):
    """A population: ``neurons``, or ``shape``, as (channels, rows, columns) where convolutions touch it.

    ``input``: whether its spikes come from outside; unsaid, a population that projections leave and none
    enters is one. ``model``: NIR's name of the neuron, where a card has limits of its own for it.
    """

    name: Name
    neurons: Size | None = None
    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=3)] | None = None
    model: Name = "LIF"
    input: StrictBool | None = None

    @property
    def sides(self) -> tuple[int, ...]:
        """The shape; of a flat population its count of neurons."""
        return self.shape or (self.neurons or 0,)

    @property
    def size(self) -> int:
        """Count the neurons."""
        return math.prod(self.sides)


class DescribedProjection(Described):
    """A projection: one of ``synapses``, ``probability``, ``fan_out``, ``fan_in`` or a ``kernel``.

    ``synapses``: ``dense`` (all pairs), ``one_to_one``, or a count. ``probability``: share of the pairs that
    have one. ``fan_out``: synapses of a source neuron; ``fan_in``: of a target neuron, on average.
    ``kernel``: a convolution, of which a count of ``synapses`` may say how many connections are not zero.
    ``delay``: steps.
    """

    source: Name = Field(alias="from")
    target: Name = Field(alias="to")
    name: Name | None = None
    synapses: Annotated[int | str | None, BeforeValidator(_synapses)] = None
    probability: Annotated[Number, Field(ge=0, le=1)] | None = None
    fan_out: NotNegative | None = None
    fan_in: NotNegative | None = None
    kernel: Sides | None = None
    stride: Sides = (1, 1)
    padding: Margins = (0, 0)
    dilation: Sides = (1, 1)
    groups: Annotated[Count, Field(ge=1)] = 1
    delay: Annotated[Count, Field(ge=0, le=1_000_000)] = 0

    @property
    def label(self) -> str:
        """Its name, or ``from->to``."""
        return self.name or f"{self.source}->{self.target}"


class DescribedNetwork(Described):
    """Populations and the projections between them."""

    populations: Annotated[tuple[DescribedPopulation, ...], Field(min_length=1, max_length=MOST_POPULATIONS)]
    projections: Annotated[tuple[DescribedProjection, ...], Field(max_length=MOST_PROJECTIONS)] = ()


def network_faults(network: DescribedNetwork) -> list[str]:
    """List what is wrong with a network beyond its fields, each fault with its place."""
    faults = [
        f"populations.{i}: {fault}" for i, p in enumerate(network.populations) for fault in _size_faults(p)
    ]
    known = {p.name: p for p in network.populations}
    faults += _twice("populations", [p.name for p in network.populations])
    faults += _twice("projections", [q.label for q in network.projections])
    for i, link in enumerate(network.projections):
        ends = [(field, end) for field, end in (("from", link.source), ("to", link.target))]
        lost = [
            f"projections.{i}.{f}: {unknown('population', end, known)}" for f, end in ends if end not in known
        ]
        own = [] if lost else _link_faults(link, known[link.source], known[link.target])
        faults += lost + [f"projections.{i}: {fault}" for fault in own]
    return faults or _input_faults(network) or _pair_faults(network)


def _size_faults(population: DescribedPopulation) -> list[str]:
    if population.neurons is None and population.shape is None:
        return ["needs neurons or a shape"]
    if population.neurons not in (None, population.size):
        return [f"{population.neurons} neurons, but its shape has {population.size}"]
    if population.size > MOST_NEURONS:
        return [f"{population.size} neurons; at most {MOST_NEURONS}"]
    return []


def _twice(what: str, names: list[str]) -> list[str]:
    twice = [name for name, times in Counter(names).items() if times > 1]
    return [f"{what}: several are called {name!r}; give each a name of its own" for name in twice]


def _link_faults(
    link: DescribedProjection, source: DescribedPopulation, target: DescribedPopulation
) -> list[str]:
    stated = [
        field for field in ("probability", "fan_out", "fan_in", "kernel") if getattr(link, field) is not None
    ]
    if link.synapses is not None and (link.kernel is None or isinstance(link.synapses, str)):
        stated.insert(0, "synapses")
    if len(stated) != 1:
        ways = "synapses, probability, fan_out, fan_in or a kernel"
        return [f"needs one of {ways}, not {' and '.join(stated)}" if stated else f"needs {ways}"]
    if link.kernel is not None:
        return _kernel_faults(link, source, target)
    extra = [f for f in ("stride", "padding", "dilation", "groups") if f in link.model_fields_set]
    faults = [f"{field}: of a convolution, but there is no kernel" for field in extra]
    if link.synapses == "one_to_one" and source.size != target.size:
        faults.append(f"one_to_one, but {source.size} neurons meet {target.size}")
    pairs = source.size * target.size
    if (found := _synapse_count(link, source.size, target.size)) > pairs:
        faults.append(f"{found} synapses, but there are {pairs} pairs")
    return faults


def _kernel_faults(
    link: DescribedProjection, source: DescribedPopulation, target: DescribedPopulation
) -> list[str]:
    if len(source.sides) != 3 or len(target.sides) != 3:
        return ["a convolution needs a shape of (channels, rows, columns) at both ends"]
    if max(*source.sides[1:], *target.sides[1:]) > LONGEST_MAP:
        return [f"a convolution's maps have at most {LONGEST_MAP} rows and columns"]
    faults = []
    if source.sides[0] % link.groups or target.sides[0] % link.groups:
        faults.append(f"groups: {link.groups} do not divide {source.sides[0]} and {target.sides[0]} channels")
    expected = _written(link, source.sides)
    if expected != target.sides[1:]:
        given = f"{target.sides[1]} x {target.sides[2]}"
        faults.append(f"the convolution writes {expected[0]} x {expected[1]}, but {target.name} has {given}")
    return faults


def _written(link: DescribedProjection, read: tuple[int, ...]) -> tuple[int, ...]:
    """Return the rows and columns that a convolution writes."""
    span = ((k - 1) * d + 1 for k, d in zip(link.kernel or (1, 1), link.dilation, strict=True))
    sides = zip(read[1:], link.padding, span, link.stride, strict=True)
    return tuple((size + 2 * padding - taps) // stride + 1 for size, padding, taps, stride in sides)


def _input_faults(network: DescribedNetwork) -> list[str]:
    inputs = _inputs(network)
    entered = [q.target for q in network.projections if q.target in inputs]
    faults = [f"populations: {name} is an input, but a projection enters it" for name in sorted({*entered})]
    read = [q.source for q in network.projections if q.kernel is not None and q.source in inputs]
    if len(inputs) > 1 and read:
        faults.append(
            f"populations: several inputs ({', '.join(inputs)}), and a convolution reads {read[0]}: "
            "give them as one population"
        )
    if len(inputs) == len(network.populations):
        faults.append("populations: only inputs, no neurons (say 'input: false')")
    return faults


def _pair_faults(network: DescribedNetwork) -> list[str]:
    total = sum(dense_macs(outlined(network)[0]))
    return [f"projections: {total} pairs of neurons in all; at most {MOST_PAIRS}"] * (total > MOST_PAIRS)


def _inputs(network: DescribedNetwork) -> list[str]:
    """Name the input populations, in their order."""
    left = {q.source for q in network.projections}
    entered = {q.target for q in network.projections}
    return [
        p.name
        for p in network.populations
        if (p.input if p.input is not None else p.name in left and p.name not in entered)
    ]


def outlined(network: DescribedNetwork) -> tuple[Outline, dict[str, int]]:
    """Return the outline, the input first, and where each population stands in it.

    Several inputs become one group, none becomes `NO_INPUT`.
    """
    inputs = _inputs(network)
    known = {p.name: p for p in network.populations}
    shape = known[inputs[0]].sides if len(inputs) == 1 else (sum(known[name].size for name in inputs) or 1,)
    neurons = [p for p in network.populations if p.name not in inputs]
    at = dict.fromkeys(inputs, 0) | {p.name: i for i, p in enumerate(neurons, 1)}
    bare = Outline(
        groups=(
            Group("+".join(inputs) or NO_INPUT, "Input", shape),
            *(Group(p.name, p.model, p.sides) for p in neurons),
        ),
        links=tuple(_link(q, known, at) for q in network.projections),
    )
    links = zip(network.projections, bare.links, strict=True)
    return replace(bare, links=tuple(_filled(described, link, bare) for described, link in links)), at


def dense_macs(outline: Outline) -> list[int]:
    """Count the multiply-accumulates of a dense engine per link and step, padding included."""
    macs = []
    for link in outline.links:
        places = math.prod(outline.maps(link)[1][1:]) if link.kind == "conv2d" else 1
        macs.append(outline.stored_weights(link) * places)
    return macs


def _link(link: DescribedProjection, known: Mapping[str, DescribedPopulation], at: Mapping[str, int]) -> Link:
    """Return a link; of a convolution, its synapses are not counted yet."""
    source, target = at[link.source], at[link.target]
    if link.kernel is None:
        synapses = _synapse_count(link, known[link.source].size, known[link.target].size)
        return Link(link.label, source, target, "dense", synapses, delay=link.delay)
    return Link(
        link.label, source, target, "conv2d", 0, link.kernel, link.stride, link.padding, link.delay,
        link.dilation, link.groups,
    )  # fmt: skip


def _filled(described: DescribedProjection, link: Link, bare: Outline) -> Link:
    """Count a convolution's synapses: as stated, else all that do not lie in the padding."""
    if link.kind == "dense":
        return link
    stated = described.synapses
    return replace(link, synapses=stated if isinstance(stated, int) else bare.possible(link))


def _synapse_count(link: DescribedProjection, sources: int, targets: int) -> int:
    if link.probability is not None:
        return round(link.probability * sources * targets)
    if link.fan_out is not None:
        return round(link.fan_out * sources)
    if link.fan_in is not None:
        return round(link.fan_in * targets)
    if isinstance(link.synapses, int):
        return link.synapses
    return sources if link.synapses == "one_to_one" else sources * targets
