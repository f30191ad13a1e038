"""Ways to cut a population into equal parts, and what one part asks of a core."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nmbench.energy.card import Card
from nmbench.energy.outline import Link, Outline


@dataclass(frozen=True)
class Part:
    """A share of a population, that of its fullest core.

    Attributes
    ----------
    neurons
        On the fullest core.
    tile
        Channels, rows and columns of the share where the population is cut in space; None for a flat one.
    cores
        Parts that the population falls into.
    slots
        Neurons that the core keeps room for: more than it holds where a tile reaches beyond the map.
    """

    neurons: int
    tile: tuple[int, int, int] | None
    cores: int
    slots: int


@dataclass(frozen=True)
class Cuts:
    """All the ways to cut one population, from whole (0) to one neuron a part (``len - 1``).

    A population that a convolution feeds is cut in space, so that neighbours share input axons and the
    kernel: into whole columns first, a single column into rows, a single position into channels. Any
    other is cut into runs of neurons.

    Attributes
    ----------
    powers
        Columns are cut into tiles of 1, 2, 4, 8 ... alone, each with room for a whole tile, as Intel's
        compiler for Loihi 2 does (its tables for PilotNet). Else the parts are evened out.
    """

    shape: tuple[int, ...]
    in_space: bool
    powers: bool = False

    def __len__(self) -> int:
        """Count the ways."""
        if not self.in_space:
            return math.prod(self.shape)
        return self._widths + self.shape[0] + self.shape[1] - 2

    @property
    def _widths(self) -> int:
        """Count the widths that a tile of whole columns can have."""
        columns = self.shape[2]
        return (columns - 1).bit_length() + 1 if self.powers else columns

    def part(self, way: int) -> Part:
        """Return the part of one way."""
        if not self.in_space:
            size = math.prod(self.shape)
            cores = math.ceil(size / (size - way))
            even = math.ceil(size / cores)
            return Part(even, None, cores, even)
        channels, rows, columns = self.shape
        finer = way - self._widths + 1  # beyond a single column
        width = max(1, 1 << max(0, -finer) if self.powers else columns - way)
        tile = (
            max(1, min(channels, channels - (finer - rows + 1))),
            max(1, min(rows, rows - finer)),
            width,
        )
        counts = [math.ceil(n / t) for n, t in zip(self.shape, tile, strict=True)]
        even_tile = [math.ceil(n / c) for n, c in zip(self.shape, counts, strict=True)]
        if self.powers:
            even_tile[2] = min(width, columns)
        held = (even_tile[0], even_tile[1], even_tile[2])
        slots = held[0] * held[1] * (width if self.powers else held[2])
        return Part(math.prod(held), held, math.prod(counts), slots)

    def first(self, fits: Callable[[Part], bool], start: int = 0) -> int | None:
        """Return the coarsest way from ``start`` on whose part fits; None if not even the finest does.

        Finer parts use less.
        """
        low, high = start, len(self) - 1
        if fits(self.part(low)):
            return low
        if not fits(self.part(high)):
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(self.part(middle)) else (middle + 1, high)
        return low


@dataclass(frozen=True)
class Storage:
    """How a platform keeps synapses.

    Attributes
    ----------
    synapse_bits, kernel_bits
        Of a weight, and of one of a shared kernel.
    index_bits
        That a synapse in a list takes beside its weight.
    word_bytes, header_words
        A row is a header and its weights, rounded up to words.
    shares_kernels
        A convolution keeps its kernel once a core; else every connection is a synapse.
    """

    synapse_bits: float
    kernel_bits: float
    index_bits: float
    word_bytes: float
    header_words: float
    shares_kernels: bool

    @classmethod
    def of(cls, card: Card) -> Storage:
        """Read it off a card's limits."""
        bits = card.value("synapse_bits")
        return cls(
            synapse_bits=bits,
            kernel_bits=card.limit("kernel_bits") or bits,
            index_bits=card.value("index_bits"),
            word_bytes=card.value("word_bytes"),
            header_words=card.value("header_words"),
            shares_kernels=bool(card.value("shares_kernels")),
        )

    def row_bytes(self, bits: float) -> float:
        """Return the bytes of a row's weights."""
        return self.word_bytes * math.ceil(bits / (8 * self.word_bytes))

    def list_bytes(self, rows: float, synapses: float) -> float:
        """Return the bytes of so many rows with so many synapses between them; each row has one at least."""
        bits = self.synapse_bits + self.index_bits
        if bits >= 8 * self.word_bytes or not rows:
            return synapses * bits / 8  # whole words a synapse: nothing to round up
        return rows * self.row_bytes(synapses / rows * bits)


