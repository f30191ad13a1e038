"""The figures of a report: which there are, what they are called, and the numbers beside each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from nmbench.report import figures
from nmbench.report.board import Board, Contest
from nmbench.report.breakdown import breakdown, headline_terms
from nmbench.report.decisions import decisions
from nmbench.report.sections import title
from nmbench.report.wide import score_columns, wide

MOST_PANELS = 3
"""Boards that stand side by side in the overview."""

NAMING = (
    "suite",
    "workload",
    "workload_version",
    "synthetic",
    "size",
    "scenario",
    "tier",
    "platform",
    "status",
)
BREAKDOWNS = ("SingleStream", "Streaming")
"""Scenarios whose energies are broken down: those of the others are SingleStream's terms, summed up."""


@dataclass(frozen=True)
class Plate:
    """A figure of the report: its name, what it shows in words, how to draw it, and its numbers."""

    name: str
    words: str
    draw: Callable[[], Figure | None]
    numbers: pd.DataFrame


def overview(found: Sequence[Board]) -> Iterator[Plate]:
    """Yield the figure of the workloads side by side, of the first scenario, where there are two or three."""
    first = [board for board in found if board.contest.scenario == found[0].contest.scenario]
    if 1 < len(first) <= MOST_PANELS:
        energy = first[0].scoring.energy.axis
        words = f"{energy.capitalize()} and accuracy of every platform, one panel a workload"
        numbers = _columns(wide(first), "accuracy|f1|energy|quality")
        yield Plate("energy-accuracy", words, lambda: figures.energy_accuracy(first), numbers)


def plates(board: Board, slug: str, long: pd.DataFrame, parts: pd.DataFrame) -> Iterator[Plate]:
    """Yield the figures of a board.

    Parameters
    ----------
    long, parts
        The frames of `nmbench.report.frames`: all metrics, and their terms.
    """
    numbers, name, scoring = wide([board]), title(board.contest), board.scoring
    energy = scoring.energy.axis.capitalize()
    yield Plate(
        f"energy-accuracy-{slug}", f"{energy} against accuracy: {name}",
        lambda: figures.energy_accuracy([board]), _columns(numbers, "accuracy|f1|energy|quality"),
    )  # fmt: skip
    score = "|".join(score_columns(scoring))
    if board.contest.scenario == "Streaming":
        medians = _medians(board, long)
        numbers = numbers.assign(decision_latency_p50_s=numbers["id"].map(medians))
        words = f"Latency of decisions by platform, median to 99th percentile: {name}"
        yield Plate(
            f"{scoring.figure}-{slug}", words, lambda: decisions(board, medians),
            _columns(numbers, f"{score}|decision_latency_p50|window|deadline"),
        )  # fmt: skip
    else:
        words = f"{scoring.score.axis.capitalize()} by platform: {name}"
        yield Plate(
            f"{scoring.figure}-{slug}", words, lambda: figures.score(board),
            _columns(numbers, f"{score}|latency_bound|batch"),
        )  # fmt: skip
    if board.contest.scenario in BREAKDOWNS:
        shown = [headline_terms(row, parts).assign(platform=row.platform) for row in board.rows]
        standing = " (standing: what flows whether it works or not)" if scoring.beside else ""
        words = f"Where the {scoring.energy.axis} goes, as shares of the total{standing}: {name}"
        yield Plate(
            f"breakdown-{slug}", words,
            lambda: breakdown(board, parts), pd.concat(shown),
        )  # fmt: skip


def slugs(found: Sequence[Board]) -> list[tuple[Board, str]]:
    """Name boards in file names: by workload and, but for SingleStream, scenario; else a hash is added."""
    names = [_slug(board.contest) for board in found]
    return [
        (board, name if names.count(name) == 1 else f"{name}-{_digest(board)}")
        for board, name in zip(found, names, strict=True)
    ]


def _slug(contest: Contest) -> str:
    scenario = "" if contest.scenario == "SingleStream" else f"-{contest.scenario.lower()}"
    return f"{contest.workload}{scenario}"


def _digest(board: Board) -> str:
    contest = board.contest
    tag = "-".join(re.sub(r"[^a-z0-9]+", "", part.lower()) for part in (contest.size, contest.data))
    return f"{tag[:40]}-{hashlib.sha256(repr(contest).encode()).hexdigest()[:6]}"


def _medians(board: Board, long: pd.DataFrame) -> dict[str, float]:
    """Return the median latency of each row's decisions, of the kind and boundary of its score."""
    found = {}
    for row in board.rows:
        here = (long["boundary"] == row.score.boundary) & (long["kind"] == row.score.kind)
        mine = long[(long["id"] == row.id) & (long["metric"] == "decision_latency_p50") & here]
        if len(mine):
            found[row.id] = float(mine["value"].iloc[0])
    return found


def _columns(numbers: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Keep what names a row, and the columns that a pattern finds."""
    return numbers[
        [c for c in numbers.columns if c in NAMING or re.match(pattern, c) or c in ("error", "id")]
    ]
