"""Figures of numbers: what samples are like, how good networks are, all workloads side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nmbench.report.axes import MANY_WIDTH_IN
from nmbench.report.escape import inert
from nmbench.report.style import BLACK, BLUE, GREEN, GREY, HEIGHT_IN, ORANGE, PALE, PURPLE, WIDTH_IN, styled
from nmbench.sheets.baseline import Baseline
from nmbench.sheets.statistics import Statistics

SPLITS: Mapping[str, str] = {"train": GREY, "test": BLUE}
SIZES: Mapping[str, tuple[str, str]] = {"small": (GREEN, ":"), "base": (BLUE, "-"), "large": (PURPLE, "--")}
MANY_CLASSES = 14
"""More classes than this are named at every second line or less."""


def statistics_figure(found: Statistics) -> Figure:
    """Draw events per sample, their rate over the window, and events by class."""
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN, HEIGHT_IN), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        for name, split in found.splits.items():
            colour = SPLITS.get(name, BLACK)
            share = np.array(split.histogram) / max(1, split.samples)
            left.stairs(100 * share, found.events_edges, color=colour, label=name, baseline=None)
            edges = np.linspace(0, 1e3 * found.window_s, len(split.rate_curve_hz) + 1)
            middle.stairs(np.array(split.rate_curve_hz) / 1e3, edges, color=colour, label=name, baseline=None)
        _number(left, "events per sample", "samples, %")
        left.legend(frameon=False, fontsize=7)
        _number(middle, "time, ms", "events/ms, mean of samples")
        middle.set_xlim(0, 1e3 * found.window_s)
        _by_class(right, found)
    return figure


def baseline_figure(baselines: Sequence[Baseline]) -> Figure:
    """Draw accuracy by size beside what counts reach, and accuracy by time where it is known."""
    early = any(b.early_answer for b in baselines)
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN if early else WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.subplots(1, 2 if early else 1, squeeze=False)[0]
        _sizes(axes[0], baselines)
        if early:
            _early(axes[1], baselines)
    return figure


def index_figure(shown: Mapping[str, Baseline]) -> Figure:
    """Draw what counts alone reach and what the base network reaches, one row a workload."""
    height = 0.22 * len(shown) + 0.75
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN * 0.7, height), layout="constrained")
        axes = figure.add_subplot()
        for row, baseline in enumerate(shown.values()):
            counts, whole = 100 * baseline.counts_only.accuracy, 100 * _mean(baseline)
            low, high = (100 * end for end in baseline.accuracy.wilson_95)
            axes.plot([counts, whole], [row, row], color=PALE, linewidth=3, zorder=0)
            axes.plot([low, high], [row, row], color=BLUE, linewidth=1)
            axes.plot([counts], [row], marker="s", linestyle="none", color=ORANGE)
            axes.plot([whole], [row], marker="o", linestyle="none", color=BLUE)
            axes.annotate(
                f"{whole - counts:+.1f} points", (1.01, row), xycoords=("axes fraction", "data"), va="center",
                fontsize=7,
            )  # fmt: skip
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), list(shown))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("accuracy on the test split, %", fontsize=7)
        axes.set_title(
            "square: event counts alone; dot: the base network", loc="left", fontsize=7, color=GREY
        )
    return figure


def class_label(name: str) -> str:
    """Return a class's name as figures can show it: short, in letters that every font has."""
    return (
        inert(name.replace("_", " "), 30).replace("…", "...").encode("latin-1", "replace").decode("latin-1")
    )


def _mean(baseline: Baseline) -> float:
    return baseline.seeds.mean if baseline.seeds else baseline.accuracy.value


def _number(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, fontsize=7)
    axes.set_ylabel(up, fontsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.set_ylim(bottom=0)


def _short(value: float, _: int | None = None) -> str:
    return f"{value / 1e3:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _by_class(axes: Axes, found: Statistics) -> None:
    """Draw the quartiles of the number of events by class, of the test split."""
    split = found.splits["test"]
    for place, one in enumerate(split.classes):
        low, middle, high = one.events
        if one.samples:
            axes.plot([low, high], [place, place], color=BLUE, linewidth=3, alpha=0.3, solid_capstyle="butt")
            axes.plot([middle], [place], marker="o", markersize=3, color=BLUE)
    every = -(-max(1, len(found.classes)) // MANY_CLASSES)
    axes.set_yticks(
        range(0, len(found.classes), every),
        [class_label(name) for name in found.classes[::every]],
        fontsize=6,
    )
    axes.set_ylim(len(found.classes) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.set_xlabel("events, quartiles by class (test)", fontsize=7)


def _sizes(axes: Axes, baselines: Sequence[Baseline]) -> None:
    for place, baseline in enumerate(baselines):
        colour = SIZES.get(baseline.size, (BLACK, "-"))[0]
        low, high = (100 * end for end in baseline.accuracy.wilson_95)
        axes.plot([place, place], [low, high], color=colour)
        axes.plot([place], [100 * baseline.accuracy.value], marker="o", linestyle="none", color=colour)
        axes.plot([place], [100 * baseline.counts_only.accuracy], marker="s", linestyle="none", color=ORANGE)
    axes.set_xticks(range(len(baselines)), [f"{b.size}\n{_thousands(b.parameters)}" for b in baselines])
    axes.set_xlim(-0.5, len(baselines) - 0.5)
    axes.set_ylabel("accuracy, %", fontsize=7)
    axes.set_xlabel("size, parameters", fontsize=7)
    axes.set_title("dot: network, int8; square: counts alone", loc="left", fontsize=7, color=GREY)


def _early(axes: Axes, baselines: Sequence[Baseline]) -> None:
    for baseline in baselines:
        if baseline.early_answer:
            colour, dash = SIZES.get(baseline.size, (BLACK, "-"))
            times = [1e3 * e.time_s for e in baseline.early_answer]
            axes.plot(
                times, [100 * e.accuracy for e in baseline.early_answer], color=colour, linestyle=dash,
                label=baseline.size,
            )  # fmt: skip
    axes.axhline(90, color=PALE, linewidth=0.8, zorder=0)
    axes.set_ylim(0, 100)
    axes.set_xlim(left=0)
    axes.set_xlabel("answer taken after, ms", fontsize=7)
    axes.legend(frameon=False, fontsize=7, loc="lower right")


def _thousands(value: int) -> str:
    return f"{value / 1e3:.0f} k"
