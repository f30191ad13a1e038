"""What a new price changed: old and new side by side, in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nmbench.record import Metric, Result
from nmbench.report.detail import interval_text
from nmbench.report.engineering import engineering
from nmbench.report.escape import inert
from nmbench.report.scoring import scoring_of
from nmbench.report.sections import BOUNDARY_WORDS


def show(old: Sequence[Result], new: Sequence[Result]) -> None:
    """Print, for each pair of results, energy and score at each boundary before and after."""
    pairs = sorted(zip(old, new, strict=True), key=lambda pair: _name(pair[1]))
    console = Console(highlight=False)
    for name, group in groupby(pairs, key=lambda pair: _name(pair[1])):
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for column in ("Platform", "What", "Before", "Now", "90 % interval", "Ratio"):
            table.add_column(column, justify="right" if column in ("Before", "Now", "Ratio") else "left")
        for before, after in group:
            for cells in _rows(before, after):
                table.add_row(*map(Text, cells))
        console.print(Text(inert(name), style="bold"))
        console.print(table)


def _name(result: Result) -> str:
    workload = result.workload
    return f"{result.suite}/{workload.name}, {result.scenario}, size {result.size}, {workload.source}"


def _rows(before: Result, after: Result) -> list[tuple[str, ...]]:
    if after.error:
        return [(inert(after.platform.name), inert(after.error), "", after.status, "", "")]
    rows: list[tuple[str, ...]] = []
    scoring = scoring_of(after.scenario, {m.name for m in after.metrics})
    nouns = {measure.metric: measure.noun for measure in (scoring.energy, scoring.score)}
    for metric in after.metrics:
        if metric.name in nouns and metric.kind == "modelled" and metric.boundary:
            what = f"{nouns[metric.name]}, {BOUNDARY_WORDS[metric.boundary]}"
            name = "" if rows else inert(after.platform.name)
            rows.append((name, what, *_values(before.find(metric.name, metric.boundary), metric)))
    return rows


def _values(before: Metric | None, after: Metric) -> tuple[str, str, str, str]:
    old = before.value if before else None
    if after.value is None:
        return _text(old, after.unit), "no value", "", ""
    ratio = f"{after.value / old:.3g}" if old else ""
    return _text(old, after.unit), _text(after.value, after.unit), interval_text(after), ratio


def _text(value: float | None, unit: str) -> str:
    return "no value" if value is None else engineering(value, unit)
