from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.report.engineering import PREFIXES, bounds, engineering, interval, percent, significant

POWER = {prefix: power for power, prefix in PREFIXES.items()}


def read(text: str, unit: str) -> float:
    """The value that a reader takes from the text."""
    number, _, rest = text.partition(" ")
    return float(number) * 10.0 ** POWER[rest.removesuffix(unit)]


@given(st.floats(1e-15, 9e14))
def test_a_reader_gets_the_value_back_to_three_digits(value: float) -> None:
    text = engineering(value, "J")
    assert read(text, "J") == pytest.approx(value, rel=5.01e-3)
    assert 1 <= float(text.split()[0]) < 1000


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(4.1e-6, "J", "4.10 µJ"), (9.996e-4, "s", "1.00 ms"), (0, "J", "0 J"), (0.34, "s", "340 ms"),
     (12.04, "J", "12.0 J"), (-2e-3, "J", "-2.00 mJ"), (1e-18, "J", "0.00100 fJ"), (5.0, "1", "5.00 1"),
     (0.201, "1/s", "0.201 /s"), (211853, "1/s", "212 k/s"), (0, "1/s", "0 /s")],
)  # fmt: skip
def test_engineering(value: float, unit: str, text: str) -> None:
    assert engineering(value, unit) == text


def test_a_rate_below_one_and_its_interval_have_one_unit() -> None:
    assert bounds(0.2, 0.05, 0.9, "1/s") == "[0.050–0.90]"  # noqa: RUF001 - the dash of ranges
    assert interval(0.05, 0.9, "1/s") == "0.050–0.90 /s"  # noqa: RUF001 - the dash of ranges


@given(st.floats(1e-9, 1e3), st.floats(1, 50), st.floats(1, 50))
def test_the_ends_of_an_interval_stay_round_its_value(value: float, down: float, up: float) -> None:
    shown = float(engineering(value, "J").split()[0])
    lo, hi = map(float, re.findall(r"[\d.]+", bounds(value, value / down, value * up)))
    assert lo <= shown <= hi


@pytest.mark.parametrize(
    ("lo", "hi", "text"),
    [(2.9e-6, 5.8e-6, "2.9–5.8 µJ"), (9.5e-7, 1.2e-6, "0.95–1.2 µJ"), (4.01e-6, 4.03e-6, "4.01–4.03 µJ"),  # noqa: RUF001
     (1e-9, 1e-3, "1.0 nJ–1.0 mJ"), (0, 1e-3, "0 J–1.0 mJ")],  # noqa: RUF001 - the dash of ranges
)  # fmt: skip
def test_interval(lo: float, hi: float, text: str) -> None:
    assert interval(lo, hi, "J") == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_percent_never_rounds_to_all_or_nothing(share: float) -> None:
    assert 0 < float(percent(share).split()[0]) < 100


def test_percent_of_all_and_nothing() -> None:
    assert (percent(1), percent(0), percent(0.98194)) == ("100.0 %", "0.0 %", "98.2 %")


@given(st.floats(1e-6, 1e6))
def test_significant_has_no_exponent(value: float) -> None:
    text = significant(value)
    assert "e" not in text and math.isclose(float(text), value, rel_tol=5.01e-3)
