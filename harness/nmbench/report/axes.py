"""What the figures of boards draw with: logarithmic axes, rows of platforms, dots with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from nmbench.report.board import Board, Row, Stated
from nmbench.report.engineering import engineering
from nmbench.report.escape import ascii_text
from nmbench.report.lanes import Lanes, Pick, absence
from nmbench.report.ranking import Better
from nmbench.report.scoring import Measure
from nmbench.report.style import GREY, PALE, Look, look

ROW_IN, TOP_IN, BOTTOM_IN, EDGE_IN, GAP_IN = 0.135, 0.24, 0.62, 0.1, 0.12
PANEL_GAP_IN = 0.2
CHARACTER_IN = 0.062
"""Width of a character of a row's label."""
MANY_WIDTH_IN = 7.0

Span = tuple[float, float, float]


@dataclass(frozen=True)
class Axis:
    """What a panel shows along its logarithmic axis."""

    pick: Pick
    unit: str
    label: str
    better: Better = "lower"

    @classmethod
    def of(cls, measure: Measure, pick: Pick) -> Axis:
        """Return the axis of a metric."""
        return cls(pick, measure.unit, measure.axis, measure.better)

    @property
    def words(self) -> str:
        """The label, with an arrow to the better side."""
        if self.better == "lower":
            return f"\N{LEFTWARDS ARROW} {self.label}"
        return f"{self.label} \N{RIGHTWARDS ARROW}"


def logarithmic(axes: Axes, limits: tuple[float, float], axis: Axis) -> None:
    """Make an axis logarithmic, with ticks at powers of ten."""
    axes.set_xscale("log")
    axes.set_xlim(limits)
    decades(axes, limits, axis.unit)


def headings(axes: Axes, lanes: Lanes) -> None:
    """Write the words above each group of rows."""
    for heading in lanes.headings:
        axes.text(
            0.01, heading.slot, heading.text, transform=axes.get_yaxis_transform(), fontsize=6.5,
            fontstyle="italic", color=GREY, va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def rows(
    axes: Axes,
    lanes: Lanes,
    index: int,
    axis: Axis,
    draw: Callable[[int, Look, Stated, Row], None],
    *,
    values: bool,
) -> None:
    """Draw each row of one board by ``draw``, or say why it has nothing; with its value at the right."""
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
        draw(lane.slot, look(lane.platform, lane.family), number, row)
        if values:
            axes.text(
                1.03, lane.slot, engineering(number.value, axis.unit), transform=axes.get_yaxis_transform(),
                fontsize=6.5, va="center", color=GREY if row.not_ranked else "black",
            )  # fmt: skip


def dot(axes: Axes, slot: int, ends: Span, style: Look, number: Stated, row: Row) -> None:
    """Draw a value with its interval: filled where it was measured, grey and crossed where not ranked."""
    lo, value, hi = ends
    barred = bool(row.not_ranked)
    colour = GREY if barred else style.colour
    axes.plot([lo, hi], [slot, slot], color=colour, linewidth=0.9, solid_capstyle="butt", zorder=2)
    axes.plot(
        [value], [slot], marker="x" if barred else style.marker, color=colour, markeredgewidth=0.9, zorder=3,
        markerfacecolor=colour if number.kind == "measured" else "white",
    )  # fmt: skip


def frame_rows(axes: Axes, lanes: Lanes, *, labels: bool) -> None:
    """Set the rows' axis: names of platforms, pale lines between, headings' rows left free."""
    axes.set_ylim(lanes.slots - 0.4, -0.6)
    slots = [lane.slot for lane in lanes.lanes]
    axes.set_yticks(slots, [lane.label for lane in lanes.lanes] if labels else [""] * len(slots))
    axes.tick_params(axis="y", length=0, pad=2)
    axes.spines["left"].set_visible(False)
    for slot in slots:
        axes.axhline(slot, color=PALE, linewidth=0.4, zorder=0)


def label_width(lanes: Lanes) -> float:
    """Return the width that the names of the platforms take, in inches."""
    return EDGE_IN + CHARACTER_IN * max((len(lane.label) for lane in lanes.lanes), default=1)


def limits_of(ends: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis that shows all of these."""
    positive = [end for end in ends if end > 0]
    return (min(positive) / 1.6, max(positive) * 1.6) if positive else (1e-6, 1e-3)


def decades(axes: Axes, limits: tuple[float, float], unit: str) -> None:
    """Set ticks at powers of ten: all labelled where they are few, else every second or third, `1 mJ`."""
    first, last = math.ceil(math.log10(limits[0])), math.floor(math.log10(limits[1]))
    powers = list(range(first, last + 1))
    by_step = [[p for p in powers if p % step == 0] for step in (1, 3, 2, 6)]
    labelled = next((found for found in by_step if 2 <= len(found) <= 4), powers[:1])
    axes.xaxis.set_major_locator(FixedLocator([10.0**p for p in labelled]))
    axes.xaxis.set_minor_locator(FixedLocator([10.0**p for p in powers if p not in labelled]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: engineering(x, unit, 1)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def span(number: Stated) -> tuple[float, float]:
    """Return the ends of a number's interval, or the number itself twice."""
    if number.value is None:
        return math.nan, math.nan
    return (
        number.value if number.lo is None else number.lo,
        number.value if number.hi is None else number.hi,
    )


def name_of(board: Board) -> str:
    """Name a board's workload in a figure."""
    return f"{ascii_text(board.contest.workload)} ({'synthetic' if board.contest.synthetic else 'real'} data)"


def key_of(lanes: Lanes, pick: Pick) -> str:
    """Explain the marks that the figure uses."""
    shown = [row for lane in lanes.lanes for row in lane.rows if row and pick(row).value is not None]
    crossed = " (grey cross: not ranked)" if any(row.not_ranked for row in shown) else ""
    kinds = f"filled: measured; hollow: modelled, simulated{crossed}"
    return f"{kinds}\nbars: interval of 95 %, of models 90 %; arrow: better"
