"""What an external meter writes, checked: numbers in W, moments in time."""

from __future__ import annotations

import re
from datetime import datetime

from nmbench.power.meter import MeterError

MOST_W = 1e7
MOST_UNIX_S = 1e11

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def number(text: str) -> float | None:
    """Return a decimal number; None for anything else (``nan``, ``1_000``, ``0x1``)."""
    return float(text) if len(text) <= 64 and _NUMBER.fullmatch(text) else None


def watts(text: str) -> float:
    """Return a power, in W.

    Raises
    ------
    ValueError
        It is no number, or more than any machine draws.
    """
    value = number(text.strip())
    if value is None:
        raise ValueError(f"{_shown(text)} is no power in W")
    if abs(value) > MOST_W:
        raise ValueError(f"{value:.3g} W is beyond any meter: is the unit W?")
    return value


def unix_s(text: str) -> float:
    """Return a moment, in seconds since 1970: such seconds, or ISO 8601 with its offset from UTC.

    Raises
    ------
    ValueError
        It is neither, or says no offset.
    """
    text = text.strip()
    value = number(text)
    if value is not None:
        if not 0 <= value < MOST_UNIX_S:
            raise ValueError(f"time {_shown(text)} is no count of seconds since 1970 (milliseconds?)")
        return value
    try:
        moment = datetime.fromisoformat(text[:64])
    except ValueError:
        raise ValueError(f"{_shown(text)} is no time: seconds since 1970, or ISO 8601") from None
    if moment.tzinfo is None:
        raise ValueError(f"time {_shown(text)} says no offset from UTC (Z, +01:00)")
    return moment.timestamp()


def refuse_clock_change(time_s: float, wall_s: float) -> None:
    """Raise `MeterError` where the wall clock was set while a window lasted ``time_s`` seconds."""
    if abs(wall_s - time_s) > 0.05 + 0.01 * time_s:
        raise MeterError(f"this host's clock was set by {wall_s - time_s:+.3g} s during a window")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
