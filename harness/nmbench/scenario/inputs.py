"""What a scenario starts from: the task's settings, the answers of the accuracy run, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.record import Metric, Traffic
from nmbench.scenario.log import Log
from nmbench.scenario.settings import Settings
from nmbench.spec import Scenario, Server, Streaming

Outputs = npt.NDArray[np.float32]
Decide = Callable[[Outputs], npt.NDArray[np.int64]]
"""Makes decisions, int64 ``[n]``, of outputs ``[n, T, classes]``."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked for.

    Attributes
    ----------
    samples, steps, dt_s
        Of the test set: how many, steps of each, seconds of a step.
    server, streaming
        The workload's demands, where the scenario is theirs.
    rate
        Of Server, queries per second; None: the highest is sought.
    """

    scenario: Scenario
    settings: Settings
    seed: int
    samples: int
    steps: int
    dt_s: float
    server: Server | None = None
    streaming: Streaming | None = None
    rate: float | None = None

    @property
    def sample_s(self) -> float:
        """Seconds of a recording."""
        return self.steps * self.dt_s

    @property
    def window_s(self) -> float:
        """Seconds of a window of Streaming."""
        assert self.streaming is not None
        return self.streaming.window_steps * self.dt_s

    @property
    def deadline_s(self) -> float:
        """Seconds from a window's end to the moment at which its decision is due."""
        assert self.streaming is not None
        return self.streaming.deadline_s or self.window_s

    @property
    def bound_s(self) -> float:
        """Latency bound of Server, seconds."""
        assert self.server is not None
        return self.server.latency_bound_s


@dataclass(frozen=True, eq=False)
class Performed:
    """What a scenario came to.

    Attributes
    ----------
    again
        Goes on with the same traffic for so many seconds and returns the inferences, or the decisions, of
        them: what a meter is read round. None in virtual time, and where nothing could be run.
    """

    metrics: tuple[Metric, ...]
    traffic: Traffic | None = None
    log: Log | None = None
    again: Callable[[float], int] | None = None


def first_right(
    outputs: Outputs, labels: npt.NDArray[np.int64], decide: Decide, window_steps: int
) -> npt.NDArray[np.int64]:
    """Return the first window at whose end each recording is decided rightly, ``[B]``; -1: none is.

    A decision at a window's end rests on all outputs until then.
    """
    found = np.full(len(labels), -1)
    for window in reversed(range(outputs.shape[1] // window_steps)):
        right = decide(outputs[:, : (window + 1) * window_steps]) == labels
        found[right] = window
    return found
