"""Leaderboards in a terminal: one line a platform where it is wide enough, two or three where it is not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nmbench.record import Result
from nmbench.report.asking import question
from nmbench.report.board import Board, Note
from nmbench.report.cells import Shape, cells, columns, number
from nmbench.report.detail import Detail
from nmbench.report.escape import inert
from nmbench.report.frames import frame
from nmbench.report.leaderboard import boards
from nmbench.report.overview import Leader, by_workload, groups_of, leaders, words
from nmbench.report.scoring import Measure
from nmbench.report.sections import all_remarks, answers, conditions, notes, sections, title, used_words

PIPED_WIDTH = 100
"""Columns where the output is no terminal and COLUMNS does not say."""
GLANCE_FROM = 4
"""From so many boards on, who is first stands once more at the end."""


@dataclass(frozen=True)
class BoardTable:
    """A board that rich renders to the width at hand."""

    board: Board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield title, question, conditions, sections, what is not ranked, and remarks."""
        board = self.board
        yield Text(inert(title(board.contest)), style="bold")
        yield Text(inert(question(board)))
        yield Text(inert("; ".join(conditions(board))), style="yellow" if board.contest.synthetic else "")
        parts = sections(board)
        if parts:
            rows = [cells(row, board.scoring) for part in parts for row in part.rows]
            shape = Shape.fitting(columns(board.scoring), rows, options.max_width)
            yield Rule(style="dim")
            yield shape.table([tuple(Text(word, style="bold") for word in shape.header)])
            for part in parts:
                yield Text(f"{part.heading}:", style="italic cyan")
                yield shape.table([shape.line(row, board.scoring) for row in part.rows])
        for heading, entries in (("Not ranked:", notes(board)), ("Remarks:", all_remarks(board))):
            if entries:
                yield Text(heading, style="italic cyan")
                yield _note_table(entries)
        if board.superseded:
            yield Text(f"{board.superseded} older results of the same cells are not shown.", style="dim")


def show(results: Sequence[Result], console: Console | None = None) -> None:
    """Print the leaderboards of the results, and what their words mean."""
    console = console or terminal()
    found = boards(frame(results))
    for board in found:
        console.print(BoardTable(board))
        console.print()
    if len(found) >= GLANCE_FROM and (glance := _glance(found)).row_count:
        console.print(Text("Who is first", style="bold"))
        console.print(glance)
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


def _glance(found: Sequence[Board]) -> Table:
    """Say who is first in each board, by score and by energy, where more than one are ranked together."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("Workload", "Scenario", "Among", "By score", "By energy"):
        table.add_column(column, overflow="fold")
    for workload, own in by_workload(found):
        for board in own:
            scoring = board.scoring
            leading = (leaders(board, lambda row: row.score), leaders(board, lambda row: row.energy))
            for group in groups_of([board], lambda row: row.score, lambda row: row.energy):
                first = [leader.get(group) for leader in leading]
                if any(leader and leader.of > 1 for leader in first):
                    texts = map(_first, first, (scoring.score, scoring.energy))
                    named = (inert(workload), board.contest.scenario, words(group))
                    table.add_row(*map(Text, (*named, *texts)))
    return table


def _first(leader: Leader | None, measure: Measure) -> str:
    if leader is None:
        return ""
    return f"{inert(leader.platform)}\n{number(leader.number, measure).value}, {leader.standing}"


def _note_table(entries: Iterable[Note]) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(overflow="fold", max_width=18)
    table.add_column(overflow="fold")
    for note in entries:
        alarm = note.what in ("failed", "late")
        table.add_row(
            Text(inert(note.platform)), Text(note.what, style="red" if alarm else ""), Text(inert(note.why))
        )
    return Padding(table, 0)
