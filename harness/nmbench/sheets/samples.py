"""``<workload>.samples.csv``: one row a sample, and one a mark where there are marks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

import numpy as np

from nmbench.datasets.events import EventSet
from nmbench.sheets.statistics import last_events_us

COLUMNS: Mapping[str, tuple[str, str]] = {
    # column: (type in Croissant, what it is)
    "sample": ("sc:Text", "split and place in it, from 0"),
    "split": ("sc:Text", "train or test"),
    "label": ("sc:Integer", "number of the class; -1 where marks stand in its place"),
    "group": ("sc:Integer", "number of whoever made the sample; -1 where unknown"),
    "events": ("sc:Integer", "how many events the sample has"),
    "last_event_us": ("sc:Integer", "time of the last event from the sample's start, microseconds"),
}

MARK_COLUMNS: Mapping[str, tuple[str, str]] = {
    "sample": ("sc:Text", "the recording, as in the table of samples"),
    "start_us": ("sc:Integer", "from the recording's start, microseconds"),
    "end_us": ("sc:Integer", "from the recording's start, microseconds"),
    "label": ("sc:Integer", "number of the class"),
}


def samples_csv(splits: Mapping[str, EventSet]) -> str:
    """Return a table of every sample of every split."""
    rows: list[tuple[object, ...]] = []
    for split, events in splits.items():
        columns = (events.labels, events.groups, np.diff(events.offsets), last_events_us(events))
        rows += [
            (f"{split}-{index}", split, *row)
            for index, row in enumerate(zip(*(c.tolist() for c in columns), strict=True))
        ]
    return _csv(COLUMNS, rows)


def marks_csv(splits: Mapping[str, EventSet]) -> str | None:
    """Return a table of what stands in long recordings, and when; None where there are no marks."""
    if any(events.marks is None for events in splits.values()):
        return None
    rows = [
        (f"{split}-{sample}", start, end, label)
        for split, events in splits.items()
        for sample, start, end, label in (() if events.marks is None else events.marks.tolist())
    ]
    return _csv(MARK_COLUMNS, rows)


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
