"""Sixteen lanes of a vector register as values in Numba kernels.

A kernel written with them reads like the scalar one: ``u = decay * v + gain * x``. Addresses are plain
integers (bytes), so that kernels hand on no arrays and count no references; who calls keeps the memory.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

LANES = 16
"""Numbers in a register: float32 or int32 in 64 bytes, int16 in 32."""


_initialise: Any = models.PrimitiveModel.__init__  # Numba's classes and functions have types in part only
intrinsic_: Any = intrinsic


class Lanes(types.Type):
    """Numba's type of sixteen numbers or marks of one kind."""

    def __init__(self, name: str, element: ir.Type) -> None:
        self.vector = ir.VectorType(element, LANES)
        super().__init__(name=name)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    """A value of `Lanes` is a vector of LLVM."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        _initialise(self, dmm, fe_type, fe_type.vector)


FLOATS = Lanes("floats", ir.FloatType())
INTS = Lanes("ints", ir.IntType(32))
MARKS = Lanes("marks", ir.IntType(1))

Builder = Any
Emit = Callable[..., Any]


def _operation(result: types.Type, *arguments: types.Type) -> Callable[[Emit], Any]:
    """Make an intrinsic of fixed types from a function that emits its instructions by a builder."""
    names = ["typingctx", *(f"a{k}" for k in range(len(arguments)))]

    def decorate(emit: Emit) -> Any:
        signature = result(*arguments)

        def generate(context: Any, builder: Builder, signature: Any, values: Any) -> Any:
            emitted = emit(builder, *values)
            return context.get_dummy_value() if result is types.void else emitted

        def template(typingctx: Any, *arguments: Any) -> Any:
            return signature, generate

        template.__name__, template.__doc__ = emit.__name__, emit.__doc__
        # Numba reads the number of arguments off the signature, which is known only here
        template.__signature__ = Signature(  # type: ignore[attr-defined]
            [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        )
        return intrinsic_(template)

    return decorate


def declared(module: Any, kind: ir.FunctionType, name: str) -> Any:
    """Return a module's function of that name, declared if it is new."""
    return module.globals.get(name) or ir.Function(module, kind, name)


def pointer(builder: Builder, address: Any, kind: ir.Type) -> Any:
    """Turn an address into a pointer."""
    return builder.inttoptr(address, kind.as_pointer())


def _shift(width: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(width), LANES)


@_operation(FLOATS, types.intp)
def load(builder: Builder, address: Any) -> Any:
    """Load sixteen float32."""
    return builder.load(pointer(builder, address, FLOATS.vector), align=64)


@_operation(types.float32, types.intp)
def read_float(builder: Builder, address: Any) -> Any:
    """Load one float32."""
    return builder.load(pointer(builder, address, FLOATS.vector.element), align=4)


@_operation(types.int64, types.intp)
def read_int(builder: Builder, address: Any) -> Any:
    """Load one int32."""
    return builder.sext(builder.load(pointer(builder, address, INTS.vector.element), align=4), ir.IntType(64))


@_operation(types.int64, types.intp)
def read_long(builder: Builder, address: Any) -> Any:
    """Load one int64."""
    return builder.load(pointer(builder, address, ir.IntType(64)), align=8)


@_operation(types.int64, types.intp)
def falls(builder: Builder, address: Any) -> Any:
    """Count of the seventeen int32 at the address those that are followed by none greater."""
    here = builder.load(pointer(builder, address, INTS.vector), align=4)
    next_ = builder.load(pointer(builder, builder.add(address, ir.IntType(64)(4)), INTS.vector), align=4)
    marks = builder.bitcast(builder.icmp_signed(">=", here, next_), ir.IntType(LANES))
    return builder.zext(builder.ctpop(marks), ir.IntType(64))


@_operation(types.void, types.intp, types.int64)
def write_long(builder: Builder, address: Any, value: Any) -> None:
    """Store one int64."""
    builder.store(value, pointer(builder, address, ir.IntType(64)), align=8)


@_operation(types.void, types.intp, types.float32)
def write_float(builder: Builder, address: Any, value: Any) -> None:
    """Store one float32."""
    builder.store(value, pointer(builder, address, FLOATS.vector.element), align=4)


@_operation(types.void, types.intp, types.intp)
def clear(builder: Builder, address: Any, size: Any) -> None:
    """Fill so many bytes with 0."""
    at = pointer(builder, address, ir.IntType(8))
    fill = builder.module.declare_intrinsic("llvm.memset", [at.type, size.type])
    builder.call(fill, [at, ir.IntType(8)(0), size, ir.IntType(1)(0)])


@_operation(types.void, types.intp, FLOATS)
def store(builder: Builder, address: Any, value: Any) -> None:
    """Store sixteen float32."""
    builder.store(value, pointer(builder, address, FLOATS.vector), align=64)


@_operation(FLOATS, types.intp, FLOATS)
def take_float32(builder: Builder, address: Any, scale: Any) -> Any:
    """Load a float32 sum and leave 0 there; the scale is that of whole numbers."""
    return _take(builder, address, FLOATS.vector, 64)


