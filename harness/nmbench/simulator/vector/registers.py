"""Functions in LLVM's terms: what all of those that add weights in registers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from nmbench.simulator.vector.lanes import LANES, declared, pointer
from nmbench.simulator.vector.records import HEAD, Record

FLOAT32, INT16, INT8 = 0, 1, 2
"""How weights are stored."""

BYTE, INT, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
FLOATS, INTS, MARKS = (ir.VectorType(of, LANES) for of in (ir.FloatType(), INT, ir.IntType(1)))
"""Sixteen numbers, or marks of them."""

STORED = {FLOAT32: ir.FloatType(), INT16: ir.IntType(16), INT8: BYTE}
SUMMED = {FLOAT32: ir.FloatType(), INT16: ir.IntType(16), INT8: ir.IntType(16)}
BYTES = {FLOAT32: 4, INT16: 2, INT8: 1}


@dataclass(frozen=True)
class Piece:
    """A part of a row that is held in one register: its first number and how many."""

    start: int
    length: int


def pieces_of(kind: int, sixteens: int, wide: bool = True) -> list[Piece]:
    """Cut a row into registers: 16 of float32; if ``wide``, 32 of int16 with 16 at the end of an odd row."""
    lanes = 2 * LANES if wide and kind != FLOAT32 else LANES
    total = sixteens * LANES
    return [Piece(k, min(lanes, total - k)) for k in range(0, total, lanes)]


class Code:
    """The builder of one function, with the few things that all shapes do."""

    def __init__(self, function: Any, kind: int) -> None:
        self.function, self.kind = function, kind
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))

    def block(self, name: str) -> Any:
        """Append a block of instructions."""
        return self.function.append_basic_block(name)

    def variable(self, start: Any) -> Any:
        """Make a variable; nothing else sees its address, so LLVM keeps it in a register."""
        with self.builder.goto_entry_block():
            made = self.builder.alloca(start.type)
        self.builder.store(start, made)
        return made

    @contextmanager
    def repeating(self, name: str, more: Callable[[], Any]) -> Iterator[None]:
        """Repeat what is written inside, once at least, as long as there is ``more``."""
        again, after = self.block(name), self.block(f"after_{name}")
        self.builder.branch(again)
        self.builder.position_at_end(again)
        yield
        self.builder.cbranch(more(), again, after)
        self.builder.position_at_end(after)

    def head(self, memory: Any, record: Record, t: Any) -> Any:
        """Return the address of the `HEAD` of step ``t``, of a population or a projection's source."""
        slot = self.builder.and_(t, LONG(int(record["mask"])))
        heads = self.builder.add(memory, LONG(int(record["heads"])))
        return self.builder.add(heads, self.builder.mul(slot, LONG(HEAD.itemsize)))

    def announce(self, head: Any, *fields: Any) -> None:
        """Fill the first fields of a `HEAD` at an address."""
        for k, value in enumerate(fields):
            self.builder.store(value, self.at(head, 8 * k, LONG))

    def listed(self, memory: Any, population: Record, t: Any) -> Any:
        """Return the address of a population's list of spikes of step ``t``."""
        slot = self.builder.and_(t, LONG(int(population["mask"])))
        lists = self.builder.add(memory, LONG(int(population["lists"])))
        return self.builder.add(lists, self.builder.mul(slot, LONG(int(population["list_bytes"]))))

    def least(self, a: Any, b: Any) -> Any:
        """Return the lesser of two."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    def at(self, base: Any, bytes_: Any, kind: ir.Type) -> Any:
        """Return a pointer so many bytes (a value, or a constant) behind an address."""
        offset = LONG(bytes_) if isinstance(bytes_, int) else bytes_
        return pointer(self.builder, self.builder.add(base, offset), kind)

    def read_int(self, base: Any, bytes_: Any) -> Any:
        """Load an int32, widened to int64."""
        return self.builder.sext(self.builder.load(self.at(base, bytes_, INT), align=4), LONG)

    def weights(self, row: Any, piece: Piece, skip: int = 0) -> Any:
        """Load a piece of a row, as wide as the sums."""
        kind = ir.VectorType(STORED[self.kind], piece.length)
        where = self.at(row, (skip + piece.start) * BYTES[self.kind], kind)
        loaded = self.builder.load(where, align=BYTES[self.kind] * LANES)
        return self.builder.sext(loaded, self.sums(piece)) if self.kind == INT8 else loaded

    def sixteen(self, address: Any, number: int = 0) -> Any:
        """Load sixteen float32, the ``number``-th sixteen behind an address."""
        return self.builder.load(self.at(address, 64 * number, FLOATS), align=64)

    def store(self, address: Any, number: int, value: Any) -> None:
        """Store sixteen float32 as the ``number``-th sixteen behind an address."""
        self.builder.store(value, self.at(address, 64 * number, FLOATS), align=64)

    def fetch(self, address: Any, lines: int) -> None:
        """Ask for the first lines of what will be read: the processor finds the others by itself."""
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT, INT, INT])
        name = "llvm.prefetch.p0" if "*" not in str(BYTE.as_pointer()) else "llvm.prefetch.p0i8"
        prefetch = declared(self.builder.module, kind, name)
        for line in range(lines):
            self.builder.call(prefetch, [self.at(address, 64 * line, BYTE), INT(0), INT(3), INT(1)])

    def sums(self, piece: Piece) -> ir.VectorType:
        """Return the type of a piece's sums."""
        return ir.VectorType(SUMMED[self.kind], piece.length)

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a * b + c`` of sixteens, rounded once."""
        kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
        return self.builder.call(declared(self.builder.module, kind, "llvm.fma.v16f32"), [a, b, c])

    def add(self, a: Any, b: Any) -> Any:
        """Add two pieces."""
        return self.builder.fadd(a, b) if self.kind == FLOAT32 else self.builder.add(a, b)
