"""What is asked for and when: the order of samples and the moments of queries, from a seed alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int64]
Moments = npt.NDArray[np.float64]


def order(n: int, seed: int) -> Samples:
    """Return the order in which the harness asks for the ``n`` samples."""
    return np.random.Generator(np.random.PCG64(seed)).permutation(n)


def asked(n: int, seed: int, queries: int) -> Samples:
    """Return the sample of each of so many queries: the test set in its order, again and again."""
    return np.resize(order(n, seed), queries)


def arrivals(seed: int, rate: float, queries: int) -> Moments:
    """Return the moments of a Poisson process, seconds, float64 ``[queries]``, the first at 0.

    They are those of MLPerf's LoadGen for the same seed: a Mersenne Twister's 64-bit numbers as uniform
    ones, gaps by inversion, cut to whole nanoseconds (see `tests/scenario/test_loadgen.py`).

    Raises
    ------
    ValueError
        If the rate is not positive.
    """
    if not rate > 0:
        raise ValueError(f"{rate} queries a second")
    bits = np.random.MT19937()
    bits._legacy_seeding(seed & 0xFFFFFFFF)
    raw = bits.random_raw(2 * queries)
    uniform = (raw[0::2] + raw[1::2] * 2.0**32) / 2.0**64
    moments_ns = np.cumsum(np.floor(-np.log1p(-uniform) / rate * 1e9))
    moments: Moments = np.concatenate([np.zeros(1), moments_ns[:-1]])[:queries] * 1e-9
    return moments
