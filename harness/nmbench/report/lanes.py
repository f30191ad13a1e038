"""Lanes: the rows of a figure, one a platform, under headings that keep kinds and boundaries apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmbench.quantity import BOUNDARIES, KINDS, Boundary, Kind
from nmbench.report.board import Board, Row, Stated
from nmbench.report.escape import ascii_text
from nmbench.report.ranking import Better
from nmbench.report.sections import BOUNDARY_WORDS

Pick = Callable[[Row], Stated]
"""Chooses the number that a figure shows."""

Key = tuple[Kind | None, Boundary | None]
NOWHERE: Key = (None, None)
"""Key of lanes without any value."""


@dataclass(frozen=True)
class Lane:
    """A platform at one kind and boundary.

    Attributes
    ----------
    slot
        Position from the top, 0 first; headings take slots too.
    rows
        Its row in each board; None where it stands in another lane there, or the board lacks it.
    """

    platform: str
    family: str
    slot: int
    rows: tuple[Row | None, ...]

    @property
    def label(self) -> str:
        """Name as figures show it."""
        return ascii_text(self.platform, 24)


@dataclass(frozen=True)
class Heading:
    """Words above the lanes of one kind and boundary."""

    text: str
    slot: int


@dataclass(frozen=True)
class Lanes:
    """All lanes and headings of a figure, and how many slots they take."""

    lanes: tuple[Lane, ...]
    headings: tuple[Heading, ...]
    slots: int


def lay_out(found: Sequence[Board], pick: Pick, better: Better = "lower") -> Lanes:
    """Lay out lanes by kind and boundary, each group by value in the first board that has one.

    The best stands first. A platform that states different boundaries in different boards has a lane for
    each. One without a value stands in its lane of another board, or under "no value".
    """
    groups: dict[Key, dict[str, list[Row | None]]] = {}
    for index, board in enumerate(found):
        for row in board.rows:
            if pick(row).value is not None:
                _place(groups, _key(pick(row)), row, index, len(found))
    for index, board in enumerate(found):
        for row in board.rows:
            if pick(row).value is None:
                there = [key for key, lanes in groups.items() if row.platform in lanes and key != NOWHERE]
                _place(groups, min(there, key=_order, default=NOWHERE), row, index, len(found))
    lanes, headings, slot = [], [], 0
    for key in sorted(groups, key=_order):
        headings.append(Heading(_words(key), slot))
        slot += 1
        for platform, rows in sorted(groups[key].items(), key=lambda item: _first(item[1], pick, better)):
            family = next(row.family for row in rows if row)
            lanes.append(Lane(platform, family, slot, tuple(rows)))
            slot += 1
    return Lanes(tuple(lanes), tuple(headings), slot)


def absence(row: Row) -> str:
    """Say in a word why a row has no value; the report beside the figure has the whole reason."""
    return "no value" if row.status == "ok" else row.status


def _place(
    groups: dict[Key, dict[str, list[Row | None]]], key: Key, row: Row, index: int, count: int
) -> None:
    empty: list[Row | None] = [None] * count
    groups.setdefault(key, {}).setdefault(row.platform, empty)[index] = row


def _key(number: Stated) -> Key:
    return number.kind, number.boundary


def _words(key: Key) -> str:
    return "no value" if key == NOWHERE else f"{key[0]}, {BOUNDARY_WORDS[key[1]]}"


def _order(key: Key) -> tuple[int, int]:
    kind, boundary = key
    return (
        KINDS.index(kind) if kind else len(KINDS),
        BOUNDARIES.index(boundary) if boundary else len(BOUNDARIES),
    )


def _first(rows: Sequence[Row | None], pick: Pick, better: Better) -> tuple[float, str]:
    values = [pick(row).value for row in rows if row]
    name = next(row.platform for row in rows if row)
    sign = 1 if better == "lower" else -1
    return next((sign * v for v in values if v is not None), float("inf")), name
