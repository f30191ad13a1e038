"""Numbers as engineers write them: three significant digits and a prefix, `4.10 µJ`."""

from __future__ import annotations

import math

PREFIXES: dict[int, str] = {
    -15: "f",
    -12: "p",
    -9: "n",
    -6: "µ",
    -3: "m",
    0: "",
    3: "k",
    6: "M",
    9: "G",
    12: "T",
}
"""Power of ten to prefix; beyond both ends the last one stands."""

RATE = "1/s"
"""A rate is written `212 k/s` and `0.2 /s`: `k1/s` reads badly, and `200 m/s` is a speed."""

CLEAR = 1.1
"""Factor between a value and an end of its interval from which two digits keep them apart."""

RANGE = "\N{EN DASH}"
"""Stands between the two ends of an interval."""


def engineering(value: float, unit: str, digits: int = 3) -> str:
    """Return the value with its prefix, to ``digits`` significant digits.

    Examples
    --------
    >>> engineering(4.1e-6, "J"), engineering(9.996e-4, "s"), engineering(212e3, "1/s")
    ('4.10 µJ', '1.00 ms', '212 k/s')
    """
    sign = _sign(unit)
    if value == 0:
        return f"0 {sign}".strip()
    power = _power(value, unit, digits)
    return f"{significant(value / 10.0**power, digits)} {PREFIXES[power]}{sign}".strip()


def interval(lo: float, hi: float, unit: str) -> str:
    """Return both ends in the unit of the upper one, `2.9-5.8 µJ` with an en dash.

    Where they lie far apart each has its own unit. Two significant digits, as many as an interval
    deserves; three where it is so narrow that two would blur it.
    """
    digits = 2 if hi >= CLEAR**2 * lo else 3
    if lo <= 0 or hi / lo >= 1e4:
        return f"{engineering(lo, unit, digits)}{RANGE}{engineering(hi, unit, digits)}"
    power = _power(hi, unit, digits)
    ends = (significant(end / 10.0**power, digits) for end in (lo, hi))
    return f"{RANGE.join(ends)} {PREFIXES[power]}{_sign(unit)}".strip()


def bounds(value: float, lo: float | None, hi: float | None, unit: str = "") -> str:
    """Return the interval in the unit that `engineering` gives the value, `[2.9-5.8]`; empty without one."""
    if lo is None or hi is None:
        return ""
    digits = 2 if value >= CLEAR * lo and hi >= CLEAR * value else 3
    scale = 10.0 ** _power(value, unit)
    return f"[{significant(lo / scale, digits)}{RANGE}{significant(hi / scale, digits)}]"


def percent(share: float, digits: int = 1) -> str:
    """Return a share of one as percent, `98.2 %`; what is not all or nothing is never rounded to it."""
    return f"{_hundredths(share, digits)} %"


def percent_bounds(lo: float | None, hi: float | None, digits: int = 1) -> str:
    """Return an interval of a share in percent, `[97.5-98.7]`; empty without one."""
    if lo is None or hi is None:
        return ""
    return f"[{_hundredths(lo, digits)}{RANGE}{_hundredths(hi, digits)}]"


def prefix_power(value: float, digits: int = 3) -> int:
    """Return the power of ten of the prefix that suits a value once it is rounded; 0 for 0."""
    if value == 0:
        return 0
    exponent = int(f"{abs(value):.{digits - 1}e}".split("e")[1])
    return min(max(3 * math.floor(exponent / 3), min(PREFIXES)), max(PREFIXES))


def significant(value: float, digits: int = 3) -> str:
    """Return a number to so many significant digits without an exponent: `0.340`, `3.06`, `2940`."""
    if value == 0:
        return "0"
    rounded = f"{value:.{digits - 1}e}"
    exponent = int(rounded.split("e")[1])
    return f"{float(rounded):.{max(0, digits - 1 - exponent)}f}"


def _sign(unit: str) -> str:
    return "/s" if unit == RATE else unit


def _power(value: float, unit: str, digits: int = 3) -> int:
    power = prefix_power(value, digits)
    return max(0, power) if unit == RATE else power


def _hundredths(share: float, digits: int) -> str:
    text = f"{100 * share:.{digits}f}"
    if share < 1 and float(text) >= 100:
        return f"{100 - 10.0**-digits:.{digits}f}"
    if share > 0 and float(text) <= 0:
        return f"{10.0**-digits:.{digits}f}"
    return text
