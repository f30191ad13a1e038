"""The report of results: tables, figures and their numbers, in a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from nmbench.errors import InputError
from nmbench.progress import Progress
from nmbench.record import Result
from nmbench.report.board import Board
from nmbench.report.contents import LEGEND, contents_text, first_text
from nmbench.report.escape import markdown
from nmbench.report.frames import frame, terms
from nmbench.report.leaderboard import boards
from nmbench.report.markdown import board_text, legend_text
from nmbench.report.plates import Plate, overview, plates, slugs
from nmbench.report.prose import caveats
from nmbench.report.sheets import csv_text, metrics_sheet, results_sheet
from nmbench.report.style import save
from nmbench.report.wide import wide

NAME, FIGURES = "report.md", "figures"
FORMATS = ("svg", "pdf")


def build(results: Sequence[Result], out: Path, progress: Progress, left_out: Mapping[str, str] = {}) -> Path:
    """Write the report into a folder and return the path of its ``report.md``.

    ``left_out`` has the workloads that the runs did without, each with the reason.

    Beside it: ``leaderboard.csv`` (a row a platform and contest), ``results.csv`` (a row a result),
    ``metrics.csv`` (a row a metric), and under ``figures/`` each figure as SVG and PDF, its numbers as CSV.
    Everything is made in a folder beside the target and then moved file by file, ``report.md`` last: a report
    that was there stays whole until then, and other files in the folder are left alone. Equal results give
    equal bytes.

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
        _write(results, made, progress, left_out)
        paths = sorted((p for p in made.rglob("*") if p.is_file()), key=lambda p: (p.name == NAME, p))
        (out / FIGURES).mkdir(exist_ok=True)
        for path in paths:
            path.replace(out / path.relative_to(made))
    return out / NAME


def _write(results: Sequence[Result], folder: Path, progress: Progress, left_out: Mapping[str, str]) -> None:
    long, parts = frame(results), terms(results)
    found = boards(long)
    _put(folder / "metrics.csv", csv_text(metrics_sheet(long)))
    _put(folder / "results.csv", csv_text(results_sheet(long)))
    _put(folder / "leaderboard.csv", csv_text(wide(found)))
    side_by_side = list(overview(found))
    own = {board: list(plates(board, slug, long, parts)) for board, slug in slugs(found)}
    drawn = _draw([*side_by_side, *(p for group in own.values() for p in group)], folder / FIGURES, progress)
    shown = {board.contest.workload for board in found}
    sections = [_head(results, found, {w: why for w, why in left_out.items() if w not in shown})]
    if len(found) > 1:
        sections += [contents_text(found), first_text(found)]
    sections += [_embed(plate) for plate in side_by_side if plate.name in drawn]
    for board in found:
        sections += [board_text(board), *(_embed(p) for p in own[board] if p.name in drawn)]
    synthetic = any(board.contest.synthetic for board in found)
    quick = any(board.contest.tier == "quick" for board in found)
    virtual = any(row.asking.clock == "virtual" for board in found for row in board.rows)
    sections += [
        f"## {LEGEND}\n\n" + legend_text(found),
        caveats(synthetic=synthetic, quick=quick, virtual=virtual),
        _files(),
    ]
    _put(folder / NAME, "\n".join(sections))


def _draw(todo: Sequence[Plate], folder: Path, progress: Progress) -> set[str]:
    """Draw the figures that have something to show, and return their names."""
    drawn: set[str] = set()
    for done, plate in enumerate(todo):
        progress.step("report", done, len(todo))
        figure = plate.draw()
        if figure is None:
            continue
        drawn.add(plate.name)
        save(figure, folder / plate.name, FORMATS)
        _put(folder / f"{plate.name}.csv", csv_text(plate.numbers))
    progress.step("report", len(todo), len(todo))
    return drawn


def _head(results: Sequence[Result], found: Sequence[Board], left_out: Mapping[str, str]) -> str:
    runs = sorted({result.run for result in results})
    systems = sorted({result.system.removeprefix("sha256:")[:12] for result in results})
    versions = sorted({result.software.nmbench for result in results})
    shown = sum(len(board.rows) for board in found)
    workloads = len({board.contest.workload for board in found})
    times = sorted(result.started for result in results)
    lines = [
        f"{shown} cells of {workloads} workload{'s' if workloads > 1 else ''}, from {len(results)} "
        f"results made between {times[0]} and {times[-1]} with nmbench {', '.join(versions)}.",
        f"Runs: {', '.join(runs[:8])}{' and more' if len(runs) > 8 else ''}. Systems: {', '.join(systems)}.",
    ]
    if left_out:
        lines.append(f"Left out: {'; '.join(f'{name} ({why})' for name, why in sorted(left_out.items()))}.")
    return "# nmbench report\n\n" + "\n".join(markdown(line, None) for line in lines) + "\n"


def _embed(plate: Plate) -> str:
    path = f"{FIGURES}/{plate.name}"
    return f"![{markdown(plate.words)}]({path}.svg)\n\n[Numbers]({path}.csv), [PDF]({path}.pdf).\n"


def _files() -> str:
    return (
        "## Files\n\n"
        "- [leaderboard.csv](leaderboard.csv): one row a platform, workload and scenario, with kind, "
        "boundary, interval and rank.\n"
        "- [results.csv](results.csv): one row a result: what was run, on what, with which traffic.\n"
        "- [metrics.csv](metrics.csv): every metric of every result, at every boundary, by the result's id.\n"
    )


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