def cuts(outline: Outline, group: int, *, powers: bool = False) -> Cuts:
    """Return the ways to cut a group: in space where a convolution feeds it (in powers: or reads it)."""
    touching = list(outline.incoming[group])
    if powers:
        touching += outline.outgoing[group]
    in_space = any(outline.links[i].kind == "conv2d" for i in touching)
    return Cuts(outline.groups[group].shape, in_space, powers and in_space)


def axons_in(outline: Outline, link: Link, part: Part) -> float:
    """Count the source neurons that reach one part; expected where synapses are sparse and random."""
    source = outline.groups[link.source]
    if _in_space(outline, link, part) and part.tile is not None:
        read, written = outline.maps(link)
        taken = [
            min(size, (side - 1) * stride + span)
            for size, side, stride, span in zip(read[1:], part.tile[1:], link.stride, link.span, strict=True)
        ]
        groups = _groups_read(link, part.tile[0], written[0])
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


def synapse_bytes(outline: Outline, link: Link, part: Part, storage: Storage) -> tuple[float, bool]:
    """Return the bytes that a link takes on the core of one part, and whether it is kept as a full matrix.

    One row an input axon: a header and the weights of the targets on this core, rounded up to words; as a
    list, only the synapses that there are, each with its index. The smaller is taken. A shared kernel has
    one row an input channel and tap, without a header.
    """
    if link.kind == "conv2d":
        return _kernel_bytes(outline, link, part, storage), False
    axons = axons_in(outline, link, part)
    header = storage.word_bytes * storage.header_words
    full = axons * (header + storage.row_bytes(part.neurons * storage.synapse_bits))
    synapses = part.neurons * outline.density(link) * outline.groups[link.source].size
    listed = axons * header + storage.list_bytes(axons, synapses)
    return min(full, listed), full <= listed


def _kernel_bytes(outline: Outline, link: Link, part: Part, storage: Storage) -> float:
    if not storage.shares_kernels:
        share = part.neurons / outline.groups[link.target].size
        return link.synapses * share * (storage.synapse_bits + storage.index_bits) / 8
    read, written = outline.maps(link)
    channels = part.tile[0] if _in_space(outline, link, part) and part.tile else written[0]
    groups = _groups_read(link, channels, written[0])
    rows = read[0] // link.groups * groups * link.kernel[0] * link.kernel[1]
    return rows * storage.row_bytes(math.ceil(channels / groups) * storage.kernel_bits)


def _groups_read(link: Link, channels: int, written: int) -> int:
    """Count the groups of channels that so many of the written channels lie in."""
    return min(link.groups, math.ceil(channels * link.groups / written))


def _in_space(outline: Outline, link: Link, part: Part) -> bool:
    """Tell whether a link is a convolution that writes the map that its target is cut by."""
    if link.kind == "dense" or part.tile is None:
        return False
    return outline.maps(link)[1] == outline.groups[link.target].shape


def _reached(density: float, neurons: int) -> float:
    """Return the chance that a source has a synapse to at least one of so many targets."""
    return 1.0 if density >= 1 else -math.expm1(neurons * math.log1p(-density))
