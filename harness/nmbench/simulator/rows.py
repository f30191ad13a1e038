"""Where each population's state lies, and each projection as rows of weights by source neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.network.connectivity import connections
from nmbench.network.network import Floats, Network, Projection, Shape
from nmbench.simulator.deliver import BLOCKS, DENSE, PATTERN, SPARSE
from nmbench.simulator.records import Longs

ALIGNED = 16
"""Floats in 64 bytes: populations and rows are padded to a multiple, which the kernel handles at once."""

SPARSE_BELOW = 0.03
"""Density below which scattering through indices beats adding whole rows: 0.65 ns a synapse against 0.04."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a population's state lies.

    Attributes
    ----------
    start, padded
        First position and number of positions, a multiple of `ALIGNED`.
    position
        Position of each C-order neuron, int64 ``[n]``.
    origin, pitch
        Of a population kept channels last: position of its pixel (0, 0), floats from line to line.
    map_
        Of a population kept channels last: the shape ``(C, H, W)`` that it is kept in.
    """

    start: int
    padded: int
    position: Longs
    origin: int = 0
    pitch: int = 0
    map_: Shape | None = None


@dataclass(frozen=True, eq=False)
class Rows:
    """What a spike of each source neuron adds, and where.

    Attributes
    ----------
    kind
        `DENSE`, `BLOCKS`, `SPARSE` or `PATTERN`.
    values
        Weights, row after row.
    row, base
        First weight, and first state position that it adds to, by source neuron, int64 ``[n_source]``.
    lines, length, pitch
        A spike adds ``lines`` runs of ``length`` weights; runs lie ``pitch`` apart in the state.
    targets
        Of sparse rows: state position of each weight; of patterns: relative to ``base``; else None.
    entries
        Of patterns: weights in the row of each source neuron; else None.
    """

    kind: int
    values: Floats
    row: Longs
    base: Longs
    lines: int = 1
    length: int = 0
    pitch: int = 0
    targets: npt.NDArray[np.int32] | None = None
    entries: Longs | None = None


def places(network: Network) -> list[Place]:
    """Place every population's state, one after the other; the input has none."""
    placed = [Place(0, 0, np.empty(0, np.int64))]
    for p, population in enumerate(network.populations[1:], start=1):
        start = placed[-1].start + placed[-1].padded
        arriving = [q for q in network.projections if q.target == p and q.kind == "conv2d"]
        if arriving:
            placed.append(_channels_last(network, arriving, start))
        else:
            placed.append(Place(start, _padded(population.size), start + np.arange(population.size)))
    return placed


