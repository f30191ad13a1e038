from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.spikes import SpikeBatch


@st.composite
def batches(draw: st.DrawFn) -> SpikeBatch:
    samples, steps, size = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rows = [draw(st.lists(st.integers(0, size - 1), max_size=6)) for _ in range(samples * steps)]
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    index = np.array([i for r in rows for i in r], dtype=np.int32)
    return SpikeBatch(0.01, steps, (size,), offsets, index)


@given(batches(), st.data())
def test_take_picks_whole_samples(batch: SpikeBatch, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(batch) - 1), max_size=6))
    taken = batch.take(chosen)
    assert len(taken) == len(chosen)
    for new, old in enumerate(chosen):
        for step in range(batch.steps):
            np.testing.assert_array_equal(taken.row(new, step), batch.row(old, step))


@given(batches())
def test_the_hash_is_of_the_content(batch: SpikeBatch) -> None:
    assert batch.take(range(len(batch))).sha256() == batch.sha256()


def test_rows_that_a_kernel_could_not_trust_are_refused() -> None:
    offsets = np.array([0, 1], dtype=np.int64)
    with pytest.raises(ValueError, match="outside"):
        SpikeBatch(0.01, 1, (2,), offsets, np.array([2], dtype=np.int32))
    with pytest.raises(ValueError, match="do not cover"):
        SpikeBatch(0.01, 1, (2,), np.array([0, 2], dtype=np.int64), np.array([0], dtype=np.int32))
    with pytest.raises(ValueError, match="no multiple"):
        SpikeBatch(0.01, 2, (2,), offsets, np.array([0], dtype=np.int32))
