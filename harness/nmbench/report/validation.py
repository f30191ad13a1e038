"""Predictions against published measurements: the table for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nmbench.energy.agreement import agreements
from nmbench.energy.measurements import LeftOut, Quantity
from nmbench.energy.validation import NEAR, Compared
from nmbench.errors import InputError, unknown
from nmbench.report.engineering import bounds, engineering, percent, significant
from nmbench.report.escape import inert
from nmbench.report.sections import BOUNDARY_WORDS
from nmbench.report.tables import terminal
from nmbench.report.validation_data import by_row

WORDS: dict[Quantity, tuple[str, str]] = {
    "energy_dynamic_J": ("dynamic energy", "J"),
    "energy_total_J": ("energy", "J"),
    "energy_J": ("energy", "J"),
    "latency_s": ("latency", "s"),
    "step_s": ("step", "s"),
    "power_total_W": ("power", "W"),
    "power_W": ("power", "W"),
    "power_dynamic_W": ("dynamic power", "W"),
    "power_static_W": ("static power", "W"),
    "energy_per_synaptic_event_J": ("energy/event", "J"),
    "real_time_factor": ("slow-down", ""),
    "inferences_per_s": ("inferences/s", ""),
    "cores": ("cores", "1"),
    "chips": ("chips", "1"),
    "boards": ("boards", "1"),
}
"""How a quantity is called in a table, and its unit; ``1`` marks whole numbers."""

FIGURE_FORMATS = ("pdf", "png", "svg")

HEADER = ("Measurement", "Split", "Quantity", "Predicted", "90 %", "Measured", "Ratio", "")
NUMBERS = ("Predicted", "Measured", "Ratio")
NARROWEST_NAME = 12

CAUSES = 2
"""Causes of an interval that the list of misses names."""

KEY = (
    f"miss: predicted and measured lie more than a factor of 2^{NEAR:g} apart; out: outside the 90 % interval"
)


def show(compared: Sequence[Compared], left_out: Sequence[LeftOut], console: Console | None = None) -> None:
    """Print every number, the agreement by group and platform, and the misses with their reasons."""
    console = console or terminal()
    sections: dict[str, list[Compared]] = {}
    for one in compared:
        sections.setdefault(_heading(one), []).append(one)
    lines = {heading: [_cells(one) for one in some] for heading, some in sections.items()}
    widths = _widths([cells for some in lines.values() for cells in some], console.width)
    for heading, some in sections.items():
        console.print(Text(inert(heading), style="bold"))
        console.print(_numbers(some, widths))
    console.print(Text(KEY, style="dim"))
    console.print()
    console.print(_summary(compared))
    for line in _closing(compared, left_out):
        console.print(line)


def check_format(path: Path) -> str:
    """Return the format that a figure's name asks for.

    Raises
    ------
    InputError
        If that is none in which figures are drawn.
    """
    form = path.suffix.removeprefix(".")
    if form not in FIGURE_FORMATS:
        raise InputError("--figure", [f"{path}: {unknown('format', form, FIGURE_FORMATS)}"])
    return form


def value_text(quantity: Quantity, value: float) -> str:
    """Return a value of the quantity with its unit."""
    unit = WORDS[quantity][1]
    if unit == "1":
        return f"{value:.0f}"
    return engineering(value, unit) if unit else significant(value)


def bounds_text(one: Compared) -> str:
    """Return the interval in the unit of the value."""
    if one.value is None or one.lo is None or one.hi is None:
        return ""
    unit = WORDS[one.quantity][1]
    if unit in ("", "1"):
        return f"[{significant(one.lo, 2)}\N{EN DASH}{significant(one.hi, 2)}]"
    return bounds(one.value, one.lo, one.hi)


def verdict(one: Compared) -> str:
    """Say in a word what is wrong with a prediction; nothing where all is well."""
    if one.value is None:
        return "none"
    return ", ".join([*["miss"] * (not one.near), *["out"] * (not one.inside)])


def _heading(one: Compared) -> str:
    card = one.row.card
    return f"{card.title} ({card.name}), {BOUNDARY_WORDS[one.row.boundary]}"


def _cells(one: Compared) -> tuple[str, ...]:
    """Return the texts of a number's columns, the measurement's name first."""
    return (
        inert(one.row.id),
        one.row.split or "-",
        WORDS[one.quantity][0],
        "" if one.value is None else value_text(one.quantity, one.value),
        bounds_text(one),
        value_text(one.quantity, one.measured),
        "" if one.ratio is None else significant(one.ratio),
        verdict(one),
    )


def _widths(lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the columns' widths, the same in all sections; names give way where all is too wide."""
    found = [max(map(len, column)) for column in zip(HEADER, *lines, strict=True)]
    found[0] = max(NARROWEST_NAME, min(found[0], width - sum(found[1:]) - 2 * (len(found) - 1)))
    return found


