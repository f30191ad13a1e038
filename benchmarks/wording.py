"""How the tables write a time, a number and the outcome of a check."""

from __future__ import annotations

from results import Timing


def duration(seconds: float | None) -> str:
    """Write a time with three digits and its unit."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            break
    return f"{seconds / size:.3g} {unit}"


def amount(value: float | None) -> str:
    """Write a number with three digits, a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def verdict(timing: Timing) -> str:
    """Say what the check of the spikes found."""
    check = timing.check
    if check["exact"]:
        return "equal"
    if "total_rate_off" in check:
        found = f"{100 * check['total_rate_off']:.1f} %, {100 * check['rate_off']:.1f} %"
        return found if check["accepted"] else f"{found}: not timed"
    made, expected = sum(check["spikes"]), sum(check["expected"])
    found = f"{100 * abs(made - expected) / max(1, expected):.1f} % off"
    if check.get("equal_until_ms", 0) >= 1:
        found += f", equal for {check['equal_until_ms']:.0f} ms"
    return found if check["accepted"] else f"{found}: not timed"
