"""When the decisions of Streaming come: their latencies by platform, against the deadline."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmbench.report.asking import plain
from nmbench.report.axes import (
    BOTTOM_IN,
    EDGE_IN,
    ROW_IN,
    TOP_IN,
    Axis,
    dot,
    frame_rows,
    headings,
    key_of,
    label_width,
    limits_of,
    logarithmic,
    name_of,
    rows,
    span,
)
from nmbench.report.board import Board, Row, Stated
from nmbench.report.engineering import percent
from nmbench.report.lanes import Lanes, lay_out
from nmbench.report.scoring import DECISION_P99, MISSES
from nmbench.report.style import GREY, HEIGHT_IN, VERMILLION, WIDTH_IN, Look, styled

LINE_IN = 0.13
VALUES_IN, MISSES_IN = 0.46, 0.5
"""Widths of the values at the right, and of the misses beside them."""
AXIS = Axis(lambda row: row.score, DECISION_P99.unit, "decision latency, p50 to p99")


def decisions(board: Board, medians: dict[str, float]) -> Figure | None:
    """Draw the latencies of decisions, from the median to the 99th percentile; None where there are none.

    Parameters
    ----------
    medians
        Median by the result's id, seconds, of the kind and boundary of its 99th percentile.
    """
    lanes = lay_out([board], AXIS.pick)
    shown = [row for lane in lanes.lanes for row in lane.rows if row and row.score.value is not None]
    if not shown:
        return None
    deadline = board.asked("deadline_s")
    ends = [end for row in shown for end in (*span(row.score), medians.get(row.id, 0.0))]
    limits = limits_of([*ends, *([deadline] if deadline else [])])
    top = TOP_IN + 2 * LINE_IN
    height = max(HEIGHT_IN, top + BOTTOM_IN + ROW_IN * lanes.slots)
    left = label_width(lanes) + 0.05
    main = WIDTH_IN - left - EDGE_IN - VALUES_IN - MISSES_IN
    with styled():
        figure = Figure(figsize=(WIDTH_IN, height))
        axes = figure.add_axes(
            (left / WIDTH_IN, BOTTOM_IN / height, main / WIDTH_IN, 1 - (top + BOTTOM_IN) / height)
        )
        logarithmic(axes, limits, AXIS)
        frame_rows(axes, lanes, labels=True)
        headings(axes, lanes)
        _latencies(axes, lanes, limits, medians)
        _missed(axes, lanes, board, 1 + (VALUES_IN + MISSES_IN) / main)
        if deadline:
            axes.axvline(deadline, color=VERMILLION, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
        figure.text(EDGE_IN / WIDTH_IN, 1 - 0.06 / height, _title(board), fontsize=7.5, va="top")
        axes.set_xlabel(AXIS.words, fontsize=7)
        key = f"pale bar: p50 to p99; mark: p99; {key_of(lanes, AXIS.pick)}"
        figure.text(EDGE_IN / WIDTH_IN, 0.04 / height, key, fontsize=6, color=GREY)
    return figure


def _title(board: Board) -> str:
    """Name the board, and what is asked of it."""
    window, deadline = board.asked("window_s"), board.asked("deadline_s")
    asks = f": a decision every {plain(window)}" if window else ""
    line = f"\ndashed: the deadline, {plain(deadline)} after its window" if deadline else ""
    return f"{name_of(board)}\nStreaming{asks}{line}"


def _latencies(axes: Axes, lanes: Lanes, limits: tuple[float, float], medians: dict[str, float]) -> None:
    """Draw each platform's dot at p99 with its interval, and a pale bar from p50 to there."""

    def draw(slot: int, style: Look, number: Stated, row: Row) -> None:
        assert number.value is not None
        colour = GREY if row.not_ranked else style.colour
        median = medians.get(row.id)
        if median is not None:
            axes.plot(
                [median, number.value], [slot, slot], color=colour, linewidth=4, alpha=0.3,
                solid_capstyle="butt", zorder=1.5,
            )  # fmt: skip
        lo, hi = (max(end, limits[0]) for end in span(number))
        dot(axes, slot, (lo, number.value, hi), style, number, row)

    rows(axes, lanes, 0, AXIS, draw, values=True)


def _missed(axes: Axes, lanes: Lanes, board: Board, right: float) -> None:
    """Write the share of missed deadlines at the right edge, in red where there is one."""
    place = board.scoring.beside.index(MISSES)
    axes.text(
        right, -0.1, "late", transform=axes.get_yaxis_transform(), fontsize=6.5, fontstyle="italic",
        color=GREY, ha="right", va="center",
    )  # fmt: skip
    for lane in lanes.lanes:
        row = lane.rows[0]
        value = row.beside[place].value if row else None
        if value is not None:
            axes.text(
                right, lane.slot, percent(value) if value else "0 %", transform=axes.get_yaxis_transform(),
                fontsize=6.5, color=VERMILLION if value else "black", ha="right", va="center",
            )  # fmt: skip
