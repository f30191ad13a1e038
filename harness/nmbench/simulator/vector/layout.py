"""A network laid out for the kernel: records, and the memory that they point into."""

from __future__ import annotations

from bisect import bisect_left as bisect
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from nmbench.network.connectivity import fan_out
from nmbench.network.network import Floats, Network, Population, Projection
from nmbench.simulator.vector.advance import LEAKY, LINEAR, SYNAPTIC
from nmbench.simulator.vector.grid import Unit, Width, units
from nmbench.simulator.vector.places import Place, place
from nmbench.simulator.vector.program import SAMPLE, Program, write_sample, write_step
from nmbench.simulator.vector.records import HEAD, POPULATION, PROJECTION, UNLIMITED, Records
from nmbench.simulator.vector.rows import chunks_of
from nmbench.simulator.vector.weights import KINDS, Array, Laid, aligned, lay_out


@dataclass(frozen=True, eq=False)
class Layout:
    """What `run_samples` is handed.

    Attributes
    ----------
    sample
        Address of the function that runs a sample, 0 where there is none.
    limit
        Input spikes in a step that the sums of rows hold whatever they are.
    words, zeroed
        Size of a worker's memory in 8 bytes, and bytes of it that a sample starts with at 0.
    room
        Size of a recording's memory in 8 bytes: behind a worker's there are float32 sums for all int16 ones.
    kept
        Arrays and compiled functions that the records point into.
    """

    sample: int
    populations: Records
    projections: Records
    readout: Array
    limit: int
    words: int
    zeroed: int
    room: int
    kept: list[Array | Program]


