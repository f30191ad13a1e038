"""By how much two starts of one program differ on one machine: from records of the same cell, or assumed.

The repetitions of a record tell nothing of it (see `contrast`), records of the same cell do: the standard
deviation of their median latency's logarithm, pooled over cells. With few of them it is itself unsure: it is
widened as Student's t is wider than the normal distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nmbench.record import Result

LEAST_FREEDOM = 4
"""Degrees of freedom (starts beyond the first of each cell) from which records are believed."""


@dataclass(frozen=True)
class Starts:
    """Relative standard deviation between starts, and where it comes from."""

    spread: float
    source: str


ASSUMED = Starts(0.035, "as measured on nmbench's own machine")
"""Ten starts each of two workloads on `numba-event` (2 cores of a virtual machine, else idle) spread by 1.8
to 4.5 % at p50, p90 and p99: ``python benchmarks/starts.py``.
"""


def starts_of(results: Iterable[Result]) -> Starts | None:
    """Return the spread between starts that records show; None where they are too few.

    Counted are results that are ok, not marked noisy, and state a measured median latency: those of one cell,
    machine and version of nmbench are starts of one program.
    """
    groups: dict[tuple[str | None, ...], list[float]] = {}
    for result in results:
        latency = result.find("latency_p50")
        if result.status != "ok" or result.noise.marks or latency is None or latency.kind != "measured":
            continue
        if latency.value:
            software = result.software
            key = result.cell, result.system, software.nmbench, software.commit
            groups.setdefault(key, []).append(math.log(latency.value))
    repeated = [logs for logs in groups.values() if len(logs) > 1]
    freedom = sum(len(logs) - 1 for logs in repeated)
    if freedom < LEAST_FREEDOM:
        return None
    from scipy.stats import norm, t

    squares = sum(float(((np.array(logs) - np.mean(logs)) ** 2).sum()) for logs in repeated)
    wider = float(t.ppf(0.975, freedom) / norm.ppf(0.975))
    count, cells = sum(map(len, repeated)), "cell" if len(repeated) == 1 else "cells"
    return Starts(math.sqrt(squares / freedom) * wider, f"from {count} records of {len(repeated)} {cells}")
