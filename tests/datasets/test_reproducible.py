from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nmbench.datasets.reproducible import Draws, cosine, sine


@given(st.floats(-1000.0, 1000.0))
def test_sine_is_the_sine(turns: float) -> None:
    assert abs(float(sine(turns)) - np.sin(2 * np.pi * turns)) < 2e-12
    assert abs(float(cosine(turns)) - np.cos(2 * np.pi * turns)) < 2e-12


def test_streams_depend_on_their_key_alone() -> None:
    assert np.array_equal(Draws(3, 7).unit(50), Draws(3, 7).unit(50))
    assert not np.array_equal(Draws(3, 7).unit(50), Draws(3, 8).unit(50))


def test_first_bits_of_a_stream_are_those_published_with_the_data() -> None:
    # a NumPy that changed them would change every synthetic set
    assert [hex(int(bits)) for bits in Draws(1, 2).raw(2)] == ["0x72cb55b7a4acbbc2", "0x6e4e482cf03b98ab"]


def test_moments() -> None:
    draws = Draws(0)
    unit, bell = draws.unit(40_000), draws.bell(40_000)
    assert unit.min() >= 0.0
    assert unit.max() < 1.0
    assert abs(unit.mean() - 0.5) < 0.01
    assert abs(bell.mean()) < 0.03
    assert abs(bell.std() - 1.0) < 0.03
    assert np.abs(bell).max() <= 2.0 * np.sqrt(3.0)
