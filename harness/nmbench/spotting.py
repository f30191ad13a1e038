"""Words spotted in running audio: detections, which of them are right, and what that comes to.

A detection is a moment and a class: at a window's end the posterior of a class, smoothed over the last steps,
is the highest of all and over a threshold, and the last detection is some time ago (posterior smoothing and
threshold: Chen, Parada & Heigold 2014, ICASSP, 4087). It is right where a word of its class has begun and has
ended no longer ago than the workload tolerates, and no earlier detection has claimed it; every other one is a
false alarm. False alarms by time and misses are what keyword spotting, and the streaming wake-word task of
MLPerf Tiny (github.com/mlcommons/tiny, benchmark/training/streaming_wakeword), is judged on; F1 joins both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.bootstrap import bootstrap_interval
from nmbench.quantity import Kind
from nmbench.record import Metric
from nmbench.spec import Spotting

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Outputs = npt.NDArray[np.float32]

NONE = -1
"""In place of a class: nothing was detected."""


@dataclass(frozen=True)
class Rule:
    """When a class counts as detected, and when a detection as right.

    Attributes
    ----------
    window_steps, dt_s
        A decision is made every so many steps of so many seconds.
    """

    spotting: Spotting
    window_steps: int
    dt_s: float

    @property
    def window_s(self) -> float:
        """Seconds of a window."""
        return self.window_steps * self.dt_s

    @property
    def refractory(self) -> int:
        """Windows after a detection in which there is no other."""
        return max(1, round(self.spotting.refractory_s / self.window_s))


@dataclass(frozen=True, eq=False)
class Hits:
    """Words that were detected.

    Attributes
    ----------
    recording, window
        Where: int64 ``[n]``; the detection is made at the window's end.
    end_s
        When the word ended, seconds from the recording's start, ``[n]``.
    """

    recording: Longs
    window: Longs
    end_s: Floats


@dataclass(frozen=True, eq=False)
class Scored:
    """Detections against marks, by recording ``[B]``: words found, false alarms, words missed."""

    found: Longs
    false: Longs
    missed: Longs
    hits: Hits


def smoothed(outputs: Outputs, rule: Rule) -> Floats:
    """Return the smoothed posterior of each word at each window's end: ``[B, W, classes - 1]``.

    The softmax over ``[B, T, classes]``, its mean over the last ``smoothing_steps``; before the recording's
    start it is zero. The last class stands for nothing.
    """
    shifted = outputs.astype(np.float64) - outputs.max(axis=2, keepdims=True)
    weights = np.exp(shifted)
    posterior = (weights / weights.sum(axis=2, keepdims=True))[:, :, :-1]
    sums = np.cumsum(posterior, axis=1)
    steps = rule.spotting.smoothing_steps
    ends = np.arange(rule.window_steps, outputs.shape[1] + 1, rule.window_steps) - 1
    before = sums[:, np.maximum(ends - steps, 0)] * (ends >= steps)[None, :, None]
    return np.asarray((sums[:, ends] - before) / steps)


def detections(outputs: Outputs, rule: Rule) -> Longs:
    """Return what is detected at each window's end: classes ``[B, W]``, `NONE` where nothing is."""
    level = smoothed(outputs, rule)
    best, height = level.argmax(axis=2), level.max(axis=2)
    found = np.full(best.shape, NONE)
    free_from = np.zeros(len(best), np.int64)
    for window in range(best.shape[1]):
        fires = (height[:, window] >= rule.spotting.threshold) & (window >= free_from)
        found[fires, window] = best[fires, window]
        free_from[fires] = window + rule.refractory
    return found


def last(outputs: Outputs, rule: Rule) -> Longs:
    """Return the decision at the end of the last whole window, ``[B]``: it rests on all before."""
    return detections(outputs, rule)[:, -1]


def score(detected: Longs, marks: npt.NDArray[np.void], rule: Rule) -> Scored:
    """Match detections with words.

    Detections claim words in the order of time, each the open word of its class whose time is over first:
    no other way of matching finds more.

    Parameters
    ----------
    detected
        Of `detections`.
    marks
        Words: fields ``sample, start_us, end_us, label``, in any order.
    """
    counts = np.zeros((3, len(detected)), np.int64)
    hits: list[tuple[int, int, float]] = []
    for recording, row in enumerate(detected):
        words = sorted((m[2], m[1], m[3]) for m in marks[marks["sample"] == recording].tolist())
        windows = np.flatnonzero(row != NONE).tolist()
        for window in windows:
            now_us = round((window + 1) * rule.window_s * 1e6)
            label = int(row[window])
            mine = next((w for w in words if w[2] == label and _is_open(w, now_us, rule)), None)
            if mine is not None:
                words.remove(mine)
                hits.append((recording, window, mine[0] * 1e-6))
                counts[0, recording] += 1
        counts[1, recording] = len(windows) - counts[0, recording]
        counts[2, recording] = len(words)
    rows = np.array(hits, np.float64).reshape(-1, 3)
    found = Hits(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2])
    return Scored(counts[0], counts[1], counts[2], found)


def metrics(scored: Scored, recording_s: float, kind: Kind, source: str) -> list[Metric]:
    """Return F1 first, then precision, recall and false alarms by time; 95 % intervals over recordings."""
    counts = np.stack([scored.found, scored.false, scored.missed]).astype(np.float64)

    def one(name: str, unit: str, of: Callable[[Floats], Floats], n: int) -> Metric:
        value = float(of(counts))
        lo = hi = None
        if counts.shape[1] > 1:
            low, high = bootstrap_interval(counts, of, block=1)
            lo, hi = min(low, value), max(high, value)
        return Metric.model_validate(
            {
                "name": name,
                "unit": unit,
                "kind": kind,
                "value": value,
                "lo": lo,
                "hi": hi,
                "n": n,
                "source": source,
            }
        )

    words, made = int(counts[[0, 2]].sum()), int(counts[:2].sum())
    return [
        one("f1", "1", _f1, words),
        one("precision", "1", lambda c: _ratio(_sum(c, 0), _sum(c, 0) + _sum(c, 1)), made),
        one("recall", "1", lambda c: _ratio(_sum(c, 0), _sum(c, 0) + _sum(c, 2)), words),
        one("false_alarm_rate", "1/s", lambda c: c[1].mean(axis=-1) / recording_s, counts.shape[1]),
    ]


def _is_open(word: tuple[int, int, int], now_us: int, rule: Rule) -> bool:
    end_us, start_us, _ = word
    return start_us <= now_us <= end_us + round(rule.spotting.late_s * 1e6)


def _f1(counts: Floats) -> Floats:
    twice = 2 * _sum(counts, 0)
    return _ratio(twice, twice + _sum(counts, 1) + _sum(counts, 2))


def _sum(counts: Floats, row: int) -> Floats:
    return np.asarray(counts[row].sum(axis=-1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where there is nothing at all."""
    return np.asarray(part / np.maximum(whole, 1.0))
