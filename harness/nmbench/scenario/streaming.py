"""Streaming: a sensor's recordings as they happen; a decision is due at each window, the state is kept.

Recordings follow one another without a pause. The events of a step, or of a window, are handed over when
its time is over; a decision rests on all of its recording so far, and is late where it comes after the
deadline. Each recording begins at rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.uncertainty import Spread
from nmbench.metrics import main_causes
from nmbench.platforms.base import Session, Stream
from nmbench.quantity import Boundary
from nmbench.record import Traffic
from nmbench.scenario import generator, schedule, scores
from nmbench.scenario.bench import Bench
from nmbench.scenario.clock import VirtualClock
from nmbench.scenario.decisions import Decisions, Pieces, Right
from nmbench.scenario.desk import Desk, Expected
from nmbench.scenario.generator import Respondent, Tell
from nmbench.scenario.inputs import Asked, Performed
from nmbench.scenario.log import Log
from nmbench.scenario.service import Modelled, Pricing, Service, service
from nmbench.spikes import SpikeBatch
from nmbench.stats import percentile


class Feeding:
    """A respondent that feeds a session piece by piece; its queries are the pieces of all recordings."""

    most_at_once = 1

    def __init__(
        self, session: Session, batch: SpikeBatch, pieces: Pieces, recordings: Sequence[int]
    ) -> None:
        self._stream = session.stream() or Replay(session)
        self.state = "recomputed" if isinstance(self._stream, Replay) else "kept"
        self._each = pieces.each
        self._cut = {
            r * pieces.each + p: batch.part(r, p * pieces.steps, (p + 1) * pieces.steps)
            for r in set(recordings)
            for p in range(pieces.each)
        }

    def take(self, desk: Desk, first: int, samples: Sequence[int]) -> None:
        """Feed one piece; the first one of a recording begins at rest."""
        item = samples[0]
        if not item % self._each:
            self._stream.rest()
        desk.reply(first, self._stream.feed(self._cut[item]))


class Replay(Stream):
    """A stream on a platform that cannot keep its state: it runs each recording again from its beginning."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._so_far: SpikeBatch | None = None

    def feed(self, piece: SpikeBatch) -> npt.NDArray[np.float32]:
        """Run all until the piece's end; return its outputs."""
        self._so_far = piece if self._so_far is None else self._so_far.then(piece)
        return self._session.infer(self._so_far).outputs[0, -piece.steps :]

    def rest(self) -> None:
        """Begin a recording."""
        self._so_far = None


def feed(
    desk: Desk, respondent: Respondent, recordings: Sequence[int], asked: Asked, pieces: Pieces, tell: Tell
) -> None:
    """Hand over the pieces of recordings, one after the other, each when its time is over."""
    clock, begun = desk.clock, 0.0
    ends = [(p + 1) * pieces.steps * asked.dt_s for p in range(pieces.each)]
    limit_s = None if clock.name == "virtual" else asked.settings.most_seconds
    for n, recording in enumerate(recordings):
        for p, end in enumerate(ends):
            due, item = begun + end, recording * pieces.each + p
            clock.wait_until(due)
            respondent.take(desk, desk.ask((item,), (due,)), (item,))
        begun += asked.sample_s
        tell((n + 1) / len(recordings))
        if limit_s is not None and clock.now() > limit_s:
            break


