"""The generator: hands queries to whoever answers, over a clock; it owns order, moments and end.

The same loops serve a platform that runs for real and one whose durations a model states: only the clock
and the respondent differ.
"""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from nmbench.platforms.base import Session
from nmbench.scenario.clock import Clock
from nmbench.scenario.desk import Desk
from nmbench.scenario.schedule import Moments, Samples
from nmbench.scenario.settings import Settings
from nmbench.spikes import SpikeBatch

Tell = Callable[[float], None]
"""Hears now and then how much of a run is over, 0 to 1."""


class Respondent(Protocol):
    """Whoever answers queries."""

    @property
    def most_at_once(self) -> int:
        """Most samples that are handed over in one call."""

    def take(self, desk: Desk, first: int, samples: Sequence[int]) -> None:
        """Take samples, the first under the number ``first``; answers go to the desk."""


class Live:
    """A session that runs for real."""

    def __init__(self, session: Session, batch: SpikeBatch) -> None:
        self._session, self._batch = session, batch
        self._single: dict[int, SpikeBatch] = {}

    @property
    def most_at_once(self) -> int:
        """What the session says."""
        return self._session.most_at_once

    def load(self, samples: Samples) -> None:
        """Have single samples ready in memory, as a query finds them."""
        self._single |= {int(s): self._batch.take([s]) for s in samples if int(s) not in self._single}

    def take(self, desk: Desk, first: int, samples: Sequence[int]) -> None:
        """Hand the samples to the session."""
        single = self._single.get(samples[0]) if len(samples) == 1 else None
        batch = self._batch.take(samples) if single is None else single
        self._session.submit(range(first, first + len(samples)), batch, desk.reply)


def one_after_another(
    desk: Desk, respondent: Respondent, order: Samples, settings: Settings, tell: Tell
) -> None:
    """Ask the next query when the last one is answered: SingleStream and MultiStream."""
    samples, n, k = order.tolist(), 0, settings.samples_per_query
    most = min(k, respondent.most_at_once)
    clock, least = desk.clock, settings.least_seconds
    limit_s = _limit_s(settings, clock)
    limit = settings.most_queries
    round_ = len(samples)
    while True:
        query = [samples[(n * k + i) % round_] for i in range(k)]
        due = [clock.now()] * k if most < k else None
        for at in range(0, k, most):
            part = query[at : at + most]
            respondent.take(desk, desk.ask(part, due and due[: len(part)]), part)
        n += 1
        if not desk.wait(n * k, settings.patience_s):
            break
        now = clock.now()
        if n >= limit or (n >= settings.least_queries and now >= least):
            break
        if limit_s is not None and now >= limit_s:
            break
        if n % 16 == 0:
            tell(min(1.0, max(now / least if least else 0.0, n / limit)))


def as_scheduled(
    desk: Desk,
    respondent: Respondent,
    order: Samples,
    moments: Moments,
    settings: Settings,
    most_over: int,
    tell: Tell,
) -> None:
    """Ask each query at its moment, or as soon after as the platform takes it: Server.

    A platform that takes several at once gets all that are due. More than ``most_over`` answers over the
    bound end the run: it is lost.
    """
    samples, due = order.tolist(), moments.tolist()
    most, clock, n, i = respondent.most_at_once, desk.clock, len(moments), 0
    while i < n and desk.over <= most_over:
        clock.wait_until(due[i])
        j = i + 1
        if most > 1 and j < n and due[j] <= (now := clock.now()):
            j = bisect_right(due, now, j, min(n, i + most))
        part = samples[i:j]
        respondent.take(desk, desk.ask(part, due[i:j]), part)
        i = j
        if not i % 64:
            tell(i / n)
    desk.wait(len(desk), settings.patience_s)


def all_at_once(
    desk: Desk,
    respondent: Respondent,
    order: Samples,
    batch: int,
    least: int,
    settings: Settings,
    tell: Tell,
) -> None:
    """Ask for everything at once; it is handed over in batches: Offline.

    By the wall clock it may end when its time is over, but not before ``least`` samples are asked.
    """
    samples, n, due, clock = order.tolist(), len(order), 0.0, desk.clock
    limit_s = _limit_s(settings, clock)
    for at in range(0, n, batch):
        part = samples[at : at + batch]
        respondent.take(desk, desk.ask(part, [due] * len(part)), part)
        tell(at / n)
        if limit_s is not None and len(desk) >= least and clock.now() > limit_s:
            break
    desk.wait(len(desk), settings.patience_s)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep Python's collector off: its pauses are the harness's, not the platform's."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _limit_s(settings: Settings, clock: Clock) -> float | None:
    """Return when a run by a wall clock is broken off."""
    return None if clock.name == "virtual" else settings.most_seconds
