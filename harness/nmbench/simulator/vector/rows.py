"""One step of neurons that rows of weights reach: the sums, and what follows on them, stay in registers.

A row holds a source neuron's weights onto all neurons of the target; a spike adds it. The code is written in
LLVM's terms and for one network, whose widths, places and laws are constants in it, since no compiler keeps a
loop's sums in sixteen registers by itself. Rows may be float32, int16 or int8. Whole numbers are summed as
int16, over no more rows than cannot overflow, and then as int32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir

from nmbench.network.network import Floats
from nmbench.simulator.vector.lanes import LANES, packed_first
from nmbench.simulator.vector.records import COEFFICIENTS, Record, Records
from nmbench.simulator.vector.registers import BYTES, FLOAT32, FLOATS, INTS, LONG, Code, pieces_of

WIDEST = 16
"""Registers' worth of float32 columns that are summed at once, of 32 registers that there are."""

AHEAD, FETCHED_FROM = 8, 256
"""Rows ahead whose first lines are fetched, and the bytes of a row from which that pays: 10 % on W1."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Neurons whose sums fit the registers at once: all of a population, or a part of a wide one.

    Attributes
    ----------
    number
        Of the population.
    population, projections
        Its record, and those of the projections that reach it by rows.
    first, sixteens
        Where it starts in the population and how long it is, at most `WIDEST`.
    coefficients
        The one law of all neurons, ``[len(COEFFICIENTS), 16]``.
    """

    number: int
    population: Record
    projections: Records
    first: int
    sixteens: int
    coefficients: Floats


