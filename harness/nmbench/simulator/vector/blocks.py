"""Adding a kernel's blocks to a map, those of one place in registers: what convolutions' speed stands on.

`add_blocks` is a family of functions, one a shape, that are written in LLVM's terms, since no compiler keeps
a loop's sums in registers by itself. Weights may be float32, int16 or int8, their sums float32 or int16: the
layout has proven that the largest sum fits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types

from nmbench.simulator.vector.lanes import LANES, intrinsic_
from nmbench.simulator.vector.registers import FLOAT32, INT8, INT16, LONG, Code, pieces_of

SHAPES = ((1, 1), (1, 2), (1, 3), (1, 4), (1, 8), (1, 16), (2, 2), (2, 4), (2, 8), (3, 3), (3, 6))
"""Lines of a block, and sixteens of numbers a line, that `add_blocks` has code for."""


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


def _variants() -> dict[int, Callable[[Any], None]]:
    return {
        64 * kind + number: partial(_emit_blocks, kind=kind, shape=shape)
        for kind in (FLOAT32, INT16, INT8)
        for number, shape in enumerate(SHAPES)
    }


def _call(builder: Any, name: str, arguments: list[Any], variants: dict[int, Callable[[Any], None]]) -> Any:
    """Call a variant by the first argument, an int64, with the others; written where it is new.

    One jump through a table of addresses: a switch would be followed by a second one to the function.
    """
    module, kind = builder.module, ir.FunctionType(LONG, [LONG] * (len(arguments) - 1))
    if name not in module.globals:
        written = {}
        for key, emit in variants.items():
            variant = written[key] = ir.Function(module, kind, f"{name}_{key}")
            variant.linkage = "internal"
            variant.attributes.add("noinline")
            emit(variant)
        none = ir.Constant(kind.as_pointer(), None)
        entries = [written.get(key, none) for key in range(max(written) + 1)]
        table = ir.GlobalVariable(module, ir.ArrayType(kind.as_pointer(), len(entries)), name)
        table.linkage, table.global_constant = "internal", True
        table.initializer = ir.Constant(table.value_type, entries)
    entry = builder.gep(module.globals[name], [LONG(0), arguments[0]])
    return builder.call(builder.load(entry), arguments[1:])


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
        return _call(builder, "nmbench_add_blocks", values, _variants())

    return types.int64(*[types.int64] * 7), generate
