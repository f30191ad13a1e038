"""Outline: what the mapper needs of a network, sizes without weights; a Hala Point's worth fits in a line."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from nmbench.network.network import Network, Projection

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """A population without its arrays.

    Attributes
    ----------
    model
        NIR primitive (``CubaLIF``, ``LIF``, ..., ``Input``); a card may have limits of its own for one.
    shape
        ``(C, H, W)`` or ``(N,)``; of a group that a convolution writes or reads, the map of the largest.
    """

    name: str
    model: str
    shape: tuple[int, ...]

    @cached_property
    def size(self) -> int:
        """Count the neurons."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Link:
    """A projection without its weights.

    Attributes
    ----------
    source, target
        Indices into the outline's groups.
    kind
        ``dense``: any source may reach any target, ``synapses`` of the pairs do, evenly.
        ``conv2d``: a kernel shared by all positions. A pool is one with as many groups as channels.
    synapses
        Connections with a weight other than zero.
    kernel, stride, padding, dilation
        Of a convolution: rows and columns.
    delay
        Steps from a spike to its delivery.
    groups
        Of a convolution: parts of the channels that reach one another alone.
    maps
        Of a convolution: channels, rows and columns that it reads and writes; None: the groups' shapes.
    """

    name: str
    source: int
    target: int
    kind: Literal["dense", "conv2d"]
    synapses: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    delay: int = 0
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    maps: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def form(self) -> tuple[object, ...]:
        """All but its name and ends: two links of one form between like groups ask for the same."""
        return (
            self.kind,
            self.synapses,
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.maps,
        )

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns from a kernel's first tap to its last."""
        high, wide = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        return high, wide


@dataclass(frozen=True)
class Outline:
    """Groups and links in the order of the network's populations and projections; the input is the first."""

    groups: tuple[Group, ...]
    links: tuple[Link, ...]

    @cached_property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the links into each group."""
        return self._by_group([link.target for link in self.links])

    @cached_property
    def outgoing(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the links out of each group."""
        return self._by_group([link.source for link in self.links])

    @cached_property
    def streams_into(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the streams into each group."""
        return self._by_group([stream.target for stream in self.streams])

    @cached_property
    def streams_from(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the streams out of each group."""
        return self._by_group([stream.source for stream in self.streams])

    def _by_group(self, ends: list[int]) -> tuple[tuple[int, ...], ...]:
        found: list[list[int]] = [[] for _ in self.groups]
        for index, end in enumerate(ends):
            found[end].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def streams(self) -> tuple[Link, ...]:
        """Links between the same two groups as one: a spike travels once, whatever synapses it feeds.

        Dense ones join their synapses (several delays between two populations); of several
        convolutions the one with the largest kernel stands for all.
        """
        joined: dict[tuple[int, int], Link] = {}
        for link in self.links:
            pair = (link.source, link.target)
            joined[pair] = self._join(joined[pair], link) if pair in joined else link
        return tuple(joined.values())

    def _join(self, one: Link, other: Link) -> Link:
        if one.kind == other.kind == "dense":
            possible = self.groups[one.source].size * self.groups[one.target].size
            return replace(one, synapses=min(possible, one.synapses + other.synapses))
        dense = [link for link in (one, other) if link.kind == "dense"]
        return dense[0] if dense else max(one, other, key=lambda link: link.kernel)

    @property
    def neurons(self) -> int:
        """Count the neurons, the input not among them."""
        return sum(group.size for group in self.groups[1:])

    def stored_weights(self, link: Link) -> int:
        """Count the weights of a link as a dense matrix or as a kernel that is stored once."""
        if link.kind == "conv2d":
            source, target = self.maps(link)
            return source[0] * target[0] // link.groups * link.kernel[0] * link.kernel[1]
        return self.groups[link.source].size * self.groups[link.target].size

    def listed_weights(self, link: Link) -> int:
        """Count the weights of a link as a list of synapses, or as a kernel that is stored once."""
        return min(link.synapses, self.stored_weights(link))

    def maps(self, link: Link) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shapes that a link reads and writes."""
        return link.maps or (self.groups[link.source].shape, self.groups[link.target].shape)

    def possible(self, link: Link) -> int:
        """Count the connections that there would be were no weight zero, those into the padding left out."""
        if link.kind == "dense":
            return self.groups[link.source].size * self.groups[link.target].size
        source, target = self.maps(link)
        rows, columns = _positions(link, source, target)
        return source[0] * target[0] // link.groups * int(rows.sum()) * int(columns.sum())

    def density(self, link: Link) -> float:
        """Return the share of the possible connections that there are, 0 .. 1."""
        possible = self.possible(link)
        return link.synapses / possible if possible else 0.0


def outline(network: Network) -> Outline:
    """Take a network's outline; no array of the synapses' size is made."""
    shapes = [_shape(network, p) for p in range(len(network.populations))]
    groups = tuple(Group(p.name, p.model, s) for p, s in zip(network.populations, shapes, strict=True))
    links = tuple(_link(network, projection) for projection in network.projections)
    return Outline(groups, links)


def _shape(network: Network, population: int) -> tuple[int, ...]:
    """Return a population's shape, or the largest map that a convolution takes it for; cores cut it."""
    maps = [network.populations[population].shape]
    for projection in (q for q in network.projections if q.kind == "conv2d"):
        source, target = network.maps(projection)
        maps += [
            m for end, m in ((projection.source, source), (projection.target, target)) if end == population
        ]
    return max(maps, key=lambda m: (len(m) == 3, int(np.prod(m[1:])))) if len(maps) > 1 else maps[0]


def _link(network: Network, projection: Projection) -> Link:
    bare = Link(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        kind=projection.kind,
        synapses=0,
        stride=projection.stride,
        padding=projection.padding,
        delay=projection.delay,
        dilation=projection.dilation,
        groups=projection.groups,
    )
    if projection.kind == "dense":
        return replace(bare, synapses=int(np.count_nonzero(projection.weight)))
    source, target = network.maps(projection)
    height, width = projection.weight.shape[2:]
    bare = replace(bare, kernel=(int(height), int(width)), maps=(source, target))
    rows, columns = _positions(bare, source, target)
    taps = np.count_nonzero(projection.weight, axis=(0, 1))
    return replace(bare, synapses=int(rows @ taps @ columns))


def _positions(link: Link, source: tuple[int, ...], target: tuple[int, ...]) -> tuple[Integers, Integers]:
    """Count, per kernel row and per column, the target positions whose source lies inside the input."""

    def inside(axis: int) -> Integers:
        at = np.arange(target[1 + axis]) * link.stride[axis] - link.padding[axis]
        taken = at[:, None] + np.arange(link.kernel[axis]) * link.dilation[axis]
        valid = (taken >= 0) & (taken < source[1 + axis])
        return np.asarray(valid.sum(axis=0), dtype=np.int64)

    return inside(0), inside(1)
