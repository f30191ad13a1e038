"""What can be counted of a data set: samples, events, rates, by split and class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from nmbench.datasets.encode import duration_covered
from nmbench.datasets.events import EventSet
from nmbench.documents import read_document
from nmbench.spec import Sha256, Workload

BINS = 24
"""Bins of the histogram of events per sample."""
CURVE_PARTS = 40
"""Most parts of the curve of rates over the window."""
EXAMPLE_EVENTS = 8
DIGITS = 6
"""Significant digits that are kept: sums in another order must not change the file."""

Count = Annotated[int, Field(ge=0)]
Values = npt.NDArray[np.float64]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Record):
    """How values spread over samples: ends, 5th and 95th percentile, median and mean."""

    low: float
    p5: float
    median: float
    mean: float
    p95: float
    high: float


class ClassCount(_Record):
    """Samples of a class, or its marks in long recordings, and the quartiles of their numbers of events."""

    samples: Count
    events: tuple[float, float, float]


class SplitStatistics(_Record):
    """Statistics of one split.

    Attributes
    ----------
    groups
        How many made the samples; None where it is not known.
    last_event_s
        When a sample's last event comes, s.
    rate_hz
        Events of a sample over the time of its last one, 1/s; samples without events have none.
    addresses
        How many of the sensor's addresses have an event in some sample.
    covered
        Share of the events inside the workload's window.
    histogram
        Samples by number of events, in `Statistics.events_edges`.
    rate_curve_hz
        Mean events per second of a sample in equal parts of the workload's window.
    """

    samples: Count
    sha256: Sha256
    groups: Count | None
    events: Count
    events_per_sample: Spread
    last_event_s: Spread
    rate_hz: Spread
    empty: Count
    addresses: Count
    on_share: float | None
    covered: float
    classes: tuple[ClassCount, ...]
    histogram: tuple[int, ...]
    rate_curve_hz: tuple[float, ...]


class Statistics(_Record):
    """``<workload>.stats.json``: what a sheet is built from where the data are not there.

    Attributes
    ----------
    marked
        The samples are long recordings with marks in place of labels.
    example
        The first events ``(t, x, y, p)`` of the first test sample.
    files
        What was made from the events beside this file, by name, with its SHA-256.
    """

    schema_: Literal["nmbench.sheet-statistics/1"] = Field("nmbench.sheet-statistics/1", alias="schema")
    workload: str
    version: int
    source: str
    synthetic: bool
    marked: bool
    sensor: tuple[int, int, int]
    window_s: float
    classes: tuple[str, ...]
    events_edges: tuple[float, ...]
    splits: dict[str, SplitStatistics]
    example: tuple[tuple[int, int, int, int], ...]
    files: dict[str, Sha256] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def read_statistics(path: Path) -> Statistics:
    """Read kept statistics; `InputError` with all faults."""
    return read_document(path, Statistics)


def statistics_text(found: Statistics) -> str:
    """Return the file's text."""
    return found.model_dump_json(by_alias=True, indent=1) + "\n"


def count(workload: Workload, source: str, splits: Mapping[str, EventSet]) -> Statistics:
    """Count all that a sheet says of the splits of a workload's data."""
    first = splits["test"]
    edges = _edges(splits)
    window_s = workload.window.steps * workload.dialect.dt
    return Statistics(
        workload=workload.name,
        version=workload.version,
        source=source,
        synthetic=first.synthetic,
        marked=first.marks is not None,
        sensor=first.sensor,
        window_s=_kept(window_s),
        classes=first.classes,
        events_edges=tuple(map(float, edges)),
        splits={name: _split(events, edges, workload) for name, events in splits.items()},
        example=tuple(_quad(event) for event in first[0][:EXAMPLE_EVENTS]),
    )


