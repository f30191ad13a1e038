"""Leaderboards in a terminal: one line a platform where it is wide enough, two where it is not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nmbench.record import Result
from nmbench.report.board import Board, Row, Stated
from nmbench.report.detail import Detail
from nmbench.report.engineering import bounds, engineering, percent, percent_bounds
from nmbench.report.escape import inert
from nmbench.report.frames import frame
from nmbench.report.leaderboard import boards
from nmbench.report.sections import answers, conditions, named, notes, sections, title, used_words

HEADER = ("Platform", "Accuracy", "Energy per inference", "Rank", "Latency p90", "Rank")
SHORT = ("Platform", "Accuracy", "Energy", "Rank", "Latency p90", "Rank")
PIPED_WIDTH = 100
"""Columns where the output is no terminal and COLUMNS does not say."""
NARROWEST_NAME = 12
MISSING = "no value"


@dataclass(frozen=True)
class Cell:
    """A value and its interval: beside one another, or one below the other."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class BoardTable:
    """A board that rich renders to the width at hand."""

    board: Board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield title, conditions, sections and what is not ranked."""
        width = options.max_width
        yield Text(inert(title(self.board.contest)), style="bold")
        yield Text(
            inert("; ".join(conditions(self.board))), style="yellow" if self.board.contest.synthetic else ""
        )
        parts = sections(self.board)
        if parts:
            rows = [row for part in parts for row in part.rows]
            shape = _Shape.fitting([_cells(row) for row in rows], width)
            yield Rule(style="dim")
            yield shape.table([tuple(Text(word, style="bold") for word in shape.header)])
            for part in parts:
                yield Text(f"{part.heading}:", style="italic cyan")
                yield shape.table([shape.line(row) for row in part.rows])
        barred = notes(self.board)
        if barred:
            yield Text("Not ranked:", style="italic cyan")
            yield _note_table([(n.platform, n.what, n.why) for n in barred])
        if self.board.superseded:
            yield Text(f"{self.board.superseded} older results of the same cells are not shown.", style="dim")


@dataclass(frozen=True)
class _Shape:
    """Widths of the columns, shared by all sections of a board."""

    header: tuple[str, ...]
    widths: tuple[int, ...]
    values: tuple[int, ...]
    stacked: bool

    @classmethod
    def fitting(cls, rows: Sequence[Sequence[Cell]], width: int) -> _Shape:
        """Return the widest shape that fits; below that the names of platforms are broken at hyphens."""
        values = tuple(max(cell_len(row[c].value) for row in rows) for c in range(len(HEADER)))
        inner = tuple(max(cell_len(row[c].interval) for row in rows) for c in range(len(HEADER)))
        beside = tuple(v + 1 + i if i else v for v, i in zip(values, inner, strict=True))
        flat = tuple(max(b, len(h)) for b, h in zip(beside, HEADER, strict=True))
        if _total(flat) <= width:
            return cls(HEADER, flat, values, stacked=False)
        stacked = [max(v, i, len(h)) for v, i, h in zip(values, inner, SHORT, strict=True)]
        stacked[0] = max(NARROWEST_NAME, min(stacked[0], width - _total((0, *stacked[1:]))))
        return cls(SHORT, tuple(stacked), values, stacked=True)

    def line(self, row: Row) -> tuple[Text, ...]:
        """Return the cells of a row."""
        style = "yellow" if row.not_ranked else ""
        name, *numbers = _cells(row)
        first = "\n".join(wrap(name.value, self.widths[0], break_on_hyphens=True)) or name.value
        return (Text(first, style=style), *map(self._text, numbers, self.values[1:]))

    def _text(self, cell: Cell, value_width: int) -> Text:
        if self.stacked:
            return Text.assemble(cell.value, ("\n" + cell.interval if cell.interval else "", "dim"))
        value = cell.value.rjust(value_width) if cell.interval else cell.value
        return Text.assemble(value, (" " + cell.interval if cell.interval else "", "dim"))

    def table(self, rows: Iterable[tuple[Text, ...]]) -> Table:
        """Return rows as a table without a frame."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for width in self.widths:
            table.add_column(width=width, overflow="fold")
        for row in rows:
            table.add_row(*row)
        return table


def show(results: Sequence[Result], console: Console | None = None) -> None:
    """Print the leaderboards of the results, and what their words mean."""
    console = console or terminal()
    found = boards(frame(results))
    for board in found:
        console.print(BoardTable(board))
        console.print()
    legend = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    legend.add_column(no_wrap=True, style="dim")
    legend.add_column(style="dim")
    for word, meaning in [*answers(found), *used_words(found)]:
        legend.add_row(Text(inert(word)), Text(inert(meaning)))
    console.print(legend)


def show_result(result: Result, console: Console | None = None) -> None:
    """Print one result with all its numbers."""
    (console or terminal()).print(Detail(result))


def terminal() -> Console:
    """Return a console on stdout; without a terminal it has no colours and `PIPED_WIDTH` columns."""
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def _cells(row: Row) -> tuple[Cell, ...]:
    accuracy = row.accuracy
    share = (
        Cell(MISSING)
        if accuracy.value is None
        else Cell(percent(accuracy.value), percent_bounds(accuracy.lo, accuracy.hi))
    )
    return (
        Cell(inert(named(row))),
        share,
        _number(row.energy, "J"),
        Cell(_rank(row.energy)),
        _number(row.latency, "s"),
        Cell(_rank(row.latency)),
    )


def _number(number: Stated, unit: str) -> Cell:
    if number.value is None:
        return Cell(MISSING)
    return Cell(engineering(number.value, unit), bounds(number.value, number.lo, number.hi))


def _rank(number: Stated) -> str:
    return str(number.place) if number.place else "-"


def _note_table(entries: Iterable[tuple[str, str, str]]) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for platform, what, why in entries:
        table.add_row(
            Text(inert(platform)), Text(what, style="red" if what == "failed" else ""), Text(inert(why))
        )
    return Padding(table, 0)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * len(widths)
