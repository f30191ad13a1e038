"""A board in words: sections of rows that share kinds and boundaries, and why the others have no rank."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nmbench.quantity import BOUNDARIES, KINDS, Boundary
from nmbench.report.asking import remarks
from nmbench.report.board import Board, Contest, Note, Row, Stated

BOUNDARY_WORDS: dict[Boundary | None, str] = {
    "chip_dynamic": "chip dynamic",
    "chip_total": "chip total",
    "system_without_io": "system without I/O",
    "system_with_io": "system with I/O",
    "wall": "wall clock",
    None: "no stated boundary",
}

LEGEND = (
    ("accuracy", "of the whole test set; what is timed has to decide alike. Wilson interval of 95 %."),
    (
        "F1",
        "of the words in running audio: harmonic mean of precision and recall; what is timed has to decide "
        "alike. Interval of 95 %, over recordings.",
    ),
    ("measured", "ran for real and was timed by the harness; intervals of 95 %."),
    (
        "modelled",
        "published constants x the simulator's event counts, or x a measured time; intervals of 90 %.",
    ),
    ("simulated", "computed by the simulator, whose answers and counts the modelled platforms share."),
    (
        "rank",
        "by value, among the same kind and boundary where quality reached its target; in brackets the places "
        "that the intervals leave open.",
    ),
    (
        "batch",
        "most samples that were handed over at once; Offline: the size with the most samples per second.",
    ),
    ("rate", "queries per second; the interval reaches to the lowest rate that missed the bound."),
    ("missed", "decisions that come after their deadline; they count in the latencies too."),
    ("first correct", "from a recording's start to its first right decision, the median."),
    (
        "detected after",
        "from a word's end to its detection, the median of those detected; below zero: before it.",
    ),
)
"""What the words of a board mean."""

OF_SCENARIOS = ("F1", "batch", "rate", "missed", "first correct", "detected after")
"""Words that only some scenarios need."""


@dataclass(frozen=True)
class Section:
    """Rows whose energies share a kind and a boundary, and whose scores do."""

    heading: str
    rows: tuple[Row, ...]


def sections(board: Board) -> list[Section]:
    """Return the rows that ran, by kind and boundary, each section by energy and then by score."""
    grouped: dict[str, list[Row]] = {}
    noun = board.scoring.score.noun
    for row in sorted((r for r in board.rows if r.status == "ok"), key=_order):
        grouped.setdefault(_heading(row, noun), []).append(row)
    return [Section(heading, tuple(rows)) for heading, rows in grouped.items()]


def notes(board: Board) -> list[Note]:
    """Return why rows, or single numbers of them, are not ranked; failures last.

    ``what`` of a note names the number, or the status of the result.
    """
    found: list[tuple[int, Note]] = []
    for row in board.rows:
        if row.status != "ok":
            found.append(
                (2 if row.status == "failed" else 1, Note(row.platform, row.status, row.error or ""))
            )
        elif row.not_ranked:
            found.append(
                (0, Note(row.platform, "quality" if row.reached is False else "comparison", row.not_ranked))
            )
        else:
            found += [(0, note) for note in _unranked(row, board)]
    return [note for _, note in sorted(found, key=lambda f: f[0])]


def all_remarks(board: Board) -> list[Note]:
    """Return what has to be said of rows that ran, in the order of the sections."""
    rows = (row for section in sections(board) for row in section.rows)
    return [note for row in rows for note in remarks(row, board.scoring)]


def _unranked(row: Row, board: Board) -> list[Note]:
    """Say why numbers of a row are not ranked, once where it is for the same reason."""
    scoring = board.scoring
    reasons: dict[str, list[str]] = {}
    for noun, number in ((scoring.energy.noun, row.energy), (scoring.score.noun, row.score)):
        if number.unranked:
            reasons.setdefault(number.unranked, []).append(noun)
    return [Note(row.platform, " and ".join(nouns), why) for why, nouns in reasons.items()]


def named(row: Row) -> str:
    """Return the platform's name, with a star where its answers are not its own (`answers`)."""
    return f"{row.platform}*" if row.caveat and row.status == "ok" else row.platform


