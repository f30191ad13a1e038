from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.scenario import schedule


def test_the_order_depends_on_the_seed_alone() -> None:
    np.testing.assert_array_equal(schedule.order(50, 1), schedule.order(50, 1))
    assert (schedule.order(50, 1) != schedule.order(50, 2)).any()
    assert sorted(schedule.order(50, 1)) == list(range(50))
    np.testing.assert_array_equal(schedule.asked(5, 3, 12), np.resize(schedule.order(5, 3), 12))


@given(seed=st.integers(0, 2**40), rate=st.floats(0.01, 1e6), n=st.integers(1, 300))
def test_arrivals_rise_and_scale_with_the_rate(seed: int, rate: float, n: int) -> None:
    moments = schedule.arrivals(seed, rate, n)
    assert moments.shape == (n,) and moments[0] >= 0 and (np.diff(moments) >= 0).all()
    twice = schedule.arrivals(seed, 2 * rate, n)
    np.testing.assert_allclose(twice, moments / 2, atol=n * 1e-9)
    np.testing.assert_array_equal(schedule.arrivals(seed, rate, n + 7)[:n], moments)


def test_arrivals_are_a_poisson_process() -> None:
    from scipy.stats import kstest

    gaps = np.diff(schedule.arrivals(1, 100.0, 20_001))
    assert kstest(gaps, "expon", args=(0, 0.01)).pvalue > 1e-3
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03


def test_a_rate_is_positive() -> None:
    with pytest.raises(ValueError, match="queries a second"):
        schedule.arrivals(0, 0.0, 5)
