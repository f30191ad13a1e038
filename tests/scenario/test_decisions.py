"""Streaming over words: the delay of a detection is its window's end and the platform's latency after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sessions import asked

from nmbench import spotting
from nmbench.quantity import Boundary
from nmbench.scenario import streaming
from nmbench.scenario.decisions import Decisions, Pieces
from nmbench.scenario.desk import Expected
from nmbench.scenario.log import Log
from nmbench.scenario.scores import Origin
from nmbench.spec import Spotting, Streaming
from nmbench.spotting import Hits, Rule

STEPS, WINDOW = 12, 3
WALL: Boundary = "wall"
ORIGIN = Origin("measured", WALL, "test")


def hits(*rows: tuple[int, int, float]) -> Hits:
    recording, window, end_s = np.array(rows, np.float64).reshape(-1, 3).T
    return Hits(recording.astype(np.int64), window.astype(np.int64), end_s)


def decided(right: Hits, recordings: list[int], latency_s: float) -> Decisions:
    """Answer every piece of recordings, one after the other, after so many seconds."""
    what = replace(asked("Streaming", 0, STEPS), streaming=Streaming(window_steps=WINDOW))
    pieces = Pieces.of(what, WINDOW)
    sample = np.array([r * pieces.each + p for r in recordings for p in range(pieces.each)])
    due = what.window_s * np.arange(1, len(sample) + 1)
    log = Log(sample, due, due, due + latency_s, np.ones(len(sample), np.int32))
    return Decisions.of(log, pieces, what, right)


def test_a_delay_counts_from_the_words_end_to_the_answer() -> None:
    window_s = 0.03
    right = hits((0, 1, 0.04), (0, 3, 0.13), (2, 0, 0.01))
    made = decided(right, [2, 0, 2], latency_s=0.004)
    assert made.delay is not None and made.first_right is None
    expected = [window_s - 0.01, 2 * window_s - 0.04, 4 * window_s - 0.13, window_s - 0.01]
    np.testing.assert_allclose(made.delay, np.array(expected) + 0.004, atol=1e-12)
    by_name = {m.name: m for m in made.metrics(made, made, ORIGIN)}
    assert by_name["detection_delay_p50"].value == pytest.approx(0.024)
    assert by_name["detection_delay_p90"].n == 4
    assert "time_to_first_correct" not in by_name and by_name["deadline_misses"].value == 0


def test_where_nothing_is_detected_the_delay_says_so() -> None:
    made = decided(hits(), [0, 1], latency_s=0.0)
    found = [m for m in made.metrics(made, made, ORIGIN) if m.name.startswith("detection_delay")]
    assert len(found) == 2 and all(m.value is None and m.reason == "nothing was detected" for m in found)


@given(arrays(np.float32, (2, STEPS, 4), elements=st.floats(-6, 6, width=32)))
def test_piece_by_piece_the_decisions_are_those_of_the_whole(outputs: np.ndarray) -> None:
    rule = Rule(Spotting(smoothing_steps=4, threshold=0.4, refractory_s=0.06, late_s=0.1), WINDOW, 0.01)
    what = replace(asked("Streaming", 0, STEPS), streaming=Streaming(window_steps=WINDOW))
    pieces = Pieces.of(what, WINDOW)
    expected = Expected(outputs, lambda samples, some: spotting.last(some, rule))
    parts = streaming.piecewise(expected, pieces)
    found = parts.decide(np.arange(2 * pieces.each), parts.outputs)
    np.testing.assert_array_equal(found.reshape(2, -1), spotting.detections(outputs, rule))
