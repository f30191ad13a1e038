"""Statistics of spike trains against SciPy, NumPy and trains whose statistics are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nmbench.spiketrains import correlations, cvs, ks_distance, population_statistics, rates_hz

SAMPLES = st.lists(st.floats(-5, 5), min_size=2, max_size=50)


@given(SAMPLES, SAMPLES)
def test_ks_distance_is_scipys(a: list[float], b: list[float]) -> None:
    expected = stats.ks_2samp(a, b, method="asymp").statistic
    assert ks_distance(np.array(a), np.array(b)) == pytest.approx(expected, abs=1e-12)


def test_ks_distance_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        ks_distance(np.zeros(0), np.zeros(3))


def trains(rng: np.random.Generator, size: int, spikes: int) -> tuple[np.ndarray, np.ndarray]:
    times_ms = np.sort(rng.uniform(0, 1000, spikes))
    return times_ms, rng.integers(0, size, spikes)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(0, 100))
def test_cvs_neuron_by_neuron(seed: int, size: int, spikes: int) -> None:
    times_ms, ids = trains(np.random.default_rng(seed), size, spikes)
    found = cvs(times_ms, ids, size)
    for neuron in range(size):
        intervals = np.diff(times_ms[ids == neuron])
        if intervals.size < 2:
            assert np.isnan(found[neuron])
        else:
            assert found[neuron] == pytest.approx(intervals.std() / intervals.mean())


@given(st.integers(0, 2**32 - 1))
def test_correlations_are_numpys(seed: int) -> None:
    times_ms, ids = trains(np.random.default_rng(seed), 5, 200)
    binned = np.array([np.histogram(times_ms[ids == n], 500, (0, 1000))[0] for n in range(5)])
    expected = np.corrcoef(binned)[np.triu_indices(5, 1)]
    np.testing.assert_allclose(correlations(times_ms, ids, 5, 1000.0), expected, atol=1e-12)


def test_one_neuron_has_no_pairs() -> None:
    assert correlations(np.array([1.0]), np.array([0]), 3, 10.0).size == 0


def test_rates_and_populations() -> None:
    times_ms, ids = np.array([1.0, 2.0, 3.0, 3.0, 5.0]), np.array([0, 0, 0, 3, 3])
    np.testing.assert_array_equal(rates_hz(ids, 4, 0.01), [300, 0, 0, 200])
    first, second = population_statistics(times_ms, ids, [2, 2], 10.0)
    np.testing.assert_array_equal(first.rates_hz, [300, 0])
    np.testing.assert_array_equal(second.rates_hz, [0, 200])
    np.testing.assert_array_equal(first.cvs, [0])
    assert second.cvs.size == 0
