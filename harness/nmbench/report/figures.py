"""Figures: energy and accuracy, and a scenario's score, as dots with intervals, one row a platform.

Why rows and not a cloud of points: in the closed division most platforms give the very same answers, so
that all their points would lie on one line and hide one another. Rows keep each legible without moving a
number, and headings keep kinds and boundaries apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nmbench.report.asking import bound
from nmbench.report.axes import (
    BOTTOM_IN,
    EDGE_IN,
    GAP_IN,
    MANY_WIDTH_IN,
    PANEL_GAP_IN,
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
from nmbench.report.lanes import Lanes, lay_out
from nmbench.report.style import GREY, HEIGHT_IN, WIDTH_IN, Look, look, styled

ACCURACY_SHARE = 0.3
"""Share of a panel's width that its accuracy takes."""
VALUES_IN = 0.5
"""Width of the values at the right."""
LINE_IN = 0.13
"""Height of a second line of the title."""


def energy_accuracy(found: Sequence[Board]) -> Figure | None:
    """Draw energy against accuracy: two axes side by side share the rows, one pair a board of one scenario.

    None where no platform has either.
    """
    if not _any(found, lambda row: (row.energy, row.quality)):
        return None
    axis = Axis.of(found[0].scoring.energy, lambda row: row.energy)
    return _draw(_Sheet.of(found, axis, accuracy=True))


def score(board: Board) -> Figure | None:
    """Draw the number that the scenario is judged on, by platform; None where there is none."""
    if not _any([board], lambda row: (row.score,)):
        return None
    return _draw(_Sheet.of([board], Axis.of(board.scoring.score, lambda row: row.score), accuracy=False))


def heading(board: Board) -> str:
    """Name a board in its own figure: the workload, and on a second line the scenario and its bound."""
    scenario = board.contest.scenario
    asks = f": 99 of 100 within {bound(board)}" if scenario == "Server" else ""
    return f"{name_of(board)}\n{scenario}{asks}"


def _any(found: Sequence[Board], numbers: Callable[[Row], tuple[Stated, ...]]) -> bool:
    return any(n.value is not None for board in found for row in board.rows for n in numbers(row))


@dataclass(frozen=True)
class _Sheet:
    """The measures of a figure, inches; its panels share the rows and the limits of the axis."""

    found: Sequence[Board]
    axis: Axis
    accuracy: bool
    lanes: Lanes
    limits: tuple[float, float]
    width: float
    height: float
    top: float

    @classmethod
    def of(cls, found: Sequence[Board], axis: Axis, *, accuracy: bool) -> _Sheet:
        lanes = lay_out(found, axis.pick, axis.better)
        ends = [e for lane in lanes.lanes for row in lane.rows if row for e in span(axis.pick(row))]
        alone = len(found) == 1
        top = TOP_IN + (LINE_IN if alone else 0.0)
        height = max(HEIGHT_IN, top + BOTTOM_IN + ROW_IN * lanes.slots)
        width = WIDTH_IN if alone else MANY_WIDTH_IN
        return cls(found, axis, accuracy, lanes, limits_of(ends), width, height, top)

    def box(self, left: float, width: float) -> tuple[float, float, float, float]:
        """Return the place of axes in the figure."""
        tall = 1 - (self.top + BOTTOM_IN) / self.height
        return left / self.width, BOTTOM_IN / self.height, width / self.width, tall


def _draw(sheet: _Sheet) -> Figure:
    left = label_width(sheet.lanes)
    panel = (sheet.width - left - EDGE_IN) / len(sheet.found)
    with styled():
        figure = Figure(figsize=(sheet.width, sheet.height))
        for index in range(len(sheet.found)):
            apart = PANEL_GAP_IN if index else 0.05
            inner = panel - apart - (0.0 if sheet.accuracy else VALUES_IN)
            _panel(figure, sheet, index, left + index * panel + apart, inner)
        key = key_of(sheet.lanes, sheet.axis.pick)
        figure.text(EDGE_IN / sheet.width, 0.04 / sheet.height, key, fontsize=6, color=GREY)
    return figure


def _panel(figure: Figure, sheet: _Sheet, index: int, start: float, inner: float) -> None:
    board, axis, alone = sheet.found[index], sheet.axis, len(sheet.found) == 1
    main = inner * (1 - ACCURACY_SHARE) - GAP_IN if sheet.accuracy else inner - 0.05
    axes = figure.add_axes(sheet.box(start, main))
    logarithmic(axes, sheet.limits, axis)
    frame_rows(axes, sheet.lanes, labels=index == 0)
    if index == 0:
        headings(axes, sheet.lanes)

    def draw(slot: int, style: Look, number: Stated, row: Row) -> None:
        lo, hi = (max(end, sheet.limits[0]) for end in span(number))
        assert number.value is not None
        dot(axes, slot, (lo, number.value, hi), style, number, row)

    rows(axes, sheet.lanes, index, axis, draw, values=not sheet.accuracy)
    axes.set_title(heading(board) if alone else name_of(board), loc="left", fontsize=7.5 if alone else 8)
    axes.set_xlabel(axis.words, fontsize=7)
    if sheet.accuracy:
        side = figure.add_axes(sheet.box(start + main + GAP_IN, inner * ACCURACY_SHARE))
        _accuracies(side, sheet.lanes, index, board)


def _accuracies(axes: Axes, lanes: Lanes, index: int, board: Board) -> None:
    """Draw the accuracies of one board beside its energies, with the target as a line."""
    shown = [(lane, row) for lane in lanes.lanes if (row := lane.rows[index])]
    spans = [span(row.quality) for _, row in shown if row.quality.value is not None]
    ends = [*(end for pair in spans for end in pair), *([board.target] if board.target else [])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = max(0.1 * (high - low), 0.002)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.4g}"))
    axes.set_xlabel(board.scoring.quality.axis, fontsize=7)
    frame_rows(axes, lanes, labels=False)
    if board.target:
        axes.axvline(board.target, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        right = board.target - low < high - board.target
        axes.annotate(
            "target", (board.target, 0), (2 if right else -2, 0), textcoords="offset points", fontsize=6.5,
            color=GREY, ha="left" if right else "right", va="center",
        )  # fmt: skip
    for lane, row in shown:
        if row.quality.value is not None:
            lo, hi = span(row.quality)
            style = look(lane.platform, lane.family)
            dot(axes, lane.slot, (lo, row.quality.value, hi), style, row.quality, row)
