"""Constant: one number of a card with its interval, and where both come from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from nmbench.quantity import Boundary

Unit = Literal["J", "s", "W", "bytes", "1", "1/s", "bytes/s"]
Kind = Literal["measured", "fitted", "vendor", "simulated", "estimated", "derived"]
Evidence = Literal["primary", "secondary", "abstract", "memory", "derived", "none"]
"""What was read: the source itself, one that cites it, its abstract, nothing (memory), or a calculation."""

Factor = Annotated[FiniteFloat, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]

_READ: dict[str, tuple[str, ...]] = {
    "measured": ("primary",),
    "fitted": ("primary",),
    "simulated": ("primary",),
    "derived": ("primary", "derived"),
}
"""Evidence that a kind asks for: a constant without a primary source is estimated, or the vendor's word."""

_TRACED = re.compile(r"\b(?!V100\b)[PV]\d{3}\b|\bfacts/|\b(?:19|20)\d\d\b")
"""What a source must name where a kind asks for evidence: a row or file of facts, or a paper's year."""

WIDE = 2.0
"""Least ``hi / lo`` of a constant that rests on no primary source."""


class Constant(BaseModel):
    """One constant: a value with its 90 % interval, and where both come from.

    Attributes
    ----------
    conditions
        Under which the value holds: what was measured, which part of it this is, what was assumed.
    source
        The paper or document; its row in ``facts/``, where it has one (``P012``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    value: FiniteFloat = Field(ge=0)
    unit: Unit
    lo: FiniteFloat = Field(ge=0)
    hi: FiniteFloat
    kind: Kind
    conditions: Text
    source: Text
    evidence: Evidence

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if faults := contradictions(self.__dict__):
            raise ValueError("; ".join(faults))
        return self

    @property
    def is_wide(self) -> bool:
        """Say whether the interval spans at least the factor `WIDE`."""
        return self.hi >= WIDE * self.lo


class Factors(BaseModel):
    """Multiplicative 90 % errors by boundary, and where they come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    energy: dict[Boundary, Factor]
    latency: dict[Boundary, Factor]
    source: Text


def contradictions(fields: Mapping[str, Any]) -> list[str]:
    """List where a constant's fields contradict one another; a field of the wrong type is left out."""
    faults = []
    value, lo, hi = (_number(fields.get(name)) for name in ("value", "lo", "hi"))
    if value is not None and lo is not None and hi is not None and not lo <= value <= hi:
        faults.append(f"value {value:g} lies outside its interval [{lo:g}, {hi:g}]")
    kind, evidence, source = (fields.get(name) for name in ("kind", "evidence", "source"))
    allowed = _READ.get(kind) if isinstance(kind, str) else None
    if allowed and isinstance(evidence, str) and evidence not in allowed:
        faults.append(
            f"kind {kind} asks for evidence {' or '.join(allowed)}, not {evidence}: "
            "without it a constant is 'estimated' (or 'vendor')"
        )
    if allowed and isinstance(source, str) and not _TRACED.search(source):
        faults.append(
            f"source {source!r} names neither a row of facts (P012, V018), a file of it, nor a year: "
            f"a {kind} constant can be looked up"
        )
    return faults


def looseness(fields: Mapping[str, Any]) -> list[str]:
    """Say where a constant of a cost equation is surer of itself than its evidence lets it be."""
    kind, evidence = fields.get("kind"), fields.get("evidence")
    lo, hi = _number(fields.get("lo")), _number(fields.get("hi"))
    if kind not in ("estimated", "vendor") or evidence == "primary" or lo is None or hi is None:
        return []
    wide = hi >= WIDE * lo
    return [] if wide else [f"{kind} on evidence {evidence} needs a wide interval (hi >= {WIDE:g} lo)"]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value
