from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from nmbench.stats import percentile, percentile_interval, wilson

samples = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200)


def test_percentile_is_mlperfs() -> None:
    ten = [float(i) for i in range(10)]
    assert percentile(ten, 0.9) == 9.0
    assert percentile(ten, 0.5) == 5.0
    assert percentile(ten, 1.0) == 9.0


@given(samples, st.floats(0, 1))
def test_percentile_is_a_sample_and_lies_in_its_interval(values: list[float], p: float) -> None:
    value = percentile(values, p)
    low, high = percentile_interval(values, p)
    assert value in values and low in values and high in values
    assert low <= value <= high


def test_interval_of_a_percentile_covers_the_true_one_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    true = -np.log(0.1)  # p90 of the unit exponential
    hits = 0
    for _ in range(1000):
        low, high = percentile_interval(rng.exponential(size=200).tolist(), 0.9)
        hits += low <= true <= high
    assert 930 <= hits <= 985


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, Statist. Med. 17:857, table I
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson(0, 20)
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)
    with pytest.raises(ValueError, match="needs samples"):
        wilson(0, 0)


@given(samples, st.floats(0, 1))
def test_arrays_and_lists_have_one_percentile(values: list[float], p: float) -> None:
    array = np.array(values)
    place = min(int(len(values) * p), len(values) - 1)
    assert percentile(array, p) == percentile(values, p) == sorted(values)[place]
    ends = [int(rank) for rank in binom.ppf([0.025, 0.975], len(values), p)]
    low, high = min(max(ends[0] - 1, 0), place), max(min(ends[1], len(values) - 1), place)
    expected = sorted(values)[low], sorted(values)[high]
    assert percentile_interval(array, p) == percentile_interval(values, p) == expected
    assert array.tolist() == values, "the samples keep their order"


def test_interval_of_many_is_made_of_their_ranks() -> None:
    values = np.random.default_rng(0).permutation(400_000).astype(float)
    low, high = binom.ppf([0.025, 0.975], 400_000, 0.5)
    assert percentile_interval(values, 0.5) == (low - 1, high)


def test_no_percentile_of_nothing() -> None:
    for values, p in (([], 0.5), ([1.0], 1.1), ([1.0], -0.1)):
        with pytest.raises(ValueError, match="percentile"):
            percentile(values, p)
        with pytest.raises(ValueError, match="percentile"):
            percentile_interval(values, p)


@given(st.integers(1, 2000), st.data())
def test_a_share_lies_within_its_own_interval(n: int, data: st.DataObject) -> None:
    for hits in (0, n, data.draw(st.integers(0, n))):
        low, high = wilson(hits, n)
        assert 0 <= low <= hits / n <= high <= 1
