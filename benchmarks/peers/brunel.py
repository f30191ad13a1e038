"""What the scripts for W3 and W3-DC share: the network as it was drawn, and the check of the spikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from protocol import THREADS, Report, options, versions

RATE_TOLERANCE = 0.05
"""Share by which the mean rate may be off: chaos, and under Poisson drive other random numbers."""


@dataclass(frozen=True)
class Brunel:
    """A network (see ``brunel_workload.py``); ms, mV, pA, pF, Hz."""

    name: str
    constants: dict[str, float]
    ends: dict[str, np.ndarray]
    v0_mv: np.ndarray
    fired: np.ndarray

    def __getitem__(self, constant: str) -> float:
        return self.constants[constant]

    @property
    def size(self) -> int:
        return len(self.v0_mv)

    def steps(self, duration_ms: float) -> int:
        return round(duration_ms / self["dt_ms"])

    def synapses(self, sign: str) -> tuple[np.ndarray, np.ndarray]:
        """Return source and target of the excitatory (``e``) or the inhibitory synapses."""
        return self.ends[f"pre_{sign}"], self.ends[f"post_{sign}"]


def read(path: Path) -> Brunel:
    with np.load(path, allow_pickle=False) as arrays:
        scalars = {
            k: float(arrays[k]) for k in arrays if arrays[k].shape == () and arrays[k].dtype == np.float64
        }
        ends = {f"{end}_{sign}": arrays[f"{end}_{sign}"] for end in ("pre", "post") for sign in "ei"}
        return Brunel(str(arrays["name"]), scalars, ends, arrays["v0_mv"], arrays["fired"])


def compare(task: Brunel, fired: np.ndarray) -> dict[str, Any]:
    """Set spikes of each step beside those expected."""
    differ = np.flatnonzero(fired != task.fired)
    off = abs(int(fired.sum()) - int(task.fired.sum())) / max(1, int(task.fired.sum()))
    return {
        "exact": len(differ) == 0,
        "spikes": [int(fired.sum())],
        "expected": [int(task.fired.sum())],
        "equal_until_ms": float(differ[0] * task["dt_ms"]) if len(differ) else task["duration_ms"],
        "rate_off": off,
        "accepted": off <= RATE_TOLERANCE,
    }


def main(peer: str, packages: list[str], build: Any, variant: str, note: str) -> None:
    """Build, check a first run from the start, then time runs of the same duration, two at least."""
    given = options()
    task = read(given.path)
    report = Report(peer, task.name, THREADS, versions(*packages), note)
    model = build(task)
    fired, first_s = model.run(task)
    report.checks[variant] = compare(task, fired)
    if report.checks[variant]["accepted"]:
        times = [first_s]
        while len(times) < 2 or sum(times) < given.budget:
            times.append(model.run(task)[1])
        report.times[variant] = {1: min(times)}
    report.print()