def _numbers(some: Sequence[Compared], widths: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name, column_width in zip(HEADER, widths, strict=True):
        table.add_column(name, width=column_width, justify="right" if name in NUMBERS else "left")
    before = None
    for one in some:
        name, split, *others = _cells(one)
        again = one.row.id == before
        before = one.row.id
        wrapped = "\n".join(wrap(name, widths[0], break_on_hyphens=True))
        style = "red" if "miss" in others[-1] else "yellow"
        texts = ["" if again else wrapped, "" if again else split, *others[:-1]]
        table.add_row(*map(Text, texts), Text(others[-1], style=style))
    return table


def _summary(compared: Sequence[Compared]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("Predicted by measured", no_wrap=True)
    table.add_column("Split", no_wrap=True)
    for column in (
        "Numbers",
        "Geometric mean",
        "Spread",
        f"Within 2^\N{PLUS-MINUS SIGN}{NEAR:g}",
        "Inside 90 %",
    ):
        table.add_column(column, justify="right")
    found = agreements(compared)
    platforms = Counter(one.group for one in found if one.platform)
    for one in found:
        own = one.platform is not None
        if own and platforms[one.group] == 1:
            continue  # the group's lines say it
        name = f"  {inert(one.platform or '')}" if own else one.group
        cells = (
            name,
            one.split or ("all" if own else "-"),
            str(one.numbers),
            "" if one.geometric_mean is None else significant(one.geometric_mean),
            "" if one.geometric_spread is None else significant(one.geometric_spread),
            "" if one.near is None else percent(one.near, 0),
            "" if one.inside is None else percent(one.inside, 0),
        )
        table.add_row(*(Text(cell, style="dim" if own else "") for cell in cells))
    return table


def _closing(compared: Sequence[Compared], left_out: Sequence[LeftOut]) -> Iterator[Text]:
    """Yield the misses and what is not stated, by measurement, and how much was compared."""
    missed = [one for one in compared if one.value is not None and verdict(one)]
    if missed:
        yield Text("\nMisses:", style="bold")
    for row, some in by_row(missed):
        ratios = ", ".join(
            f"{WORDS[one.quantity][0]} {significant(one.ratio or 0.0)} ({verdict(one)})" for one in some
        )
        yield Text(
            f"  {inert(row.id)}: {ratios}. {inert(row.notes or 'No note.')} Interval from {_causes(some[0])}."
        )
    unstated = [one for one in compared if one.value is None]
    if unstated:
        yield Text("\nNot stated:", style="bold")
    for row, some in by_row(unstated):
        reasons = dict.fromkeys(one.reason or "" for one in some)
        quantities = ", ".join(WORDS[one.quantity][0] for one in some)
        yield Text(f"  {inert(row.id)}, {quantities}: {inert('; '.join(reasons))}")
    unheeded = {one.row.id: one.row for one in compared if one.row.unheeded}
    if unheeded:
        yield Text(
            "\nOptions that the platform's equation does not heed: predicted as if not stated.", style="bold"
        )
    for row in unheeded.values():
        yield Text(f"  {inert(row.id)}: {', '.join(row.unheeded)} ({row.card.name})")
    rows = len({one.row.id for one in compared})
    out = f"; {len(left_out)} published measurements cannot be stated and are left out" if left_out else ""
    yield Text(f"\n{rows} measurements, {len(compared)} numbers{out}.")


def _causes(one: Compared) -> str:
    """Name the largest causes of an interval."""
    largest = list(one.causes.items())[:CAUSES]
    return ", ".join(f"{name} {percent(share, 0)}" for name, share in largest) or "nothing"
