"""A number as nmbench states it: value, unit, kind, boundary, interval and source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["measured", "simulated", "modelled", "reported"]
"""How a number came about; kinds are never averaged or ranked together."""

Boundary = Literal["chip_dynamic", "chip_total", "system_without_io", "system_with_io", "wall"]
"""What an energy or a latency includes; boundaries are never averaged or ranked together."""

KINDS: tuple[Kind, ...] = get_args(Kind)
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
NESTED: tuple[Boundary, ...] = BOUNDARIES[:4]
"""Boundaries that a modelled cost can have, from the innermost out: each includes those before it."""


class UnlikeError(ValueError):
    """Two numbers that must not be compared."""


@dataclass(frozen=True)
class Quantity:
    """A number that can be traced.

    Attributes
    ----------
    value
        In ``unit``; None where it is missing, and then ``reason`` says why.
    unit
        SI: ``s``, ``J``, ``W``, ``m`` or ``1``.
    kind, boundary
        See `Kind` and `Boundary`; ``boundary`` is None where a number has none (accuracy).
    lo, hi
        Interval (95 % for measurements, 90 % for models); None where ``value`` is.
    source
        Where the number comes from: card and version, or how it was measured.
    """

    value: float | None
    unit: str
    kind: Kind
    boundary: Boundary | None = None
    lo: float | None = None
    hi: float | None = None
    source: str = ""
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse a number that would mislead: not finite, outside its interval, missing without a reason."""
        if self.value is None:
            if not self.reason:
                raise ValueError("a missing value needs a reason")
            return
        numbers = [n for n in (self.lo, self.value, self.hi) if n is not None]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"not finite: {numbers}")
        if numbers != sorted(numbers):
            raise ValueError(f"value {self.value} outside its interval [{self.lo}, {self.hi}]")

    def by(self, other: Quantity) -> float:
        """Return how many times the other number this one is.

        Raises
        ------
        UnlikeError
            Unit, kind or boundary differ, or a value is missing: such numbers are never compared.
        """
        for what in ("unit", "kind", "boundary"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                raise UnlikeError(f"{what}: {mine} against {theirs} is never compared")
        if self.value is None or other.value is None:
            reasons = [q.reason or "" for q in (self, other) if q.value is None]
            raise UnlikeError(f"no value: {'; '.join(reasons)}")
        if other.value == 0:
            raise UnlikeError("nothing to divide by: the other value is 0")
        return self.value / other.value
