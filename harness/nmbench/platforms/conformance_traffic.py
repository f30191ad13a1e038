"""Checks of what scenarios ask of a platform: queries, recordings in pieces, prices of both."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nmbench.platforms.base import Platform
from nmbench.platforms.example import SAMPLES, STEPS, example_batch
from nmbench.platforms.nonconformity import ROUNDING, fresh_answer, fresh_session, require, same_terms

PATIENCE_S = 60.0
"""How long answers are waited for that come from a thread of the platform's own."""


def check_queries(platform: Platform) -> None:
    """Check that queries are answered once each, under their numbers, as in a batch."""
    session, whole = fresh_session(platform), fresh_answer(platform, example_batch())
    if session is None or whole is None:
        return
    batch, lock = example_batch(), threading.Condition()
    replies: list[tuple[int, npt.NDArray[np.float32]]] = []

    def reply(number: int, outputs: npt.NDArray[np.float32]) -> None:
        with lock:
            replies.append((number, outputs.copy()))
            lock.notify_all()

    require(session.most_at_once >= 1, f"most_at_once is {session.most_at_once}: less than 1")
    size = min(session.most_at_once, SAMPLES)
    groups = [range(at, min(at + size, SAMPLES)) for at in range(0, SAMPLES, size)]
    for group in groups:
        session.submit([number + 7 for number in group], batch.take(group), reply)
    with lock:
        lock.wait_for(lambda: len(replies) >= SAMPLES, PATIENCE_S)
    session.close()
    numbers = [number for number, _ in replies]
    require(
        sorted(numbers) == list(range(7, 7 + SAMPLES)), f"queries 7 to {6 + SAMPLES} answered as {numbers}"
    )
    require(numbers == sorted(numbers) or not platform.info.in_order, "answers overtake one another")
    for number, outputs in replies:
        same = np.array_equal(outputs, whole.outputs[number - 7])
        require(same, "a query is answered otherwise than in a batch")


def check_stream(platform: Platform) -> None:
    """Check that a recording that comes in pieces is answered as a whole one, from rest each time."""
    session, whole = fresh_session(platform), fresh_answer(platform, example_batch())
    if session is None or whole is None:
        return
    stream, batch = session.stream(), example_batch()
    for sample in range(SAMPLES if stream is not None else 0):
        assert stream is not None
        stream.rest()
        pieces = [batch.part(sample, a, b) for a, b in pairwise(sorted({0, 1, 1 + sample % 4, 5, STEPS}))]
        outputs = np.concatenate([stream.feed(piece) for piece in pieces])
        require(
            np.array_equal(outputs, whole.outputs[sample]), "in pieces, a recording is answered otherwise"
        )
    session.close()


def check_price(platform: Platform) -> None:
    """Check that a session prices what its answers cost, and that a larger call takes no less time."""
    session, whole = fresh_session(platform), fresh_answer(platform, example_batch())
    if session is None or whole is None or whole.counts is None or whole.cost is None:
        return
    alone = session.price(whole.counts)
    if alone is not None:
        same_terms(whole.cost.energy_j, alone.energy_j, "price differs from what answers cost (energy")
        same_terms(whole.cost.latency_s, alone.latency_s, "price differs from what answers cost (latency")
        pair = session.price(whole.counts, min(2, session.most_at_once))
        assert pair is not None
        for boundary in alone.latency_factor:
            longer = (pair.latency(boundary) >= alone.latency(boundary) * (1 - ROUNDING)).all()
            require(bool(longer), f"a call of two takes less time than one of one, at {boundary}")
        for boundary in alone.energy_factor:
            within = (alone.standing(boundary) <= alone.energy(boundary) * (1 + ROUNDING)).all()
            require(bool(within), f"more flows while waiting than is spent at all, at {boundary}")
    session.close()
