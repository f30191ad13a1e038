"""The report of results: tables, figures and their numbers, in a folder."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from nmbench.errors import InputError
from nmbench.progress import Progress
from nmbench.record import Result
from nmbench.report import figures
from nmbench.report.board import Board
from nmbench.report.breakdown import breakdown
from nmbench.report.escape import markdown
from nmbench.report.frames import frame, terms
from nmbench.report.leaderboard import ENERGY, boards, wide
from nmbench.report.markdown import board_text, legend_text
from nmbench.report.prose import caveats
from nmbench.report.sections import title
from nmbench.report.sheets import csv_text
from nmbench.report.style import save

NAME, FIGURES = "report.md", "figures"
MOST_PANELS = 3
"""Boards that stand side by side in the overview."""

ENERGY_COLUMNS = r"accuracy|energy|quality"
LATENCY_COLUMNS = r"latency"


@dataclass(frozen=True)
class Plate:
    """A figure of the report: its name, what it shows in words, how to draw it, and its numbers."""

    name: str
    words: str
    draw: Callable[[], Figure | None]
    numbers: pd.DataFrame


def build(results: Sequence[Result], out: Path, progress: Progress) -> Path:
    """Write the report into a folder and return the path of its ``report.md``.

    Beside it: ``leaderboard.csv`` (a row a platform), ``metrics.csv`` (a row a metric), and under
    ``figures/`` each figure as SVG, PNG and PDF with its numbers as CSV. Everything is made in a folder
    beside the target and then moved file by file, ``report.md`` last: a report that was there stays whole
    until then, and other files in the folder are left alone. Equal results give equal bytes.

    Raises
    ------
    InputError
        If there are no results.
    """
    if not results:
        raise InputError("report", ["there are no results to report"])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".report-") as temporary:
        made = Path(temporary)
        (made / FIGURES).mkdir()
        _write(results, made, progress)
        paths = sorted((p for p in made.rglob("*") if p.is_file()), key=lambda p: (p.name == NAME, p))
        (out / FIGURES).mkdir(exist_ok=True)
        for path in paths:
            path.replace(out / path.relative_to(made))
    return out / NAME


def _write(results: Sequence[Result], folder: Path, progress: Progress) -> None:
    long = frame(results)
    found = boards(long)
    parts = terms(results)
    _put(folder / "metrics.csv", csv_text(long))
    _put(folder / "leaderboard.csv", csv_text(wide(found)))
    overview = list(_overview(found))
    plates = {board.contest: list(_plates(board, slug, parts)) for board, slug in _slugs(found)}
    todo = [*overview, *(plate for group in plates.values() for plate in group)]
    drawn: set[str] = set()
    for done, plate in enumerate(todo):
        progress.step("report", done, len(todo))
        figure = plate.draw()
        if figure is None:
            continue
        drawn.add(plate.name)
        save(figure, folder / FIGURES / plate.name)
        _put(folder / FIGURES / f"{plate.name}.csv", csv_text(plate.numbers))
    progress.step("report", len(todo), len(todo))
    sections = [_head(results, found), *(_embed(p) for p in overview if p.name in drawn)]
    for board in found:
        sections += [board_text(board), *(_embed(p) for p in plates[board.contest] if p.name in drawn)]
    synthetic = any(board.contest.synthetic for board in found)
    quick = any(board.contest.tier == "quick" for board in found)
    sections += [
        "## What the words mean\n\n" + legend_text(found),
        caveats(synthetic=synthetic, quick=quick),
        _files(),
    ]
    _put(folder / NAME, "\n".join(sections))


def _overview(found: Sequence[Board]) -> Iterator[Plate]:
    """Yield the figures that show several boards side by side, where there are two or three."""
    if 1 < len(found) <= MOST_PANELS:
        numbers = _columns(wide(found), ENERGY_COLUMNS)
        words = "Energy per inference and accuracy of every platform, one panel a workload"
        yield Plate("energy-accuracy", words, lambda: figures.energy_accuracy(found), numbers)


def _plates(board: Board, slug: str, parts: pd.DataFrame) -> Iterator[Plate]:
    numbers, name = wide([board]), title(board.contest)
    yield Plate(
        f"energy-accuracy-{slug}", f"Energy per inference against accuracy: {name}",
        lambda: figures.energy_accuracy([board]), _columns(numbers, ENERGY_COLUMNS),
    )  # fmt: skip
    yield Plate(
        f"latency-{slug}", f"Latency by platform, 90th percentile: {name}",
        lambda: figures.latency([board]), _columns(numbers, LATENCY_COLUMNS),
    )  # fmt: skip
    names = {row.id: row.platform for row in board.rows}
    mine = parts[parts["id"].isin(list(names)) & (parts["metric"] == ENERGY)]
    yield Plate(
        f"breakdown-{slug}", f"Where the energy goes, terms as shares of the total: {name}",
        lambda: breakdown(board, parts), mine.assign(platform=mine["id"].map(names)),
    )  # fmt: skip


def _columns(numbers: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Keep what names a row, and the columns that a pattern finds."""
    naming = (
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
    return numbers[
        [c for c in numbers.columns if c in naming or re.match(pattern, c) or c in ("error", "id")]
    ]


def _slugs(found: Sequence[Board]) -> list[tuple[Board, str]]:
    """Name boards in file names: by workload where that is enough, else also by a hash of their contest."""
    names = [board.contest.workload for board in found]
    return [
        (board, name if names.count(name) == 1 else f"{name}-{_digest(board)}")
        for board, name in zip(found, names, strict=True)
    ]


def _digest(board: Board) -> str:
    contest = board.contest
    tag = "-".join(re.sub(r"[^a-z0-9]+", "", part.lower()) for part in (contest.size, contest.data))
    return f"{tag[:40]}-{hashlib.sha256(repr(contest).encode()).hexdigest()[:6]}"


def _head(results: Sequence[Result], found: Sequence[Board]) -> str:
    runs = sorted({result.run for result in results})
    systems = sorted({result.system.removeprefix("sha256:")[:12] for result in results})
    versions = sorted({result.software.nmbench for result in results})
    shown = sum(len(board.rows) for board in found)
    times = sorted(result.started for result in results)
    lines = (
        f"{shown} cells of {len({board.contest.workload for board in found})} workloads, from {len(results)} "
        f"results made between {times[0]} and {times[-1]} with nmbench {', '.join(versions)}.",
        f"Runs: {', '.join(runs[:8])}{' and more' if len(runs) > 8 else ''}. Systems: {', '.join(systems)}.",
    )
    return "# nmbench report\n\n" + "\n".join(markdown(line, None) for line in lines) + "\n"


def _embed(plate: Plate) -> str:
    path = f"{FIGURES}/{plate.name}"
    return f"![{markdown(plate.words)}]({path}.svg)\n\n[Numbers]({path}.csv), [PDF]({path}.pdf).\n"


def _files() -> str:
    return (
        "## Files\n\n"
        "- [leaderboard.csv](leaderboard.csv): one row a platform and workload, with kind, boundary, "
        "interval and rank.\n"
        "- [metrics.csv](metrics.csv): every metric of every result, at every boundary.\n"
    )


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
