"""Pictures of samples: film strips of what a camera saw, rasters of ears and skins with their rates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nmbench.datasets.events import Events, EventSet
from nmbench.datasets.vision.film_strip import EMPTY, OFF, ON, film_strip
from nmbench.report.axes import MANY_WIDTH_IN
from nmbench.report.style import BLACK, BLUE, GREY, ORANGE, PALE, VERMILLION, styled
from nmbench.sheets.figures import class_label
from nmbench.sheets.statistics import parts
from nmbench.spec import Workload

FRAMES = (8, 6, 10, 9)
"""Frames of a strip: the first of these that cuts the window into whole milliseconds."""
WIDEST = 48
"""Pixels a side of a strip's frame: a larger sensor is shown at a fraction of its resolution."""
GAP = 2
"""Pixels between frames."""
RASTERS = 4
DOTS = 1500
"""Most events that are drawn one by one; a busier sample is counted in cells."""

RATE_PARTS = 80
ADDRESSES = {"vision": "column", "audio": "channel", "touch": "taxel"}

Pixels = npt.NDArray[np.uint8]


def sample_picture(events: EventSet, workload: Workload) -> Figure:
    """Draw samples of a split: all classes as film strips for a camera, a few as rasters for the others."""
    if events.marks is not None:
        return recording(events, workload)
    if events.sensor[1] > 1:
        return strips(events, workload.window.steps * workload.dialect.dt)
    return rasters(events, workload)


def typical(events: EventSet, label: int) -> int:
    """Return the first sample of a class whose number of events is nearest to the class's median."""
    own = np.flatnonzero(events.labels == label)
    sizes = np.diff(events.offsets)[own]
    return int(own[np.argmin(np.abs(sizes - np.quantile(sizes, 0.5, method="nearest")))])


def strips(events: EventSet, window_s: float) -> Figure:
    """Draw a film strip of a typical sample of each class, one row a class."""
    rows = [label for label in range(len(events.classes)) if (events.labels == label).any()]
    span_us = round(window_s * 1e6)
    count = next((n for n in FRAMES if span_us % (1000 * n) == 0), FRAMES[0])
    frames = [
        _small(film_strip(events[typical(events, label)], events.sensor, count, span_us)) for label in rows
    ]
    tall, wide = frames[0].shape[1:]
    left_in = 0.15 + 0.05 * max(len(class_label(events.classes[label])) for label in rows)
    cell_in = (MANY_WIDTH_IN - left_in - 0.15) / count
    row_in = cell_in * tall / wide
    height = row_in * len(rows) + 0.5
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN, height))
        axes = figure.add_axes(
            (left_in / MANY_WIDTH_IN, 0.4 / height, 1 - (left_in + 0.15) / MANY_WIDTH_IN, 1 - 0.5 / height)
        )
        image = _mosaic(frames)
        axes.imshow(_coloured(image), interpolation="none", aspect="auto", extent=(0, count, len(rows), 0))
        axes.set_yticks(
            [k + 0.5 for k in range(len(rows))], [class_label(events.classes[label]) for label in rows]
        )
        axes.set_xticks(range(count + 1), [f"{1e3 * window_s * k / count:.0f}" for k in range(count + 1)])
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xlabel("time, ms; blue: brighter (on), orange: darker (off)", fontsize=7)
    return figure


def rasters(events: EventSet, workload: Workload) -> Figure:
    """Draw the events of a few typical samples by address and time, and their rates below."""
    window_s = workload.window.steps * workload.dialect.dt
    present = [label for label in range(len(events.classes)) if (events.labels == label).any()]
    step = max(1, len(present) // RASTERS)
    chosen = [typical(events, label) for label in present[::step][:RASTERS]] or [0]
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN, 2.5), layout="constrained")
        grid = figure.subplots(
            2, len(chosen), squeeze=False, sharex=True, sharey="row", gridspec_kw={"height_ratios": (3, 1)}
        )
        for column, index in enumerate(chosen):
            above, below = grid[0, column], grid[1, column]
            _raster(above, events[index], events.sensor, window_s)
            _rate(below, events[index], window_s, parts(workload.window.steps, RATE_PARTS))
            label = int(events.labels[index])
            name = events.classes[label] if 0 <= label < len(events.classes) else "no class"
            above.set_title(f"{class_label(name)}: {len(events[index]):,} events", loc="left", fontsize=7)
            below.set_xlabel("time, ms", fontsize=7)
        grid[0, 0].set_ylabel(ADDRESSES[workload.modality], fontsize=7)
        grid[0, 0].yaxis.set_major_locator(MaxNLocator(5, integer=True))
        grid[1, 0].set_ylim(bottom=0)
        grid[1, 0].set_ylabel("events/ms", fontsize=7)
    return figure


