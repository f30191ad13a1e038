from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nmbench.datasets import encoders
from nmbench.datasets.encoders import delta, undo_delta
from nmbench.datasets.events import EVENT

READINGS = hnp.arrays(
    st.sampled_from([np.uint8, np.int16, np.int32, np.int64]),
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.integers(0, 120),
)


@given(READINGS, st.integers(1, 30), st.integers(1, 50_000))
def test_the_signal_is_followed_within_the_threshold(
    readings: np.ndarray[Any, Any], threshold: int, period_us: int
) -> None:
    events = delta(readings, threshold, period_us)
    assert events.dtype == EVENT
    followed = undo_delta(events, readings[0], len(readings), threshold, period_us)
    assert (np.abs(followed - readings.astype(int)) < threshold).all()


@given(READINGS, st.integers(1, 30))
def test_delta_against_a_slow_walk(readings: np.ndarray[Any, Any], threshold: int) -> None:
    expected, level = [], [int(v) for v in readings[0]]
    for step, row in enumerate(readings.tolist()):
        for channel, value in enumerate(row):
            while abs(value - level[channel]) >= threshold:
                up = value > level[channel]
                level[channel] += threshold if up else -threshold
                expected.append((step * 1000, channel, 0, int(up)))
    assert [tuple(event) for event in delta(readings, threshold, 1000).tolist()] == expected


@given(READINGS, st.integers(1, 30), st.integers(-50, 50))
def test_a_level_says_nothing_and_a_mirror_exchanges_on_and_off(
    readings: np.ndarray[Any, Any], threshold: int, shift: int
) -> None:
    events = delta(readings, threshold, 1000)
    moved = delta(readings.astype(int) + shift, threshold, 1000)
    assert np.array_equal(moved, events)
    mirrored = delta(-readings.astype(int), threshold, 1000)
    events["p"] = 1 - events["p"]
    assert np.array_equal(mirrored, events)


@given(READINGS, st.integers(1, 30))
def test_channels_know_nothing_of_each_other(readings: np.ndarray[Any, Any], threshold: int) -> None:
    events = delta(readings, threshold, 1000)
    for channel in range(readings.shape[1]):
        alone = delta(readings[:, [channel]], threshold, 1000)
        alone["x"] = channel
        assert np.array_equal(events[events["x"] == channel], alone)


def test_a_still_signal_is_silent() -> None:
    assert len(delta(np.full((9, 3), 200, np.uint8), 1, 25_000)) == 0
    assert len(delta(np.zeros((0, 3), np.uint8), 1, 25_000)) == 0
    assert delta([[0], [5]], 2, 25_000).tolist() == [(25_000, 0, 0, 1)] * 2


@pytest.mark.parametrize(
    ("readings", "threshold", "period_us", "told"),
    [
        ([[0.5]], 1, 1, "type float64"),
        ([0, 1], 1, 1, "wanted whole"),
        ([[2**24 + 1]], 1, 1, "wanted ±"),
        ([[-(2**24) - 1]], 1, 1, "wanted ±"),
        ([[0]], 0, 1, "threshold of 0"),
        ([[0]], 1, 0, "every 0 us"),
        ([[0]] * 3, 1, 2**31, "a time is 1 to"),
        (np.zeros((1, 70_000), int), 1, 1, "70000 channels"),
    ],
)
def test_readings_that_cannot_be_encoded(readings: Any, threshold: int, period_us: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        delta(readings, threshold, period_us)


def test_too_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "EVENTS_MAX", 99)
    with pytest.raises(ValueError, match="100 events, more than 99"):
        delta([[0], [100]], 1, 1)
    # the extremes of what is allowed: the difference needs more than 24 bits
    monkeypatch.setattr(encoders, "EVENTS_MAX", 2)
    assert delta([[-(2**24)], [2**24]], 2**24, 1).tolist() == [(1, 0, 0, 1)] * 2