def _padded(length: int) -> int:
    return -(-length // ALIGNED) * ALIGNED


def _channels_last(network: Network, arriving: list[Projection], start: int) -> Place:
    """Place (C, H, W) neurons as H x W pixels of C, with a halo that takes what falls off the map.

    Convolutions that write the same neurons as another map find no place of theirs here.
    """
    maps = [network.maps(projection)[1] for projection in arriving]
    map_ = max(maps, key=lambda m: (m[1] * m[2], m))
    channels, rows_, columns = map_
    before, after = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for projection in (q for q, m in zip(arriving, maps, strict=True) if m == map_):
        source = np.array(network.maps(projection)[0][1:])
        last = (source - 1 + projection.padding) // projection.stride
        before = np.maximum(before, _reach(projection) - 1)
        after = np.maximum(after, last - (np.array([rows_, columns]) - 1))
    pitch = int(before[1] + columns + after[1]) * channels
    origin = start + int(before[0]) * pitch + int(before[1]) * channels
    c, y, x = np.indices(map_)
    position = (origin + y * pitch + x * channels + c).ravel()
    return Place(start, _padded(int(before[0] + rows_ + after[0]) * pitch), position, origin, pitch, map_)


def _reach(projection: Projection) -> Longs:
    """Return how many targets lie from the first to the last that a source pixel reaches, down and across.

    Without dilation: ceil(kernel / stride).
    """
    span = (np.array(projection.weight.shape[2:]) - 1) * projection.dilation
    return np.asarray(span // projection.stride + 1, dtype=np.int64)


def rows(network: Network, projection: Projection, place: Place, fan: Longs) -> Rows:
    """Lay out one projection, whose target lies at ``place`` and whose fan-out is ``fan``."""
    if projection.kind == "conv2d":
        source, target = network.maps(projection)
        if place.map_ != target:
            return _indexed(network, projection, place, fan)
        if projection.groups > 1 or projection.dilation != (1, 1):
            return _patterns(source, projection, place)
        return _blocks(source, projection, place)
    if fan.sum() < SPARSE_BELOW * projection.weight.size:
        return _indexed(network, projection, place, fan)
    dense = np.zeros((len(fan), place.padded), network.dtype)
    dense[:, place.position - place.start] = projection.weight
    each = np.arange(len(fan), dtype=np.int64)
    return Rows(
        DENSE,
        dense.ravel(),
        each * place.padded,
        np.full(len(fan), place.start),
        1,
        place.padded,
        place.padded,
    )


def _indexed(network: Network, projection: Projection, place: Place, fan: Longs) -> Rows:
    _, post, weight = connections(network, projection)
    return Rows(
        SPARSE,
        weight,
        np.cumsum(fan) - fan,
        np.full(len(fan), place.start),
        targets=place.position[post].astype(np.int32),
    )


def _patterns(source: Shape, projection: Projection, place: Place) -> Rows:
    """List the synapses of each channel and parity class once, by their place relative to the spike's.

    A spike at padded row ``Y`` reaches the map's row ``(Y - tap * dilation) / stride`` through each tap
    that leaves no remainder; so do columns. What falls off the map lies in the halo.
    """
    (down, across), pixel = projection.stride, projection.weight.shape[0]
    o, c, j, i = np.nonzero(projection.weight)
    values = projection.weight[o, c, j, i]
    c = o // (pixel // projection.groups) * projection.weight.shape[1] + c  # of the source
    y, x = j * projection.dilation[0], i * projection.dilation[1]
    which = (c * down + y % down) * across + x % across
    relative = o - y // down * place.pitch - x // across * pixel
    sequence = np.argsort(which, kind="stable")
    lengths = np.bincount(which, minlength=source[0] * down * across)
    first = np.cumsum(lengths) - lengths
    c, y, x = (index.ravel() for index in np.indices(source))
    y, x = y + projection.padding[0], x + projection.padding[1]
    which = (c * down + y % down) * across + x % across
    return Rows(
        PATTERN,
        values[sequence],
        first[which],
        place.origin + y // down * place.pitch + x // across * pixel,
        targets=relative[sequence].astype(np.int32),
        entries=lengths[which],
    )


def _blocks(source: Shape, projection: Projection, place: Place) -> Rows:
    """Repack a kernel by parity class, so that a spike adds one block of ``ceil(k / stride)`` lines.

    A spike at padded row ``Y`` reaches the map's rows ``Y // stride - j`` through the kernel's rows
    ``Y % stride + j * stride``; so do columns. Blocks run upwards in the map, hence downwards in ``j``.
    """
    out, channels, high, wide = projection.weight.shape
    (down, across), (reach_down, reach_across) = projection.stride, (int(n) for n in _reach(projection))
    kernel = np.zeros((channels, reach_down * down, reach_across * across, out), projection.weight.dtype)
    kernel[:, :high, :wide] = projection.weight.transpose(1, 2, 3, 0)
    kernel = kernel.reshape(channels, reach_down, down, reach_across, across, out)
    # [channel, parity down, parity across, line, pixel, out channel]
    blocks = kernel[:, ::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5)
    c, y, x = (index.ravel() for index in np.indices(source))
    y, x = y + projection.padding[0], x + projection.padding[1]
    row = ((c * down + y % down) * across + x % across) * (reach_down * reach_across * out)
    top, left = y // down - reach_down + 1, x // across - reach_across + 1
    base = place.origin + top * place.pitch + left * out
    return Rows(BLOCKS, blocks.ravel(), row, base, reach_down, reach_across * out, place.pitch)
