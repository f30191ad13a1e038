"""Frames: results as long pandas tables, one row a metric and one row a term of a breakdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from nmbench.record import Metric, Result

TEXT = "object"
"""Type of text columns: keeps None apart from text, in pandas 2 and 3 alike."""

COLUMNS: dict[str, str] = {
    "run": TEXT,
    "id": TEXT,
    "started": TEXT,
    "suite": TEXT,
    "workload": TEXT,
    "workload_version": "int64",
    "workload_sha256": TEXT,
    "data": TEXT,
    "data_source": TEXT,
    "data_sha256": TEXT,
    "published_data": "boolean",
    "synthetic": "bool",
    "size": TEXT,
    "network_sha256": TEXT,
    "scenario": TEXT,
    "tier": TEXT,
    "division": TEXT,
    "seed": "int64",
    "platform": TEXT,
    "family": TEXT,
    "platform_version": "int64",
    "platform_kind": TEXT,
    "what_if": "bool",
    "caveat": TEXT,
    "status": TEXT,
    "metric": TEXT,
    "unit": TEXT,
    "kind": TEXT,
    "boundary": TEXT,
    "value": "float64",
    "lo": "float64",
    "hi": "float64",
    "n": "Int64",
    "source": TEXT,
    "reason": TEXT,
    "quality_target": "float64",
    "quality_value": "float64",
    "quality_reached": "boolean",
    "error": TEXT,
    "generator": TEXT,
    "clock": TEXT,
    "queries": "Int64",
    "samples": "Int64",
    "seconds": "float64",
    "batch": "Int64",
    "rate": "float64",
    "latency_bound_s": "float64",
    "window_s": "float64",
    "deadline_s": "float64",
    "piece_s": "float64",
    "state": TEXT,
    "over": "Int64",
    "allowed": "Int64",
    "enough": "boolean",
    "conduct": TEXT,
    "noisy": "bool",
    "noise": TEXT,
}
"""Columns of `frame` and their types; numbers are in the SI unit that ``unit`` names.

From ``generator`` on they say how the traffic was (`nmbench.record.Traffic`), where a record does.
``conduct`` and ``noise`` (why a record is noisy) are None where there is nothing to say.
"""

TRAFFIC = ("generator", "clock", "queries", "samples", "seconds", "batch", "rate", "latency_bound_s",
           "window_s", "deadline_s", "piece_s", "state", "over", "allowed", "enough")  # fmt: skip
"""Columns that are fields of `nmbench.record.Traffic`."""

TERM_COLUMNS: dict[str, str] = {
    "id": TEXT,
    "metric": TEXT,
    "unit": TEXT,
    "kind": TEXT,
    "boundary": TEXT,
    "term": TEXT,
    "value": "float64",
    "total": "float64",
}
"""Columns of `terms` and their types."""


def frame(results: Iterable[Result]) -> pd.DataFrame:
    """Return results as a long frame, one row a metric, with the columns `COLUMNS`.

    A result that failed or is unsupported, or that states no metric, has one row more, whose ``metric``
    is None and whose ``error`` says why: no result is lost. A missing value is NaN and keeps its
    ``reason``. Text is as it stands in the records, which strangers may have written: whoever prints it
    escapes it (`nmbench.report.escape`).
    """
    rows = [row for result in results for row in _rows(result)]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(COLUMNS)


def terms(results: Iterable[Result]) -> pd.DataFrame:
    """Return the breakdowns as a long frame, one row a term, with the columns `TERM_COLUMNS`."""
    rows = [
        {
            "id": result.id,
            "metric": metric.name,
            "unit": metric.unit,
            "kind": metric.kind,
            "boundary": metric.boundary,
            "term": term,
            "value": value,
            "total": metric.value,
        }
        for result in results
        for metric in result.metrics
        for term, value in (metric.breakdown or {}).items()
    ]
    return pd.DataFrame(rows, columns=list(TERM_COLUMNS), dtype=object).astype(TERM_COLUMNS)


def _rows(result: Result) -> list[dict[str, Any]]:
    shared = _shared(result)
    rows = [{**shared, **_stated(metric)} for metric in result.metrics]
    if result.status != "ok" or not rows:
        rows.append({**shared, "reason": result.error or "the result states no metric"})
    return rows


def _shared(result: Result) -> dict[str, Any]:
    workload, platform, gate = result.workload, result.platform, result.quality
    return {
        "run": result.run,
        "id": result.id,
        "started": result.started,
        "suite": result.suite,
        "workload": workload.name,
        "workload_version": workload.version,
        "workload_sha256": workload.sha256,
        "data": workload.data,
        "data_source": workload.source,
        "data_sha256": workload.data_sha256,
        "published_data": workload.published_data,
        "synthetic": workload.synthetic,
        "size": result.size,
        "network_sha256": result.network.sha256,
        "scenario": result.scenario,
        "tier": result.tier,
        "division": result.division,
        "seed": result.seed,
        "platform": platform.name,
        "family": platform.family,
        "platform_version": platform.version,
        "platform_kind": platform.kind,
        "what_if": platform.what_if,
        "caveat": platform.caveat,
        "status": result.status,
        "quality_target": gate.target if gate else None,
        "quality_value": gate.value if gate else None,
        "quality_reached": gate.reached if gate else None,
        "error": result.error,
        **_traffic(result),
    }


def _traffic(result: Result) -> dict[str, Any]:
    traffic, marks = result.traffic, result.noise.marks
    conduct = traffic.conduct if traffic else {}
    return {
        **{name: getattr(traffic, name) if traffic else None for name in TRAFFIC},
        "conduct": ", ".join(f"{name}: {count}" for name, count in conduct.items()) or None,
        "noisy": bool(marks),
        "noise": "; ".join(marks) or None,
    }


def _stated(metric: Metric) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "unit": metric.unit,
        "kind": metric.kind,
        "boundary": metric.boundary,
        "value": metric.value,
        "lo": metric.lo,
        "hi": metric.hi,
        "n": metric.n,
        "source": metric.source,
        "reason": metric.reason,
    }
