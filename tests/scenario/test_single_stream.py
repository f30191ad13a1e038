from __future__ import annotations

import gc

import numpy as np

from nmbench.platforms.base import Answer, Session
from nmbench.scenario.single_stream import Duration, ask, order
from nmbench.spikes import SpikeBatch


class Recorder(Session):
    def __init__(self) -> None:
        self.asked: list[int] = []
        self.collecting: list[bool] = []

    def infer(self, batch: SpikeBatch) -> Answer:
        assert len(batch) == 1
        self.asked.append(int(batch.index[0]))
        self.collecting.append(gc.isenabled())
        return Answer(np.full((1, 1, 2), batch.index[0], np.float32))


def numbered(n: int) -> SpikeBatch:
    """One step a sample; sample i holds the one spike of neuron i."""
    return SpikeBatch(0.01, 1, (n,), np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int32))


def test_queries_follow_the_harness_order_and_answers_belong_to_their_samples() -> None:
    session = Recorder()
    timed = ask(session, numbered(10), 7, Duration(seconds=0.0, least_queries=25, most_queries=1000))
    expected = np.resize(order(10, 7), 25)
    np.testing.assert_array_equal(timed.samples, expected)
    assert session.asked[1:] == expected.tolist(), "one warm-up, then the queries"
    np.testing.assert_array_equal(timed.outputs[:, 0, 0], expected)
    assert len(timed.seconds) == 25 and min(timed.seconds) > 0
    assert not any(session.collecting[1:]) and gc.isenabled()


def test_the_most_queries_end_a_run() -> None:
    timed = ask(Recorder(), numbered(4), 0, Duration(seconds=3600.0, least_queries=1, most_queries=12))
    assert len(timed.seconds) == 12


def test_the_order_depends_on_the_seed_alone() -> None:
    np.testing.assert_array_equal(order(50, 1), order(50, 1))
    assert (order(50, 1) != order(50, 2)).any()
    assert sorted(order(50, 1)) == list(range(50))
