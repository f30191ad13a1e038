"""The page of all sheets: one table and one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmbench.report.engineering import percent
from nmbench.report.markdown import table
from nmbench.sheets.baseline import Networks
from nmbench.sheets.names import INDEX_PICTURE, Names
from nmbench.sheets.prose import Sheet
from nmbench.sheets.spotted import share_cell
from nmbench.sheets.statistics import Statistics
from nmbench.sheets.text import accuracy_cell, gain_cell
from nmbench.spec import Suite, Workload


@dataclass(frozen=True)
class Entry:
    """All that is known of one workload's data."""

    workload: Workload
    sheet: Sheet
    found: Statistics
    networks: Networks


def index_text(suite: Suite, entries: Sequence[Entry]) -> str:
    """Return the index."""
    head = ("Workload", "What", "Data", "Classes", "Train / test", "Events a sample", "Window")
    rows = [_row(entry) for entry in entries]
    figures = ("Workload", "Base network, int8", "Counts alone", "Time is worth", "Parameters", "Licence")
    reached = [_reached(entry) for entry in entries]
    absent = [w.name for w in suite.workloads if w.name not in {e.workload.name for e in entries}]
    return (
        "\n\n".join(
            (
                f"# Data sheets of the suite `{suite.name}`",
                "What each workload's data are, how they were made, what they are good for, where they end: "
                'in the spirit of Gebru et al. 2021, "Datasheets for Datasets". For machines: '
                "`<workload>.croissant.json` (Croissant 1.1).",
                table(head, rows),
                table(figures, reached),
                f"![What event counts alone reach, and what the base network reaches]({INDEX_PICTURE})",
                "*Square: the best model that sees how often each address fired and never when. Dot: the "
                "base network, mean of its seeds; line: 95 % interval of the test split. The distance is "
                "what time is worth.*",
                *([f"Without a sheet yet: {', '.join(absent)}."] if absent else []),
                "Made by `nmbench data sheet` from the data, the networks' provenance and the prose in "
                f"`workloads/{suite.name}/sheets`. Where data are not on a machine, what was kept of them in "
                "`<workload>.stats.json` stands in, and nothing changes.",
            )
        )
        + "\n"
    )


def _row(entry: Entry) -> tuple[str, ...]:
    found, name = entry.found, entry.workload.name
    sizes = " / ".join(f"{found.splits[s].samples:,}" for s in ("train", "test") if s in found.splits)
    return (
        f"[`{name}`]({Names(name).page})",
        entry.workload.title,
        "synthetic" if found.synthetic else "real",
        str(len(found.classes)),
        sizes,
        f"{found.splits['test'].events_per_sample.median:,.0f}",
        f"{1e3 * found.window_s:,.0f} ms",
    )


def _reached(entry: Entry) -> tuple[str, ...]:
    base = entry.networks.base
    licences = ", ".join(dict.fromkeys(li.spdx for li in entry.sheet.licences))
    name = f"`{entry.workload.name}`"
    spotter = next((s for s in entry.networks.spotters if s.size == "base"), None)
    if spotter:
        return (name, f"F1 {share_cell(spotter, 'f1')}", "-", "-", f"{spotter.synapses:,}", licences)
    if base is None:
        return (name, "-", "-", "-", "-", licences)
    return (
        name,
        accuracy_cell(base.accuracy),
        percent(base.counts_only.accuracy),
        f"{gain_cell(base)} points",
        f"{base.parameters:,}",
        licences,
    )
