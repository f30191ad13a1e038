"""Which of a metric's numbers stands for a result, where it states several boundaries."""

from __future__ import annotations

from nmbench.quantity import BOUNDARIES, KINDS, Boundary, Kind
from nmbench.record import Metric, Result

Preference = tuple[bool, bool, bool, int, int]


def preference(value: float | None, kind: Kind, boundary: Boundary | None) -> Preference:
    """Return by what a number goes before others of its metric: the largest stands for the result.

    Stated before missing, measured by the wall clock, chip_total, the widest boundary; at one boundary
    measured before simulated before modelled.
    """
    return (
        value is not None,
        (boundary, kind) == ("wall", "measured"),
        boundary == "chip_total",
        BOUNDARIES.index(boundary) if boundary else -1,
        -KINDS.index(kind),
    )


def headline(result: Result, name: str) -> Metric | None:
    """Return the metric of this name that stands for a result; None where it states none."""
    named = [metric for metric in result.metrics if metric.name == name]
    return max(named, key=lambda m: preference(m.value, m.kind, m.boundary), default=None)
