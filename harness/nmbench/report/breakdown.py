"""Where the energy goes: the terms of each platform's energy as shares of its total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nmbench.report.axes import BOTTOM_IN, EDGE_IN, MANY_WIDTH_IN, ROW_IN, TOP_IN, label_width, name_of
from nmbench.report.board import Board, Row
from nmbench.report.engineering import engineering
from nmbench.report.escape import ascii_text
from nmbench.report.lanes import lay_out
from nmbench.report.scoring import DECISION, INFERENCE
from nmbench.report.style import BLUE, GREEN, GREY, HEIGHT_IN, ORANGE, PALE, PURPLE, SKY, styled

LETTER_IN = 0.052
"""Width of a letter of a segment's label."""
TOTAL_IN = 0.55
LEGEND_IN = 0.2
TOLERANCE = 0.01
"""Terms that miss their total by more than this share are not drawn as shares of it."""


@dataclass(frozen=True)
class Group:
    """Terms of one sort; they share a colour, and their names stand in the bars where there is room."""

    name: str
    colour: str
    text: str
    terms: tuple[str, ...]


GROUPS = (
    Group(
        "synapses, arithmetic", BLUE, "white",
        ("synaptic_events", "event_path", "mac_array", "arithmetic", "active_macs", "converters",
         "active_rows", "accumulation", "dense_kernels", "event_kernels", "rows"),
    ),
    Group("neurons", SKY, "black", ("neuron_updates", "updates")),
    Group("spikes, messages", GREEN, "white", ("spikes", "messages", "hops", "packets", "routing")),
    Group(
        "fixed and idle", ORANGE, "black",
        ("static", "idle", "management", "cores_on", "chips_idle", "boards_idle", "board", "host", "supplies",
         "step_floor", "barrier", "call", "launches", "steps", "standing"),
    ),
    Group(
        "input and output", PURPLE, "black",
        ("host_io", "input", "samples", "static_during_io", "management_during_io", "cores_on_during_io",
         "board_during_io", "dynamic_during_io"),
    ),
    Group("mixed or other", PALE, "black", ()),
)  # fmt: skip
"""The last one takes what no other names: terms of plug-ins, and those that mix sorts."""


def breakdown(board: Board, terms: pd.DataFrame) -> Figure | None:
    """Draw the breakdown of each platform's headline energy; None where no row has one.

    Parameters
    ----------
    terms
        Long frame of `nmbench.report.frames.terms`.
    """
    parts = {row.platform: found for row in board.rows if (found := parts_of(row, terms))}
    if not parts:
        return None
    shown = replace(board, rows=tuple(row for row in board.rows if row.platform in parts), superseded=0)
    lanes = lay_out([shown], lambda row: row.energy)
    below = BOTTOM_IN + LEGEND_IN
    height = max(HEIGHT_IN, TOP_IN + below + ROW_IN * lanes.slots)
    left = label_width(lanes)
    with styled():
        figure = Figure(figsize=(MANY_WIDTH_IN, height))
        width_in = MANY_WIDTH_IN - left - EDGE_IN - TOTAL_IN
        axes = figure.add_axes(
            (left / MANY_WIDTH_IN, below / height, width_in / MANY_WIDTH_IN, 1 - (TOP_IN + below) / height)
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(lanes.slots - 0.4, -0.6)
        axes.set_yticks([lane.slot for lane in lanes.lanes], [lane.label for lane in lanes.lanes])
        axes.tick_params(axis="y", length=0, pad=2)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        scenario, per = board.contest.scenario, board.scoring.energy.axis
        axes.set_title(f"{name_of(board)}, {scenario}: where the {per} goes", loc="left")
        axes.set_xlabel("share of the total at the right")
        axes.spines["left"].set_visible(False)
        for heading in lanes.headings:
            axes.text(
                0.0, heading.slot, heading.text, fontsize=6.5, fontstyle="italic", color=GREY, va="center"
            )
        used: dict[str, str] = {}
        for lane in lanes.lanes:
            row = lane.rows[0]
            if row is not None:
                used |= _bar(axes, lane.slot, row, parts[lane.platform], width_in)
        patches = [Patch(facecolor=g.colour, label=g.name) for g in GROUPS if g.name in used]
        figure.legend(handles=patches, loc="lower center", ncols=len(patches), frameon=False, fontsize=7,
                      handlelength=1.0, columnspacing=1.2, borderaxespad=0.1)  # fmt: skip
    return figure


def parts_of(row: Row, terms: pd.DataFrame) -> dict[str, float]:
    """Return the terms of a row's headline energy, joules by name; empty where it states none."""
    if row.energy.value is None:
        return {}
    mine = headline_terms(row, terms)
    return {str(term): float(value) for term, value in zip(mine["term"], mine["value"], strict=True)}


def headline_terms(row: Row, terms: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a frame of terms that make up a row's headline energy."""
    energy = terms["metric"].isin([INFERENCE.metric, DECISION.metric])
    here = (terms["boundary"] == row.energy.boundary) & (terms["kind"] == row.energy.kind)
    return terms[(terms["id"] == row.id) & energy & here]


def group_of(term: str) -> Group:
    """Return the group that a term belongs to."""
    if term.endswith("_during_io"):
        term = "host_io"
    return next((group for group in GROUPS if term in group.terms), GROUPS[-1])


def _bar(axes: Axes, slot: int, row: Row, parts: Mapping[str, float], width_in: float) -> dict[str, str]:
    """Draw one bar and return the groups that it uses; says so where the terms are no shares of the total."""
    total = row.energy.value or 0.0
    if total <= 0 or min(parts.values()) < 0 or abs(sum(parts.values()) / total - 1) > TOLERANCE:
        axes.text(0.01, slot, "the terms do not add up to the total", fontsize=6.5, color=GREY, va="center")
        return {}
    start = 0.0
    used: dict[str, str] = {}
    for term, value in sorted(parts.items(), key=lambda p: (GROUPS.index(group_of(p[0])), -p[1], p[0])):
        group, share = group_of(term), value / total
        used[group.name] = group.colour
        axes.barh(slot, share, left=start, height=0.78, color=group.colour, edgecolor="white", linewidth=0.6)
        name = ascii_text(term).replace("_", " ")
        if share * width_in > LETTER_IN * (len(name) + 1):
            axes.text(start + share / 2, slot, name, fontsize=6, color=group.text, ha="center", va="center")
        start += share
    axes.text(
        1.01,
        slot,
        engineering(total, "J"),
        fontsize=6.5,
        va="center",
        color=GREY if row.not_ranked else "black",
    )
    return used
