"""Where each population's neurons lie in a worker's memory, by sixteens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect
from nmbench.network.network import Floats, Network, Population, Projection
from nmbench.simulator.vector.records import COEFFICIENTS

Longs = npt.NDArray[np.int64]

SIXTEEN = 16


@dataclass(frozen=True, eq=False)
class Place:
    """How a population lies: positions in lines of pixels of blocks, a block being sixteen positions.

    A population that a convolution reaches is kept channels last, channels filled up to sixteens, with a
    halo that takes what falls off the map. Others are one line.

    Attributes
    ----------
    positions
        How many there are, a multiple of sixteen.
    position
        Position of each C-order neuron, int64 ``[n]``.
    origin, pitch
        Position of pixel (0, 0) of a map, and positions from line to line.
    first, lines, line_pitch, pixels, pixel_pitch, blocks
        What a step goes through, in sixteens: for each block, each line, each pixel.
    coefficients
        ``[blocks, len(COEFFICIENTS), 16]``, float32.
    """

    positions: int
    position: Longs
    origin: int
    pitch: int
    first: int
    lines: int
    line_pitch: int
    pixels: int
    pixel_pitch: int
    blocks: int
    coefficients: Floats


@dataclass(frozen=True, eq=False)
class _Shape:
    """A map of pixels with its halo, or a line of neurons as a map of one pixel."""

    channels: int
    rows: int
    columns: int
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)


def reach(projection: Projection) -> tuple[int, int]:
    """Return how many targets a source pixel reaches at most, down and across: ceil(kernel / stride)."""
    high, wide = (
        (taps - 1) * apart + 1
        for taps, apart in zip(projection.weight.shape[2:], projection.dilation, strict=True)
    )
    return -(-high // projection.stride[0]), -(-wide // projection.stride[1])


def place(network: Network, p: int) -> Place:
    """Place a population, not the input."""
    population = network.populations[p]
    arriving = [q for q in network.projections if q.target == p and q.kind == "conv2d"]
    shape = _map(network, arriving) if arriving else _Shape(population.size, 1, 1)
    width = _up(shape.channels)
    pitch = (shape.before[1] + shape.columns + shape.after[1]) * width
    lines = shape.before[0] + shape.rows + shape.after[0]
    origin = shape.before[0] * pitch + shape.before[1] * width
    c, y, x = np.indices((shape.channels, shape.rows, shape.columns))
    position = (origin + y * pitch + x * width + c).ravel().astype(np.int64)
    spread = coefficients(population, network.dialect, position, lines * pitch)
    inside = spread.reshape(len(COEFFICIENTS), lines, -1, width)
    inside = inside[:, shape.before[0] :, shape.before[1] :][:, : shape.rows, : shape.columns]
    sixteens = width // SIXTEEN
    through = (origin // SIXTEEN, shape.rows, pitch // SIXTEEN)
    if _equal(inside, (1, 2, 3)):  # one law for all neurons: pixels and channels are one row of sixteens
        kept = inside[:, 0, 0, :SIXTEEN]
        walk = (*through, shape.columns * sixteens, 1, 1)
    elif _equal(inside, (1, 2)):
        kept = inside[:, 0, 0]
        walk = (*through, shape.columns, sixteens, sixteens)
    else:
        kept = spread
        walk = (0, 1, 0, 1, 1, lines * pitch // SIXTEEN)
    table = np.ascontiguousarray(kept.reshape(len(COEFFICIENTS), -1, SIXTEEN).transpose(1, 0, 2))
    return Place(lines * pitch, position, origin, pitch, *walk, table)


def _up(length: int) -> int:
    return -(-length // SIXTEEN) * SIXTEEN


def _equal(values: Floats, axes: tuple[int, ...]) -> bool:
    return bool((values.min(axis=axes) == values.max(axis=axes)).all())


def _map(network: Network, arriving: list[Projection]) -> _Shape:
    channels, rows, columns = network.maps(arriving[0])[1]
    before, after = [0, 0], [0, 0]
    for projection in arriving:
        source = network.maps(projection)[0][1:]
        for axis, size in enumerate((rows, columns)):
            last = (source[axis] - 1 + projection.padding[axis]) // projection.stride[axis]
            before[axis] = max(before[axis], reach(projection)[axis] - 1)
            after[axis] = max(after[axis], last - (size - 1))
    return _Shape(channels, rows, columns, (before[0], before[1]), (after[0], after[1]))


def coefficients(population: Population, dialect: Dialect, position: Longs, positions: int) -> Floats:
    """Spread a population's law over its positions, ``[len(COEFFICIENTS), positions]``.

    What no neuron owns never spikes. Where a silent lane that has the neurons' law would not spike either,
    it gets it: so that one law for all stays one.
    """
    law = population.dynamics
    if law is None:
        raise ValueError(f"{population.name} has no dynamics")
    arrays = {name: getattr(law, name) for name in COEFFICIENTS if hasattr(law, name)}
    arrays["floor"] = np.full(population.size, -np.inf, np.float32)
    arrays["reset"] = law.v_reset
    if law.spiking and not law.resets:  # v + -0 is v
        arrays["reset"] = np.full(population.size, -0.0, np.float32)
    elif law.spiking:
        if dialect.reset == "subtract":
            arrays["reset"] = -(law.threshold - law.v_reset)
        if dialect.v_floor is not None:
            lowest = -law.threshold if dialect.v_floor == "-v_threshold" else dialect.v_floor
            arrays["floor"] = np.full(population.size, lowest, np.float32)
    if law.spiking and dialect.tie == "ge":  # v >= x is v > (the float before x): one comparison serves both
        arrays["threshold"] = np.nextafter(law.threshold, np.float32(-np.inf))
    quiet = {"bias": 0.0, "leak": 0.0}
    uniform = all(a.min() == a.max() for a in arrays.values())
    idle = (
        uniform
        and all(arrays[name][0] == value for name, value in quiet.items())
        and arrays["threshold"][0] >= 0
        and arrays["floor"][0] <= 0
    )
    spread = np.zeros((len(COEFFICIENTS), positions), np.float32)
    for row, name in zip(spread, COEFFICIENTS, strict=True):
        if idle:
            row[:] = arrays[name][0]
        elif name == "threshold":
            row[:] = np.inf
        elif name == "floor":
            row[:] = -np.inf
        row[position] = arrays[name]
    return spread
