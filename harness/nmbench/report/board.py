"""What stands on a leaderboard: numbers, rows, and what rows must share to be compared."""

from __future__ import annotations

from dataclasses import dataclass

from nmbench.quantity import Boundary, Kind
from nmbench.report.ranking import Place
from nmbench.report.scoring import Scoring

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
class Asking:
    """Who asked for a row's numbers, and how it went; the names and units of `nmbench.record.Traffic`.

    None where the record does not say.

    Attributes
    ----------
    conduct
        What of the answers was stated without breaking the record.
    noise
        Why the record counts as noisy.
    few
        Why the queries do not suffice for the percentile of the score.
    """

    generator: str | None = None
    clock: str | None = None
    queries: int | None = None
    samples: int | None = None
    seconds: float | None = None
    batch: int | None = None
    rate: float | None = None
    latency_bound_s: float | None = None
    window_s: float | None = None
    deadline_s: float | None = None
    piece_s: float | None = None
    state: str | None = None
    over: int | None = None
    allowed: int | None = None
    enough: bool | None = None
    conduct: str | None = None
    noise: str | None = None
    few: str | None = None


@dataclass(frozen=True)
class Row:
    """The latest result of a platform in a board.

    Attributes
    ----------
    score
        The number that the scenario is judged on; ``beside`` stands in the order of its `Scoring`.
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
    quality: Stated
    energy: Stated
    score: Stated
    beside: tuple[Stated, ...]
    asking: Asking
    target: float | None
    reached: bool | None
    error: str | None
    published_data: bool | None
    differs: str | None = None
    what_if: bool = False
    quality_noun: str = "accuracy"

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
            if self.quality.value is None or self.target is None:
                return missed
            value, target = 100 * self.quality.value, 100 * self.target
            return f"{missed}: {self.quality_noun} {value:.2f} % under {target:.2f} %"
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
class Note:
    """Something of a platform that has to be said; ``what`` names it."""

    platform: str
    what: str
    why: str


@dataclass(frozen=True)
class Board:
    """The platforms of one contest, ranked; ``superseded`` counts older results that newer ones replaced.

    ``scoring`` says what they are judged on.
    """

    contest: Contest
    rows: tuple[Row, ...]
    superseded: int
    scoring: Scoring

    @property
    def target(self) -> float | None:
        """The quality target, where the rows agree on one."""
        targets = {row.target for row in self.rows if row.target is not None}
        return targets.pop() if len(targets) == 1 else None

    def asked(self, name: str) -> float | None:
        """Return what was asked of all rows alike, by its name in `Asking`; None where they do not agree."""
        found = {value for row in self.rows if (value := getattr(row.asking, name)) is not None}
        return found.pop() if len(found) == 1 else None