def recording(events: EventSet, workload: Workload) -> Figure:
    """Draw a long recording, its marks as bands with their names, and its rate below."""
    window_s = workload.window.steps * workload.dialect.dt
    sizes = np.diff(events.offsets)
    index = int(np.argmin(np.abs(sizes - np.quantile(sizes, 0.5, method="nearest"))))
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN, 2.7), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
        _cells(above, events[index], events.sensor, window_s, across=700)
        _rate(below, events[index], window_s, 4 * RATE_PARTS)
        for place, (_, start_us, end_us, label) in enumerate(_marks_of(events, index)):
            for axes in (above, below):
                axes.axvspan(start_us / 1e3, end_us / 1e3, color=ORANGE, alpha=0.25, linewidth=0, zorder=0.5)
            above.annotate(
                class_label(events.classes[label]), ((start_us + end_us) / 2e3, events.sensor[0]), fontsize=6,
                ha="center", va="bottom", annotation_clip=False, xytext=(0, 7 * (place % 2)),
                textcoords="offset points",
            )  # fmt: skip
        above.set_ylabel(ADDRESSES[workload.modality], fontsize=7)
        below.set_ylabel("events/ms", fontsize=7)
        below.set_ylim(bottom=0)
        below.set_xlabel("time, ms", fontsize=7)
    return figure


def _marks_of(events: EventSet, index: int) -> list[tuple[int, int, int, int]]:
    if events.marks is None:
        return []
    rows: list[tuple[int, int, int, int]] = events.marks[events.marks["sample"] == index].tolist()
    return rows


def _small(frames: Pixels) -> Pixels:
    """Show a large sensor in cells of pixels; a cell has the colour that most of its coloured pixels have.

    A cell in which fewer than a fifth of the pixels are coloured stays empty: most of those are noise.
    """
    cell = -(-max(frames.shape[1:]) // WIDEST)
    tall, wide = (side // cell for side in frames.shape[1:])
    cut = frames[:, : tall * cell, : wide * cell].reshape(len(frames), tall, cell, wide, cell)
    on, off = (cut == ON).sum((2, 4)), (cut == OFF).sum((2, 4))
    return np.where(on + off <= cell * cell // 5, EMPTY, np.where(on >= off, ON, OFF)).astype(np.uint8)


def _mosaic(rows: list[Pixels]) -> Pixels:
    """Join the frames of all rows to one picture, with a gap of 255 between them."""
    padded = [np.pad(row, ((0, 0), (0, GAP), (0, GAP)), constant_values=255) for row in rows]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in padded], axis=0)


def _coloured(image: Pixels) -> Pixels:
    colours = {ON: BLUE, OFF: VERMILLION, 255: "#FFFFFF"}
    drawn = np.full((*image.shape, 3), 244, dtype=np.uint8)
    for value, colour in colours.items():
        drawn[image == value] = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return drawn


def _raster(axes: Axes, sample: Events, sensor: tuple[int, int, int], window_s: float) -> None:
    inside = sample[sample["t"] < window_s * 1e6]
    if len(inside) > DOTS:
        _cells(axes, inside, sensor, window_s)
    else:
        for polarity in range(sensor[2]):
            own = inside[inside["p"] == polarity]
            colour = BLACK if sensor[2] == 1 else (VERMILLION, BLUE)[polarity]
            _strokes(axes, own, colour)
    axes.set_xlim(0, window_s * 1e3)
    axes.set_ylim(-0.5, sensor[0] - 0.5)


def _strokes(axes: Axes, sample: Events, colour: str) -> None:
    """Draw a stroke an event, all in one path: a tenth of the bytes of so many markers."""
    t, x = np.repeat(sample["t"] / 1e3, 3), np.repeat(sample["x"].astype(np.float64), 3)
    axes.plot(t, x + np.tile((-0.4, 0.4, np.nan), len(sample)), color=colour, linewidth=0.7)


def _cells(
    axes: Axes, sample: Events, sensor: tuple[int, int, int], window_s: float, across: int = 240
) -> None:
    """Draw a busy sample as a picture: darker where more events fall into a cell."""
    up = min(sensor[0], 140)
    counted = np.histogram2d(
        sample["x"], sample["t"] / 1e3, (up, across), ((-0.5, sensor[0] - 0.5), (0, window_s * 1e3))
    )[0]
    level = np.minimum(counted / max(1.0, float(np.quantile(counted[counted > 0], 0.9))), 1)
    axes.imshow(
        (255 * (1 - level)).astype(np.uint8), cmap="gray", vmin=0, vmax=255, origin="lower", aspect="auto",
        interpolation="none", extent=(0, window_s * 1e3, -0.5, sensor[0] - 0.5),
    )  # fmt: skip


def _rate(axes: Axes, sample: Events, window_s: float, bins: int) -> None:
    edges = np.linspace(0, window_s * 1e3, bins + 1)
    rate = np.histogram(sample["t"] / 1e3, edges)[0] / np.diff(edges)
    axes.stairs(rate, edges, fill=True, color=PALE)
    axes.stairs(rate, edges, color=GREY, linewidth=0.6, baseline=None)
    axes.set_xlim(0, window_s * 1e3)
