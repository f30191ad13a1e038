"""Outline: what the mapper needs of a network, sizes without weights; a Hala Point's worth fits in a line."""

from __future__ import annotations

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
        ``(C, H, W)`` or ``(N,)``.
    """

    name: str
    model: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Count the neurons."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Link:
    """A projection without its weights.

    Attributes
    ----------
    source, target
        Indices into the outline's groups.
    kind
        ``dense``: any source may reach any target, ``synapses`` of the pairs do, evenly.
        ``conv2d``: a kernel shared by all positions.
    synapses
        Connections with a weight other than zero.
    kernel, stride, padding
        Of a convolution: rows and columns.
    delay
        Steps from a spike to its delivery.
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


@dataclass(frozen=True)
class Outline:
    """Groups and links in the order of the network's populations and projections; the input is the first."""

    groups: tuple[Group, ...]
    links: tuple[Link, ...]

    @cached_property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the links into each group."""
        ends = [link.target for link in self.links]
        return tuple(tuple(i for i, end in enumerate(ends) if end == g) for g in range(len(self.groups)))

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
        source, target = self.groups[link.source], self.groups[link.target]
        if link.kind == "conv2d":
            return source.shape[0] * target.shape[0] * link.kernel[0] * link.kernel[1]
        return source.size * target.size

    def density(self, link: Link) -> float:
        """Return the share of the possible connections that there are, 0 .. 1."""
        source, target = self.groups[link.source], self.groups[link.target]
        possible = (
            source.shape[0] * target.shape[0] * _places(link, source, target)
            if link.kind == "conv2d"
            else source.size * target.size
        )
        return link.synapses / possible if possible else 0.0


def outline(network: Network) -> Outline:
    """Take a network's outline; no array of the synapses' size is made."""
    groups = tuple(Group(p.name, p.model, p.shape) for p in network.populations)
    links = tuple(_link(projection, groups) for projection in network.projections)
    return Outline(groups, links)


def _link(projection: Projection, groups: tuple[Group, ...]) -> Link:
    bare = Link(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        kind=projection.kind,
        synapses=0,
        stride=projection.stride,
        padding=projection.padding,
        delay=projection.delay,
    )
    if projection.kind == "dense":
        return replace(bare, synapses=int(np.count_nonzero(projection.weight)))
    height, width = projection.weight.shape[2:]
    bare = replace(bare, kernel=(int(height), int(width)))
    rows, columns = _positions(bare, groups[bare.source], groups[bare.target])
    taps = np.count_nonzero(projection.weight, axis=(0, 1))
    return replace(bare, synapses=int(rows @ taps @ columns))


def _places(link: Link, source: Group, target: Group) -> int:
    rows, columns = _positions(link, source, target)
    return int(rows.sum() * columns.sum())


def _positions(link: Link, source: Group, target: Group) -> tuple[Integers, Integers]:
    """Count, per kernel row and per column, the target positions whose source lies inside the input."""

    def inside(axis: int) -> Integers:
        at = np.arange(target.shape[1 + axis]) * link.stride[axis] - link.padding[axis]
        taken = at[:, None] + np.arange(link.kernel[axis])
        valid = (taken >= 0) & (taken < source.shape[1 + axis])
        return np.asarray(valid.sum(axis=0), dtype=np.int64)

    return inside(0), inside(1)
