"""Chance and sines that give the same bits on every machine.

NumPy promises a stable stream for the bit generator only, not for `Generator`'s distributions (NEP 19),
and its vectorised ``sin`` differs in the last bit between instruction sets. Only IEEE 754 additions,
multiplications and divisions are used here, which every CPU rounds alike.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SINE_TERMS = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(10))


class Draws:
    """A stream of random numbers, one stream for each key.

    Parameters
    ----------
    key
        Non-negative integers, e.g. the seed of a set and the index of a sample.
    """

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def raw(self, count: int) -> npt.NDArray[np.uint64]:
        """Draw 64 random bits ``count`` times."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def unit(self, count: int) -> Floats:
        """Draw ``count`` uniform numbers in [0, 1), multiples of 2^-53."""
        return (self.raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def uniform(self, low: float, high: float) -> float:
        """Draw one uniform number in [low, high)."""
        return low + (high - low) * float(self.unit(1)[0])

    def sign(self) -> float:
        """Draw -1 or 1."""
        return 1.0 if self.uniform(0.0, 1.0) < 0.5 else -1.0

    def bell(self, count: int) -> Floats:
        """Draw ``count`` numbers of mean 0, deviation 1: sums of four uniforms, so within 2 sqrt 3."""
        four = self.unit(4 * count).reshape(4, count)
        total: Floats = four[0] + four[1] + four[2] + four[3] - 2.0
        return total * math.sqrt(3.0)


def sine(turns: npt.ArrayLike) -> Floats:
    """Take the sine of an angle in turns (1 = a full circle), to about 1e-15."""
    angle = np.asarray(turns, dtype=np.float64)
    angle = angle - np.floor(angle + 0.5)
    folded = np.where(angle > 0.25, 0.5 - angle, np.where(angle < -0.25, -0.5 - angle, angle))
    radians = folded * (2.0 * math.pi)
    square = radians * radians
    total = np.full_like(radians, _SINE_TERMS[-1])
    for term in reversed(_SINE_TERMS[:-1]):
        total = total * square + term
    return np.asarray(total * radians)


def cosine(turns: npt.ArrayLike) -> Floats:
    """Take the cosine of an angle in turns (1 = a full circle), to about 1e-15."""
    return sine(np.asarray(turns, dtype=np.float64) + 0.25)
