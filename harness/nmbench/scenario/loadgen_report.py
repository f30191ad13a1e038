"""What LoadGen says of its test: its detail log, JSON after a mark on every line, read strictly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MARK = ":::MLLOG "
FILE = "mlperf_log_detail.txt"

MAX_BYTES = 64 << 20
"""Largest log that is read; an untraced one has some 30 kB and a line for each error."""

MOST_ERRORS = 5
"""Errors that are kept in words."""


@dataclass(frozen=True)
class Report:
    """The values of a test by LoadGen's own keys.

    Attributes
    ----------
    errors
        The first few lines that LoadGen marks as errors, as ``key: value``.
    """

    values: Mapping[str, object]
    errors: tuple[str, ...]

    @property
    def version(self) -> str:
        """Version, without the commit."""
        return str(self.values.get("loadgen_version", "unknown")).split()[0]

    @property
    def valid(self) -> bool:
        """Whether LoadGen finds the test valid: duration, queries and early stopping."""
        return self.values.get("result_validity") == "VALID"

    @property
    def verdict(self) -> str:
        """Say whether the test is valid, and why not: LoadGen's advice, what was not met, errors."""
        if self.valid:
            return "VALID"
        unmet = [
            name
            for name in ("perf_constraints", "min_duration", "min_queries", "early_stopping")
            if self.values.get(f"result_{name}_met", self.values.get(f"{name}_met")) is False
        ]
        advice = str(self.values.get("result_invalid_reason", "")).strip()
        return "; ".join(
            ["INVALID", *(f"{name} not met" for name in unmet), *filter(None, [advice]), *self.errors]
        )

    def number(self, key: str) -> float | None:
        """Return a finite number; None where the log has none under the key."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)

    def seconds(self, key: str) -> float | None:
        """Return nanoseconds in seconds; None where there are none, or 0: LoadGen's word for it."""
        value = self.number(key)
        return value * 1e-9 if value else None


def read_report(folder: Path) -> Report:
    """Read the detail log that LoadGen left in a folder.

    Raises
    ------
    ValueError
        If a line is not what LoadGen writes, or the log is too large; with the line's number.
    """
    path = folder / FILE
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{FILE}: more than {MAX_BYTES} bytes")
    values: dict[str, object] = {}
    errors: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            key, value, wrong = _parse(line)
        except ValueError as error:
            raise ValueError(f"{FILE}, line {number}: {error}") from error
        values[key] = value
        if wrong and len(errors) < MOST_ERRORS:
            errors.append(f"{key}: {value}")
    return Report(values, tuple(errors))


def _parse(line: str) -> tuple[str, object, bool]:
    """Return a line's key and value, and whether it is an error."""
    if not line.startswith(MARK):
        raise ValueError(f"no {MARK.strip()} at its beginning")
    entry = json.loads(line.removeprefix(MARK), parse_constant=_no_constant)
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
        raise ValueError("no key and value")
    metadata = entry.get("metadata")
    return entry["key"], entry["value"], isinstance(metadata, dict) and metadata.get("is_error") is True


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
