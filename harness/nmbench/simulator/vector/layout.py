"""A network laid out for the kernel: records, and the memory that they point into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmbench.network.connectivity import fan_out
from nmbench.network.network import Floats, Network, Population
from nmbench.simulator.vector.advance import LEAKY, LINEAR, SYNAPTIC
from nmbench.simulator.vector.grid import Unit, Width, units
from nmbench.simulator.vector.places import Place, place
from nmbench.simulator.vector.records import POPULATION, PROJECTION, Records
from nmbench.simulator.vector.weights import Array, Laid, aligned, lay_out

UNBOUNDED = 2**62


@dataclass(frozen=True, eq=False)
class Layout:
    """What `run_samples` is handed.

    Attributes
    ----------
    words, zeroed
        Size of a worker's memory in 8 bytes, and bytes of it that a sample starts with at 0.
    depth
        Spike lists kept of each population.
    kept
        Arrays that the records point into.
    """

    populations: Records
    projections: Records
    readout: Array
    words: int
    zeroed: int
    depth: int
    kept: list[Array]


def build(network: Network, width: Width) -> Layout:
    """Lay out a network that is covered (`nmbench.simulator.vector.coverage`).

    Raises
    ------
    ValueError
        The weights are no whole numbers of that width, or their sums may overflow.
    """
    found = _units(network, width)
    nowhere = np.empty(0, np.int64)
    entrance = Place(0, nowhere, 0, 0, 0, 0, 0, 0, 0, 0, np.empty(0, np.float32))
    placed = [entrance, *(place(network, p) for p in range(1, len(network.populations)))]
    source = [np.arange(network.populations[0].size), *(p.position for p in placed[1:])]
    laid = [
        lay_out(network, q, source[q.source], placed, fan_out(network, q), unit, width)
        for q, unit in zip(network.projections, found, strict=True)
    ]
    order = sorted(
        range(len(laid)), key=lambda r: (network.projections[r].target, network.projections[r].source)
    )
    populations, zeroed, words, depth = _populations(network, placed, found, width, order)
    projections, passes = _projections(network, laid, found, order, populations)
    output = network.output
    readout = placed[output].position.astype(np.int32)
    if populations["spiking"][output]:
        readout = np.zeros(placed[output].positions, np.int32)
        readout[placed[output].position] = np.arange(network.populations[output].size)
    coefficients = [aligned(p.coefficients.size, np.float32) for p in placed]
    for copy, p in zip(coefficients, placed, strict=True):
        copy[:] = p.coefficients.ravel()
    populations["coefficients"] = [copy.ctypes.data for copy in coefficients]
    kept = [passes, *coefficients, *(r.values for r in laid), *(r.table for r in laid)]
    return Layout(populations, projections, readout, words // 8, zeroed, depth, kept)


def _units(network: Network, width: Width) -> list[Unit]:
    if width == "float32":
        return [Unit(0, 0, UNBOUNDED, UNBOUNDED, 0)] * len(network.projections)
    found = units(network, width)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def _populations(
    network: Network, placed: list[Place], found: list[Unit], width: Width, order: list[int]
) -> tuple[Records, int, int, int]:
    """Return the records, the bytes that start at 0, the bytes in all, and the depth of the lists."""
    records = np.zeros(len(placed), POPULATION)
    targets = np.array([network.projections[r].target for r in order], np.int64)
    dialect = network.dialect
    at = 0
    for p, (population, here) in enumerate(zip(network.populations, placed, strict=True)):
        law, record = population.dynamics, records[p]
        if law is None:
            continue
        mine = [r for r in order if network.projections[r].target == p]
        blocks = any(network.projections[r].kind == "conv2d" for r in mine)
        sums = 0 if width == "float32" or not mine else 2 if blocks else 1
        number = _law(population, here.coefficients)
        lagging = dialect.order == "membrane_synapse_threshold" and population.model in ("CubaLIF", "CubaLI")
        record["incoming"], record["incoming_end"] = np.searchsorted(targets, [p, p + 1])
        record["inner"] = record["incoming"] + sum(network.projections[r].source == 0 for r in mine)
        record["spiking"], record["law"] = law.spiking, 3 * number + sums
        record["lagging"], record["subtract"] = lagging, dialect.reset == "subtract" or not law.resets
        record["scale"] = 2.0 ** min((found[r].exponent for r in mine), default=0)
        record["sum_bytes"] = 32 if sums == 2 else 64
        for name in ("first", "lines", "line_pitch", "pixels", "pixel_pitch", "blocks"):
            record[name] = getattr(here, name)
        record["sixteens"] = here.lines * here.pixels * here.blocks
        # an odd number of lines between arrays: at multiples of 4 KiB loads would wait for stores
        for name, size in (
            ("sums", 2 if sums == 2 else 4),
            ("currents", 4 * (number == SYNAPTIC)),
            ("membranes", 4),
        ):
            record[name] = at
            at += (-(-here.positions * size // 64) | 1) * 64
    zeroed = at
    delays = [
        max((q.delay for q in network.projections if q.source == p), default=0) for p in range(len(placed))
    ]
    for record, here, delay in zip(records[1:], placed[1:], delays[1:], strict=True):
        kept = 1 << delay.bit_length()  # the least power of two above the delay
        # a list is stored by sixteens and may end in the middle of one
        record["lists"], record["list_bytes"], record["mask"] = at, 4 * here.positions + 64, kept - 1
        at += kept * (4 * here.positions + 64)
    return records, zeroed, at, int(records["mask"].max(initial=0)) + 1


def _law(population: Population, coefficients: Floats) -> int:
    """Return the simplest law that gives the same results, but for the sign of a zero."""
    bias, _, mem_gain, leak, floor, _, _, syn_decay, _ = coefficients.transpose(1, 0, 2)
    if population.model in ("CubaLIF", "CubaLI") or (syn_decay != 0).any():
        return SYNAPTIC
    plain = (mem_gain == 1).all() and not bias.any() and not leak.any() and (floor == -np.inf).all()
    return LEAKY if plain else LINEAR


def _projections(
    network: Network, laid: list[Laid], found: list[Unit], order: Iterable[int], populations: Records
) -> tuple[Records, Array]:
    passes: list[tuple[int, int, int]] = []
    rows: list[dict[str, Any]] = []
    for r in order:
        projection, here, unit = network.projections[r], laid[r], found[r]
        base = int(populations["sums"][projection.target])
        first = len(passes)
        passes += [(code, base + at, here.values.ctypes.data + w) for code, at, w in here.passes]
        rows.append(
            {
                "number": 8 * r,
                "source": projection.source,
                "delay": projection.delay,
                "kind": here.kind,
                "passes": 24 * first,
                "passes_end": 24 * len(passes),
                "pitch": here.pitch,
                "table": here.table.ctypes.data,
                "at_once": unit.at_once,
                "shift": unit.shift,
                "limit": unit.limit,
                "most": unit.most,
            }
        )
    records = np.zeros(len(rows), PROJECTION)
    for record, row in zip(records, rows, strict=True):
        for name, value in row.items():
            record[name] = value
    calls = np.array(passes, np.int64).reshape(-1, 3)
    for name in ("passes", "passes_end"):
        records[name] += calls.ctypes.data
    return records, calls
