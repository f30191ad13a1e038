"""What an option of a transform may be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

LAST_US = 2**32 - 1
"""Largest time of an event, microseconds."""


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both allowed; whole ones where ``whole``."""

    low: float
    high: float
    whole: bool = False

    def holds(self, value: object) -> bool:
        """Say whether a value is one of these numbers; a truth is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.whole and not isinstance(value, int):
            return False
        return math.isfinite(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        """Say what is allowed, for a message."""
        return f"a {'whole ' * self.whole}number of {self.low:g} to {self.high:.10g}"


Count = Annotated[int, Range(1, 65535, whole=True)]
Seed = Annotated[int, Range(0, 2**63 - 1, whole=True)]
Seconds = Annotated[float, Range(0, LAST_US * 1e-6)]
Share = Annotated[float, Range(0, 1)]
