"""Adding rows of weights with the sums in registers: the operation that the engine's speed stands on.

`add_rows` adds whole rows to the sums of one population; `add_blocks` adds a kernel's block to a place on
a map. Each is a family of functions, one a shape, that are written in LLVM's terms, since no compiler keeps
a loop's sums in sixteen registers by itself. Rows may be float32, int16 or int8:

=========  ==================  =====================================================================
weights    sums of `add_rows`  sums of `add_blocks`
=========  ==================  =====================================================================
float32    float32             float32
int16      int16 in registers  int16: the layout has proven that the largest sum fits
int8       int16 in registers  int16
=========  ==================  =====================================================================

Whole numbers are summed by `add_rows` in int16 registers, over no more rows than cannot overflow (the
caller's part), and added to int32 in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types

from nmbench.simulator.vector.lanes import LANES, intrinsic_
from nmbench.simulator.vector.registers import (
    BYTES,
    FLOAT32,
    INT,
    INT8,
    INT16,
    LONG,
    SUMMED,
    Code,
    pieces_of,
)

WIDEST = 16
"""Registers' worth of float32 columns that `add_rows` sums at once, of 32 registers that there are."""

AHEAD, FETCHED_FROM = 8, 256
"""Rows ahead whose first lines are fetched, and the bytes of a row from which that pays: 10 % on W1."""

SHAPES = ((1, 1), (1, 2), (1, 3), (1, 4), (1, 8), (1, 16), (2, 2), (2, 4), (2, 8), (3, 3), (3, 6))
"""Lines of a block, and sixteens of numbers a line, that `add_blocks` has code for."""


def _emit_rows(function: Any, kind: int, sixteens: int) -> None:
    """Write the function that adds ``n`` rows: arguments of `add_rows` behind its code -> events."""
    sums, weights, pitch, ids, n, listed, fan, shift = function.args
    code, pieces = Code(function, kind), pieces_of(kind, sixteens)
    builder, entry = code.builder, code.builder.block
    if kind == FLOAT32:
        first = [builder.load(code.at(sums, 4 * p.start, code.sums(p)), align=64) for p in pieces]
    else:
        first = [ir.Constant(code.sums(p), None) for p in pieces]
    loop, done = code.block("loop"), code.block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    k, events = builder.phi(LONG), builder.phi(LONG)
    held = [builder.phi(code.sums(p)) for p in pieces]

    def row_of(place: Any) -> tuple[Any, Any]:
        neuron = code.read_int(ids, builder.shl(place, LONG(2)))
        return neuron, builder.add(weights, builder.mul(neuron, pitch))

    neuron, row = row_of(k)
    if sixteens * LANES * BYTES[kind] >= FETCHED_FROM:
        later = builder.add(k, LONG(AHEAD))
        inside = builder.icmp_signed("<", later, listed)
        _, coming = row_of(builder.select(inside, later, builder.sub(listed, LONG(1))))
        code.fetch(coming, 2)
    added = [code.add(h, code.weights(row, p)) for h, p in zip(held, pieces, strict=True)]
    counted = builder.add(events, code.read_int(fan, builder.shl(neuron, LONG(2))))
    after = builder.add(k, LONG(1))
    for phi, start, next_ in zip(
        [k, events, *held], [LONG(0), LONG(0), *first], [after, counted, *added], strict=True
    ):
        phi.add_incoming(start, entry)
        phi.add_incoming(next_, loop)
    builder.cbranch(builder.icmp_signed("<", after, n), loop, done)
    builder.position_at_end(done)
    for piece, value in zip(pieces, added, strict=True):
        total = value
        wide = ir.VectorType(SUMMED[kind] if kind == FLOAT32 else INT, piece.length)
        where = code.at(sums, 4 * piece.start, wide)
        if kind != FLOAT32:
            by = builder.insert_element(ir.Constant(wide, ir.Undefined), builder.trunc(shift, INT), INT(0))
            zeros = ir.Constant(ir.VectorType(INT, piece.length), None)
            by = builder.shuffle_vector(by, ir.Constant(wide, ir.Undefined), zeros)
            moved = builder.shl(builder.sext(value, wide), by)
            total = builder.add(builder.load(where, align=64), moved)
        builder.store(total, where, align=64)
    builder.ret(counted)