def piecewise(expected: Expected, pieces: Pieces) -> Expected:
    """Return what is expected of each piece; its decision is that at its end, on all of its recording."""
    samples, _, classes = expected.outputs.shape

    def decide(items: npt.NDArray[np.int64], outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        decided = []
        for item, own in zip(items.tolist(), outputs, strict=True):
            recording, piece = divmod(item, pieces.each)
            before = expected.outputs[recording, : piece * pieces.steps]
            decided.append(expected.decide(np.array([recording]), np.concatenate([before, own])[None])[0])
        return np.array(decided, dtype=np.int64)

    return Expected(expected.outputs.reshape(samples * pieces.each, pieces.steps, classes), decide)


def measured(bench: Bench, right: Right) -> Performed:
    """Stream recordings to a platform that runs for real.

    Raises
    ------
    Broken
        The platform's answers are not as asked.
    """
    asked, session = bench.asked, bench.session
    assert asked.streaming is not None
    pieces = Pieces.of(asked, asked.streaming.window_steps)
    n = min(math.ceil(asked.settings.least_seconds / asked.sample_s), asked.settings.most_queries)
    recordings = schedule.asked(asked.samples, asked.seed, n).tolist()
    feeding = Feeding(session, bench.batch, pieces, recordings)
    expected = piecewise(bench.expected, pieces)
    first = recordings[0] * pieces.each
    desk = bench.desk(expected=expected)
    feeding.take(desk, desk.ask((first,)), (first,))  # once, untimed: what a stream does at first
    bench.close(desk)

    def run(some: Sequence[int]) -> tuple[Desk, Log]:
        with generator.uninterrupted():
            desk = bench.desk(expected=expected)
            feed(desk, feeding, some, asked, pieces, bench.tell)
        return desk, bench.close(desk)

    def again(seconds: float) -> int:
        some = recordings[: math.ceil(seconds / asked.sample_s)]
        return len(run(some)[1]) // pieces.per_window

    desk, log = run(recordings)
    decided = Decisions.of(log, pieces, asked, right)
    found = [
        *scores.measured_latencies(decided.latency, bench.origin, 0.99, "decision_latency"),
        *decided.metrics(decided, decided, bench.origin),
        scores.utilisation(log, bench.origin),
    ]
    traffic = _traffic(desk, log, asked, pieces).model_copy(update={"state": feeding.state})
    return Performed(tuple(found), traffic, log, again)


def modelled(
    asked: Asked, counts: EventCounts, pricing: Pricing, boundary: Boundary, right: Right
) -> Performed:
    """Stream the whole test set in virtual time, handed over by step or by window: as decides sooner."""
    assert asked.streaming is not None
    sizes = dict.fromkeys((asked.streaming.window_steps, 1))
    ways = [
        _Way(asked, counts.cut(steps), Pieces.of(asked, steps), pricing, boundary, right) for steps in sizes
    ]
    return min(ways, key=lambda way: percentile(way.decisions.latency, 0.99)).perform()


@dataclass(frozen=True, eq=False)
class _Way:
    """Recordings cut in one way, on a modelled platform; ``counts`` are those of the pieces."""

    asked: Asked
    counts: EventCounts
    pieces: Pieces
    pricing: Pricing
    boundary: Boundary
    right: Right

    @cached_property
    def served(self) -> Service:
        """How long each piece takes, and what it costs."""
        return service(self.pricing.price, self.counts, 1, self.boundary)

    @cached_property
    def central(self) -> tuple[Desk, Log]:
        """The run at the model's own speed."""
        return self.run(1.0)

    @cached_property
    def decisions(self) -> Decisions:
        """The decisions of that run."""
        return self._decided(self.central[1])

    def run(self, factor: float) -> tuple[Desk, Log]:
        """Stream to a platform that takes so many times as long."""
        n = max(self.asked.samples, math.ceil(self.asked.settings.least_seconds / self.asked.sample_s))
        recordings = schedule.asked(self.asked.samples, self.asked.seed, n).tolist()
        clock = VirtualClock()
        desk, chip = Desk(clock, None), Modelled(self.served.scaled(factor), clock)
        with generator.uninterrupted():
            feed(desk, chip, recordings, self.asked, self.pieces, lambda share: None)
        return desk, desk.close()

    def perform(self) -> Performed:
        """Return what it comes to, with the ends of the model's interval."""
        (desk, log), pieces = self.central, self.pieces
        own = self.pricing.spreads(self.counts, 1, None).get(("latency", self.boundary)) or Spread.by(1.0)
        spread = self.pricing.spreads(self.counts, 1, log.seconds / len(log))
        fast, slow = (self._decided(self.run(factor)[1]) for factor in (own.lower, own.upper))
        origin = scores.Origin("modelled", self.boundary, f"{self.pricing.source}, in virtual time")
        range_ = scores.Range(self.decisions.latency, fast.latency, slow.latency, main_causes(own))
        found = (
            *scores.modelled_latencies(range_, origin, "decision_latency"),
            *self.decisions.metrics(fast, slow, origin),
            scores.utilisation(log, origin),
            *scores.modelled_energy(
                self.served, log, spread, origin.source, "energy_per_decision", pieces.per_window, waits=True
            ),
            *scores.modelled_power(self.served, log, spread, origin.source),
        )
        traffic = _traffic(desk, log, self.asked, pieces).model_copy(update={"state": "kept"})
        return Performed(found, traffic, log)

    def _decided(self, log: Log) -> Decisions:
        return Decisions.of(log, self.pieces, self.asked, self.right)


def _traffic(desk: Desk, log: Log, asked: Asked, pieces: Pieces) -> Traffic:
    return scores.traffic(desk, log, asked).model_copy(
        update={
            "samples": len(log) // pieces.each,
            "queries": len(log) // pieces.per_window,
            "window_s": asked.window_s,
            "deadline_s": asked.deadline_s,
            "piece_s": pieces.steps * asked.dt_s,
        }
    )
