"""Two results side by side in a terminal, and whether they differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nmbench.comparison import Line, Pair
from nmbench.contrast import Effect
from nmbench.record import Metric, Result
from nmbench.report.detail import value_text
from nmbench.report.engineering import RANGE, bounds, percent, percent_bounds, significant
from nmbench.report.escape import inert
from nmbench.report.sections import BOUNDARY_WORDS
from nmbench.report.tables import terminal
from nmbench.starts import Starts
from nmbench.verdict import MORE_IS_BETTER, SHARES

DIRECTIONS = {"s": ("shorter", "longer"), "1/s": ("lower", "higher")}
"""Words for less and more of a unit."""

FACTOR = 2.0
"""Ratio from which a factor reads better than percent."""


def show(pairs: Sequence[Pair]) -> None:
    """Print each pair: values, intervals, ratio of the second to the first, verdict; what is unlike below."""
    console = terminal()
    for number, pair in enumerate(pairs):
        one = pair.one
        title = f"{one.suite}/{one.workload.name} v{one.workload.version}, {one.scenario}, size {one.size}, "
        console.print(Text(("\n" if number else "") + inert(title + one.workload.source), style="bold"))
        console.print(Text(f"A  {_named(one)}\nB  {_named(pair.other)}"))
        feet: list[str] = []
        console.print(_table(pair, feet))
        for place, foot in enumerate(feet, start=1):
            console.print(Text(f"({place}) {foot}", style="dim"))
        for note in pair.notes:
            console.print(Text(inert(note, None), style="yellow"))
        for reason in pair.unlike:
            console.print(Text(f"not compared: {inert(reason, None)}", style="yellow"))
    if any(_measured_ratio(line) for pair in pairs for line in pair.lines):
        console.print(Text("\n" + _legend(pairs[0].starts), style="dim"))


def _table(pair: Pair, feet: list[str]) -> Table:
    """Return the lines by kind and boundary; what decided them is added to ``feet`` and told by number."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("", "A", "B", "Ratio B/A"):
        table.add_column(column, no_wrap=True)
    table.add_column("B against A")
    groups: dict[str, list[Line]] = {}
    for line in pair.lines:
        where = f", {BOUNDARY_WORDS[line.one.boundary]}" if line.one.boundary else ""
        groups.setdefault(line.one.kind + where, []).append(line)
    for heading, lines in groups.items():
        table.add_row(Text(heading, style="italic cyan"))
        for line in lines:
            how = inert(line.verdict.how, None)
            if how not in feet:
                feet.append(how)
            name = Text(" " + line.one.name.removesuffix("_per_inference").replace("_", " "))
            told = Text(f"{_difference(line)} ({feet.index(how) + 1})", style=_style(line))
            table.add_row(name, _value(line.one), _value(line.other), _ratio(line), told)
    return table


def _value(metric: Metric) -> Text:
    """Return a value, and its interval below it."""
    if metric.value is None:
        return Text(value_text(metric))
    if metric.name in SHARES:
        return _stacked(percent(metric.value), percent_bounds(metric.lo, metric.hi))
    return _stacked(value_text(metric), bounds(metric.value, metric.lo, metric.hi))


def _ratio(line: Line) -> Text:
    """Return the ratio, of shares the difference in points, and its interval below it."""
    effect = line.verdict.effect
    if effect is None:
        return Text("" if line.ratio is None else significant(line.ratio))
    if line.one.name in SHARES:
        points = f"{100 * effect.value:+.1f} points"
        return _stacked(points, f"[{100 * effect.lo:+.1f} to {100 * effect.hi:+.1f}]")
    ends = RANGE.join(map(significant, (effect.lo, effect.hi)))
    return _stacked(significant(effect.value), f"[{ends}]")


def _stacked(value: str, interval: str) -> Text:
    return Text.assemble(value, *([("\n" + interval, "dim")] if interval else []))


def _difference(line: Line) -> str:
    """Say in words what is known of the difference."""
    verdict, effect = line.verdict, line.verdict.effect
    noise = ", but noisy" if verdict.noisy else ""
    if verdict.finding == "real" and effect:
        return f"{_size(line, effect)}, real{noise}"
    if verdict.finding == "not shown" and effect:
        points = f"{100 * effect.detectable:.1f} points"
        least = points if line.one.name in SHARES else percent(effect.detectable, 0)
        return f"none shown, {least} would show{noise}"
    return {"apart": "intervals apart", "overlap": "intervals overlap: not decided"}.get(
        verdict.finding, "not decided"
    )


def _size(line: Line, effect: Effect) -> str:
    """Return how large a real difference is, `12 % shorter`."""
    less, more = DIRECTIONS.get(line.one.unit, ("less", "more"))
    if line.one.name in SHARES:
        less, more = ("worse", "better") if line.one.name in MORE_IS_BETTER else ("fewer", "more")
        return f"{100 * abs(effect.value):.1f} points {more if effect.value > 0 else less}"
    if effect.value >= FACTOR:
        return f"{significant(effect.value, 2)} times {more}"
    if effect.value <= 1 / FACTOR:
        return f"{significant(1 / effect.value, 2)} times {less}"
    return f"{percent(abs(effect.value - 1), 0)} {more if effect.value > 1 else less}"


def _style(line: Line) -> str:
    """Colour what is real: B better in green, worse in red."""
    verdict, effect = line.verdict, line.verdict.effect
    if verdict.finding != "real" or effect is None:
        return ""
    more = effect.value > (0 if line.one.name in SHARES else 1)
    return "green" if more == (line.one.name in MORE_IS_BETTER) else "red"


def _measured_ratio(line: Line) -> bool:
    return line.verdict.effect is not None and line.one.name not in SHARES


def _legend(starts: Starts) -> str:
    between = f" and of two starts of one program, {percent(starts.spread)} each, {starts.source}"
    return (
        f"Ratios with intervals of 95 %: of the repetitions{between if starts.spread else ''}. "
        "'Would show': a true difference of that size shows in four of five such comparisons."
    )


def _named(result: Result) -> str:
    platform = result.platform
    words = f"{platform.name} v{platform.version}, run {result.run}, seed {result.seed}, {result.tier}"
    return inert(words, None)
