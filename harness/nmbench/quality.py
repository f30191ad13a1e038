"""The quality of a platform's answers: what they decide, how often that is right, and the workload's gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench import metrics, spotting
from nmbench.prepare import Prepared
from nmbench.quantity import Kind
from nmbench.record import Gate, Metric
from nmbench.scenario.decisions import Right
from nmbench.scenario.inputs import first_right
from nmbench.spec import Workload

Outputs = npt.NDArray[np.float32]

NONE_RIGHT = np.empty(0, np.int64)
"""Of scenarios without windows."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Answers to the whole test set, judged.

    Attributes
    ----------
    metrics
        The gate's own first.
    right
        Bits of the samples that were decided rightly, packed, in hexadecimal; None where no sample is one.
    when
        Of Streaming: where the first right decision, or each right detection, stands.
    """

    metrics: tuple[Metric, ...]
    gate: Gate
    right: str | None
    when: Right

    @property
    def first_right(self) -> tuple[int, ...] | None:
        """First window at whose end each recording is decided rightly, where that is asked for."""
        if isinstance(self.when, spotting.Hits) or not len(self.when):
            return None
        return tuple(self.when.tolist())

    @property
    def detected(self) -> tuple[tuple[int, int, float], ...] | None:
        """Return the words that were detected: recording, window, end of the word in seconds."""
        if not isinstance(self.when, spotting.Hits):
            return None
        hits = self.when
        return tuple(zip(hits.recording.tolist(), hits.window.tolist(), hits.end_s.tolist(), strict=True))


def decider(workload: Workload) -> Callable[[Outputs], npt.NDArray[np.int64]]:
    """Return what makes decisions ``[n]`` of outputs ``[n, T, classes]``: the one at their end."""
    if workload.decision == "spotting":
        rule = rule_of(workload)
        return lambda outputs: spotting.last(outputs, rule)
    return metrics.DECISIONS[workload.decision]


def rule_of(workload: Workload) -> spotting.Rule:
    """Return the rule by which a workload's words are spotted."""
    assert workload.spotting is not None and workload.streaming is not None  # the workload's file was checked
    return spotting.Rule(workload.spotting, workload.streaming.window_steps, workload.dialect.dt)


def judge(prepared: Prepared, outputs: Outputs, kind: Kind, source: str) -> Judged:
    """Judge the answers ``[B, T, classes]`` to the whole test set."""
    workload = prepared.task.workload
    if workload.decision == "spotting":
        return _spotted(prepared, outputs, kind, source)
    decide = decider(workload)
    decided = decide(outputs)
    found = metrics.accuracy(decided, prepared.labels, kind, source)
    when = NONE_RIGHT
    if prepared.task.scenario == "Streaming" and workload.streaming:
        when = first_right(outputs, prepared.labels, decide, workload.streaming.window_steps)
    right = np.packbits(decided == prepared.labels).tobytes().hex()
    return Judged((found,), _gate(workload, found), right, when)


def _spotted(prepared: Prepared, outputs: Outputs, kind: Kind, source: str) -> Judged:
    workload = prepared.task.workload
    assert prepared.marks is not None  # `prepare` has asked
    rule = rule_of(workload)
    scored = spotting.score(spotting.detections(outputs, rule), prepared.marks, rule)
    found = spotting.metrics(scored, workload.window.steps * workload.dialect.dt, kind, source)
    return Judged(tuple(found), _gate(workload, found[0]), None, scored.hits)


def _gate(workload: Workload, found: Metric) -> Gate:
    target = workload.quality
    assert found.value is not None and found.name == target.metric
    return Gate(
        metric=target.metric, target=target.target, value=found.value, reached=found.value >= target.target
    )
