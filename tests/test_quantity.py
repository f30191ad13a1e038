from __future__ import annotations

import math

import pytest

from nmbench.quantity import Quantity, UnlikeError


def test_a_missing_number_says_why() -> None:
    with pytest.raises(ValueError, match="reason"):
        Quantity(None, "J", "modelled")
    assert Quantity(None, "J", "modelled", reason="no meter").value is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        Quantity(value, "J", "modelled")


def test_the_value_lies_in_its_interval() -> None:
    with pytest.raises(ValueError, match="outside"):
        Quantity(1.0, "J", "modelled", lo=2.0, hi=3.0)


def number(value: float | None = 2.0, **changes: object) -> Quantity:
    stated = {
        "unit": "J",
        "kind": "modelled",
        "boundary": "chip_total",
        "reason": "none" if value is None else None,
    }
    return Quantity(value, **{**stated, **changes})  # type: ignore[arg-type]


def test_like_numbers_have_a_ratio() -> None:
    assert number(3.0).by(number(2.0)) == 1.5


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (number(unit="s"), "unit: J against s"),
        (number(kind="measured"), "kind: modelled against measured"),
        (number(boundary="system_with_io"), "boundary: chip_total against system_with_io"),
        (number(None, reason="no meter"), "no value: no meter"),
        (number(0.0), "0"),
    ],
)
def test_unlike_numbers_are_never_compared(other: Quantity, says: str) -> None:
    with pytest.raises(UnlikeError, match=says):
        number().by(other)
