"""Bushy cells: the fibres of a place converge on one neuron, which fires where many of them fire together.

Each cell has `BushyCell.fibres` inputs that fire at random with the hair cell's chance and rest for a
millisecond after each spike. The cell integrates them and leaks::

    I <- I exp(-dt / tau_syn) + (fibres that fire now)
    V <- V exp(-dt / tau_mem) + (weight / fibres) dt I;  a spike at V >= 1, then V = 0 for the time of rest

Source: Cramer et al. 2022 (IEEE TNNLS 33, 2744), constants checked against their package lauscher 1.0.1.
There each fibre draws its own random number. Here the fibres of a cell, which are alike, share one: how many
of the ``m`` that do not rest fire is binomial, ``B(m, chance)``, which has the same law at 1/40 of the draws.

Only additions, multiplications and divisions of doubles, and integers: the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BushyCell:
    """Constants of a cell; the defaults are the published ones.

    Attributes
    ----------
    fibres
        Inputs of a cell, at most 127.
    membrane_s, synapse_s
        Time constants.
    rest_s
        Of a fibre after a spike, and of the cell.
    weight_per_s
        Rise of the potential per second while every fibre's current is 1, in thresholds.
    """

    fibres: int = 40
    membrane_s: float = 1e-3
    synapse_s: float = 5e-4
    rest_s: float = 1e-3
    weight_per_s: float = 13_000.0


class BushyCells:
    """One cell a channel, and what it carries from one block of time to the next.

    Parameters
    ----------
    rate_hz
        Steps per second.
    seed
        Of the fibres' chance, 0 <= seed < 2^63; each channel has a stream of its own.
    """

    def __init__(self, cell: BushyCell, rate_hz: float, channels: int, seed: int) -> None:
        self._fibres = cell.fibres
        self._rest = max(1, round(cell.rest_s * rate_hz))
        # an exponential may differ between machines in its last bit: rounded, it does not
        self._leak = _rounded(math.exp(-1.0 / (cell.membrane_s * rate_hz)))
        self._decay = _rounded(math.exp(-1.0 / (cell.synapse_s * rate_hz)))
        self._gain = _rounded(cell.weight_per_s / (cell.fibres * rate_hz))
        self._draws = _seeded(seed, channels)
        self._fired = np.zeros((self._rest, channels), np.int8)
        self._counts = np.zeros((2, channels), np.int64)
        self._currents = np.zeros((2, channels))
        self._step = 0

    def fire(self, chances: Float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Run the cells over the next steps.

        Parameters
        ----------
        chances
            That a rested fibre fires, ``[steps, channels]``, below 1.

        Returns
        -------
        step, channel
            Of each spike, by step and then by channel; steps are counted from the first call.
        """
        first = self._step
        self._step += len(chances)
        step, channel = _fire(
            chances,
            first,
            self._fibres,
            self._rest,
            self._leak,
            self._decay,
            self._gain,
            self._draws,
            self._fired,
            self._counts,
            self._currents,
        )
        return step, channel


def _rounded(value: float) -> float:
    return round(value * 2.0**40) * 2.0**-40


def _seeded(seed: int, channels: int) -> npt.NDArray[np.uint64]:
    """Return the first state of each channel's generator: splitmix64 of seed and channel, never 0."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.arange(
            1, channels + 1, dtype=np.uint64
        ) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = (z ^ (z >> np.uint64(31))) | np.uint64(1)
    return mixed


@numba.njit(nogil=True)
def _binomial(unit: float, trials: int, chance: float) -> int:
    """Invert the binomial law at ``unit`` in [0, 1): walk up from no success."""
    other = 1.0 - chance
    if unit < 1.0 - trials * chance:  # no more than (1 - chance)^trials, and right most of the time
        return 0
    mass = 1.0
    for _ in range(trials):
        mass *= other
    odds = chance / other
    total, successes = mass, 0
    while unit >= total and successes < trials:
        mass *= odds * (trials - successes) / (successes + 1)
        successes += 1
        total += mass
    return successes


@numba.njit(nogil=True)
def _fire(
    chances: Float,
    first: int,
    fibres: int,
    rest: int,
    leak: float,
    decay: float,
    gain: float,
    draws: npt.NDArray[np.uint64],
    fired: npt.NDArray[np.int8],
    counts: npt.NDArray[np.int64],
    currents: Float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    steps, channels = chances.shape
    most = channels * (steps // (rest + 1) + 1)
    when, where = np.empty(most, np.int64), np.empty(most, np.int64)
    n = 0
    resting, cell_rest = counts[0], counts[1]
    current, potential = currents[0], currents[1]
    for s in range(steps):
        row = fired[(first + s) % len(fired)]
        chance = chances[s]
        for c in range(channels):
            # xorshift64 (Marsaglia 2003): the same on every machine
            x = draws[c]
            x ^= x << np.uint64(13)
            x ^= x >> np.uint64(7)
            x ^= x << np.uint64(17)
            draws[c] = x
            unit = np.float64(x >> np.uint64(11)) * 2.0**-53
            resting[c] -= row[c]
            count = _binomial(unit, fibres - resting[c], chance[c])
            row[c] = count
            resting[c] += count
            current[c] = current[c] * decay + count
            if cell_rest[c] > 0:
                cell_rest[c] -= 1
                continue
            potential[c] = potential[c] * leak + gain * current[c]
            if potential[c] >= 1.0:
                when[n], where[n] = first + s, c
                n += 1
                potential[c] = 0.0
                cell_rest[c] = rest
    return when[:n].copy(), where[:n].copy()
