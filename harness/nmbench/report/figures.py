"""Figures: energy and accuracy, and latency, as dots with intervals, one row a platform.

Why rows and not a cloud of points: in the closed division most platforms give the very same answers, so
that all their points would lie on one line and hide one another. Rows keep each legible without moving a
number, and headings keep kinds and boundaries apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from nmbench.report.board import Board, Row, Stated
from nmbench.report.engineering import engineering
from nmbench.report.escape import ascii_text
from nmbench.report.lanes import Lanes, Pick, absence, lay_out
from nmbench.report.style import GREY, HEIGHT_IN, PALE, WIDTH_IN, Look, look, styled

ROW_IN, TOP_IN, BOTTOM_IN, EDGE_IN, GAP_IN = 0.135, 0.24, 0.62, 0.1, 0.12
PANEL_GAP_IN = 0.2
CHARACTER_IN = 0.062
"""Width of a character of a row's label."""
ACCURACY_SHARE = 0.3
"""Share of a panel's width that its accuracy takes."""
MANY_WIDTH_IN = 7.0


@dataclass(frozen=True)
class Axis:
    """What a panel shows along its logarithmic axis."""

    pick: Pick
    unit: str
    label: str


ENERGY = Axis(lambda row: row.energy, "J", "energy per inference")
LATENCY = Axis(lambda row: row.latency, "s", "latency, 90th percentile")


def energy_accuracy(found: Sequence[Board]) -> Figure | None:
    """Draw energy per inference against accuracy: two axes side by side share the rows, one pair a board.

    None where no platform has either.
    """
    return _figure(found, ENERGY, accuracy=True) if _any(found, lambda r: (r.energy, r.accuracy)) else None


def latency(found: Sequence[Board]) -> Figure | None:
    """Draw the 90th percentile of the latency by platform, one panel a board; None where there is none."""
    return _figure(found, LATENCY, accuracy=False) if _any(found, lambda r: (r.latency,)) else None


def _any(found: Sequence[Board], numbers: Callable[[Row], tuple[Stated, ...]]) -> bool:
    return any(n.value is not None for board in found for row in board.rows for n in numbers(row))


def _figure(found: Sequence[Board], axis: Axis, *, accuracy: bool) -> Figure:
    """Draw a panel for each board; all share the rows."""
    lanes = lay_out(found, axis.pick)
    width = WIDTH_IN if len(found) == 1 else MANY_WIDTH_IN
    height = max(HEIGHT_IN, TOP_IN + BOTTOM_IN + ROW_IN * lanes.slots)
    left = EDGE_IN + CHARACTER_IN * max((len(lane.label) for lane in lanes.lanes), default=1)
    panel = (width - left - EDGE_IN) / len(found)
    values = 0.0 if accuracy else 0.5
    limits = _limits([axis.pick(row) for lane in lanes.lanes for row in lane.rows if row])
    with styled():
        figure = Figure(figsize=(width, height))
        for index, board in enumerate(found):
            apart = PANEL_GAP_IN if index else 0.05
            start = left + index * panel + apart
            inner = panel - apart - values
            main = inner * (1 - ACCURACY_SHARE) - GAP_IN if accuracy else inner - 0.05
            box = (BOTTOM_IN / height, 1 - (TOP_IN + BOTTOM_IN) / height)
            axes = figure.add_axes((start / width, box[0], main / width, box[1]))
            _rows(axes, lanes, index, axis, limits, labels=index == 0, values=not accuracy)
            axes.set_title(name_of(board), loc="left")
            axes.set_xlabel(axis.label, fontsize=8 if len(found) == 1 else 7)
            if accuracy:
                from_left = start + main + GAP_IN
                side = figure.add_axes((from_left / width, box[0], inner * ACCURACY_SHARE / width, box[1]))
                _accuracies(side, lanes, index, board)
        figure.text(EDGE_IN / width, 0.04 / height, _key(lanes, axis), fontsize=6, color=GREY)
    return figure


