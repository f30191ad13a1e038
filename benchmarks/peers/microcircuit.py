"""What the scripts for the cortical microcircuit share: its rules, the check of the rates, the memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from protocol import Report

TOTAL_TOLERANCE = 0.03
"""Share by which the rate over all neurons may be off."""

POPULATION_TOLERANCE = 0.1
"""The same for a single population: within half a second one differs by up to 4 % from its mean."""


@dataclass(frozen=True)
class Circuit:
    """The network (see ``microcircuit_workload.py``); ms, mV, pA, pF, Hz. ``listed`` may be empty."""

    name: str
    recipe: dict[str, Any]
    rates_hz: np.ndarray
    synapses: int
    listed: dict[str, np.ndarray]

    @property
    def sizes(self) -> np.ndarray:
        return np.array([p["size"] for p in self.recipe["populations"]])


def read(path: Path) -> Circuit:
    with np.load(path, allow_pickle=False) as arrays:
        own = {"source", "target", "weight_pa", "delay_ms", "v0_mv"} & set(arrays)
        return Circuit(
            str(arrays["name"]),
            json.loads(str(arrays["recipe"])),
            arrays["rates_hz"],
            int(arrays["synapses"]),
            {name: arrays[name] for name in own},
        )


def by_population(task: Circuit, ids: np.ndarray) -> np.ndarray:
    """Return how many of the spikes are of each population."""
    edges = np.cumsum(task.sizes)
    return np.bincount(np.searchsorted(edges, ids, side="right"), minlength=len(edges))


def compare(task: Circuit, spikes: np.ndarray, biological_s: float) -> dict[str, Any]:
    """Set the spikes of each population beside those that NEST's rates promise."""
    expected = task.rates_hz * task.sizes * biological_s
    off = np.abs(spikes - expected) / expected
    total = abs(spikes.sum() - expected.sum()) / expected.sum()
    return {
        "exact": False,
        "spikes": [int(n) for n in spikes],
        "expected": [round(n) for n in expected],
        "populations": [p["name"] for p in task.recipe["populations"]],
        "rates_hz": [round(r, 4) for r in spikes / task.sizes / biological_s],
        "expected_rates_hz": [round(r, 4) for r in task.rates_hz],
        "rate_off": float(off.max()),
        "total_rate_off": float(total),
        "accepted": bool(total <= TOTAL_TOLERANCE and off.max() <= POPULATION_TOLERANCE),
    }


def forget_peak() -> None:
    """Let the peak of resident memory begin anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory_gib(what: str) -> float:
    """Return resident memory, ``VmRSS`` or its peak ``VmHWM``, by the kernel."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(what)) / 2**20


def finish(report: Report, variant: str, check: dict[str, Any], wall_s: float) -> None:
    """Print a peer's line; the time counts only where the rates are right."""
    report.checks[variant] = check
    if check["accepted"]:
        report.times[variant] = {1: wall_s / check["biological_s"]}
    report.print()
