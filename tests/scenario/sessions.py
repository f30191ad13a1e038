"""Sessions and services whose durations a test knows."""

from __future__ import annotations

import time

import numpy as np

from nmbench.platforms.base import Answer, Session
from nmbench.scenario.bench import Bench
from nmbench.scenario.clock import ClockName
from nmbench.scenario.desk import Expected
from nmbench.scenario.inputs import Asked
from nmbench.scenario.scores import Origin
from nmbench.scenario.service import Power, Service
from nmbench.scenario.settings import Settings
from nmbench.spec import Scenario, Server, Streaming
from nmbench.spikes import SpikeBatch

SAMPLES = 10
ORIGIN = Origin("measured", "wall", "a test")


def numbered(n: int = SAMPLES, steps: int = 1) -> SpikeBatch:
    """Return samples of which each holds the one spike of its own neuron, in its first step."""
    rows = np.repeat(np.arange(n + 1), steps)[steps - 1 :]
    offsets = np.concatenate([rows[:1], np.repeat(np.arange(1, n + 1), steps)]).astype(np.int64)
    return SpikeBatch(0.01, steps, (n,), offsets, np.arange(n, dtype=np.int32))


class Sleeper(Session):
    """Sleeps for each sample as long as it is told, and answers with the sample's number."""

    def __init__(self, seconds: list[float] | None = None, at_once: int = 1) -> None:
        self.seconds = seconds or [0.0] * SAMPLES
        self.at_once = at_once
        self.asked: list[int] = []
        self.calls: list[int] = []

    @property
    def most_at_once(self) -> int:
        return self.at_once

    def infer(self, batch: SpikeBatch) -> Answer:
        samples = [int(batch.row(b, 0)[0]) for b in range(len(batch))]
        self.asked += samples
        self.calls.append(len(samples))
        wait = time.perf_counter() + sum(self.seconds[s] for s in samples) / len(samples)
        while (left := wait - time.perf_counter()) > 0:
            time.sleep(max(0.0, left - 1e-4))
        return Answer(answers(samples, batch.steps))


def answers(samples: list[int], steps: int = 1) -> np.ndarray:
    return np.repeat(np.array(samples, np.float32), steps * 2).reshape(-1, steps, 2)


def decide(outputs: np.ndarray) -> np.ndarray:
    return outputs[:, 0, 0].astype(np.int64)


def expected(steps: int = 1) -> Expected:
    return Expected(answers(list(range(SAMPLES)), steps), lambda samples, outputs: decide(outputs))


def settings(**changes: object) -> Settings:
    usual: dict[str, object] = {
        "percentile": 0.9,
        "least_seconds": 0.0,
        "least_queries": 20,
        "most_queries": 1000,
        "most_seconds": None,
        "patience_s": 0.2,
    }
    return Settings(**{**usual, **changes})  # type: ignore[arg-type]


def asked(scenario: Scenario = "SingleStream", seed: int = 0, steps: int = 1, **changes: object) -> Asked:
    return Asked(
        scenario=scenario,
        settings=settings(**changes),
        seed=seed,
        samples=SAMPLES,
        steps=steps,
        dt_s=0.01,
        server=Server(latency_bound_s=0.05),
        streaming=Streaming(window_steps=max(1, steps // 2)),
    )


def bench(session: Session, what: Asked, clock: ClockName = "wall", *, in_order: bool = True) -> Bench:
    batch = numbered(steps=what.steps)
    return Bench(
        session, batch, expected(what.steps), what, clock, ORIGIN, lambda share: None, in_order=in_order
    )


def constant(seconds: float, samples: int = SAMPLES, power: dict | None = None) -> Service:
    """A service that takes equally long for all samples, one after the other."""
    return Service("chip_total", (1,), np.full((1, samples), seconds), power or {})


def batching(alone_s: float, each_s: float, sizes: tuple[int, ...], samples: int = SAMPLES) -> Service:
    """A service whose calls take ``alone_s`` and ``each_s`` for every sample."""
    seconds = np.array([[alone_s + each_s * size] * samples for size in sizes])
    work = np.array([[1e-6] * samples for _ in sizes])
    return Service("chip_total", sizes, seconds, {"chip_total": Power(work, 0.5)})
