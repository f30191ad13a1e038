"""Decisions of Streaming: when they came, how late, and when the first right ones stood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.record import Metric
from nmbench.scenario import scores
from nmbench.scenario.inputs import Asked
from nmbench.scenario.log import Log
from nmbench.spotting import Hits

ROUNDING_S = 1e-9
"""Of sums of moments: a platform in real time decides at its deadline to the last bit."""

FirstRight = npt.NDArray[np.int64]
"""First window at whose end each recording of the test set is decided rightly, ``[B]``; -1: none is."""

Right = FirstRight | Hits
"""Where right decisions stand: the first of each recording, or every word that was detected."""


@dataclass(frozen=True)
class Pieces:
    """How recordings are handed over.

    Attributes
    ----------
    steps
        Of a piece.
    each
        Pieces of a recording.
    per_window
        Pieces of a window.
    """

    steps: int
    each: int
    per_window: int

    @classmethod
    def of(cls, asked: Asked, steps: int) -> Pieces:
        """Cut the task's recordings into pieces of so many steps."""
        assert asked.streaming is not None
        return cls(steps, asked.steps // steps, asked.streaming.window_steps // steps)


@dataclass(frozen=True, eq=False)
class Decisions:
    """When decisions came.

    Attributes
    ----------
    latency, late
        Of each decision: seconds after its window's end; over the deadline.
    first_right
        Of each recording: seconds until its first right decision, infinite where none is; None where words
        are spotted.
    delay
        Of each word that was detected: seconds from the word's end to its detection; None elsewhere.
    seconds
        Of the whole run.
    """

    latency: npt.NDArray[np.float64]
    late: npt.NDArray[np.bool_]
    first_right: npt.NDArray[np.float64] | None
    delay: npt.NDArray[np.float64] | None
    seconds: float

    @classmethod
    def of(cls, log: Log, pieces: Pieces, asked: Asked, right: Right) -> Decisions:
        """Read a log of pieces."""
        ends = np.arange(len(log)).reshape(-1, pieces.each)[:, pieces.per_window - 1 :: pieces.per_window]
        latency = log.latency()[ends]
        recordings = log.sample[ends[:, 0]] // pieces.each
        return cls(
            latency.ravel(),
            latency.ravel() > asked.deadline_s + ROUNDING_S,
            None if isinstance(right, Hits) else _first_right(right, recordings, latency, asked.window_s),
            _delays(right, recordings, latency, asked.window_s) if isinstance(right, Hits) else None,
            log.seconds,
        )

    def metrics(self, fast: Decisions, slow: Decisions, origin: scores.Origin) -> list[Metric]:
        """Return misses, when right decisions come, and decisions per second."""
        kind, boundary, source = origin.kind, origin.boundary, origin.source
        misses = scores.share("deadline_misses", self.late, kind, boundary, source)
        if kind == "modelled":
            ends = {"lo": float(fast.late.mean()), "hi": float(slow.late.mean())}
            misses = misses.model_copy(update=ends)
        rate = Metric(
            name="decisions_per_second", unit="1/s", kind=kind, boundary=boundary,
            value=len(self.latency) / self.seconds, n=len(self.latency), source=source,
        )  # fmt: skip
        return [misses, *self._when(fast, slow, origin), rate]

    def _when(self, fast: Decisions, slow: Decisions, origin: scores.Origin) -> list[Metric]:
        """Return when right decisions come."""
        if self.delay is not None and fast.delay is not None and slow.delay is not None:
            return scores.delays("detection_delay", self.delay, (fast.delay, slow.delay), origin)
        assert self.first_right is not None and fast.first_right is not None and slow.first_right is not None
        never = np.isinf(self.first_right)
        ends = (fast.first_right, slow.first_right)
        return [
            scores.median("time_to_first_correct", self.first_right, ends, origin),
            scores.share("never_correct", never, origin.kind, origin.boundary, origin.source),
        ]


def _first_right(
    right: FirstRight, recordings: npt.NDArray[np.int64], latency: npt.NDArray[np.float64], window_s: float
) -> npt.NDArray[np.float64]:
    window = right[recordings]
    at = (window + 1) * window_s + latency[np.arange(len(recordings)), np.maximum(window, 0)]
    return np.where(window < 0, np.inf, at)


def _delays(
    hits: Hits, recordings: npt.NDArray[np.int64], latency: npt.NDArray[np.float64], window_s: float
) -> npt.NDArray[np.float64]:
    found = [np.empty(0)]
    for row, recording in enumerate(recordings.tolist()):
        own = hits.recording == recording
        window = hits.window[own]
        found.append((window + 1) * window_s - hits.end_s[own] + latency[row, window])
    return np.concatenate(found)
