"""Words spotted in running audio: what is detected, and what of it is right."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmbench import spotting
from nmbench.spec import Spotting
from nmbench.spotting import NONE, Rule

MARK = np.dtype([("sample", "<i8"), ("start_us", "<i8"), ("end_us", "<i8"), ("label", "<i8")])
WORDS, WINDOWS, WINDOW_S = 3, 40, 0.1
RULE = Rule(Spotting(smoothing_steps=4, threshold=0.5, refractory_s=0.3, late_s=0.35), 2, 0.05)
"""A decision every 0.1 s; a word of 0.3 s is detected in time in its own windows and three more."""

Places = list[tuple[int, int]]


@st.composite
def words(draw: st.DrawFn) -> Places:
    """Draw words (window in which they begin, class) that do not touch: each lasts three windows."""
    places, window = [], draw(st.integers(0, 5))
    while window + 8 < WINDOWS:
        places.append((window, draw(st.integers(0, WORDS - 1))))
        window += draw(st.integers(8, 20))
    return places


def marks(*recordings: Places) -> npt.NDArray[np.void]:
    rows = [
        (sample, round(window * WINDOW_S * 1e6), round((window + 3) * WINDOW_S * 1e6), label)
        for sample, places in enumerate(recordings)
        for window, label in places
    ]
    return np.array(rows, MARK)


def detected(*recordings: Places, after: int = 3) -> npt.NDArray[np.int64]:
    """Return detections so many windows after each word's beginning."""
    found = np.full((len(recordings), WINDOWS), NONE)
    for sample, places in enumerate(recordings):
        for window, label in places:
            found[sample, window + after] = label
    return found


def f1(found: spotting.Scored) -> float:
    twice = 2 * int(found.found.sum())
    return twice / max(1, twice + int(found.false.sum() + found.missed.sum()))


def test_f1_is_the_harmonic_mean_and_alarms_go_by_time() -> None:
    places = [(2, 0), (12, 1), (22, 2)]
    found = detected(places, [])
    found[0, 25] = NONE
    found[1, 7] = 1
    scored = spotting.score(found, marks(places, []), RULE)
    by_name = {m.name: m for m in spotting.metrics(scored, 4.0, "simulated", "test")}
    assert by_name["precision"].value == pytest.approx(2 / 3) and by_name["precision"].n == 3
    assert by_name["recall"].value == pytest.approx(2 / 3) and by_name["recall"].n == 3
    assert by_name["f1"].value == pytest.approx(2 / 3)
    assert by_name["false_alarm_rate"].value == pytest.approx(1 / 8), "one in two recordings of 4 s"
    for metric in by_name.values():
        assert metric.lo is not None and metric.hi is not None and metric.value is not None
        assert metric.lo <= metric.value <= metric.hi


@given(words().filter(len), words(), st.integers(0, 5))
def test_detections_in_time_are_all_right(one: Places, other: Places, after: int) -> None:
    scored = spotting.score(detected(one, other, after=after), marks(one, other), RULE)
    assert f1(scored) == 1.0 and not scored.false.any() and not scored.missed.any()
    assert len(scored.hits.window) == len(one) + len(other)
    delay = (scored.hits.window + 1) * WINDOW_S - scored.hits.end_s
    np.testing.assert_allclose(delay, (after + 1 - 3) * WINDOW_S, atol=1e-9)


@given(words().filter(len))
def test_silence_finds_nothing(places: Places) -> None:
    scored = spotting.score(detected([], after=0), marks(places), RULE)
    assert f1(scored) == 0.0 and scored.missed.tolist() == [len(places)] and not len(scored.hits.window)


@given(words().filter(len))
def test_beyond_the_tolerance_every_detection_is_a_false_alarm(places: Places) -> None:
    # three windows of the word, 0.35 s after it; the next word begins later still
    scored = spotting.score(detected(places, after=6), marks(places), RULE)
    assert f1(scored) == 0.0
    assert scored.false.tolist() == scored.missed.tolist() == [len(places)]


@given(words().filter(len))
def test_another_class_is_no_hit(places: Places) -> None:
    other = [(window, (label + 1) % WORDS) for window, label in places]
    scored = spotting.score(detected(other), marks(places), RULE)
    assert f1(scored) == 0.0


@given(words().filter(len))
def test_a_word_is_found_once(places: Places) -> None:
    twice = detected(places, after=2)
    twice[detected(places, after=4) != NONE] = detected(places, after=4)[detected(places, after=4) != NONE]
    scored = spotting.score(twice, marks(places), RULE)
    assert scored.found.tolist() == scored.false.tolist() == [len(places)]
    assert scored.hits.window.tolist() == [window + 2 for window, _ in places], "the first one counts"


@given(words(), words(), st.randoms(use_true_random=False))
def test_the_order_of_marks_and_of_recordings_does_not_count(
    one: Places, other: Places, random: Random
) -> None:
    found, all_marks = detected(one, other, after=4), marks(one, other)
    rows = all_marks.tolist()
    random.shuffle(rows)
    plain = spotting.score(found, all_marks, RULE)
    mixed = spotting.score(found, np.array(rows, MARK), RULE)
    assert (plain.found == mixed.found).all() and (plain.hits.end_s == mixed.hits.end_s).all()
    turned = spotting.score(found[::-1], marks(other, one), RULE)
    assert (turned.found == plain.found[::-1]).all() and f1(turned) == f1(plain)


def test_matching_finds_as_many_words_as_any_could() -> None:
    # two words of a class overlap: the detection that only the first can have must not be given the second
    overlapping = np.array([(0, 0, 300_000, 0), (0, 200_000, 900_000, 0)], MARK)
    found = np.full((1, WINDOWS), NONE)
    found[0, [3, 10]] = 0
    assert spotting.score(found, overlapping, RULE).found.tolist() == [2]


traces = arrays(np.float32, (2, 80, WORDS + 1), elements=st.floats(-8, 8, width=32))


@given(traces)
def test_detections_keep_their_distance_and_rest_on_the_past_alone(outputs: npt.NDArray[np.float32]) -> None:
    found = spotting.detections(outputs, RULE)
    assert found.shape == (2, 40) and ((found >= NONE) & (found < WORDS)).all()
    for row in found:
        assert (np.diff(np.flatnonzero(row != NONE)) >= RULE.refractory).all()
    for windows in (1, 7, 40):
        part = outputs[:, : windows * RULE.window_steps]
        assert (spotting.detections(part, RULE) == found[:, :windows]).all()
        assert (spotting.last(part, RULE) == found[:, windows - 1]).all()


@given(traces)
def test_smoothing_is_the_mean_of_the_last_posteriors(outputs: npt.NDArray[np.float32]) -> None:
    exact = outputs.astype(np.float64)
    posterior = np.exp(exact) / np.exp(exact).sum(axis=2, keepdims=True)
    padded = np.concatenate([np.zeros((2, 4, WORDS + 1)), posterior], axis=1)[:, :, :-1]
    for window, level in enumerate(np.moveaxis(spotting.smoothed(outputs, RULE), 1, 0)):
        end = 2 * (window + 1)
        np.testing.assert_allclose(level, padded[:, end : end + 4].mean(axis=1), atol=1e-12)


def test_a_threshold_is_reached_by_a_steady_word_alone() -> None:
    outputs = np.zeros((1, 80, WORDS + 1), np.float32)
    outputs[0, :, -1] = 5
    outputs[0, 20:30, 1] = 10
    outputs[0, 50, 2] = 10
    row = spotting.detections(outputs, RULE)[0]
    assert set(row[row != NONE]) == {1} and np.flatnonzero(row != NONE)[0] in (10, 11)
