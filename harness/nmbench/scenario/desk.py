"""The desk: where queries are written down and answers come in; it sees what a platform does wrong."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Condition

import numpy as np
import numpy.typing as npt

from nmbench.scenario.clock import Clock
from nmbench.scenario.log import Log

Outputs = npt.NDArray[np.float32]

FAULTS: dict[str, str] = {
    "answered_twice": "a query was answered again",
    "unanswered": "a query was never answered",
    "late": "an answer came after the harness had given it up",
    "unknown_number": "an answer has the number of no query",
    "out_of_order": "an answer overtook an earlier one's, on a platform that answers in order",
    "not_finite": "an answer holds NaN or infinity",
    "wrong_shape": "an answer has another shape or type",
    "other_decision": "the decision differs from the accuracy run's: performance of other outputs",
}
"""What breaks a record, by the name that stands in its ``conduct``."""

OVERTAKING, OTHER_OUTPUTS = "overtaking", "other_outputs"
"""What is stated and breaks nothing: order where none is promised, other bits of the same decision."""

KEPT_BYTES = 64 << 20
"""Outputs that differ are kept for a decision later, up to so many bytes; decisions take long."""


@dataclass(frozen=True, eq=False)
class Expected:
    """The answers of the accuracy run: those of the performance run must decide alike.

    Attributes
    ----------
    outputs
        float32 ``[B, T, classes]``.
    decide
        Makes decisions, int64 ``[n]``, of the samples ``[n]`` answered by outputs ``[n, T, classes]``.
    """

    outputs: Outputs
    decide: Callable[[npt.NDArray[np.int64], Outputs], npt.NDArray[np.int64]]


class Desk:
    """Writes down queries and answers; answers may come from any thread.

    Parameters
    ----------
    expected
        None where no outputs come: in virtual time the answers are those of the accuracy run.
    in_order
        The platform has said that answers come in the order of the queries.
    bound_s
        Latencies over it are counted.
    """

    def __init__(
        self, clock: Clock, expected: Expected | None, *, in_order: bool = True, bound_s: float = math.inf
    ) -> None:
        self.clock = clock
        self.conduct: Counter[str] = Counter()
        self.over = 0
        self._expected, self._in_order, self._bound_s = expected, in_order, bound_s
        self._sample, self._together = array("q"), array("i")
        self._scheduled, self._started, self._completed = array("d"), array("d"), array("d")
        self._answered, self._last = 0, -1
        self._given_up: frozenset[int] = frozenset()
        self._arrival = Condition()
        self._unlike: list[tuple[int, Outputs]] = []
        self._unlike_bytes = 0

    def __len__(self) -> int:
        """Count the samples that were asked for."""
        return len(self._sample)

    @property
    def answered(self) -> int:
        """Count the samples that were answered."""
        return self._answered

    def ask(self, samples: Sequence[int], scheduled: Sequence[float] | None = None) -> int:
        """Write down samples that are handed over together now; return the number of the first.

        ``scheduled`` says when they were due; None: now.
        """
        first, n = len(self._sample), len(samples)
        self._sample.extend(samples)
        self._together.extend([n] * n)
        self._completed.extend([math.nan] * n)
        now = self.clock.now()
        self._started.extend([now] * n)
        self._scheduled.extend([now] * n if scheduled is None else scheduled)
        return first

    def reply(self, number: int, outputs: Outputs) -> None:
        """Take the answer of a query; this is what a platform calls."""
        now = self.clock.now()
        with self._arrival:
            if not isinstance(number, int | np.integer) or not 0 <= number < len(self._sample):
                self.conduct["unknown_number"] += 1
                return
            if number in self._given_up:
                self.conduct["late"] += 1
                self._given_up -= {number}
                return
            if not math.isnan(self._completed[number]):
                self.conduct["answered_twice"] += 1
                return
            self._complete(number, now)
            self._look(number, outputs)
            self._arrival.notify_all()

    def done(self, first: int, n: int) -> None:
        """Complete n samples now, answers as expected: in virtual time."""
        now = self.clock.now()
        for number in range(first, first + n):
            self._complete(number, now)

    def wait(self, answers: int, patience_s: float) -> bool:
        """Wait for so many answers in all; False where none came for as long as the patience lasts."""
        if self._answered >= answers:
            return True
        with self._arrival:
            while self._answered < answers:
                before = self._answered
                self._arrival.wait_for(partial(self._more_than, before), patience_s)
                if self._answered == before:
                    return False
        return True

    def _more_than(self, answers: int) -> bool:
        return self._answered > answers

    def give_up(self) -> None:
        """Wait no longer: what is unanswered now stays so, and what comes later is late."""
        with self._arrival:
            open_ = frozenset(np.flatnonzero(np.isnan(np.frombuffer(self._completed))).tolist())
            self._given_up = open_

    def close(self) -> Log:
        """End the run, once the platform is closed, and return what was written down."""
        with self._arrival:
            if missing := len(self._given_up):
                self.conduct["unanswered"] += missing
            self._decide()
        return Log(
            np.frombuffer(self._sample, np.int64),
            np.frombuffer(self._scheduled),
            np.frombuffer(self._started),
            np.frombuffer(self._completed),
            np.frombuffer(self._together, np.int32),
        )

    def faults(self) -> list[str]:
        """Return what breaks the record, each in words with how often it happened."""
        return [f"{name}: {FAULTS[name]} ({n} times)" for name, n in self.conduct.items() if name in FAULTS]

    def _complete(self, number: int, now: float) -> None:
        self._completed[number] = now
        self._answered += 1
        if number < self._last:
            self.conduct["out_of_order" if self._in_order else OVERTAKING] += 1
        else:
            self._last = number
        if now - self._scheduled[number] > self._bound_s:
            self.over += 1

    def _look(self, number: int, outputs: Outputs) -> None:
        """Compare an answer with the accuracy run's; equal bits are the fast path."""
        if self._expected is None:
            return
        sample = self._sample[number]
        expected = self._expected.outputs[sample]
        if (
            not isinstance(outputs, np.ndarray)
            or outputs.shape != expected.shape
            or outputs.dtype != np.float32
        ):
            self.conduct["wrong_shape"] += 1
        elif not np.array_equal(outputs, expected):
            if not np.isfinite(outputs).all():
                self.conduct["not_finite"] += 1
                return
            self.conduct[OTHER_OUTPUTS] += 1
            self._unlike.append((sample, outputs.copy()))
            self._unlike_bytes += outputs.nbytes
            if self._unlike_bytes > KEPT_BYTES:
                self._decide()

    def _decide(self) -> None:
        """Decide on outputs that differ from the accuracy run's."""
        if not self._unlike or self._expected is None:
            return
        samples = np.array([sample for sample, _ in self._unlike])
        decided = self._expected.decide(samples, np.stack([outputs for _, outputs in self._unlike]))
        before = self._expected.decide(samples, self._expected.outputs[samples])
        if wrong := int((decided != before).sum()):
            self.conduct["other_decision"] += wrong
        self._unlike, self._unlike_bytes = [], 0
