"""Server's search: the highest rate that meets the latency bound, by bisection, with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmbench import early_stopping
from nmbench.scenario.log import Log

Verdict = Literal["met", "missed", "undecided"]
"""Of a run at a rate, at 99 % confidence: few enough queries over the bound, surely too many, neither."""

LOWEST = 2**-12
"""Below this share of the capacity no rate is tried: a single query takes too long."""


LEAST_IDLE, FULL, LEAST_CALLS, LEAST_QUERIES = 0.005, 0.95, 8, 50
"""A platform is saturated that pauses for a smaller share, in fuller calls, over so many of them."""


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    Attributes
    ----------
    met
        Highest rate that met the bound, queries per second; None: none did.
    missed
        Lowest rate above it that surely missed it; None: none that was tried did.
    probes
        Rates that were tried, with the verdict, in their order.
    """

    met: float | None
    missed: float | None
    probes: tuple[tuple[float, Verdict], ...]


def verdict(log: Log, bound_s: float, percentile: float, most_at_once: int) -> Verdict:
    """Judge a run by how many of its queries were over the bound (early stopping, confidence 0.99).

    A platform that is saturated misses every bound, however short the run: its queue grows. Where there are
    too few queries for early stopping, one over the bound is too many; the record says that they are few.
    """
    queries, over = len(log), int((~(log.latency() <= bound_s)).sum())
    allowed = early_stopping.allowed(queries, percentile)
    if allowed is None:
        return "missed" if over else "met"
    if early_stopping.surely_over(queries, over, percentile) or saturated(log, most_at_once):
        return "missed"
    return "met" if over <= allowed else "undecided"


def saturated(log: Log, most_at_once: int) -> bool:
    """Whether the platform took all that it could get in the run's last half: no pause, full calls."""
    _, at = np.unique(log.started, return_index=True)
    last = at[len(at) // 2 :]
    if len(last) < LEAST_CALLS or len(log) - last[0] < LEAST_QUERIES:
        return False
    begun, ended = log.started[last], log.completed[last + log.together[last] - 1]
    idle = 1 - float((ended - begun).sum()) / float(ended[-1] - begun[0])
    return idle < LEAST_IDLE and float(log.together[last].mean()) > FULL * most_at_once


def highest_rate(
    probe: Callable[[float], Verdict], capacity: float, tolerance: float, margin: float = 1.0
) -> Found:
    """Find the highest rate that meets the bound.

    Parameters
    ----------
    probe
        Runs at a rate, queries per second.
    capacity
        Rate of a platform that never waits: the search begins at half of it.
    tolerance
        Ratio of the highest rate that met to the lowest that did not, at which it ends.
    margin
        How far a rate may lie above the capacity, which may have been measured: no run is long enough to see
        every queue grow, but beyond this all do.
    """
    probes: list[tuple[float, Verdict]] = []

    def meets(rate: float) -> bool:
        probes.append((rate, probe(rate) if rate <= capacity * margin else "missed"))
        return probes[-1][1] == "met"

    low, high = None, None
    rate = capacity / 2
    while low is None or high is None or high / low > tolerance:
        if meets(rate):
            low = rate
        else:
            high = rate
        if low is None:
            rate /= 2
            if rate < capacity * LOWEST:
                break
        elif high is None:
            rate *= 1.5
        else:
            rate = math.sqrt(low * high)
    missed = [r for r, v in probes if v == "missed" and (low is None or r > low)]
    return Found(low, min(missed, default=None), tuple(probes))
