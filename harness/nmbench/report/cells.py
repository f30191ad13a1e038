"""Cells of a leaderboard: values, their intervals and ranks, in the shape that fits a terminal's width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from nmbench.report.board import Row, Stated
from nmbench.report.engineering import bounds, engineering, percent, percent_bounds
from nmbench.report.escape import inert
from nmbench.report.scoring import Measure, Scoring
from nmbench.report.sections import named

MISSING = "no value"
NARROWEST_NAME = 12
LONGEST_HEADING = 11
"""Longer headings are broken where the intervals stand below the values."""
GAP = 2
"""Columns of a terminal between two cells."""

Fold = Literal["flat", "stacked", "tight"]
"""Interval beside the value; below it; below it, and the rank below that."""


@dataclass(frozen=True)
class Cell:
    """What a column shows of a row.

    Attributes
    ----------
    ranked
        The cell has a rank, "-" where there is none; it stands in a column of its own where there is room.
    alarm
        The value is shown in red.
    """

    value: str
    interval: str = ""
    rank: str = ""
    ranked: bool = False
    alarm: bool = False


@dataclass(frozen=True)
class Column:
    """Heading of a column, wide and narrow; ``ranked``: another column with the rank follows."""

    heading: str
    short: str
    ranked: bool = False


def columns(scoring: Scoring) -> tuple[Column, ...]:
    """Return the columns of a scenario's boards."""
    energy, score = (Column(m.heading, m.short, ranked=True) for m in (scoring.energy, scoring.score))
    beside = (Column(m.heading, m.short) for m in scoring.beside)
    size = (Column("Batch", "Batch"),) if scoring.batches else ()
    return (
        Column("Platform", "Platform"),
        Column(scoring.quality.heading, scoring.quality.short),
        energy,
        score,
        *beside,
        *size,
    )


def cells(row: Row, scoring: Scoring) -> tuple[Cell, ...]:
    """Return the cells of a row, one for each of the `columns`."""
    beside = (number(n, m) for n, m in zip(row.beside, scoring.beside, strict=True))
    return (
        Cell(inert(named(row))),
        share(row.quality),
        ranked(row.energy, scoring.energy),
        ranked(row.score, scoring.score),
        *beside,
        *((Cell(batch(row)),) if scoring.batches else ()),
    )


def batch(row: Row) -> str:
    """Show how many samples were handed over at once; nothing was where no query was asked."""
    return f"{row.asking.batch:,}" if row.asking.queries and row.asking.batch else "-"


def share(stated: Stated) -> Cell:
    """Show a share as percent."""
    if stated.value is None:
        return Cell(MISSING)
    return Cell(percent(stated.value), percent_bounds(stated.lo, stated.hi))


def number(stated: Stated, measure: Measure) -> Cell:
    """Show a number in its unit; a share of what should not be is an alarm where there is any."""
    if stated.value is None:
        return Cell(MISSING)
    if measure.unit == "1":
        certain = stated.lo == stated.hi
        return replace(share(replace(stated, lo=None) if certain else stated), alarm=stated.value > 0)
    return Cell(
        engineering(stated.value, measure.unit), bounds(stated.value, stated.lo, stated.hi, measure.unit)
    )


def ranked(stated: Stated, measure: Measure) -> Cell:
    """Show a number and its rank."""
    place = str(stated.place) if stated.place else "-"
    return replace(number(stated, measure), rank=place, ranked=True)


@dataclass(frozen=True)
class Shape:
    """Widths of the columns, shared by all sections of a board.

    Attributes
    ----------
    header
        One heading a column as shown; ranks have columns of their own unless tight.
    values
        Width of the values in each column, for their alignment where the interval stands beside them.
    """

    header: tuple[str, ...]
    widths: tuple[int, ...]
    values: tuple[int, ...]
    fold: Fold

    @classmethod
    def fitting(cls, heads: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> Shape:
        """Return the widest shape that fits; below that the names of platforms are broken at hyphens."""
        flat, stacked, tight = (cls._of(heads, rows, fold) for fold in ("flat", "stacked", "tight"))
        if flat.total <= width:
            return flat
        least = stacked.total - stacked.widths[0] + min(stacked.widths[0], NARROWEST_NAME)
        chosen = stacked if least <= width else tight
        name = max(NARROWEST_NAME, min(chosen.widths[0], width - chosen.total + chosen.widths[0]))
        return replace(chosen, widths=(name, *chosen.widths[1:]))

    @classmethod
    def _of(cls, heads: Sequence[Column], rows: Sequence[Sequence[Cell]], fold: Fold) -> Shape:
        header, widths, values = [], [], []
        for index, head in enumerate(heads):
            column = [row[index] for row in rows]
            title = head.heading if fold == "flat" else head.short
            value = max(cell_len(cell.value) for cell in column)
            inner = max(cell_len(cell.interval) for cell in column)
            rank = max(cell_len(cell.rank) for cell in column)
            wide = value + (1 + inner if inner else 0) if fold == "flat" else max(value, inner)
            if fold == "tight":
                wide = max(wide, rank + len("rank ") if head.ranked else 0)
            header.append(title)
            widths.append(max(wide, len(title) if fold == "flat" else _broken(title)))
            values.append(value)
            if head.ranked and fold != "tight":
                header.append("Rank")
                widths.append(max(rank, len("Rank")))
                values.append(rank)
        return cls(tuple(header), tuple(widths), tuple(values), fold)

    @property
    def total(self) -> int:
        """Width of a line; nothing follows the last column."""
        return sum(self.widths) + GAP * (len(self.widths) - 1)

    def line(self, row: Row, scoring: Scoring) -> tuple[Text, ...]:
        """Return the cells of a row."""
        name, *numbers = cells(row, scoring)
        broken = "\n".join(wrap(name.value, self.widths[0], break_on_hyphens=True)) or name.value
        found = [Text(broken, style="yellow" if row.not_ranked else "")]
        for cell in numbers:
            found.append(self._text(cell, self.values[len(found)]))
            if cell.ranked and self.fold != "tight":
                found.append(Text(cell.rank))
        return tuple(found)

    def _text(self, cell: Cell, value_width: int) -> Text:
        value = (cell.value, "red" if cell.alarm else "")
        if self.fold == "flat":
            padding = " " * (value_width - cell_len(cell.value)) if cell.interval else ""
            return Text.assemble(padding, value, (" " + cell.interval if cell.interval else "", "dim"))
        below = [(f"\n{cell.interval}", "dim")] if cell.interval else []
        if self.fold == "tight" and cell.ranked and cell.value != MISSING:
            below.append((f"\nrank {cell.rank}" if cell.rank != "-" else "\nno rank", ""))
        return Text.assemble(value, *below)

    def table(self, rows: Iterable[tuple[Text, ...]]) -> Table:
        """Return rows as a table without a frame."""
        table = Table(box=None, show_header=False, padding=(0, GAP, 0, 0), pad_edge=False)
        for width in self.widths:
            table.add_column(width=width, overflow="fold")
        for row in rows:
            table.add_row(*row)
        return table


def _broken(heading: str) -> int:
    """Return the width that a heading needs once it is broken at its spaces."""
    return max(min(len(heading), LONGEST_HEADING), *map(len, heading.split()))