def _emit_blocks(function: Any, kind: int, shape: tuple[int, int]) -> None:
    """Write the function that adds ``n`` blocks: sums, pitch, weights, ids, n, table -> events.

    Spikes in a row that reach the same place are added in registers before the sums are stored. An entry
    of the table holds three int32 in 16 bytes: place (bytes), block (bytes), fan-out.
    """
    sums, pitch, weights, ids, n, table = function.args
    lines, sixteens = shape
    # where pixels are sixteen channels, blocks start at any sixteen: wider registers would load what two
    # earlier ones stored, and wait for both
    code, row = Code(function, kind), pieces_of(kind, sixteens, wide=sixteens // lines % 2 == 0)
    places = [(line, piece) for line in range(lines) for piece in row]
    builder, size = code.builder, 4 if kind == FLOAT32 else 2
    entry_block = builder.block
    outer, inner, peek, out, done = (code.block(x) for x in ("outer", "inner", "peek", "out", "done"))

    def entry_of(k: Any) -> Any:
        neuron = code.read_int(ids, builder.shl(k, LONG(2)))
        return builder.add(table, builder.shl(neuron, LONG(4)))

    builder.branch(outer)
    builder.position_at_end(outer)
    k0, events0 = builder.phi(LONG), builder.phi(LONG)
    entry0 = entry_of(k0)
    place = code.read_int(entry0, 0)
    line_at = [builder.add(builder.add(sums, place), builder.mul(pitch, LONG(x))) for x in range(lines)]
    where = [code.at(line_at[line], size * p.start, code.sums(p)) for line, p in places]
    align = size * LANES
    first = [builder.load(w, align=align) for w in where]
    builder.branch(inner)

    builder.position_at_end(inner)
    k, events, entry = builder.phi(LONG), builder.phi(LONG), builder.phi(LONG)
    held = [builder.phi(code.sums(p)) for _, p in places]
    block = builder.add(weights, code.read_int(entry, 4))
    added = [
        code.add(h, code.weights(block, p, line * sixteens * LANES))
        for h, (line, p) in zip(held, places, strict=True)
    ]
    counted = builder.add(events, code.read_int(entry, 8))
    after = builder.add(k, LONG(1))
    more = builder.icmp_signed("<", after, n)
    builder.cbranch(more, peek, out)

    builder.position_at_end(peek)
    next_entry = entry_of(after)
    builder.cbranch(builder.icmp_signed("==", code.read_int(next_entry, 0), place), inner, out)

    builder.position_at_end(out)
    for w, value in zip(where, added, strict=True):
        builder.store(value, w, align=align)
    builder.cbranch(more, outer, done)
    builder.position_at_end(done)
    builder.ret(counted)

    for phi, start, next_ in zip(
        [k, events, entry, *held],
        [k0, events0, entry0, *first],
        [after, counted, next_entry, *added],
        strict=True,
    ):
        phi.add_incoming(start, outer)
        phi.add_incoming(next_, peek)
    for phi, start, next_ in ((k0, LONG(0), after), (events0, LONG(0), counted)):
        phi.add_incoming(start, entry_block)
        phi.add_incoming(next_, out)


def _dispatch(module: Any, name: str, arguments: int, variants: dict[int, Callable[[Any], None]]) -> Any:
    """Return the function of a module that calls a variant by its first argument, written if it is new."""
    kind = ir.FunctionType(LONG, [LONG] * (arguments + 1))
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, kind, name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    other = function.append_basic_block("other")
    switch = builder.switch(function.args[0], other)
    for key, emit in variants.items():
        variant = ir.Function(module, ir.FunctionType(LONG, [LONG] * arguments), f"{name}_{key}")
        variant.linkage = "internal"
        variant.attributes.add("noinline")
        emit(variant)
        case = function.append_basic_block(f"case{key}")
        switch.add_case(LONG(key), case)
        builder.position_at_end(case)
        builder.ret(builder.call(variant, function.args[1:]))
    builder.position_at_end(other)
    builder.unreachable()
    return function


def _row_variants() -> dict[int, Callable[[Any], None]]:
    return {
        64 * kind + width: partial(_emit_rows, kind=kind, sixteens=width)
        for kind in (FLOAT32, INT16, INT8)
        for width in range(1, WIDEST + 1)
    }


def _block_variants() -> dict[int, Callable[[Any], None]]:
    return {
        64 * kind + number: partial(_emit_blocks, kind=kind, shape=shape)
        for kind in (FLOAT32, INT16, INT8)
        for number, shape in enumerate(SHAPES)
    }


@intrinsic_
def add_rows(
    typingctx: Any,
    code: Any,
    sums: Any,
    weights: Any,
    pitch: Any,
    ids: Any,
    n: Any,
    listed: Any,
    fan: Any,
    shift: Any,
) -> Any:
    """Add the rows of ``n`` (at least 1) spikes to the sums; return their fan-out.

    Parameters
    ----------
    code
        64 times the weights' kind plus the sixteens of columns, at most `WIDEST`.
    sums, weights, ids, fan
        Addresses: float32 or int32 sums, first row, int32 neurons, int32 fan-out by neuron.
    pitch
        Bytes from row to row.
    listed
        Neurons that may be read at ``ids``, at least ``n``: rows of those behind are fetched ahead.
    shift
        Of whole numbers: places by which their sum is moved to the left, into the sums' unit.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.call(_dispatch(builder.module, "nmbench_add_rows", 8, _row_variants()), values)

    return types.int64(*[types.int64] * 9), generate


@intrinsic_
def add_blocks(
    typingctx: Any, code: Any, sums: Any, pitch: Any, weights: Any, ids: Any, n: Any, table: Any
) -> Any:
    """Add the blocks of ``n`` (at least 1) spikes to a map of sums; return their fan-out.

    Parameters
    ----------
    code
        64 times the weights' kind plus the place of the block's shape in `SHAPES`.
    sums, weights, ids, table
        Addresses: float32 or int16 sums, first block, int32 neurons, entries of `_emit_blocks` by neuron.
    pitch
        Bytes from line to line of the map.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.call(_dispatch(builder.module, "nmbench_add_blocks", 6, _block_variants()), values)

    return types.int64(*[types.int64] * 7), generate