def _split(events: EventSet, edges: Values, workload: Workload) -> SplitStatistics:
    sizes = np.diff(events.offsets)
    last_s = last_events_us(events) / 1e6
    lasting = last_s > 0
    known = events.groups[events.groups >= 0]
    steps, dt_s = workload.window.steps, workload.dialect.dt
    return SplitStatistics(
        samples=len(events),
        sha256=events.sha256(),
        groups=len(np.unique(known)) if len(known) else None,
        events=len(events.events),
        events_per_sample=_spread(sizes),
        last_event_s=_spread(last_s),
        rate_hz=_spread(sizes[lasting] / last_s[lasting]),
        empty=int((sizes == 0).sum()),
        addresses=len(np.unique(_addresses(events))),
        on_share=_kept(float(events.events["p"].mean())) if events.sensor[2] == 2 else None,
        covered=_kept(duration_covered(events, dt_s, steps)),
        classes=_by_class(events, sizes),
        histogram=tuple(map(int, np.histogram(sizes, edges)[0])),
        rate_curve_hz=_curve(events, steps * dt_s, parts(steps, CURVE_PARTS)),
    )


def last_events_us(events: EventSet) -> npt.NDArray[np.int64]:
    """Return when each sample's last event comes, µs, int64 ``[n]``; 0 where it has none."""
    ends = events.offsets[1:]
    last = np.zeros(len(events), dtype=np.int64)
    some = ends > events.offsets[:-1]
    last[some] = events.events["t"][ends[some] - 1]
    return last


def _addresses(events: EventSet) -> npt.NDArray[np.int64]:
    width, height, _ = events.sensor
    e = events.events
    address: npt.NDArray[np.int64] = (e["p"].astype(np.int64) * height + e["y"]) * width + e["x"]
    return address


def _by_class(events: EventSet, sizes: npt.NDArray[np.int64]) -> tuple[ClassCount, ...]:
    labels = events.labels
    if events.marks is not None:
        labels = events.marks["label"]
        sizes = np.array([_during(events, mark) for mark in events.marks], dtype=np.int64)
    return tuple(_class(sizes[labels == k]) for k in range(len(events.classes)))


def _during(events: EventSet, mark: np.void) -> int:
    """Count the events of a recording while a mark lasts."""
    first, last = np.searchsorted(events[int(mark["sample"])]["t"], (mark["start_us"], mark["end_us"]))
    return int(last - first)


def _class(sizes: npt.NDArray[np.int64]) -> ClassCount:
    if not len(sizes):
        return ClassCount(samples=0, events=(0, 0, 0))
    low, middle, high = (float(q) for q in np.quantile(sizes, (0.25, 0.5, 0.75), method="nearest"))
    return ClassCount(samples=len(sizes), events=(low, middle, high))


def _edges(splits: Mapping[str, EventSet]) -> Values:
    """Return bins of whole numbers of events that hold every sample of every split."""
    sizes = np.concatenate([np.diff(events.offsets) for events in splits.values()])
    low, high = int(sizes.min()), int(sizes.max()) + 1
    return np.arange(BINS + 1) * -(-(high - low) // BINS) + np.float64(low)


def parts(steps: int, most: int) -> int:
    """Return into how many parts of whole steps a window is cut: a part of half a step would be empty."""
    return next(n for n in range(min(most, steps), 0, -1) if steps % n == 0)


def _curve(events: EventSet, window_s: float, bins: int) -> tuple[float, ...]:
    edges = np.linspace(0, window_s * 1e6, bins + 1)
    counts = np.histogram(events.events["t"], edges)[0]
    return tuple(_kept(c / len(events) / (window_s / bins)) for c in counts)


def _spread(values: npt.ArrayLike) -> Spread:
    found = np.asarray(values, dtype=np.float64)
    if not len(found):
        return Spread(low=0, p5=0, median=0, mean=0, p95=0, high=0)
    p5, median, p95 = np.quantile(found, (0.05, 0.5, 0.95), method="nearest")
    low, high, mean = found.min(), found.max(), found.mean()
    return Spread(
        low=_kept(low), p5=_kept(p5), median=_kept(median), mean=_kept(mean), p95=_kept(p95), high=_kept(high)
    )


def _kept(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _quad(event: np.void) -> tuple[int, int, int, int]:
    return int(event["t"]), int(event["x"]), int(event["y"]), int(event["p"])
