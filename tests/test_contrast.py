from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from nmbench.contrast import Effect, paired_percentiles, paired_shares, ratio, shares, unpaired_percentiles

SIZES = np.random.default_rng(0).lognormal(0, 0.5, 1024)
"""How much there is to compute in each of 1,024 samples: both runs of a pair ask for the same."""
TIMES = 100
CHANCE = float(binom.ppf(0.995, TIMES, 0.05)) / TIMES
"""What a share of 5 % comes to at most in so many draws."""


def run(rng: np.random.Generator, factor: float = 1.0, start: float = 0.0, noise: float = 0.05) -> np.ndarray:
    """Seconds of one start: its own factor, and noise of each query."""
    return np.asarray(factor * SIZES * rng.lognormal(0, start) * rng.lognormal(0, noise, len(SIZES)))


def share_real(
    factor: float, p: float, *, start: float, assumed: float, paired: bool = True, noise: float = 0.05
) -> float:
    """How often runs that truly differ by a factor, each with a start of its own, are called different."""
    rng, compare = np.random.default_rng(3), paired_percentiles if paired else unpaired_percentiles
    found = 0
    for _ in range(TIMES):
        one, other = run(rng, 1, start, noise), run(rng, factor, start, noise)
        found += compare(one, other, p, assumed, draws=400).real
    return found / TIMES


@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
def test_equal_runs_are_seldom_called_different(p: float) -> None:
    assert share_real(1.0, p, start=0.0, assumed=0.0) <= CHANCE
    assert share_real(1.0, p, start=0.035, assumed=0.035) <= CHANCE


def test_without_the_spread_of_starts_equal_runs_would_be() -> None:
    assert share_real(1.0, 0.5, start=0.035, assumed=0.0) > 0.5


def test_true_differences_are_found() -> None:
    assert share_real(1.03, 0.5, start=0.0, assumed=0.0, noise=0.03) >= 0.9
    assert share_real(1.03, 0.9, start=0.0, assumed=0.0, noise=0.02) >= 0.9
    assert share_real(1.2, 0.5, start=0.035, assumed=0.035) >= 0.9


def test_pairs_find_what_single_runs_cannot() -> None:
    assert share_real(1.03, 0.5, start=0.0, assumed=0.0, paired=False, noise=0.03) < 0.2
    assert share_real(1.0, 0.5, start=0.0, assumed=0.0, paired=False) <= CHANCE


def test_the_ratio_is_the_second_by_the_first_and_its_interval_covers_the_truth() -> None:
    rng, hits = np.random.default_rng(5), 0
    for _ in range(TIMES):
        effect = paired_percentiles(run(rng), run(rng, 1.1), 0.5, 0.0, draws=400)
        hits += effect.lo <= 1.1 <= effect.hi
        assert effect.lo <= effect.value <= effect.hi and effect.real
    assert hits / TIMES >= 0.93


def test_what_is_said_to_be_detectable_shows_in_four_of_five() -> None:
    rng = np.random.default_rng(6)
    found = [paired_percentiles(run(rng), run(rng), 0.5, 0.0, draws=400).detectable for _ in range(50)]
    least = float(np.median(found))
    assert 0.65 <= share_real(1 + least, 0.5, start=0.0, assumed=0.0) <= 0.97
    assert share_real(1 + least / 3, 0.5, start=0.0, assumed=0.0) < 0.4


def test_a_ratio_of_intervals_turns_round() -> None:
    one, other = (2.0, 1.8, 2.3), (3.0, 2.9, 3.3)
    there, back = ratio(one, other, 0.0), ratio(other, one, 0.0)
    assert there.value == pytest.approx(1.5) and there.real and back.real
    assert (1 / back.lo, 1 / back.hi) == pytest.approx((there.hi, there.lo))
    assert not ratio(one, (2.1, 1.9, 2.2), 0.0).real
    assert not ratio((1.0, 1.0, 1.0), (1.05, 1.05, 1.05), 0.035).real
    assert ratio((1.0, 1.0, 1.0), (1.05, 1.05, 1.05), 0.01).real


def test_differences_of_shares_against_published_values() -> None:
    # Newcombe 1998, Statist. Med. 17:873, table II, method 10
    for counts, expected in (
        ((48, 80, 56, 70), (-0.3339, -0.0524)),
        ((3, 10, 9, 10), (-0.8090, -0.1705)),
        ((0, 10, 10, 10), (-1.0, -0.6075)),
    ):
        effect = shares(*counts)
        assert (-effect.hi, -effect.lo) == pytest.approx(expected, abs=5e-5)
        assert effect.real


def test_mcnemar_against_the_binomial() -> None:
    def right(both: int, first: int, second: int, neither: int) -> Effect:
        one = np.repeat([True, True, False, False], [both, first, second, neither])
        other = np.repeat([True, False, True, False], [both, first, second, neither])
        return paired_shares(one, other)

    effect = right(80, 1, 9, 10)  # 2 (C(10,0) + C(10,1)) / 2^10
    assert effect.p_value == pytest.approx(22 / 1024)
    assert effect.value == pytest.approx(0.08) and effect.lo < 0.08 < effect.hi and effect.real
    assert right(80, 0, 5, 10).p_value == pytest.approx(0.0625)
    assert not right(80, 0, 5, 10).real
    assert right(80, 0, 0, 10).p_value == 1.0 and right(80, 3, 3, 10).p_value == 1.0


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_shares_turn_round(seed: int, share: float) -> None:
    one, other = np.random.default_rng(seed).random((2, 50)) < share
    there, back = paired_shares(one, other), paired_shares(other, one)
    assert (there.value, there.lo, there.p_value) == pytest.approx((-back.value, -back.hi, back.p_value))
    apart = shares(int(one.sum()), 50, int(other.sum()), 50)
    assert apart.value == pytest.approx(there.value) and apart.lo <= apart.value <= apart.hi


def test_pairs_of_answers_that_differ_by_chance_are_seldom_called_different() -> None:
    rng, n = np.random.default_rng(8), 300
    hard = rng.random((400, 1, n)) < 0.2  # the same samples are hard for both
    right = np.where(hard, rng.random((400, 2, n)) < 0.5, True)
    assert sum(paired_shares(*pair).real for pair in right) / 400 <= 0.05
    better = np.where(hard, rng.random((400, 2, n)) < np.array([[0.4], [0.8]]), True)
    assert sum(paired_shares(*pair).real for pair in better) / 400 >= 0.9
    apart = [shares(int(a.sum()), n, int(b.sum()), n).real for a, b in better]
    assert sum(apart) < sum(paired_shares(*pair).real for pair in better)
