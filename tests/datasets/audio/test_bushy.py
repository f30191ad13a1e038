from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from nmbench.datasets.audio import bushy
from nmbench.datasets.audio.bushy import BushyCell, BushyCells

RATE_HZ = 24_000.0


def fibre_by_fibre(chance: np.ndarray, seed: int) -> np.ndarray:
    """Let each of 40 fibres draw its own number, as the paper has it: spikes of one cell a column."""
    random = np.random.default_rng(seed)
    steps, cells = chance.shape
    rested = np.zeros((cells, 40), int)
    current, potential, free = np.zeros(cells), np.zeros(cells), np.zeros(cells, int)
    spikes = np.zeros((steps, cells), bool)
    for n in range(steps):
        fires = (random.random((cells, 40)) < chance[n][:, None]) & (rested <= n)
        rested[fires] = n + 24
        current = current * math.exp(-1 / (5e-4 * RATE_HZ)) + fires.sum(axis=1)
        potential = np.where(free <= n, potential * math.exp(-1 / (1e-3 * RATE_HZ)), 0.0)
        potential += np.where(free <= n, 13e3 / 40 * current / RATE_HZ, 0.0)
        spikes[n] = potential >= 1.0
        free[spikes[n]] = n + 25
        potential[spikes[n]] = 0.0
    return spikes


def fire(chance: np.ndarray, seed: int, cell: BushyCell | None = None) -> tuple[np.ndarray, np.ndarray]:
    return BushyCells(cell or BushyCell(), RATE_HZ, chance.shape[1], seed).fire(chance)


def rising(steps: int, cells: int) -> np.ndarray:
    """From silence's chance to a loud tone's, beating at 500 Hz."""
    beat = 1 + np.sin(2 * np.pi * 500 * np.arange(steps) / RATE_HZ)
    return np.repeat((np.linspace(0.002, 0.02, steps) * beat)[:, None], cells, axis=1)


def test_counts_have_the_law_of_single_fibres() -> None:
    chance = rising(1_200, 150)
    oracle = [fibre_by_fibre(chance, seed) for seed in range(3)]
    expected = np.concatenate([o.reshape(4, 300, 150).sum(axis=1) for o in oracle], axis=1)
    found = np.zeros((4, 0))
    for seed in range(3):
        step, channel = fire(chance, seed)
        counts = np.bincount(step // 300 * 150 + channel, minlength=600).reshape(4, 150)
        found = np.concatenate([found, counts], axis=1)
    error = np.sqrt((expected.var(axis=1) + found.var(axis=1)) / expected.shape[1])
    assert expected.mean(axis=1)[-1] > 3
    assert np.abs(found.mean(axis=1) - expected.mean(axis=1)) == pytest.approx(0.0, abs=4 * error.max())


@given(st.floats(0.0, 1.0, exclude_max=True), st.integers(0, 60), st.floats(0.0, 0.9))
@settings(max_examples=200)
def test_the_binomial_law_is_inverted(unit: float, trials: int, chance: float) -> None:
    found = bushy._binomial(unit, trials, chance)
    assert 0 <= found <= trials
    # the smallest number whose cumulated mass exceeds the unit, but for the last bits of the sums
    assert found == 0 or binom.cdf(found - 1, trials, chance) <= unit + 1e-12
    assert found == trials or binom.cdf(found, trials, chance) > unit - 1e-12


def test_units_are_even_and_channels_do_not_share_them() -> None:
    # a cell that fires on every input and rests for one step: 1 + 1 / chance steps from spike to spike
    one = BushyCell(fibres=1, membrane_s=1e-9, synapse_s=1e-9, rest_s=0.0, weight_per_s=1e6)
    step, channel = fire(np.full((4_000, 64), 0.25), 5, one)
    assert len(step) / (4_000 * 64) == pytest.approx(0.2, rel=0.02)
    fired = np.zeros((4_000, 64))
    fired[step, channel] = 1
    correlation = np.corrcoef(fired.T)[np.triu_indices(64, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(4_000)


@given(st.lists(st.integers(0, 500), max_size=5), st.integers(0, 2**62))
@settings(max_examples=25, deadline=None)
def test_blocks_go_on_where_the_last_one_ended(cuts: list[int], seed: int) -> None:
    chance = 4 * rising(500, 5)
    cells = BushyCells(BushyCell(), RATE_HZ, 5, seed)
    parts = [cells.fire(part) for part in np.split(chance, sorted(cuts))]
    step, channel = fire(chance, seed)
    assert np.array_equal(np.concatenate([s for s, _ in parts]), step) and len(step)
    assert np.array_equal(np.concatenate([c for _, c in parts]), channel)
    # a channel's spikes are its own: other channels beside it change nothing
    alone, _ = fire(chance[:, :1], seed)
    assert np.array_equal(alone, step[channel == 0])


@pytest.mark.parametrize("rest_s", [5e-4, 1e-3, 3e-3])
def test_a_cell_rests(rest_s: float) -> None:
    step, channel = fire(np.full((4_000, 4), 0.5), 1, BushyCell(rest_s=rest_s, weight_per_s=1e6))
    gaps = [np.diff(step[channel == c]).min() for c in range(4)]
    assert min(gaps) == round(rest_s * RATE_HZ) + 1


def test_a_fibre_rests() -> None:
    cells = BushyCells(BushyCell(), RATE_HZ, 3, 2)
    cells.fire(np.full((1, 3), 1 - 1e-12))
    assert cells._counts[0].tolist() == [40, 40, 40]
    cells.fire(np.full((23, 3), 0.99))
    assert cells._counts[0].tolist() == [40, 40, 40]
    assert np.all(cells._fired.sum(axis=0) == 40)
    cells.fire(np.full((1, 3), 0.5))
    assert np.all(cells._counts[0] < 40)


def test_the_same_spikes_on_every_machine() -> None:
    # whole numbers and IEEE doubles only: these came from the first machine that ran it
    step, channel = fire(np.full((2_000, 3), 2.0**-7), 7)
    assert (len(step), step[:6].tolist(), channel[:6].tolist()) == GOLDEN


GOLDEN = (64, [71, 108, 110, 149, 162, 194], [1, 0, 2, 1, 0, 1])
