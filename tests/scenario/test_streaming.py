"""Recordings as they happen: decisions at windows, deadlines, state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessions import ORIGIN, SAMPLES, Sleeper, answers, asked, decide, numbered
from tiny import counts, mlp

from nmbench.counts import EventCounts
from nmbench.energy.cost import Cost, Term
from nmbench.platforms.base import Answer, Stream
from nmbench.scenario import streaming
from nmbench.scenario.bench import Bench, Broken
from nmbench.scenario.desk import Expected
from nmbench.scenario.inputs import Asked, Performed, first_right
from nmbench.scenario.service import Pricing
from nmbench.spec import Streaming
from nmbench.spikes import SpikeBatch

STEPS, WINDOW = 6, 2
LABELS = np.arange(SAMPLES)


def task(seed: int = 0, **changes: object) -> Asked:
    return replace(asked("Streaming", seed, STEPS, **changes), streaming=Streaming(window_steps=WINDOW))


def growing() -> np.ndarray:
    """Outputs of each sample, by step: sample s is named from step s % 6 on, before it 99 is."""
    outputs = answers(list(range(SAMPLES)), STEPS)
    for sample in range(SAMPLES):
        outputs[sample, : sample % STEPS] = 99
    return outputs


def last(outputs: np.ndarray) -> np.ndarray:
    return outputs[:, -1, 0].astype(np.int64)


class Growing(Sleeper):
    """Answers from its table; of a part of a recording, that part."""

    def infer(self, batch: SpikeBatch) -> Answer:
        sleeping = super().infer(batch)
        table = growing()[[int(batch.row(b, 0)[0]) for b in range(len(batch))], : batch.steps]
        assert table.shape == sleeping.outputs.shape
        return Answer(table)


def stream_bench(session: Sleeper, what: Asked, clock: str = "skipping") -> Bench:
    expected = Expected(growing(), lambda samples, outputs: last(outputs))
    return Bench(session, numbered(steps=STEPS), expected, what, clock, ORIGIN, lambda share: None)  # type: ignore[arg-type]


def test_the_first_right_window_is_the_first() -> None:
    found = first_right(growing(), LABELS, last, WINDOW)
    assert found.tolist() == [(s % STEPS) // WINDOW for s in range(SAMPLES)]
    wrong = first_right(growing(), LABELS + 1, last, WINDOW)
    assert (wrong == -1).all()


def metric(performed: Performed, name: str) -> float | None:
    return next(m.value for m in performed.metrics if m.name == name)


def test_a_platform_without_state_is_asked_anew_and_the_record_says_so() -> None:
    session = Growing()
    right = first_right(growing(), LABELS, last, WINDOW)
    performed = streaming.measured(stream_bench(session, task(least_seconds=0.6)), right)
    traffic, log = performed.traffic, performed.log
    assert traffic is not None and log is not None
    assert traffic.state == "recomputed"
    assert (traffic.samples, traffic.queries) == (10, 30)
    assert (traffic.window_s, traffic.deadline_s, traffic.piece_s) == (0.02, 0.02, 0.02)
    np.testing.assert_allclose(log.scheduled, 0.02 * np.arange(1, 31), atol=1e-9)
    assert metric(performed, "deadline_misses") == pytest.approx((log.latency() > 0.02).mean())
    assert metric(performed, "never_correct") == 0
    # half of the recordings are right at the first window, 20 ms after they began
    assert 0.02 <= (metric(performed, "time_to_first_correct") or 0) < 0.06


def test_a_stream_is_fed_every_piece_once_and_rests_between_recordings() -> None:
    fed: list[object] = []

    class Kept(Stream):
        def __init__(self) -> None:
            self.step, self.sample = 0, -1

        def feed(self, piece: SpikeBatch) -> np.ndarray:
            if not self.step:
                self.sample = int(piece.row(0, 0)[0])
            outputs = growing()[self.sample, self.step : self.step + piece.steps]
            self.step += piece.steps
            fed.append((self.sample, self.step))
            return outputs

        def rest(self) -> None:
            self.step = 0
            fed.append("rest")

    class Keeps(Growing):
        def stream(self) -> Stream:
            return Kept()

    right = first_right(growing(), LABELS, last, WINDOW)
    performed = streaming.measured(stream_bench(Keeps(), task(least_seconds=0.18)), right)
    assert performed.traffic is not None and performed.traffic.state == "kept"
    assert len(fed) == 2 + 3 * 4, "one piece to warm up, then three recordings of three pieces"
    assert fed[2::4] == ["rest"] * 3
    assert [step for _, step in fed[3:6]] == [2, 4, 6]  # type: ignore[misc]


def test_late_decisions_are_counted_and_delay_the_next_ones() -> None:
    """Each piece takes 30 ms where 20 ms are there: the queue grows, all but the first few are late."""
    right = first_right(growing(), LABELS, last, WINDOW)
    performed = streaming.measured(stream_bench(Growing([0.03] * SAMPLES), task(least_seconds=0.3)), right)
    assert performed.log is not None
    assert (metric(performed, "deadline_misses") or 0) > 0.9
    assert (np.diff(performed.log.latency()) > 0).all()
    assert metric(performed, "utilisation") == pytest.approx(1.0, abs=0.1)


def test_other_answers_than_the_accuracy_runs_are_named() -> None:
    class Liar(Growing):
        def infer(self, batch: SpikeBatch) -> Answer:
            return Answer(super().infer(batch).outputs * 0)

    with pytest.raises(Broken, match="other_decision"):
        streaming.measured(stream_bench(Liar(), task(least_seconds=0.6)), np.zeros(SAMPLES, np.int64))


def pricing(step_s: float, watts: float) -> Pricing:
    """A chip that takes equally long for each step and draws a constant power besides 1 uJ a step."""

    def price(some: EventCounts, batch: int) -> Cost:
        seconds = np.full(len(some), some.steps * step_s)
        energy = {
            "steps": Term("chip_dynamic", np.full(len(some), 1e-6 * some.steps)),
            "idle": Term("chip_total", watts * seconds, static=True),
        }
        factors = {"chip_dynamic": 1.5, "chip_total": 1.5}
        return Cost(energy, {"steps": Term("chip_dynamic", seconds)}, factors, {"chip_total": 2.0})  # type: ignore[arg-type]

    return Pricing(price, lambda some, batch, each_s: {}, 1, "card test v1")


def some_counts() -> EventCounts:
    network = mlp()
    rng = np.random.default_rng(0)
    return counts(network, rng.integers(0, 3, (SAMPLES, STEPS, 3)))


def test_a_chip_in_real_time_decides_a_step_after_its_window() -> None:
    """Handed over step by step; by window its decision would come a whole window later."""
    right = first_right(growing(), LABELS, last, WINDOW)
    performed = streaming.modelled(task(), some_counts(), pricing(0.01, 0.5), "chip_total", right)
    assert performed.traffic is not None and performed.traffic.piece_s == pytest.approx(0.01)
    assert metric(performed, "decision_latency_p99") == pytest.approx(0.01)
    assert metric(performed, "deadline_misses") == 0
    assert metric(performed, "utilisation") == pytest.approx(1.0, rel=0.1)


def test_power_flows_between_the_events() -> None:
    """Work of 2 uJ a window, and 0.5 W for its 20 ms: 10 mJ a decision, whatever the chip's speed."""
    right = first_right(growing(), LABELS, last, WINDOW)
    performed = streaming.modelled(task(), some_counts(), pricing(1e-6, 0.5), "chip_total", right)
    energy = {m.boundary: m for m in performed.metrics if m.name == "energy_per_decision"}
    assert energy["chip_total"].value == pytest.approx(0.02 * 0.5, rel=1e-3)
    assert energy["chip_dynamic"].value == pytest.approx(2e-6)
    power = {m.boundary: m.value for m in performed.metrics if m.name == "power_mean"}
    assert power["chip_total"] == pytest.approx(0.5, rel=1e-3)
    assert power["chip_dynamic"] == pytest.approx(1e-4, rel=1e-3)
    assert metric(performed, "decisions_per_second") == pytest.approx(50, rel=1e-3)


