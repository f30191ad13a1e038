"""Predictions against published measurements as data: JSON, and CSV beside a figure."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from nmbench.energy.agreement import Agreement, agreements, group_of
from nmbench.energy.measurements import LeftOut, Measurement
from nmbench.energy.validation import NEAR, Compared
from nmbench.report.escape import sheet

SCHEMA = "nmbench.validation/1"


def content(compared: Sequence[Compared], left_out: Sequence[LeftOut], file: Path) -> dict[str, Any]:
    """Return all that the table says, and more, as plain data: finite numbers or null."""
    rows = [_row(row, some) for row, some in by_row(compared)]
    return {
        "schema": SCHEMA,
        "file": str(file),
        "near": NEAR,
        "rows": rows,
        "agreement": [_agreement(one) for one in agreements(compared)],
        "left_out": [one.model_dump() for one in left_out],
    }


def csv_text(compared: Sequence[Compared]) -> str:
    """Return one line a number."""
    text = io.StringIO()
    fields = ("id", "platform", "group", "boundary", "split", "quantity", "measured", "predicted", "lo", "hi")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*fields, "ratio", "inside", "reason"))
    for one in compared:
        row = one.row
        numbers = (one.measured, one.value, one.lo, one.hi, one.ratio)
        shown = ["" if n is None else f"{n:.6g}" for n in numbers]
        names = (row.id, row.card.name, group_of(row), row.boundary, row.split or "", one.quantity)
        inside = "" if one.value is None else str(one.inside).lower()
        writer.writerow([*map(sheet, names), *shown, inside, sheet(one.reason or "")])
    return text.getvalue()


def by_row(some: Sequence[Compared]) -> Iterator[tuple[Measurement, list[Compared]]]:
    """Yield each measurement with its numbers."""
    for _, own in groupby(some, key=lambda one: one.row.id):
        members = list(own)
        yield members[0].row, members


def _row(row: Measurement, some: Sequence[Compared]) -> dict[str, Any]:
    return {
        "id": row.id,
        "platform": row.platform,
        "card": {"name": row.card.name, "version": row.card.version, "sha256": row.card.sha256},
        "group": group_of(row),
        "boundary": row.boundary,
        "split": row.split,
        "source": row.source,
        "reference": row.reference,
        "evidence": row.evidence,
        "notes": row.notes,
        "unheeded": row.unheeded,
        "numbers": [_number(one) for one in some],
    }


def _number(one: Compared) -> dict[str, Any]:
    log2 = one.log2 if one.log2 is not None and math.isfinite(one.log2) else None
    known = one.value is not None
    return {
        "quantity": one.quantity,
        "measured": one.measured,
        "predicted": one.value,
        "lo": one.lo,
        "hi": one.hi,
        "ratio": one.ratio,
        "log2": log2,
        "near": one.near if known else None,
        "inside": one.inside if known else None,
        "causes": dict(one.causes),
        "reason": one.reason,
    }


def _agreement(one: Agreement) -> dict[str, Any]:
    return {
        "group": one.group,
        "platform": one.platform,
        "split": one.split,
        "numbers": one.numbers,
        "unstated": one.unstated,
        "geometric_mean": one.geometric_mean,
        "geometric_spread": one.geometric_spread,
        "near": one.near,
        "inside": one.inside,
    }
