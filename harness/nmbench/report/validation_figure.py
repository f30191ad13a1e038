"""Figure: predicted against measured, energy, power and time apart, one marker a platform."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from nmbench.energy.card import card_names, find_card
from nmbench.energy.measurements import Quantity
from nmbench.energy.validation import Compared
from nmbench.errors import InputError
from nmbench.report.engineering import engineering
from nmbench.report.escape import ascii_text
from nmbench.report.style import (
    BLACK,
    BLUE,
    FAMILIES,
    GREY,
    ORANGE,
    OTHERS,
    PALE,
    PLATFORMS,
    SKY,
    Look,
    save,
    styled,
)
from nmbench.report.validation import check_format
from nmbench.report.validation_data import csv_text

FACTOR = 2.0
"""Half width of the band round the identity."""

PANEL_IN, GAP_IN, LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN = 1.7, 0.56, 0.66, 0.12, 0.26, 0.4
LINE_IN, COLUMNS = 0.145, 5
"""Height of a line of the legend, and its columns."""

MOST_LABELS = 3
"""Powers of ten with a label on one axis."""

MORE_MARKERS = ("o", "s", "^", "v", "D", "h", "P", "X", "p", "*", "<", ">", "d", "8", "H")
TONES: Mapping[str, str] = {BLACK: "dark", BLUE: "dark", ORANGE: "light", SKY: "light"}
"""Colours that look alike in grey; those not named are between."""


@dataclass(frozen=True)
class Point:
    """A number in the unit of its panel."""

    measured: float
    value: float
    lo: float
    hi: float
    platform: str
    family: str
    is_fitted: bool

    def scaled(self, factor: float) -> Point:
        """Return it in another unit."""
        ends = {name: getattr(self, name) * factor for name in ("measured", "value", "lo", "hi")}
        return replace(self, **ends)

    @property
    def inverse(self) -> Point:
        """Return seconds of a rate."""
        return replace(self, measured=1 / self.measured, value=1 / self.value, lo=1 / self.hi, hi=1 / self.lo)


def draw(compared: Sequence[Compared]) -> Figure:
    """Draw a panel for each of energy, power and time of which there is a number.

    Raises
    ------
    InputError
        If there is none.
    """
    panels = {
        title: (unit, [p for one in compared if (p := point(one))])
        for title, (unit, point) in _PANELS.items()
    }
    shown = {title: (unit, points) for title, (unit, points) in panels.items() if points}
    if not shown:
        raise InputError("--figure", ["no energy, power or time is predicted"])
    platforms = {p.platform: p.family for _, points in shown.values() for p in points}
    looks = looks_of(platforms)
    lines = math.ceil((len(platforms) + 4) / COLUMNS)
    width = LEFT_IN + len(shown) * PANEL_IN + (len(shown) - 1) * GAP_IN + RIGHT_IN
    legend = LINE_IN * lines + 0.12
    height = TOP_IN + PANEL_IN + BOTTOM_IN + legend
    with styled():
        figure = Figure(figsize=(width, height))
        for i, (title, (unit, points)) in enumerate(shown.items()):
            left = LEFT_IN + i * (PANEL_IN + GAP_IN)
            box = (left / width, (BOTTOM_IN + legend) / height, PANEL_IN / width, PANEL_IN / height)
            axes = figure.add_axes(box)
            _panel(axes, points, unit, looks)
            axes.set_title(title, loc="left")
            axes.set_xlabel("measured")
            if i == 0:
                axes.set_ylabel("predicted")
        _legend(figure, looks, left=LEFT_IN / width)
    return figure


def write(compared: Sequence[Compared], path: Path) -> list[Path]:
    """Draw the figure to a file, and its numbers beside it as CSV; return both paths.

    Raises
    ------
    InputError
        If the format is not known or nothing can be drawn.
    """
    form = check_format(path)
    figure = draw(compared)
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = path.with_suffix(".csv")
    numbers.write_text(csv_text(compared), encoding="utf-8")
    return [numbers, *save(figure, path.with_suffix(""), [form])]


def _energy(one: Compared) -> Point | None:
    return _point(one) if one.quantity.startswith("energy") else None


def _power(one: Compared) -> Point | None:
    return _point(one) if one.quantity.startswith("power") else None


def point_in_seconds(one: Compared) -> Point | None:
    """Return a number in seconds: of a rate its inverse, of a real-time factor the time of the whole run."""
    found = _point(one)
    if found is None or one.quantity in ("latency_s", "step_s"):
        return found if one.quantity in _TIMES else None
    if one.quantity == "inferences_per_s":
        return found.inverse
    if one.quantity == "real_time_factor" and one.row.step_s:
        return found.scaled(one.row.step_s * one.row.activity.steps)
    return None


_TIMES: tuple[Quantity, ...] = ("latency_s", "step_s", "inferences_per_s", "real_time_factor")
_PANELS: Mapping[str, tuple[str, Callable[[Compared], Point | None]]] = {
    "energy": ("J", _energy),
    "power": ("W", _power),
    "time": ("s", point_in_seconds),
}


def _point(one: Compared) -> Point | None:
    if not one.value or one.lo is None or one.hi is None:
        return None
    card = one.row.card
    fitted = one.row.split == "fit"
    return Point(one.measured, one.value, one.lo, one.hi, card.name, card.family, fitted)


def _panel(axes: Axes, points: Sequence[Point], unit: str, looks: Mapping[str, Look]) -> None:
    """Draw points on square logarithmic axes with the identity and a band of a factor of two."""
    ends = [end for p in points for end in (p.measured, p.lo, p.hi)]
    low, high = min(end for end in ends if end > 0) / 2, max(ends) * 2
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    line = [low, high]
    axes.fill_between(
        line, [x / FACTOR for x in line], [x * FACTOR for x in line], color=PALE, linewidth=0, zorder=0
    )
    axes.plot(line, line, color=GREY, linewidth=0.7, zorder=1)
    for p in points:
        style = looks[p.platform]
        axes.plot([p.measured, p.measured], [p.lo, p.hi], color=style.colour, linewidth=0.6, zorder=2)
        axes.plot(
            [p.measured], [p.value], marker=style.marker, color=style.colour, markersize=3.6, zorder=3,
            markeredgewidth=0.7, markerfacecolor="white" if p.is_fitted else style.colour,
        )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        labelled, others = _decades(low, high)
        axis.set_major_locator(FixedLocator(labelled))
        axis.set_minor_locator(FixedLocator(others))
        axis.set_major_formatter(FuncFormatter(lambda x, _: engineering(x, unit, 1)))
        axis.set_minor_formatter(NullFormatter())


def _decades(low: float, high: float) -> tuple[list[float], list[float]]:
    """Return the powers of ten that are labelled, at most `MOST_LABELS`, and the others."""
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    steps = (1, 2, 3, 6, 12, 24, 48)
    step = next(s for s in steps if len([p for p in powers if p % s == 0]) <= MOST_LABELS)
    return [10.0**p for p in powers if p % step == 0], [10.0**p for p in powers if p % step]


def looks_of(platforms: Mapping[str, str]) -> dict[str, Look]:
    """Give each platform the colour of its family, and a marker that no other of like darkness has.

    Markers go by name over all cards, so that a platform looks the same whatever else is drawn.
    """
    families = {name: find_card(name).family for name in card_names()} | dict(platforms)
    looks: dict[str, Look] = {}
    for name in sorted(families, key=lambda n: (n not in PLATFORMS, n)):
        colour = FAMILIES.get(families[name], OTHERS)
        taken = {own.marker for own in looks.values() if TONES.get(own.colour) == TONES.get(colour)}
        free = [m for m in MORE_MARKERS if m not in taken] or list(MORE_MARKERS)
        looks[name] = PLATFORMS.get(name) or Look(colour, free[0], "-")
    order = sorted(platforms, key=lambda n: (list(FAMILIES).index(families[n]), n))
    return {name: looks[name] for name in order}


def _legend(figure: Figure, looks: Mapping[str, Look], left: float) -> None:
    marks = [
        Line2D(
            [],
            [],
            marker=look.marker,
            color=look.colour,
            linestyle="none",
            markersize=4,
            label=ascii_text(name),
        )
        for name, look in looks.items()
    ]
    marks += [
        Line2D([], [], marker="o", color=GREY, linestyle="none", markersize=4, label="filled: not fitted on"),
        Line2D(
            [], [], marker="o", color=GREY, linestyle="none", markersize=4, markerfacecolor="white",
            label="hollow: fitted on",
        ),
        Line2D([], [], color=GREY, marker="|", linestyle="none", markersize=7, label="90 % interval"),
        Line2D([], [], color=PALE, marker="s", linestyle="none", markersize=6, label="within a factor of 2"),
    ]  # fmt: skip
    figure.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(left * 0.3, 0.0), ncol=COLUMNS, fontsize=6,
        frameon=False, handletextpad=0.4, columnspacing=1.2, labelspacing=0.45, borderpad=0.2,
    )  # fmt: skip