def build(network: Network, width: Width, beside: Width | None = None) -> Layout:
    """Lay out a network that is covered (`nmbench.simulator.vector.coverage`).

    Parameters
    ----------
    beside
        Narrower weights, for ``width`` float32: all that outlasts a step lies where their layout has it.

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
    # by target; blocks before rows, the input before others
    order = sorted(range(len(laid)), key=lambda r: _key(network.projections[r]))
    populations, zeroed, words, room = _populations(network, placed, found, width, beside or width, order)
    projections, passes = _projections(network, laid, found, order, populations)
    coefficients = [aligned(p.coefficients.size, np.float32) for p in placed]
    for copy, p in zip(coefficients, placed, strict=True):
        copy[:] = p.coefficients.ravel()
    populations["coefficients"] = [copy.ctypes.data for copy in coefficients]
    output = network.output
    readout = placed[output].position.astype(np.int32)
    if populations["spiking"][output]:
        readout = np.zeros(placed[output].positions, np.int32)
        readout[placed[output].position] = np.arange(network.populations[output].size)
    limit = min(
        (
            unit.limit
            for q, unit in zip(network.projections, found, strict=True)
            if q.source == 0 and q.kind == "dense"
        ),
        default=UNLIMITED,
    )
    sample, compiled = _compile(network, populations, projections, placed, width)
    kept = [*compiled, passes, *coefficients, *(r.values for r in laid), *(r.table for r in laid)]
    return Layout(sample, populations, projections, readout, limit, words // 8, zeroed, room // 8, kept)


def _key(projection: Projection) -> tuple[int, bool, int]:
    return projection.target, projection.kind == "dense", projection.source


def _units(network: Network, width: Width) -> list[Unit]:
    if width == "float32":
        return [Unit(0, 0, UNLIMITED, UNLIMITED, UNLIMITED, 0)] * len(network.projections)
    found = units(network, width)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def _populations(
    network: Network, placed: list[Place], found: list[Unit], width: Width, beside: Width, order: list[int]
) -> tuple[Records, int, int, int]:
    """Return the records, the bytes that start at 0, those in all, and those of a recording."""
    records, apart = aligned(len(placed), POPULATION), np.zeros(len(placed), bool)
    keys = [_key(network.projections[r]) for r in order]
    dialect = network.dialect
    at = 0
    for p, (population, here) in enumerate(zip(network.populations, placed, strict=True)):
        law, record = population.dynamics, records[p]
        if law is None:
            continue
        mine = [r for r in order if network.projections[r].target == p]
        blocks = any(network.projections[r].kind == "conv2d" for r in mine)
        whole, narrow = blocks and width != "float32", blocks and beside != "float32"
        apart[p] = narrow
        number = _law(population, here.coefficients)
        lagging = dialect.order == "membrane_synapse_threshold" and population.model in ("CubaLIF", "CubaLI")
        record["incoming"], record["inner"] = bisect(keys, (p, False, 0)), bisect(keys, (p, False, 1))
        record["rows"] = bisect(keys, (p, True, 0))
        record["advanced"] = number == LEAKY and not blocks and here.blocks == 1 and len(mine) > 0
        record["spiking"], record["law"] = law.spiking, 2 * number + whole
        record["lagging"], record["subtract"] = lagging, dialect.reset == "subtract" or not law.resets
        record["scale"] = 2.0 ** min((found[r].exponent for r in mine), default=0)
        record["sum_bytes"] = 32 if whole else 64
        for name in ("first", "lines", "line_pitch", "pixels", "pixel_pitch", "blocks"):
            record[name] = getattr(here, name)
        record["sixteens"] = here.lines * here.pixels * here.blocks
        # an odd number of lines between arrays: at multiples of 4 KiB loads would wait for stores
        for name, size in (
            ("sums", 2 if narrow else 4),
            ("currents", 4 * (number == SYNAPTIC)),
            ("membranes", 4),
        ):
            record[name] = at
            at += (-(-here.positions * size // 64) | 1) * 64
    kept = [
        # the least power of two above the delay
        1 << max((q.delay for q in network.projections if q.source == p), default=0).bit_length()
        for p in range(len(placed))
    ]
    records["mask"] = np.array(kept) - 1
    for record, lists in zip(records, kept, strict=True):
        record["heads"] = at
        at += lists * HEAD.itemsize
    at = zeroed = -(-at // 64) * 64
    for record, here, lists in zip(records, placed, kept, strict=True):
        # a list is stored by sixteens and may end in the middle of one
        record["lists"], record["list_bytes"] = at, 4 * here.positions + 64
        at += lists * (4 * here.positions + 64)
    room = at
    for record, here, twice in zip(records, placed, apart, strict=True):
        if twice and width == "float32":
            record["sums"] = room
        room += 4 * here.positions * int(twice)
    return records, zeroed, at, room


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
    """Return the records in order, and what their passes point into."""
    passes: list[tuple[int, int, int]] = []
    rows: list[dict[str, int]] = []
    for r in order:
        projection, here, unit = network.projections[r], laid[r], found[r]
        base = int(populations["sums"][projection.target])
        first = len(passes)
        passes += [(code, base + at, here.values.ctypes.data + w) for code, at, w in here.passes]
        rows.append(
            {
                "number": 8 * r,
                "heads": populations["heads"][projection.source],
                "mask": populations["mask"][projection.source],
                "delay": projection.delay,
                "table": here.table.ctypes.data,
                "pitch": here.pitch,
                "weights": here.values.ctypes.data,
                "at_once": unit.at_once,
                "distinct": unit.distinct,
                "shift": unit.shift,
                "passes": 24 * first,
                "passes_end": 24 * len(passes),
                "limit": unit.limit,
                "most": unit.most,
            }
        )
    records = aligned(len(rows), PROJECTION)
    for record, row in zip(records, rows, strict=True):
        for name, value in row.items():
            record[name] = value
    calls = np.array(passes, np.int64).reshape(-1, 3)
    for name in ("passes", "passes_end"):
        records[name] += calls.ctypes.data
    return records, calls


def _compile(
    network: Network, populations: Records, projections: Records, placed: list[Place], width: Width
) -> tuple[int, list[Array | Program]]:
    """Compile what adds rows and say so in the records; return `Layout.sample`, and what is to be kept."""
    module, kind, parts = ir.Module(), KINDS[width], []
    for p, (record, here) in enumerate(zip(populations, placed, strict=True)):
        rows = sum(q.target == p and q.kind == "dense" for q in network.projections)
        mine = projections[record["rows"] : record["rows"] + rows]
        parts.append(chunks_of(p, record, mine, here.positions, here.coefficients[0]) if rows else [])
    chunks = [chunk for part in parts for chunk in part]
    if not chunks:
        return 0, []
    read, output = populations[network.output], network.output
    if populations["advanced"][1:].all() and not read["spiking"] and not network.dialect.output_delay:
        write_sample(module, kind, chunks, populations, output, network.populations[output].size)
        program = Program(module)
        return program.address(SAMPLE), [program]
    for number, chunk in enumerate(chunks):
        write_step(module, f"step{number}", kind, chunk)
    program = Program(module)
    addresses = np.array([program.address(f"step{number}") for number in range(len(chunks))], np.int64)
    ends = addresses.ctypes.data + 8 * np.cumsum([0, *(len(part) for part in parts)])
    populations["steps"], populations["steps_end"] = ends[:-1], ends[1:]
    return 0, [program, addresses]