def _rows(
    axes: Axes,
    lanes: Lanes,
    index: int,
    axis: Axis,
    limits: tuple[float, float],
    *,
    labels: bool,
    values: bool,
) -> None:
    """Draw the dots of one board on a logarithmic axis."""
    axes.set_xscale("log")
    axes.set_xlim(limits)
    _decades(axes, limits, axis.unit)
    _frame(axes, lanes, labels=labels)
    if labels:
        for heading in lanes.headings:
            axes.text(
                0.01, heading.slot, heading.text, transform=axes.get_yaxis_transform(), fontsize=6.5,
                fontstyle="italic", color=GREY, va="center",
            )  # fmt: skip
    for lane in lanes.lanes:
        row = lane.rows[index]
        if row is None:
            continue
        number = axis.pick(row)
        if number.value is None or number.value <= 0:
            word = (
                absence(row)
                if number.value is None
                else f"{engineering(number.value, axis.unit)}, off the axis"
            )
            axes.text(
                0.02, lane.slot, word, transform=axes.get_yaxis_transform(), fontsize=6.5, color=GREY,
                va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
            continue
        lo, hi = (max(end, limits[0]) for end in _span(number))
        _dot(axes, lane.slot, (lo, number.value, hi), look(lane.platform, lane.family), number, row)
        if values:
            axes.text(
                1.03, lane.slot, engineering(number.value, axis.unit), transform=axes.get_yaxis_transform(),
                fontsize=6.5, va="center", color=GREY if row.not_ranked else "black",
            )  # fmt: skip


def _accuracies(axes: Axes, lanes: Lanes, index: int, board: Board) -> None:
    """Draw the accuracies of one board beside its energies, with the target as a line."""
    shown = [(lane, row) for lane in lanes.lanes if (row := lane.rows[index])]
    spans = [_span(row.accuracy) for _, row in shown if row.accuracy.value is not None]
    ends = [*(end for span in spans for end in span), *([board.target] if board.target else [])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = max(0.1 * (high - low), 0.002)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.4g}"))
    axes.set_xlabel("accuracy, %")
    _frame(axes, lanes, labels=False)
    if board.target:
        axes.axvline(board.target, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        right = board.target - low < high - board.target
        axes.annotate(
            "target", (board.target, 0), (2 if right else -2, 0), textcoords="offset points", fontsize=6.5,
            color=GREY, ha="left" if right else "right", va="center",
        )  # fmt: skip
    for lane, row in shown:
        if row.accuracy.value is not None:
            lo, hi = _span(row.accuracy)
            style = look(lane.platform, lane.family)
            _dot(axes, lane.slot, (lo, row.accuracy.value, hi), style, row.accuracy, row)


def _dot(
    axes: Axes, slot: int, span: tuple[float, float, float], style: Look, number: Stated, row: Row
) -> None:
    """Draw a value with its interval: filled where measured, else hollow; a grey cross where not ranked."""
    lo, value, hi = span
    barred = row.not_ranked is not None
    colour = GREY if barred else style.colour
    axes.plot([lo, hi], [slot, slot], color=colour, linewidth=0.9, solid_capstyle="butt", zorder=2)
    axes.plot(
        [value], [slot], marker="x" if barred else style.marker, color=colour, markeredgewidth=0.9, zorder=3,
        markerfacecolor=colour if number.kind == "measured" else "white",
    )  # fmt: skip


def _frame(axes: Axes, lanes: Lanes, *, labels: bool) -> None:
    """Set the rows' axis: names of platforms, pale lines between, headings' rows left free."""
    axes.set_ylim(lanes.slots - 0.4, -0.6)
    slots = [lane.slot for lane in lanes.lanes]
    axes.set_yticks(slots, [lane.label for lane in lanes.lanes] if labels else [""] * len(slots))
    axes.tick_params(axis="y", length=0, pad=2)
    axes.spines["left"].set_visible(False)
    for slot in slots:
        axes.axhline(slot, color=PALE, linewidth=0.4, zorder=0)


def _limits(numbers: Sequence[Stated]) -> tuple[float, float]:
    """Return the ends of the logarithmic axis that all panels share."""
    ends = [end for number in numbers for end in _span(number) if end > 0]
    return (min(ends) / 1.6, max(ends) * 1.6) if ends else (1e-6, 1e-3)


def _decades(axes: Axes, limits: tuple[float, float], unit: str) -> None:
    """Set ticks at powers of ten: all labelled where they are few, else every second or third, `1 mJ`."""
    first, last = math.ceil(math.log10(limits[0])), math.floor(math.log10(limits[1]))
    powers = list(range(first, last + 1))
    by_step = [[p for p in powers if p % step == 0] for step in (1, 3, 2, 6)]
    labelled = next((found for found in by_step if 2 <= len(found) <= 4), powers[:1])
    axes.xaxis.set_major_locator(FixedLocator([10.0**p for p in labelled]))
    axes.xaxis.set_minor_locator(FixedLocator([10.0**p for p in powers if p not in labelled]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: engineering(x, unit, 1)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _span(number: Stated) -> tuple[float, float]:
    if number.value is None:
        return math.nan, math.nan
    return (
        number.value if number.lo is None else number.lo,
        number.value if number.hi is None else number.hi,
    )


def name_of(board: Board) -> str:
    """Name a board in a figure."""
    return f"{ascii_text(board.contest.workload)} ({'synthetic' if board.contest.synthetic else 'real'} data)"


def _key(lanes: Lanes, axis: Axis) -> str:
    """Explain the marks that the figure uses."""
    rows = [row for lane in lanes.lanes for row in lane.rows if row and axis.pick(row).value is not None]
    crossed = " (grey cross: not ranked)" if any(row.not_ranked for row in rows) else ""
    return f"filled: measured; hollow: modelled, simulated{crossed}\nbars: interval of 95 %, of models 90 %"