class Step:
    """A chunk's step while it is written into a function.

    Parameters
    ----------
    memory, t, events, spikes
        Values: address of the worker's memory, the step, addresses of its counts by projection and by
        population.
    """

    def __init__(self, code: Code, chunk: Chunk, memory: Any, t: Any, events: Any, spikes: Any) -> None:
        self.code, self.kind, self.chunk = code, code.kind, chunk
        self.memory, self.t, self.events, self.spikes = memory, t, events, spikes
        zero = ir.Constant(FLOATS if self.kind == FLOAT32 else INTS, None)
        self.totals = [code.variable(zero) for _ in range(chunk.sixteens)]
        self.pieces = pieces_of(self.kind, chunk.sixteens)
        self.sums = self.totals
        if self.kind != FLOAT32:
            self.sums = [code.variable(ir.Constant(code.sums(p), None)) for p in self.pieces]

    def write(self) -> None:
        """Write the step: all projections, then the law, or what arrived into the sums in memory."""
        for projection in self.chunk.projections:
            self._add_projection(projection)
        if self.chunk.population["advanced"]:
            self._advance()
        else:
            sums = self._place("sums")
            for number, add in enumerate(self._currents()):
                self.code.store(sums, number, add(self.code.sixteen(sums, number)))

    def _place(self, name: str) -> Any:
        """Return the address of the chunk's float32 in an array of the worker's memory."""
        at = int(self.chunk.population[name]) + 64 * self.chunk.first
        return self.code.builder.add(self.memory, LONG(at))

    def _add_projection(self, projection: Record) -> None:
        """Add the rows of what spiked ``delay`` steps ago, and count the synaptic events."""
        code, builder = self.code, self.code.builder
        t = builder.sub(self.t, LONG(int(projection["delay"])))
        head = code.head(self.memory, projection, t)
        ids, count, readable, repeats = (builder.load(code.at(head, 8 * k, LONG)) for k in range(4))
        events = code.variable(LONG(0))
        gather = partial(self._gather, projection, events)
        with builder.if_then(builder.icmp_signed(">", count, LONG(0))):
            if self.kind == FLOAT32:
                gather(ids, count, readable)
            else:
                several = builder.icmp_signed("!=", repeats, LONG(0))
                any_, distinct = (LONG(int(projection[name])) for name in ("at_once", "distinct"))
                at_once = builder.select(several, any_, distinct)
                done = code.variable(LONG(0))
                with code.repeating("stretch", lambda: builder.icmp_signed("<", builder.load(done), count)):
                    before = builder.load(done)
                    n = code.least(builder.sub(count, before), at_once)
                    mine = builder.add(ids, builder.shl(before, LONG(2)))
                    gather(mine, n, builder.sub(readable, before))
                    self._widen(int(projection["shift"]))
                    builder.store(builder.add(before, n), done)
        builder.store(builder.load(events), code.at(self.events, int(projection["number"]), LONG))

    def _gather(self, projection: Record, events: Any, ids: Any, n: Any, readable: Any) -> None:
        """Add the rows of ``n`` (at least 1) neurons to the sums, and their fan-out to the events."""
        code, builder = self.code, self.code.builder
        width = BYTES[self.kind] * LANES
        weights = int(projection["weights"]) + width * self.chunk.first
        last, k = builder.sub(readable, LONG(1)), code.variable(LONG(0))

        def neuron(place: Any) -> Any:
            return code.read_int(ids, builder.shl(place, LONG(2)))

        def row(of: Any) -> Any:
            return builder.add(LONG(weights), builder.mul(of, LONG(int(projection["pitch"]))))

        with code.repeating("row", lambda: builder.icmp_signed("<", builder.load(k), n)):
            place = builder.load(k)
            this = neuron(place)
            mine = row(this)
            for total, piece in zip(self.sums, self.pieces, strict=True):
                builder.store(code.add(builder.load(total), code.weights(mine, piece)), total)
            if self.chunk.sixteens * width >= FETCHED_FROM:
                code.fetch(row(neuron(code.least(builder.add(place, LONG(AHEAD)), last))), 2)
            reached = code.read_int(LONG(int(projection["table"])), builder.shl(this, LONG(2)))
            builder.store(builder.add(builder.load(events), reached), events)
            builder.store(builder.add(place, LONG(1)), k)

    def _widen(self, shift: int) -> None:
        """Move the int16 sums into the int32 totals, in the target's unit."""
        builder = self.code.builder
        for piece, held in zip(self.pieces, self.sums, strict=True):
            value = builder.load(held)
            builder.store(ir.Constant(value.type, None), held)
            for start in range(0, piece.length, LANES):
                places = ir.Constant(INTS, list(range(start, start + LANES)))
                half = builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), places)
                moved = builder.shl(builder.sext(half, INTS), ir.Constant(INTS, [shift] * LANES))
                total = self.totals[(piece.start + start) // LANES]
                builder.store(builder.add(builder.load(total), moved), total)

    def _currents(self) -> list[Callable[[Any], Any]]:
        """Return for each sixteen what adds to a value that which arrived."""
        code, builder = self.code, self.code.builder
        totals = [builder.load(total) for total in self.totals]
        if self.kind == FLOAT32:
            return [partial(builder.fadd, total) for total in totals]
        # the product with a power of two is exact: fused or not, the sum is rounded once
        scale = ir.Constant(FLOATS, [float(self.chunk.population["scale"])] * LANES)
        return [partial(code.fused, builder.sitofp(total, FLOATS), scale) for total in totals]

    def _advance(self) -> None:
        """Advance the membranes; list and reset those above threshold, and say how many there are."""
        code, builder, chunk = self.code, self.code.builder, self.chunk
        decay, threshold, reset = (
            ir.Constant(FLOATS, chunk.coefficients[COEFFICIENTS.index(name)].tolist())
            for name in ("mem_decay", "threshold", "reset")
        )
        membranes, spikes = self._place("membranes"), code.at(self.spikes, 8 * chunk.number, LONG)
        advanced = [
            add(builder.fmul(decay, code.sixteen(membranes, number)))
            for number, add in enumerate(self._currents())
        ]
        if not chunk.population["spiking"]:
            for number, v in enumerate(advanced):
                code.store(membranes, number, v)
            builder.store(LONG(0), spikes)
            return
        listed = code.listed(self.memory, chunk.population, self.t)
        n = builder.load(spikes) if chunk.first else LONG(0)  # listed by the chunk before
        lanes = ir.Constant(INTS, [LANES * chunk.first + lane for lane in range(LANES)])
        for number, v in enumerate(advanced):
            above = builder.fcmp_ordered(">", v, threshold)
            # added behind the packing, the number is a constant of 4 bytes, not one of 64
            packed = packed_first(builder, lanes, above)
            ids = builder.add(packed, ir.Constant(INTS, [number * LANES] * LANES))
            builder.store(ids, code.at(listed, builder.shl(n, LONG(2)), INTS), align=4)
            marks = builder.zext(builder.bitcast(above, ir.IntType(LANES)), LONG)
            n = builder.add(n, builder.ctpop(marks))
            after = builder.fadd(v, reset) if chunk.population["subtract"] else reset
            code.store(membranes, number, builder.select(above, after, v))
        builder.store(n, spikes)
        code.announce(code.head(self.memory, chunk.population, self.t), listed, n, n)


def chunks_of(
    number: int, population: Record, projections: Records, positions: int, coefficients: Floats
) -> list[Chunk]:
    """Cut a population into chunks; ``positions`` is a multiple of sixteen."""
    sixteens = positions // LANES
    return [
        Chunk(number, population, projections, k, min(WIDEST, sixteens - k), np.asarray(coefficients))
        for k in range(0, sixteens, WIDEST)
    ]
