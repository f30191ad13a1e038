from __future__ import annotations

import math

import pytest

from nmbench.quantity import Quantity, within_factor


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
    low, high = within_factor(2.0, 4.0)
    assert (low, high) == (0.5, 8.0)
    with pytest.raises(ValueError, match="at least 1"):
        within_factor(2.0, 0.5)
