"""Boards as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nmbench.report.asking import question
from nmbench.report.board import Board, Note, Row, Stated
from nmbench.report.cells import batch, number, share
from nmbench.report.escape import markdown
from nmbench.report.scoring import Measure, Scoring
from nmbench.report.sections import (
    LEGEND,
    OF_SCENARIOS,
    all_remarks,
    answers,
    conditions,
    named,
    notes,
    sections,
    title,
    used_words,
    where,
)


def board_text(board: Board) -> str:
    """Return a board as a heading, question, conditions, a table, what is not ranked and why, remarks."""
    parts = [
        f"## {markdown(title(board.contest))}",
        markdown(question(board)),
        markdown("; ".join(conditions(board))) + ".",
    ]
    rows = [row for section in sections(board) for row in section.rows]
    if rows:
        scoring = board.scoring
        parts.append(table(_head(scoring), (_cells(row, scoring) for row in rows)))
    for heading, entries in (("Not ranked:", notes(board)), ("Remarks:", all_remarks(board))):
        if entries:
            parts += [heading, table(("Platform", "What", "Why"), map(_note, entries))]
    if board.superseded:
        parts.append(f"{board.superseded} older results of the same cells are not shown.")
    return "\n\n".join(parts) + "\n"


def legend_text(found: Iterable[Board]) -> str:
    """Return what the words and the stars of the tables mean, as a list."""
    shown = list(found)
    entries = [(markdown(name), markdown(whose)) for name, whose in answers(shown)]
    used = {word for word, _ in used_words(shown)}
    entries += [(word, meaning) for word, meaning in LEGEND if word in used or word not in OF_SCENARIOS]
    return "\n".join(f"- **{word}**: {meaning}" for word, meaning in entries) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; the cells are escaped already."""
    names = list(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *map(list, rows)))


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading of ASCII text."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _head(scoring: Scoring) -> list[str]:
    found = ["Platform", scoring.quality.heading]
    for measure in (scoring.energy, scoring.score):
        found += [measure.heading, "Kind, boundary", "Rank"]
    return [*found, *(m.heading for m in scoring.beside), *(["Batch"] if scoring.batches else [])]


def _cells(row: Row, scoring: Scoring) -> list[str]:
    quality = share(row.quality)
    said = f"{quality.value} {quality.interval}, {row.quality.kind}" if quality.interval else "no value"
    found = [markdown(named(row)), plain(said)]
    for stated, measure in ((row.energy, scoring.energy), (row.score, scoring.score)):
        place = str(stated.place) if stated.place else "-"
        found += [text(stated, measure), "" if stated.value is None else where(stated), place]
    found += [text(stated, measure) for stated, measure in zip(row.beside, scoring.beside, strict=True)]
    if scoring.batches:
        found.append(batch(row))
    return found


def text(stated: Stated, measure: Measure) -> str:
    """Return a number with its interval; bold where it is an alarm."""
    cell = number(stated, measure)
    value = f"**{cell.value}**" if cell.alarm else cell.value
    return plain(f"{value} {cell.interval}".strip())


def plain(text: str) -> str:
    """Keep brackets from becoming links."""
    return text.replace("[", "\\[").replace("]", "\\]")


def _note(note: Note) -> tuple[str, str, str]:
    return markdown(note.platform), note.what, markdown(note.why)
