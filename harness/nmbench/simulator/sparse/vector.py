"""What Numba has no word for, as LLVM instructions: prefetch, ordered loads and stores, many lanes at once.

The vectors are LLVM's own and compile for any processor. Only the look-up in a table of 32 entries needs an
instruction of AVX-512 (``vpermw``); elsewhere `HAS_TABLES` is false and a plain loop gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

HAS_TABLES = bool(llvm.get_host_cpu_features().get("avx512bw", False))
"""Whether this processor looks up 32 entries of 16 bits in one instruction."""

LANES = 16
"""32-bit numbers in a vector; a chunk of 64 neurons is four of them."""

_INT8 = ir.IntType(8)
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_INTS = ir.VectorType(_INT32, LANES)
_SHORTS = ir.VectorType(ir.IntType(16), 2 * LANES)
_LONGS = ir.VectorType(_INT64, 8)

Code = tuple[Any, Callable[..., Any]]

intrinsic: Any = extending.intrinsic
"""Numba's decorator; what it makes is called without the first argument, which its types do not know."""

_function: Any = cgutils.get_or_insert_function


@intrinsic
def borrowed(context: Any, record: Any) -> Code:
    """Return a named tuple whose arrays have no share in their memory: who calls keeps them alive.

    Numba counts a reference, with a locked instruction, for each array that is handed to a function or
    sliced: hundreds of nanoseconds a step. Of what is borrowed it counts none.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, fields = signature.args[0], []
        for place, field in enumerate(kind.types):
            value = builder.extract_value(arguments[0], place)
            if isinstance(field, types.Array):
                made = context.make_array(field)(context, builder, value)
                made.meminfo = ir.Constant(made.meminfo.type, None)
                made.parent = ir.Constant(made.parent.type, None)
                value = made._getvalue()
            fields.append(value)
        return context.make_tuple(builder, kind, fields)

    return record(record), code


@intrinsic
def prefetch(context: Any, array: Any, index: Any) -> Code:
    """Ask for the cache line of ``array[index]``."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.bitcast(place_of(context, builder, signature.args, arguments), _INT8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_INT8.as_pointer(), _INT32, _INT32, _INT32])
        function = _function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, _INT32(0), _INT32(3), _INT32(1)])
        return context.get_dummy_value()

    return types.void(array, index), code


@intrinsic
def load_acquire(context: Any, array: Any, index: Any) -> Code:
    """Read ``array[index]``; what another thread wrote before storing it is seen from here on."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(place_of(context, builder, signature.args, arguments), "acquire", 8)

    return array.dtype(array, index), code


@intrinsic
def store_release(context: Any, array: Any, index: Any, value: Any) -> Code:
    """Write ``array[index]``; who reads it with `load_acquire` sees all that was written before."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = place_of(context, builder, signature.args, arguments)
        builder.store_atomic(arguments[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, index, types.int64), code


@intrinsic
def give_way(context: Any) -> Code:
    """Let another thread run: ``sched_yield`` of POSIX."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_INT32, [])
        builder.call(_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def counts64(context: Any, counts: Any, first: Any, cut: Any, alias: Any, weight: Any, draw: Any) -> Code:
    """Fill 64 Poisson inputs as `noise.counts_plain` does: 32 of them at a time."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = _INT64(0)
        out = place_of(context, builder, signature.args, arguments)
        own, other = (place_of(context, builder, [signature.args[k]], [arguments[k], zero]) for k in (2, 3))
        out = builder.bitcast(out, _INTS.as_pointer())
        own, other = (
            builder.load(builder.bitcast(place, _SHORTS.as_pointer()), align=2) for place in (own, other)
        )
        weight = splat(builder, arguments[4], _INTS)
        for half in range(2):
            short = builder.bitcast(_mixed(builder, _stream(builder, arguments[5], 8 * half)), _SHORTS)
            column = builder.and_(short, ir.Constant(_SHORTS, [31] * 32))
            place = builder.lshr(short, ir.Constant(_SHORTS, [5] * 32))
            below = builder.icmp_unsigned("<", place, _looked_up(builder, own, column))
            count = builder.select(below, column, _looked_up(builder, other, column))
            for part in range(2):
                lanes = ir.Constant(_INTS, list(range(LANES * part, LANES * (part + 1))))
                sixteen = builder.shuffle_vector(count, ir.Constant(_SHORTS, ir.Undefined), lanes)
                arrived = builder.mul(builder.zext(sixteen, _INTS), weight)
                builder.store(arrived, builder.gep(out, [_INT64(2 * half + part)]), align=4)
        return context.get_dummy_value()

    return types.void(counts, types.int64, cut, alias, types.int32, types.uint64), code


def _stream(builder: Any, draw: Any, lane: int) -> Any:
    """Return the counters of eight draws from number ``draw + lane`` of a stream on."""
    step = ir.Constant(_LONGS, [((lane + k) * 0x9E3779B97F4A7C15) % 2**64 for k in range(8)])
    return builder.add(splat(builder, draw, _LONGS), step)


def _mixed(builder: Any, x: Any) -> Any:
    """Finish draws of SplitMix64 (`alias.mix`)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = builder.xor(x, builder.lshr(x, ir.Constant(_LONGS, [shift] * 8)))
        x = builder.mul(x, ir.Constant(_LONGS, [factor] * 8))
    return builder.xor(x, builder.lshr(x, ir.Constant(_LONGS, [31] * 8)))


def _looked_up(builder: Any, table: Any, column: Any) -> Any:
    kind = ir.FunctionType(_SHORTS, [_SHORTS, _SHORTS])
    function = _function(builder.module, kind, "llvm.x86.avx512.permvar.hi.512")
    return builder.call(function, [table, column])


def splat(builder: Any, value: Any, kind: Any) -> Any:
    """Repeat a value in all lanes."""
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _INT32(0))
    lanes = ir.Constant(ir.VectorType(_INT32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), lanes)


def place_of(context: Any, builder: Any, kinds: Any, arguments: Any) -> Any:
    """Return the address of ``arguments[0][arguments[1]]``."""
    data = context.make_array(kinds[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])
