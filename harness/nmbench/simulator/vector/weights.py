"""A projection's weights as the kernel reads them: rows or blocks, their tables and passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench.network.network import Network, Projection
from nmbench.simulator.vector.blocks import SHAPES
from nmbench.simulator.vector.grid import Unit, Width
from nmbench.simulator.vector.places import SIXTEEN, Longs, Place, reach
from nmbench.simulator.vector.registers import BYTES, FLOAT32, INT8, INT16

KINDS = {"float32": FLOAT32, "int16": INT16, "int8": INT8}
DTYPES = {FLOAT32: np.float32, INT16: np.int16, INT8: np.int8}

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Laid:
    """A projection laid out.

    Attributes
    ----------
    values, table
        Bytes of the weights; int32 fan-out by source position, or entries of place, block, fan-out, 0.
    pitch
        Bytes from row to row of weights, or from line to line of the target's sums.
    passes
        Of blocks: code, place within the target's sums and place within ``values`` (bytes) of each call.
    """

    values: Array
    table: Array
    pitch: int
    passes: list[tuple[int, int, int]]


def aligned(length: int, dtype: Any) -> Array:
    """Return zeros whose first byte lies at a multiple of 64."""
    size = np.dtype(dtype).itemsize
    room = np.zeros(length * size + 64, np.uint8)
    skip = -room.ctypes.data % 64
    return room[skip : skip + length * size].view(dtype)


def lay_out(
    network: Network,
    projection: Projection,
    source: Longs,
    places: list[Place],
    fan: Longs,
    unit: Unit,
    width: Width,
) -> Laid:
    """Lay a projection out.

    Parameters
    ----------
    source
        Position of each source neuron, int64 ``[n_source]``.
    fan
        Fan-out of each source neuron.
    """
    kind, place = KINDS[width], places[projection.target]
    scale = 1.0 if kind == FLOAT32 else 2.0**-unit.exponent
    weight = (projection.weight.astype(np.float64) * scale).astype(DTYPES[kind])
    make = _blocks if projection.kind == "conv2d" else _rows
    return make(network, projection, weight, source, place, fan, kind)


def _chunks(sixteens: int, allowed: tuple[int, ...]) -> list[tuple[int, int]]:
    """Cut a row into allowed numbers of sixteens: start and number of each."""
    cut, start = [], 0
    while start < sixteens:
        number = max(n for n in allowed if n <= sixteens - start)
        cut.append((start, number))
        start += number
    return cut


def _rows(
    network: Network,
    projection: Projection,
    weight: Array,
    source: Longs,
    place: Place,
    fan: Longs,
    kind: int,
) -> Laid:
    positions = int(source.max()) + 1
    values = aligned(positions * place.positions, DTYPES[kind])
    rows = values.reshape(positions, place.positions)
    rows[np.ix_(source, place.position)] = weight
    table = np.zeros(positions, np.int32)
    table[source] = fan
    return Laid(values, table, place.positions * BYTES[kind], [])


def _blocks(
    network: Network,
    projection: Projection,
    weight: Array,
    source: Longs,
    place: Place,
    fan: Longs,
    kind: int,
) -> Laid:
    """Repack a kernel by parity class, so that a spike adds one block of ``ceil(k / stride)`` lines.

    A spike at padded row ``Y`` reaches the map's rows ``Y // stride - j`` through the kernel's rows
    ``Y % stride + j * stride``; so do columns. Blocks run upwards in the map, hence downwards in ``j``.
    Equal blocks are kept once: a pooling folded into the kernel makes many.
    """
    kernel = _written_out(weight, projection)
    out, channels, high, wide = kernel.shape
    (down, across), (reach_down, reach_across) = projection.stride, reach(projection)
    filled = -(-out // SIXTEEN) * SIXTEEN
    even = np.zeros((channels, reach_down * down, reach_across * across, filled), weight.dtype)
    even[:, :high, :wide, :out] = kernel.transpose(1, 2, 3, 0)
    even = even.reshape(channels, reach_down, down, reach_across, across, filled)
    # [channel, parity down, parity across, line, pixel, out channel]
    blocks = even[:, ::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5).reshape(channels * down * across, -1)
    kept, which = np.unique(blocks, axis=0, return_inverse=True)
    values = aligned(kept.size, weight.dtype)
    values[:] = kept.ravel()
    c, y, x = (i.ravel() for i in np.indices(network.maps(projection)[0]))
    y, x = y + projection.padding[0], x + projection.padding[1]
    block = which.ravel()[(c * down + y % down) * across + x % across]
    top, left = y // down - reach_down + 1, x // across - reach_across + 1
    summed = 4 if kind == FLOAT32 else 2
    table = aligned((int(source.max()) + 1) * 4, np.int32).reshape(-1, 4)
    table[source, 0] = (place.origin + top * place.pitch + left * filled) * summed
    table[source, 1] = block * (blocks.shape[1] * BYTES[kind])
    table[source, 2] = fan
    line = reach_across * filled
    passes = _block_passes(kind, reach_down, line // SIXTEEN, place.pitch * summed)
    return Laid(values, table, place.pitch * summed, passes)


def _written_out(weight: Array, projection: Projection) -> Array:
    """Fill groups and dilation with zeros: ``[out, in, rows, columns]`` as of a plain convolution."""
    out, channels, *taps = weight.shape
    groups, (down, across) = projection.groups, projection.dilation
    full = np.zeros(
        (out, channels * groups, (taps[0] - 1) * down + 1, (taps[1] - 1) * across + 1), weight.dtype
    )
    each = out // groups
    for group in range(groups):
        mine = slice(group * each, (group + 1) * each)
        reached = slice(group * channels, (group + 1) * channels)
        full[mine, reached, ::down, ::across] = weight[mine]
    return full


def _block_passes(kind: int, lines: int, sixteens: int, pitch: int) -> list[tuple[int, int, int]]:
    """Return the calls that add a block: one where there is code for its shape, else line by line."""
    summed = 4 if kind == FLOAT32 else 2
    if (lines, sixteens) in SHAPES:
        return [(64 * kind + SHAPES.index((lines, sixteens)), 0, 0)]
    single = tuple(n for high, n in SHAPES if high == 1)
    return [
        (
            64 * kind + SHAPES.index((1, n)),
            line * pitch + k * SIXTEEN * summed,
            (line * sixteens + k) * SIXTEEN * BYTES[kind],
        )
        for line in range(lines)
        for k, n in _chunks(sixteens, single)
    ]
