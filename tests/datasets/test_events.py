from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nmbench.datasets import transforms
from nmbench.datasets.encode import duration_covered, encode, input_shape
from nmbench.datasets.events import EVENT, EventSet, event_set

SENSOR = (6, 4, 2)
FIELDS = st.tuples(st.integers(0, 99_999), st.integers(0, 5), st.integers(0, 3), st.integers(0, 1))


@st.composite
def event_sets(draw: st.DrawFn) -> EventSet:
    samples = [
        draw(hnp.arrays(EVENT, st.integers(0, 12), elements=FIELDS)) for _ in range(draw(st.integers(1, 4)))
    ]
    labels = [draw(st.integers(0, 2)) for _ in samples]
    return event_set("test", SENSOR, samples, labels, [-1] * len(samples), ("a", "b", "c"), True)


@given(event_sets())
def test_samples_are_sorted_by_time(events: EventSet) -> None:
    for sample in events:
        assert (np.diff(sample["t"].astype(np.int64)) >= 0).all()


@given(event_sets())
def test_taking_all_changes_nothing(events: EventSet) -> None:
    assert events.take(range(len(events))).sha256() == events.sha256()


@given(event_sets(), st.integers(1, 3), st.integers(1, 3))
def test_pool_keeps_every_event_and_its_time(events: EventSet, x: int, y: int) -> None:
    pooled = transforms.pool(events, x, y)
    np.testing.assert_array_equal(pooled.events["t"], events.events["t"])
    np.testing.assert_array_equal(pooled.events["x"], events.events["x"] // x)
    assert pooled.sensor == (-(-6 // x), -(-4 // y), 2)
    if len(pooled.events):
        assert pooled.events["x"].max() < pooled.sensor[0] and pooled.events["y"].max() < pooled.sensor[1]


@given(event_sets(), st.integers(0, 50), st.integers(1, 60))
def test_crop_keeps_the_window_alone(events: EventSet, start_ms: int, length_ms: int) -> None:
    cropped = transforms.crop(events, start_ms / 1000, length_ms / 1000)
    for before, after in zip(events, cropped, strict=True):
        inside = (before["t"] >= start_ms * 1000) & (before["t"] < (start_ms + length_ms) * 1000)
        np.testing.assert_array_equal(
            after["t"].astype(int) + start_ms * 1000, before["t"][inside].astype(int)
        )


@given(event_sets(), st.integers(1, 12))
def test_encode_is_a_histogram_that_can_be_read_back(events: EventSet, steps: int) -> None:
    batch = encode(events, 0.01, steps)
    assert batch.shape == (2, 4, 6)
    kept = 0
    for b, sample in enumerate(events):
        expected = np.zeros((steps, *batch.shape), dtype=int)
        for event in sample:  # an oracle that shares no line with `encode`
            if event["t"] // 10_000 < steps:
                expected[event["t"] // 10_000, event["p"], event["y"], event["x"]] += 1
        kept += expected.sum()
        for step in range(steps):
            got = np.bincount(batch.row(b, step), minlength=batch.size)
            np.testing.assert_array_equal(got, expected[step].ravel())
    assert duration_covered(events, 0.01, steps) == (kept / len(events.events) if len(events.events) else 1.0)


def test_merge_polarity_and_input_shape() -> None:
    sample = np.array([(1, 2, 0, 1), (2, 2, 0, 0)], dtype=EVENT)
    events = event_set("t", (6, 1, 2), [sample], [0], [0], ("a",), True)
    merged = transforms.merge_polarity(events)
    assert merged.sensor == (6, 1, 1) and merged.events["p"].max() == 0
    assert input_shape(merged.sensor) == (6,)
    assert input_shape(SENSOR) == (2, 4, 6)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("pol", {}, "did you mean 'pool'"),
        ("pool", {"z": 1}, "unknown option of transform 'pool'"),
        ("pool", {"x": 0}, "a whole number of 1 to 65535, not 0"),
        ("pool", {"x": 1.5}, "whole number"),
        ("pool", {"x": True}, "whole number"),
        ("crop", {"duration": "long"}, "a number of 0 to 4294.967295"),
    ],
)
def test_faults_of_transforms(name: str, options: dict[str, object], says: str) -> None:
    (fault,) = transforms.faults(name, options)
    assert says in fault


def test_good_transforms_have_no_faults() -> None:
    assert transforms.faults("pool", {"x": 4, "y": 4}) == []
    assert transforms.faults("crop", {"duration": 0.5}) == []
    assert transforms.faults("merge_polarity", {}) == []


def test_an_event_outside_the_sensor_is_refused() -> None:
    with pytest.raises(ValueError, match="x = 6, the sensor has 6"):
        event_set("t", SENSOR, [np.array([(0, 6, 0, 0)], dtype=EVENT)], [0], [0], ("a",), True)
    with pytest.raises(ValueError, match="labels outside"):
        event_set("t", SENSOR, [np.empty(0, EVENT)], [1], [0], ("a",), True)
