"""Frames as CSV that spreadsheets can open without running anything."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nmbench.report.escape import sheet


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV (RFC 4180, lines end in LF): missing values empty, text made inert."""
    return frame.map(_cell).to_csv(index=False, lineterminator="\n", float_format="%.9g")


def _cell(value: Any) -> Any:
    return sheet(value) if isinstance(value, str) else value
