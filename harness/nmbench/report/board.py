"""What stands on a leaderboard: numbers, rows, and what rows must share to be compared."""

from __future__ import annotations

from dataclasses import dataclass

from nmbench.quantity import Boundary, Kind
from nmbench.report.ranking import Place

WHAT_IF = "a what-if platform: every value of its card is an estimate"
"""Why no number of such a platform is ranked."""


@dataclass(frozen=True)
class Stated:
    """A metric as a leaderboard shows it: the headline one where a result states several boundaries.

    Attributes
    ----------
    value, lo, hi
        In the metric's SI unit; None where it is missing, and then ``reason`` says why.
    place
        Rank within the same kind and boundary; None where it is not ranked, and then ``unranked`` says why.
    """

    value: float | None
    lo: float | None = None
    hi: float | None = None
    n: int | None = None
    kind: Kind | None = None
    boundary: Boundary | None = None
    source: str | None = None
    reason: str | None = None
    place: Place | None = None
    unranked: str | None = None


@dataclass(frozen=True)
class Row:
    """The latest result of a platform in a board.

    Attributes
    ----------
    caveat
        What of its answers is not the platform's own; None where they are.
    what_if
        Its card holds estimates alone: shown, never ranked.
    differs
        What makes it incomparable with the others of its board; None where nothing does.
    """

    platform: str
    family: str
    version: int
    kind: Kind
    caveat: str | None
    status: str
    id: str
    started: str
    accuracy: Stated
    energy: Stated
    latency: Stated
    target: float | None
    reached: bool | None
    error: str | None
    published_data: bool | None
    differs: str | None = None
    what_if: bool = False

    @property
    def not_ranked(self) -> str | None:
        """Why none of its numbers is ranked; None where they may be."""
        if self.status != "ok":
            return f"{self.status}: {self.error}"
        if self.what_if or self.differs:
            return WHAT_IF if self.what_if else self.differs
        if self.reached is None:
            return "the record holds no quality gate"
        if not self.reached:
            missed = "quality missed its target"
            if self.accuracy.value is None or self.target is None:
                return missed
            return f"{missed}: accuracy {100 * self.accuracy.value:.2f} % under {100 * self.target:.2f} %"
        return None


@dataclass(frozen=True)
class Contest:
    """What results must share to stand on one board."""

    suite: str
    workload: str
    workload_version: int
    data: str
    data_source: str
    synthetic: bool
    size: str
    scenario: str
    tier: str
    division: str
    seed: int


@dataclass(frozen=True)
class Board:
    """The platforms of one contest, ranked; ``superseded`` counts older results that newer ones replaced."""

    contest: Contest
    rows: tuple[Row, ...]
    superseded: int

    @property
    def target(self) -> float | None:
        """The quality target, where the rows agree on one."""
        targets = {row.target for row in self.rows if row.target is not None}
        return targets.pop() if len(targets) == 1 else None
