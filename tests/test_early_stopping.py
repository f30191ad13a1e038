from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from nmbench.early_stopping import allowed, estimate, needed, rank, surely_over

TABLE = {  # MLPerf Inference rules, c = 0.99, d = 0: queries needed with 0, 1, 2, 5, 10 over the bound
    0.9: (44, 64, 81, 127, 197),
    0.95: (90, 130, 165, 259, 398),
    0.97: (152, 219, 277, 433, 667),
    0.99: (459, 662, 838, 1307, 2010),
    0.999: (4603, 6636, 8403, 13105, 20140),
}
percentiles = st.sampled_from(list(TABLE)) | st.floats(0.3, 0.999)


@pytest.mark.parametrize("p", TABLE)
def test_the_numbers_are_mlperfs(p: float) -> None:
    assert tuple(needed(over, p) for over in (0, 1, 2, 5, 10)) == TABLE[p]


@given(st.integers(0, 500), percentiles)
def test_needed_is_the_least_number_by_the_binomial_itself(over: int, p: float) -> None:
    n = needed(over, p)
    assert binom.cdf(over, n, 1 - p) <= 0.01 * (1 + 1e-9)
    assert binom.cdf(over, n - 1, 1 - p) > 0.01 * (1 - 1e-9)


@given(st.integers(0, 2000), percentiles)
def test_allowed_undoes_needed(over: int, p: float) -> None:
    n = needed(over, p)
    assert allowed(n, p) == over
    assert allowed(n - 1, p) == (over - 1 if over else None)


def test_a_million_queries() -> None:
    most = allowed(1_000_000, 0.99)
    assert most is not None and binom.cdf(most, 1_000_000, 0.01) <= 0.01 < binom.cdf(
        most + 1, 1_000_000, 0.01
    )
    assert needed(most, 0.99) <= 1_000_000 < needed(most + 1, 0.99)


def test_the_estimate_drops_all_but_one_of_those_allowed() -> None:
    ordered = [float(i) for i in range(127)]  # five over the bound are allowed: the sixth is not
    shuffled = np.random.default_rng(0).permutation(ordered)
    assert allowed(127, 0.9) == 5
    assert estimate(shuffled, 0.9) == 122.0 == ordered[rank(127, 0.9) or 0]
    assert estimate(ordered[:64], 0.9) == 63.0  # one is allowed: none is dropped
    assert estimate(ordered[:63], 0.9) is None and estimate([], 0.9) is None


@pytest.mark.parametrize(("n", "p"), [(64, 0.9), (200, 0.9), (1500, 0.99)])
def test_the_estimate_is_over_the_true_percentile_99_times_in_100(n: int, p: float) -> None:
    draws = np.random.default_rng(1).exponential(size=(2000, n))
    estimates = np.array([estimate(draw, p) for draw in draws])
    assert (estimates >= -np.log(1 - p)).mean() >= 0.99
    assert (
        np.sort(draws, axis=1)[:, int(n * p)] >= -np.log(1 - p)
    ).mean() < 0.9  # the plain percentile is not


@given(st.integers(1, 5000), percentiles, st.data())
def test_a_bound_is_never_both_met_and_surely_missed(n: int, p: float, data: st.DataObject) -> None:
    over = data.draw(st.integers(0, n))
    chance = binom.sf(over - 1, n, 1 - p)
    assume(abs(chance - 0.01) > 1e-12)  # at the very border rounding decides: n = 1, p = 0.99
    missed = surely_over(n, over, p)
    assert missed == (over > 0 and chance <= 0.01)
    assert not (missed and over <= (allowed(n, p) or 0))


def test_what_is_no_share_or_no_count_is_refused() -> None:
    for over, p in ((-1, 0.9), (0, 1.0), (0, 0.0), (0, float("nan"))):
        with pytest.raises(ValueError, match="queries over percentile"):
            needed(over, p)
    with pytest.raises(ValueError, match="11 of 10 queries"):
        surely_over(10, 11, 0.9)
