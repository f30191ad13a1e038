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


def within_factor(value: float, factor: float) -> tuple[float, float]:
    """Return the multiplicative interval ``value / factor .. value * factor`` (``factor`` >= 1)."""
    if factor < 1:
        raise ValueError(f"a multiplicative interval needs a factor of at least 1, not {factor}")
    return value / factor, value * factor
