"""Functions in LLVM's terms: what all of those that add weights in registers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from nmbench.simulator.vector.lanes import LANES, declared, pointer

FLOAT32, INT16, INT8 = 0, 1, 2
"""How weights are stored."""

BYTE, INT, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
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

    def add(self, a: Any, b: Any) -> Any:
        """Add two pieces."""
        return self.builder.fadd(a, b) if self.kind == FLOAT32 else self.builder.add(a, b)
