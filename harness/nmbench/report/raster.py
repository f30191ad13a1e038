"""Figures of a recurrent network's activity: the spikes of a window of time, and rates by population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nmbench.report.style import BLACK, BLUE, GREY, HEIGHT_IN, PALE, VERMILLION, WIDTH_IN, styled

DOTS = 12_000
"""Most spikes that a raster draws; of a busier window it shows the spikes of every n-th neuron."""


@dataclass(frozen=True)
class Activity:
    """Spikes of a network whose neurons are numbered population after population; times ascend."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    inhibitory: tuple[bool, ...]
    times_ms: npt.NDArray[np.float64]
    ids: npt.NDArray[np.int64]


@dataclass(frozen=True)
class RateRow:
    """Rates of a population: of its neurons (quartiles, mean), and the mean that is known, if one is."""

    name: str
    inhibitory: bool
    rates_hz: npt.NDArray[np.float64]
    reference_hz: float | None


def drawn(activity: Activity, begin_ms: float, end_ms: float) -> npt.NDArray[np.int64]:
    """Return which spikes a raster shows: those inside the window, of every n-th neuron."""
    inside = np.flatnonzero((activity.times_ms >= begin_ms) & (activity.times_ms < end_ms))
    every = max(1, -(-inside.size // DOTS))
    kept: npt.NDArray[np.int64] = inside[activity.ids[inside] % every == 0]
    return kept


def raster(activity: Activity, begin_ms: float, end_ms: float) -> Figure:
    """Draw the spikes of a window: a dot each, the first population on top, inhibitory ones in red."""
    chosen = drawn(activity, begin_ms, end_ms)
    edges = np.cumsum([0, *activity.sizes])
    population = np.searchsorted(edges, activity.ids[chosen], side="right") - 1
    inhibitory = np.array(activity.inhibitory)[population]
    with styled():
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.add_subplot()
        for kind, colour in ((False, BLUE), (True, VERMILLION)):
            own = chosen[inhibitory == kind]
            axes.plot(
                activity.times_ms[own], activity.ids[own], linestyle="none", marker=".", markersize=1.6,
                markeredgewidth=0, color=colour, rasterized=True,
            )  # fmt: skip
        for edge in edges[1:-1]:
            axes.axhline(edge, color=PALE, linewidth=0.4, zorder=0)
        axes.set_xlim(begin_ms, end_ms)
        axes.set_ylim(edges[-1], 0)
        axes.set_yticks(_spaced((edges[:-1] + edges[1:]) / 2, 0.055 * edges[-1]), activity.names)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel("time, ms")
        every = max(1, -(-int(_inside(activity, begin_ms, end_ms)) // DOTS))
        shown = "every neuron" if every == 1 else f"one neuron in {every}"
        axes.set_title(f"spikes of {shown}; red: inhibitory", loc="left", fontsize=7, color=GREY)
    return figure


def rates(rows: Sequence[RateRow]) -> Figure:
    """Draw the mean rate of each population with the quartiles of its neurons, beside the reference."""
    with styled():
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.add_subplot()
        for slot, row in enumerate(rows):
            colour = VERMILLION if row.inhibitory else BLUE
            low, high = np.quantile(row.rates_hz, (0.25, 0.75))
            axes.plot([low, high], [slot, slot], color=colour, linewidth=4, alpha=0.3, solid_capstyle="butt")
            axes.plot([row.rates_hz.mean()], [slot], marker="o", color=colour)
            if row.reference_hz is not None:
                axes.plot(
                    [row.reference_hz], [slot], marker="D", color=BLACK, markerfacecolor="none", markersize=7
                )
            axes.axhline(slot, color=PALE, linewidth=0.4, zorder=0)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(left=0)
        axes.set_xlabel("firing rate, spikes per second")
        known = any(row.reference_hz is not None for row in rows)
        key = "dot: mean; bar: quartiles of the neurons" + ("; diamond: reference" if known else "")
        axes.set_title(key, loc="left", fontsize=7, color=GREY)
    return figure


def _inside(activity: Activity, begin_ms: float, end_ms: float) -> int:
    return int(((activity.times_ms >= begin_ms) & (activity.times_ms < end_ms)).sum())


def _spaced(places: npt.NDArray[np.float64], least: float) -> npt.NDArray[np.float64]:
    """Move labels of narrow populations apart: each at least so far below the one before."""
    moved = places.copy()
    for k in range(1, moved.size):
        moved[k] = max(moved[k], moved[k - 1] + least)
    return moved
