"""Frames as CSV that spreadsheets can open without running anything."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nmbench.report.escape import sheet

OF_METRIC = ("metric", "unit", "kind", "boundary", "value", "lo", "hi", "n", "source", "reason")
"""Columns of the long frame that tell a result's metrics apart; the others say which result it is."""
NAMING = ("id", "workload", "scenario", "platform")
"""Columns that stand in every row of ``metrics.csv`` too."""


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV (RFC 4180, lines end in LF): missing values empty, text made inert."""
    return frame.map(_cell).to_csv(index=False, lineterminator="\n", float_format="%.9g")


def metrics_sheet(long: pd.DataFrame) -> pd.DataFrame:
    """Return a long frame (`nmbench.report.frames.frame`) without what `results_sheet` says."""
    return long[[*NAMING, *OF_METRIC]]


def results_sheet(long: pd.DataFrame) -> pd.DataFrame:
    """Return what the rows of each result share, one row a result."""
    return long[[c for c in long.columns if c not in OF_METRIC]].drop_duplicates("id")


def _cell(value: Any) -> Any:
    return sheet(value) if isinstance(value, str) else value
