"""Boards as GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from nmbench.report.board import Board, Row, Stated
from nmbench.report.engineering import bounds, engineering, percent, percent_bounds
from nmbench.report.escape import markdown
from nmbench.report.sections import LEGEND, answers, conditions, named, notes, sections, title, where

HEAD = (
    "Platform", "Accuracy", "Energy per inference", "Kind, boundary", "Rank",
    "Latency p90", "Kind, boundary", "Rank",
)  # fmt: skip


def board_text(board: Board) -> str:
    """Return a board as a heading, its conditions, a table, and what is not ranked and why."""
    parts = [f"## {markdown(title(board.contest))}", markdown("; ".join(conditions(board))) + "."]
    rows = [row for section in sections(board) for row in section.rows]
    if rows:
        parts.append(table(HEAD, map(_cells, rows)))
    barred = notes(board)
    if barred:
        cells = ((markdown(note.platform), note.what, markdown(note.why)) for note in barred)
        parts += ["Not ranked:", table(("Platform", "What", "Why"), cells)]
    if board.superseded:
        parts.append(f"{board.superseded} older results of the same cells are not shown.")
    return "\n\n".join(parts) + "\n"


def legend_text(found: Iterable[Board]) -> str:
    """Return what the words and the stars of the tables mean, as a list."""
    entries = [(markdown(name), markdown(whose)) for name, whose in answers(found)]
    return "\n".join(f"- **{word}**: {meaning}" for word, meaning in [*entries, *LEGEND]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; the cells are escaped already."""
    names = list(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *map(list, rows)))


def _cells(row: Row) -> list[str]:
    accuracy = row.accuracy
    share = "no value"
    if accuracy.value is not None:
        share = f"{percent(accuracy.value)} {percent_bounds(accuracy.lo, accuracy.hi)}, {accuracy.kind}"
    return [markdown(named(row)), _plain(share), *_number(row.energy, "J"), *_number(row.latency, "s")]


def _number(number: Stated, unit: str) -> list[str]:
    rank = str(number.place) if number.place else "-"
    if number.value is None:
        return ["no value", "", rank]
    text = f"{engineering(number.value, unit)} {bounds(number.value, number.lo, number.hi)}"
    return [_plain(text.strip()), where(number), rank]


def _plain(text: str) -> str:
    """Keep brackets from becoming links."""
    return text.replace("[", "\\[").replace("]", "\\]")
