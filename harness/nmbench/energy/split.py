"""Ways to cut a population into equal parts, and what one part asks of a core."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nmbench.energy.card import Card
from nmbench.energy.outline import Link, Outline


@dataclass(frozen=True)
class Part:
    """An equal share of a population.

    Attributes
    ----------
    neurons
        On the fullest core.
    tile
        Channels, rows and columns of the share where the population is cut in space; None for a flat one.
    cores
        Parts that the population falls into.
    """

    neurons: int
    tile: tuple[int, int, int] | None
    cores: int


@dataclass(frozen=True)
class Cuts:
    """All the ways to cut one population, from whole (0) to one neuron a part (``len - 1``).

    A population that a convolution feeds is cut in space, so that neighbours share input axons and the
    kernel: into whole columns first, a single column into rows, a single position into channels. Any
    other is cut into runs of neurons.
    """

    shape: tuple[int, ...]
    in_space: bool

    def __len__(self) -> int:
        """Count the ways."""
        return sum(self.shape) - 2 if self.in_space else math.prod(self.shape)

    def part(self, way: int) -> Part:
        """Return the part of one way, evened out: no core is fuller than the count of cores asks for."""
        if not self.in_space:
            size = math.prod(self.shape)
            cores = math.ceil(size / (size - way))
            return Part(math.ceil(size / cores), None, cores)
        channels, rows, columns = self.shape
        tile = (
            max(1, min(channels, channels - (way - columns - rows + 2))),
            max(1, min(rows, rows - (way - columns + 1))),
            max(1, columns - way),
        )
        counts = [math.ceil(n / t) for n, t in zip(self.shape, tile, strict=True)]
        even = tuple(math.ceil(n / c) for n, c in zip(self.shape, counts, strict=True))
        return Part(math.prod(even), (even[0], even[1], even[2]), math.prod(counts))

    def first(self, fits: Callable[[Part], bool]) -> int | None:
        """Return the coarsest way whose part fits; None if not even the finest does. Finer parts use less."""
        low, high = 0, len(self) - 1
        if not fits(self.part(high)):
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(self.part(middle)) else (middle + 1, high)
        return low


def cuts(outline: Outline, group: int) -> Cuts:
    """Return the ways to cut a group."""
    fed = any(outline.links[i].kind == "conv2d" for i in outline.incoming[group])
    return Cuts(outline.groups[group].shape, fed)


def axons_in(outline: Outline, link: Link, part: Part) -> float:
    """Count the source neurons that reach one part; expected where synapses are sparse and random."""
    source = outline.groups[link.source]
    if _in_space(outline, link, part) and part.tile is not None:
        read, written = outline.maps(link)
        taken = [
            min(size, (side - 1) * stride + span)
            for size, side, stride, span in zip(read[1:], part.tile[1:], link.stride, link.span, strict=True)
        ]
        # a tile of channels reads the groups of channels that they lie in
        groups = min(link.groups, math.ceil(part.tile[0] * link.groups / written[0]))
        return read[0] // link.groups * groups * taken[0] * taken[1]
    return source.size * _reached(outline.density(link), part.neurons)


def destinations(outline: Outline, link: Link, part: Part) -> float:
    """Count the cores of the target, cut into such parts, that a spike of the source reaches on average.

    Convolution: a spike's window covers ``kernel / stride`` targets a side; a window that wide, thrown
    at random on tiles of side t, touches ``1 + (window - 1) / t`` of them. All channels of its group are
    reached. A dilated kernel is taken for as wide as it spans.
    """
    if not _in_space(outline, link, part) or part.tile is None:
        return part.cores * _reached(outline.density(link), part.neurons)
    shape = outline.groups[link.target].shape
    reached = float(math.ceil(shape[0] / link.groups / part.tile[0]))
    for size, side, stride, span in zip(shape[1:], part.tile[1:], link.stride, link.span, strict=True):
        window = span / stride
        touched = 1 + (window - 1) / side if window > 1 else window
        reached *= min(touched, math.ceil(size / side))
    return reached


def synapse_bytes(outline: Outline, link: Link, part: Part, card: Card) -> tuple[float, bool]:
    """Return the bytes that a link takes on the core of one part, and whether it is kept as a full matrix.

    One row an input axon: a header and the weights of the targets on this core (``synapse_bits`` each),
    rounded up to words; as a list, only the synapses that there are, each with its index. The smaller
    is taken. Where the platform shares kernels, a convolution keeps its kernel once a core; where not,
    every connection is a synapse.
    """
    bits, index_bits = card.value("synapse_bits"), card.value("index_bits")
    word, header = card.value("word_bytes"), card.value("header_words")
    if link.kind == "conv2d":
        if card.value("shares_kernels"):
            read, written = outline.maps(link)
            channels = part.tile[0] if _in_space(outline, link, part) and part.tile else written[0]
            weights = read[0] * channels // link.groups * link.kernel[0] * link.kernel[1]
            return math.ceil(weights * bits / 8), False
        share = part.neurons / outline.groups[link.target].size
        return link.synapses * share * (bits + index_bits) / 8, False

    def rows(row_bits: float) -> float:
        return axons_in(outline, link, part) * word * (header + math.ceil(row_bits / (8 * word)))

    full = rows(part.neurons * bits)
    listed = rows(part.neurons * outline.density(link) * (bits + index_bits))
    return min(full, listed), full <= listed


def _in_space(outline: Outline, link: Link, part: Part) -> bool:
    """Tell whether a link is a convolution that writes the map that its target is cut by."""
    if link.kind == "dense" or part.tile is None:
        return False
    return outline.maps(link)[1] == outline.groups[link.target].shape


def _reached(density: float, neurons: int) -> float:
    """Return the chance that a source has a synapse to at least one of so many targets."""
    return 1 - (1 - density) ** neurons
