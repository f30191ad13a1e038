"""Places: ranks by value, and those that the intervals leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher"]
"""Which values of a metric are the better ones."""


@dataclass(frozen=True)
class Place:
    """A rank, 1 the best value; ``best`` and ``worst`` bound it where intervals overlap.

    Attributes
    ----------
    rank
        1 + how many have a better value; equal values share a rank.
    best
        1 + how many are better with their whole interval.
    worst
        How many there are, less those that are worse with their whole interval.
    of
        How many are ranked together.
    """

    rank: int
    best: int
    worst: int
    of: int

    def __str__(self) -> str:
        """Give the rank, and in brackets the places that the intervals leave open."""
        if self.of == 1:
            return "1 of 1"
        return (
            str(self.rank) if self.best == self.worst else f"{self.rank} ({self.best}\N{EN DASH}{self.worst})"
        )


def places(spans: Sequence[tuple[float, float, float]], better: Better = "lower") -> list[Place]:
    """Return the place of each ``(lo, value, hi)`` among all of them, the best first.

    Whoever mixes kinds or boundaries here has mixed them before: the caller passes what may be compared.
    """
    if better == "higher":
        spans = [(-hi, -value, -lo) for lo, value, hi in spans]
    return [
        Place(
            rank=1 + sum(other[1] < value for other in spans),
            best=1 + sum(other[2] < lo for other in spans),
            worst=len(spans) - sum(other[0] > hi for other in spans),
            of=len(spans),
        )
        for lo, value, hi in spans
    ]
