from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.errors import InputError
from nmbench.scenario.log import Log, unpack


def log(n: int, seed: int = 0) -> Log:
    rng = np.random.default_rng(seed)
    scheduled = np.cumsum(rng.exponential(1e-3, n))
    started = scheduled + rng.exponential(1e-3, n)
    return Log(
        rng.integers(0, 10, n), scheduled, started, started + rng.exponential(1e-3, n), np.ones(n, np.int32)
    )


@given(n=st.integers(0, 50), seed=st.integers(0, 9))
def test_a_log_comes_back_as_it_was(n: int, seed: int) -> None:
    one = log(n, seed)
    other = unpack(one.pack(), "a log")
    assert other.sha256 == one.sha256
    np.testing.assert_array_equal(other.completed, one.completed)


def test_a_query_of_several_samples_waits_for_the_last() -> None:
    one = log(12)
    np.testing.assert_allclose(
        one.latency(4), (one.completed - one.scheduled).reshape(3, 4).max(axis=1), rtol=1e-12
    )
    assert one.seconds == one.completed.max()


def packed(**changes: np.ndarray) -> bytes:
    arrays = {
        name: getattr(log(3), name) for name in ("sample", "scheduled", "started", "completed", "together")
    }
    target = io.BytesIO()
    np.savez(target, allow_pickle=True, **{n: a for n, a in {**arrays, **changes}.items() if a is not None})
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        pickle.dumps({"sample": 1}),
        packed(other=np.zeros(3)),
        packed(sample=np.zeros(3)),
        packed(sample=np.zeros(4, np.int64)),
        packed(sample=np.array([1, "x", None], dtype=object)),
        log(3).pack()[:-40],
    ],
)
def test_what_is_no_log_is_not_read(data: bytes) -> None:
    with pytest.raises(InputError, match="no file of times"):
        unpack(data, "a stranger's")
