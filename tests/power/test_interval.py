"""Intervals of a median against SciPy's binomial and against draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from nmbench.power.interval import median_interval
from nmbench.stats import percentile


@pytest.mark.parametrize(
    ("n", "rank", "percent"), [(5, 1, 93.75), (6, 1, 96.88), (7, 1, 98.44), (9, 2, 96.09)]
)
def test_known_ranks(n: int, rank: int, percent: float) -> None:
    found = median_interval(list(range(1, n + 1)))
    assert (found.lo, found.hi) == (rank, n + 1 - rank)
    assert 100 * found.confidence == pytest.approx(percent, abs=0.01)


@given(st.integers(1, 200))
def test_confidence_is_the_binomials(n: int) -> None:
    found = median_interval(list(range(1, n + 1)))
    k = int(found.lo)
    assert found.confidence == pytest.approx(1 - 2 * binom.cdf(k - 1, n, 0.5), abs=1e-12)
    if n >= 6:
        assert found.confidence >= 0.95
        assert 2 * (k + 1) > n or 1 - 2 * binom.cdf(k, n, 0.5) < 0.95  # no narrower pair would do


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_the_value_is_the_percentile_and_lies_inside(values: list[float]) -> None:
    found = median_interval(values)
    assert found.value == percentile(values, 0.5)
    assert found.lo <= found.value <= found.hi


def test_coverage_of_draws() -> None:
    draws = np.random.default_rng(3).exponential(size=(20_000, 5))
    inside = (draws.min(axis=1) <= np.log(2)) & (np.log(2) <= draws.max(axis=1))
    assert inside.mean() == pytest.approx(median_interval([1, 2, 3, 4, 5]).confidence, abs=0.01)


def test_no_values() -> None:
    with pytest.raises(ValueError, match="0 samples"):
        median_interval([])