def answers(found: Iterable[Board]) -> list[tuple[str, str]]:
    """Say once of each platform that ran whose the answers are, where they are not its own."""
    rows = [row for board in found for row in board.rows if row.status == "ok"]
    return list({row.platform: (named(row), f"answers: {row.caveat}") for row in rows if row.caveat}.values())


def title(contest: Contest) -> str:
    """Name the contest: workload, version, size and scenario."""
    seed = f", seed {contest.seed}" if contest.seed else ""
    return f"{contest.workload} v{contest.workload_version}, size {contest.size}, {contest.scenario}{seed}"


def conditions(board: Board) -> list[str]:
    """Say under which conditions the board's numbers hold: data, quality target, tier, division."""
    contest = board.contest
    samples = {row.quality.n for row in board.rows if row.quality.n is not None}
    kind = "SYNTHETIC data" if contest.synthetic else "real data"
    count = f", {samples.pop()} test samples" if len(samples) == 1 else ""
    tier = "quick tier (never submittable)" if contest.tier == "quick" else f"{contest.tier} tier"
    found = [f"{kind} ({contest.data_source}){count}"]
    if board.target is not None:
        found.append(f"{board.scoring.quality.noun} target {100 * board.target:g} %")
    found += [tier, f"{contest.division} division"]
    if any(row.published_data is False for row in board.rows):
        found.append("data DIFFER from the published ones")
    return found


def where(number: Stated) -> str:
    """Say kind and boundary of a number, `modelled, chip total`."""
    return "none" if number.value is None else f"{number.kind}, {BOUNDARY_WORDS[number.boundary]}"


def used_words(found: Iterable[Board]) -> list[tuple[str, str]]:
    """Return the entries of `LEGEND` for what stands on the boards."""
    boards = list(found)
    rows = [(board, row) for board in boards for row in board.rows]
    used = {n.kind for board, row in rows for n in (row.quality, row.energy, row.score, *row.beside)}
    words = {"rank", *used, *(board.scoring.quality.noun for board in boards)}
    words |= {"batch" for board in boards if board.scoring.batches}
    words |= {"rate" for board in boards if board.contest.scenario == "Server"}
    words |= {m.heading.lower() for board in boards for m in board.scoring.beside[1:]}
    words |= {"missed" for board in boards if board.scoring.beside[1:]}
    return [(word, meaning) for word, meaning in LEGEND if word in words]


def _heading(row: Row, noun: str) -> str:
    energy, score = _at(row.energy), _at(row.score)
    if energy == score:
        return f"Energy and {noun} {energy}" if energy else f"Neither energy nor {noun} stated"
    first = f"Energy {energy}" if energy else "No energy stated"
    return f"{first}; {noun} {score}" if score else f"{first}; no {noun} stated"


def _at(number: Stated) -> str | None:
    return None if number.value is None else f"{number.kind} at {BOUNDARY_WORDS[number.boundary]}"


def _order(row: Row) -> tuple[bool, int, tuple[int, int, float], tuple[int, int, float], str]:
    """Sort by the platform's kind, then so that sections are contiguous, then by value; empty rows last."""
    energy, score = _position(row.energy), _position(row.score)
    empty = row.energy.value is None and row.score.value is None
    return empty, KINDS.index(row.kind), (*energy[:2], 0.0), (*score[:2], energy[2]), row.platform


def _position(number: Stated) -> tuple[int, int, float]:
    if number.value is None or number.kind is None:
        return len(KINDS), len(BOUNDARIES), float("inf")
    boundary = BOUNDARIES.index(number.boundary) if number.boundary else len(BOUNDARIES)
    return KINDS.index(number.kind), boundary, number.value