@given(step_s=st.floats(1e-4, 0.02), seed=st.integers(0, 5))
def test_decisions_follow_the_queue(step_s: float, seed: int) -> None:
    """Whatever the chip's speed: a window's decision comes when all until its end are worked on, in order."""
    right = first_right(growing(), LABELS, last, WINDOW)
    asked = task(seed)
    way = streaming._Way(
        asked,
        some_counts().cut(1),
        streaming.Pieces.of(asked, 1),
        pricing(step_s, 0.0),
        "chip_total",
        right,
    )
    performed = way.perform()
    log = performed.log
    assert log is not None
    free = 0.0
    for step in range(SAMPLES * STEPS):
        free = max(free, 0.01 * (step + 1)) + step_s
        assert log.completed[step] == pytest.approx(free, rel=1e-9)
    slow = (log.completed - log.scheduled).reshape(-1, WINDOW)[:, -1] > 0.02
    assert metric(performed, "deadline_misses") == pytest.approx(slow.mean())


def test_whoever_is_never_right_has_no_time_to_be() -> None:
    right = first_right(growing(), LABELS + 1, last, WINDOW)
    performed = streaming.modelled(task(), some_counts(), pricing(1e-4, 0.5), "chip_total", right)
    found = next(m for m in performed.metrics if m.name == "time_to_first_correct")
    assert found.value is None and found.reason
    assert metric(performed, "never_correct") == 1
    assert decide(answers([3]))[0] == 3


def test_a_card_without_a_power_of_waiting_says_that_its_energy_is_of_work_alone() -> None:
    right = first_right(growing(), LABELS, last, WINDOW)
    for watts, partial in ((0.0, True), (0.5, False)):
        performed = streaming.modelled(task(), some_counts(), pricing(1e-4, watts), "chip_total", right)
        for name in ("energy_per_decision", "power_mean"):
            found = {m.boundary: m for m in performed.metrics if m.name == name}
            assert (found["chip_total"].reason is not None) is partial
            assert found["chip_dynamic"].reason is None, "which leaves idle power out for every platform"
            assert found["chip_total"].value is not None
