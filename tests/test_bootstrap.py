from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import norm

from nmbench import bootstrap
from nmbench.bootstrap import Values, block_length, bootstrap_interval, quantile
from nmbench.stats import percentile


def series(rng: np.random.Generator, n: int, memory: float) -> Values:
    """Log-normal repetitions, autoregressive on the scale of logarithms."""
    shocks = rng.standard_normal(n + 200)
    return np.asarray(np.exp(0.1 * np.sqrt(1 - memory**2) * lfilter([1], [1, -memory], shocks)[200:]))


def covered(n: int, memory: float, p: float, block: int | None = None, times: int = 300) -> float:
    rng, true = np.random.default_rng(7), np.exp(0.1 * norm.ppf(p))
    hits = 0
    for seed in range(times):
        lo, hi = bootstrap_interval(series(rng, n, memory), quantile(p), draws=400, seed=seed, block=block)
        hits += lo <= true <= hi
    return hits / times


@pytest.mark.parametrize(("n", "p"), [(64, 0.5), (256, 0.9), (1024, 0.99)])
def test_independent_repetitions_are_covered_as_often_as_said(n: int, p: float) -> None:
    assert 0.9 <= covered(n, 0.0, p) <= 0.985


def test_blocks_cover_what_single_repetitions_do_not() -> None:
    assert covered(1024, 0.9, 0.5) >= 0.88
    assert covered(1024, 0.9, 0.5, block=1) < 0.6


def test_sections_of_long_series_cover_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LONGEST", 4000)
    assert 0.91 <= covered(4001, 0.0, 0.9) <= 0.985
    assert covered(4001, 0.8, 0.9) >= 0.9


@given(st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=60), st.integers(1, 20), st.floats(0.01, 0.99))
def test_interval_of_a_quantile_lies_within_the_samples(values: list[float], block: int, p: float) -> None:
    lo, hi = bootstrap_interval(values, quantile(p), draws=40, block=block)
    assert min(values) <= lo <= hi <= max(values)
    assert (lo, hi) == bootstrap_interval(values, quantile(p), draws=40, block=block)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.floats(0, 1))
def test_quantile_is_mlperfs_percentile(values: list[float], p: float) -> None:
    assert float(quantile(p)(np.array(values))) == percentile(values, p)


def mean(drawn: Values) -> Values:
    return np.asarray(drawn.mean(axis=-1))


def test_blocks_hold_consecutive_repetitions_and_go_round() -> None:
    def in_step(drawn: Values) -> Values:
        return np.asarray((np.diff(drawn, axis=-1) % 100 == 1).mean(axis=-1))

    for block in (1, 5, 20):
        lo, hi = bootstrap_interval(np.arange(100.0), in_step, draws=200, block=block)
        assert 1 - 1 / block - 0.02 <= lo <= hi <= 1 - 1 / block + 0.06


def test_draws_in_pieces_are_draws_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).exponential(size=50)
    whole = bootstrap_interval(values, mean, block=1)
    monkeypatch.setattr(bootstrap, "CHUNK", 50 * 7)
    assert bootstrap_interval(values, mean, block=1) == pytest.approx(whole, rel=1e-12)


def test_several_series_are_drawn_at_the_same_places() -> None:
    one = np.random.default_rng(0).exponential(size=200)
    both = np.stack([one, 3 * one])
    lo, hi = bootstrap_interval(both, lambda drawn: quantile(0.9)(drawn[1]) / quantile(0.9)(drawn[0]))
    assert lo == pytest.approx(3) and hi == pytest.approx(3)


def test_blocks_are_as_long_as_the_memory() -> None:
    rng = np.random.default_rng(0)
    lengths = [
        np.median([block_length(series(rng, 1024, memory)) for _ in range(15)]) for memory in (0, 0.6, 0.9)
    ]
    assert lengths[0] == 1 and 8 <= lengths[1] <= 20 and 30 <= lengths[2] <= 60
    outliers = series(rng, 1024, 0.9)
    outliers[::100] *= 1000
    assert block_length(outliers) >= 15, "rare long ones do not hide it"
    assert block_length(np.ones(100)) == 1 == block_length(np.arange(5.0))
    assert 1 <= block_length(np.tile([1.0, 2.0], 50)) <= 30


def test_what_is_no_series_is_refused() -> None:
    for values in ([], [1.0], [1.0, float("nan")]):
        with pytest.raises(ValueError, match="two finite repetitions"):
            bootstrap_interval(values, quantile(0.5))
