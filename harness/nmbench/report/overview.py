"""All boards at a glance: which platform is first in each, kinds and boundaries apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nmbench.quantity import BOUNDARIES, KINDS, Boundary, Kind
from nmbench.report.board import Board, Row, Stated
from nmbench.report.sections import BOUNDARY_WORDS

Group = tuple[Kind, Boundary]
"""What numbers share that are ranked together."""


@dataclass(frozen=True)
class Leader:
    """The first of those that are ranked together.

    Attributes
    ----------
    others
        How many more may be first, as far as the intervals tell.
    of
        How many are ranked together.
    """

    platform: str
    number: Stated
    others: int
    of: int

    @property
    def standing(self) -> str:
        """Say how sure it is: `of 9`, `or 1 more of 9`, `alone`."""
        if self.of == 1:
            return "alone"
        return f"of {self.of}" if not self.others else f"or {self.others} more of {self.of}"


def leaders(board: Board, pick: Callable[[Row], Stated]) -> dict[Group, Leader]:
    """Return who is first by a number, for each kind and boundary."""
    groups: dict[Group, list[tuple[Row, Stated]]] = {}
    for row in board.rows:
        number = pick(row)
        if number.place and number.kind and number.boundary:
            groups.setdefault((number.kind, number.boundary), []).append((row, number))
    return {group: _leader(groups[group]) for group in sorted(groups, key=_order)}


def groups_of(found: Sequence[Board], *picks: Callable[[Row], Stated]) -> list[Group]:
    """Return the kinds and boundaries by which any of the numbers is ranked."""
    return sorted({group for board in found for pick in picks for group in leaders(board, pick)}, key=_order)


def words(group: Group) -> str:
    """Name a kind and boundary."""
    return f"{group[0]}, {BOUNDARY_WORDS[group[1]]}"


def heading(group: Group) -> str:
    """Name a kind and boundary at the head of a column."""
    return words(group)[0].upper() + words(group)[1:]


def by_workload(found: Sequence[Board]) -> Iterator[tuple[str, list[Board]]]:
    """Yield the boards of each workload, in their order."""
    names = dict.fromkeys(board.contest.workload for board in found)
    for name in names:
        yield name, [board for board in found if board.contest.workload == name]


def _leader(ranked: list[tuple[Row, Stated]]) -> Leader:
    def rank(entry: tuple[Row, Stated]) -> int:
        return entry[1].place.rank if entry[1].place else 0

    row, number = min(ranked, key=rank)
    may = sum(1 for _, other in ranked if other.place and other.place.best == 1)
    return Leader(row.platform, number, may - 1, len(ranked))


def _order(group: Group) -> tuple[int, int]:
    return KINDS.index(group[0]), BOUNDARIES.index(group[1])
