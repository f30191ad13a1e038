"""Sixteen synapses, or sums of them, added to the membranes of the lazy kernel at once, as LLVM instructions.

Their weights are widened and scaled in vector registers; each is then added where it belongs, one after the
other, since two may have the same target. What none of them reaches need not be looked at again.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from nmbench.simulator.sparse.vector import LANES, Code, intrinsic, place_of, splat

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_INTS = ir.VectorType(_INT32, LANES)
_DOUBLE = ir.DoubleType()
_DOUBLES = ir.VectorType(_DOUBLE, LANES)


@intrinsic
def add16(context: Any, grown: Any, base: Any, rows: Any, at: Any, gain: Any) -> Code:
    """Add sixteen synapses from ``rows[at]`` on, weight times ``gain``, to ``grown`` from ``base`` on.

    Returns the largest sum that stood there at a moment.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        into = place_of(context, builder, signature.args[:2], arguments[:2])
        words = place_of(context, builder, signature.args[2:4], arguments[2:4])
        weights = builder.fmul(_weights(builder, words), splat(builder, arguments[4], _DOUBLES))
        most = [ir.Constant(_DOUBLE, float("-inf"))] * 4
        for lane in range(LANES):
            place = builder.gep(into, [_target(builder, words, lane)])
            moved = builder.fadd(builder.load(place), builder.extract_element(weights, _INT32(lane)))
            builder.store(moved, place)
            most[lane % 4] = _larger(builder, moved, most[lane % 4])
        return _larger(builder, _larger(builder, *most[:2]), _larger(builder, *most[2:]))

    return types.float64(grown, types.int64, rows, types.int64, types.float64), code


@intrinsic
def add16_by_sort(
    context: Any, grown: Any, sort: Any, base: Any, rows: Any, at: Any, gain: Any, bar: Any, first: Any
) -> Code:
    """Add as `add16` does, with the gain of each target's ``sort`` (uint8, as ``grown``).

    Gains and bars of the sorts stand from ``gain[first, 0]`` and ``bar[first, 0]`` on. Returns whether a sum
    reached its bar at a moment.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        into, sorts = (place_of(context, builder, [kinds[k]], [arguments[k], arguments[2]]) for k in (0, 1))
        words = place_of(context, builder, kinds[3:5], arguments[3:5])
        gains, bars = (_line(context, builder, kinds[k], arguments[k], arguments[7]) for k in (5, 6))
        whole, reached = _weights(builder, words), ir.IntType(1)(0)
        for lane in range(LANES):
            target = _target(builder, words, lane)
            own = builder.zext(builder.load(builder.gep(sorts, [target])), _INT64)
            weight = builder.fmul(
                builder.extract_element(whole, _INT32(lane)), builder.load(builder.gep(gains, [own]))
            )
            place = builder.gep(into, [target])
            moved = builder.fadd(builder.load(place), weight)
            builder.store(moved, place)
            above = builder.fcmp_ordered(">=", moved, builder.load(builder.gep(bars, [own])))
            reached = builder.or_(reached, above)
        return reached

    kinds = (grown, sort, types.int64, rows, types.int64, gain, bar, types.int64)
    return types.boolean(*kinds), code


@intrinsic
def settle16(context: Any, grown: Any, at: Any, sums: Any, gain: Any, bar: Any) -> Code:
    """Add sixteen ``sums`` times ``gain`` to ``grown``, both from ``at`` on, and leave 0 in the sums.

    Returns as 16 bits which of them have reached the ``bar``.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        into, taken = (
            place_of(context, builder, [signature.args[k]], [arguments[k], arguments[1]]) for k in (0, 2)
        )
        into = builder.bitcast(into, _DOUBLES.as_pointer())
        taken = builder.bitcast(taken, _INTS.as_pointer())
        arrived = builder.sitofp(builder.load(taken, align=4), _DOUBLES)
        arrived = builder.fmul(arrived, splat(builder, arguments[3], _DOUBLES))
        moved = builder.fadd(builder.load(into, align=8), arrived)
        builder.store(moved, into, align=8)
        builder.store(ir.Constant(_INTS, None), taken, align=4)
        above = builder.fcmp_ordered(">=", moved, splat(builder, arguments[4], _DOUBLES))
        return builder.zext(builder.bitcast(above, ir.IntType(LANES)), _INT64)

    return types.int64(grown, types.int64, sums, types.float64, types.float64), code


def _weights(builder: Any, words: Any) -> Any:
    """Return the weights of sixteen synapses as float64."""
    whole = builder.load(builder.bitcast(words, _INTS.as_pointer()), align=4)
    return builder.sitofp(builder.ashr(whole, ir.Constant(_INTS, [16] * LANES)), _DOUBLES)


def _target(builder: Any, words: Any, lane: int) -> Any:
    shorts = builder.bitcast(words, ir.IntType(16).as_pointer())
    return builder.zext(builder.load(builder.gep(shorts, [_INT64(2 * lane)]), align=2), _INT64)


def _line(context: Any, builder: Any, kind: Any, array: Any, line: Any) -> Any:
    """Return the address of ``array[line, 0]``."""
    made = context.make_array(kind)(context, builder, array)
    wide = builder.extract_value(made.shape, 1)
    return builder.gep(made.data, [builder.mul(line, wide)])


def _larger(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)
