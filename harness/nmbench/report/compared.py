"""Two results side by side in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nmbench.comparison import Line, Pair
from nmbench.record import Metric
from nmbench.report.detail import interval_text, value_text
from nmbench.report.engineering import significant
from nmbench.report.escape import inert
from nmbench.report.sections import BOUNDARY_WORDS
from nmbench.report.tables import terminal


def show(pairs: Sequence[Pair]) -> None:
    """Print each pair: values, intervals and the ratio of the second to the first; what is unlike below."""
    console = terminal()
    for pair in pairs:
        one, other = pair.one, pair.other
        names = inert(one.platform.name), inert(other.platform.name)
        if names[0] == names[1]:
            names = f"{names[0]}, {inert(one.run)}", f"{names[1]}, {inert(other.run)}"
        workload = one.workload
        title = f"{one.suite}/{workload.name} v{workload.version}, size {one.size}, {workload.source}"
        console.print(Text(inert(title), style="bold"))
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for column in ("", "", names[0], "", names[1], "", "Ratio"):
            table.add_column(column, justify="right" if column else "left")
        for line in pair.lines:
            table.add_row(*map(Text, _cells(line)))
        console.print(table)
        for reason in pair.unlike:
            console.print(Text(f"not compared: {inert(reason, None)}", style="yellow"))


def _cells(line: Line) -> tuple[str, ...]:
    where = BOUNDARY_WORDS[line.one.boundary] if line.one.boundary else ""
    name = line.one.name.removesuffix("_per_inference").replace("_", " ")
    return (name, where, *_number(line.one), *_number(line.other), significant(line.ratio))


def _number(metric: Metric) -> tuple[str, str]:
    return value_text(metric), interval_text(metric)