@_operation(FLOATS, types.intp, FLOATS)
def take_int16(builder: Builder, address: Any, scale: Any) -> Any:
    """Load an int16 sum times its scale and leave 0 there."""
    whole = builder.sext(_take(builder, address, _shift(16), 32), INTS.vector)
    return builder.fmul(builder.sitofp(whole, FLOATS.vector), scale)


def _take(builder: Builder, address: Any, kind: ir.VectorType, align: int) -> Any:
    at = pointer(builder, address, kind)
    value = builder.load(at, align=align)
    builder.store(ir.Constant(kind, None), at, align=align)
    return value


@_operation(FLOATS, types.float32)
def spread(builder: Builder, value: Any) -> Any:
    """Repeat one number."""
    one = builder.insert_element(ir.Constant(FLOATS.vector, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(INTS.vector, None)
    return builder.shuffle_vector(one, ir.Constant(FLOATS.vector, ir.Undefined), zeros)


@_operation(INTS, types.int32)
def count_from(builder: Builder, start: Any) -> Any:
    """Return start, start + 1, ... start + 15."""
    one = builder.insert_element(ir.Constant(INTS.vector, ir.Undefined), start, ir.IntType(32)(0))
    all_ = builder.shuffle_vector(one, ir.Constant(INTS.vector, ir.Undefined), ir.Constant(INTS.vector, None))
    return builder.add(all_, ir.Constant(INTS.vector, list(range(LANES))))


@_operation(FLOATS, FLOATS, FLOATS)
def _plus(builder: Builder, a: Any, b: Any) -> Any:
    return builder.fadd(a, b)


@_operation(FLOATS, FLOATS, FLOATS)
def _times(builder: Builder, a: Any, b: Any) -> Any:
    return builder.fmul(a, b)


@_operation(MARKS, FLOATS, FLOATS)
def _above(builder: Builder, a: Any, b: Any) -> Any:
    return builder.fcmp_ordered(">", a, b)


@_operation(FLOATS, MARKS, FLOATS, FLOATS)
def choose(builder: Builder, marks: Any, yes: Any, no: Any) -> Any:
    """Take ``yes`` where marked, else ``no``."""
    return builder.select(marks, yes, no)


@_operation(MARKS, MARKS, MARKS)
def either(builder: Builder, a: Any, b: Any) -> Any:
    """Mark what either marks."""
    return builder.or_(a, b)


@_operation(types.int64, MARKS)
def bits(builder: Builder, marks: Any) -> Any:
    """Return the marks as the low sixteen bits of a number."""
    return builder.zext(builder.bitcast(marks, ir.IntType(LANES)), ir.IntType(64))


@_operation(types.int64, types.int64)
def count_bits(builder: Builder, word: Any) -> Any:
    """Count the bits that are set."""
    return builder.ctpop(word)


def packed_first(builder: Builder, values: Any, marks: Any) -> Any:
    """Return the marked values first, and anything behind them."""
    kind = ir.FunctionType(INTS.vector, [INTS.vector, MARKS.vector, INTS.vector])
    name = "llvm.experimental.vector.compress.v16i32"
    compress = declared(builder.module, kind, name)
    return builder.call(compress, [values, marks, ir.Constant(INTS.vector, ir.Undefined)])


@_operation(types.void, types.intp, INTS, MARKS)
def store_marked(builder: Builder, address: Any, values: Any, marks: Any) -> None:
    """Store the marked values first; what follows them up to sixteen is overwritten.

    The register is compressed and stored whole: compressing into memory is microcode on Zen 4 and 5.
    """
    packed = packed_first(builder, values, marks)
    builder.store(packed, pointer(builder, address, INTS.vector), align=4)


def store_lanes(builder: Builder, value: Any, to: Any, marks: Any) -> None:
    """Store the marked ones of sixteen float32 at a pointer, and leave the others as they are."""
    name = "llvm.masked.store.v16f32.p0" + ("v16f32" if "*" in str(to.type) else "")
    kinds = [FLOATS.vector, to.type, ir.IntType(32), MARKS.vector]
    store = declared(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
    builder.call(store, [value, to, ir.IntType(32)(4), marks])


def _call(arguments: int) -> Any:
    """Make an intrinsic that calls the function of so many int64 at an address."""

    def emit(builder: Builder, address: Any, *values: Any) -> Any:
        long = ir.IntType(64)
        function = pointer(builder, address, ir.FunctionType(long, [long] * arguments))
        return builder.call(function, values)

    return _operation(types.int64, *[types.int64] * (arguments + 1))(emit)


call_step = _call(4)
"""Call `nmbench.simulator.vector.program.write_step`'s function at an address."""

call_sample = _call(11)
"""Call `nmbench.simulator.vector.program.write_sample`'s function at an address."""


def _define(symbol: Any, function: Any) -> None:
    """Let an operator of Python stand for an operation on floats."""

    @overload(symbol)
    def of_floats(a: Any, b: Any) -> Any:
        # Numba wants the annotations of what it types and of what it compiles to be equal
        def call(a: Any, b: Any) -> Any:
            return function(a, b)

        return call if a is FLOATS and b is FLOATS else None


_define(operator.add, _plus)
_define(operator.mul, _times)
_define(operator.gt, _above)
