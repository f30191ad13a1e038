"""Two made-up results to compare: no number here was measured or modelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect
from nmbench.record import Metric, NetworkId, Noise, PlatformId, Result, Software, WorkloadId
from nmbench.stats import percentile, percentile_interval, wilson

NAMES = {"latency_p50": 0.5, "latency_p90": 0.9, "latency_p99": 0.99}


def measured(
    name: str, value: float | None, lo: float | None = None, hi: float | None = None, **more: Any
) -> Metric:
    fields: dict[str, Any] = dict(unit="s", kind="measured", boundary="wall", source="made up")
    return Metric(name=name, value=value, lo=lo, hi=hi, **fields | more)


def modelled(value: float, factor: float) -> Metric:
    return Metric(
        name="energy_per_inference", unit="J", kind="modelled", boundary="chip_total", value=value,
        lo=value / factor, hi=value * factor, source="made up",
    )  # fmt: skip


def latencies(seconds: Sequence[float] | npt.NDArray[np.float64]) -> list[Metric]:
    """Percentiles of queries; the queries stand with the last of them."""
    found = []
    for name, p in NAMES.items():
        lo, hi = percentile_interval(seconds, p)
        raw = tuple(float(s) for s in seconds) if name == "latency_p99" else None
        found.append(measured(name, percentile(seconds, p), lo, hi, n=len(seconds), samples=raw))
    return found


def accuracy(right: npt.NDArray[np.bool_]) -> Metric:
    hits, n = int(right.sum()), len(right)
    lo, hi = wilson(hits, n)
    return Metric(
        name="accuracy", unit="1", kind="measured", value=hits / n, lo=lo, hi=hi, n=n, source="made up"
    )


def packed(right: npt.NDArray[np.bool_]) -> str:
    return np.packbits(right).tobytes().hex()


def side(*metrics: Metric, **changes: Any) -> Result:
    """Return a result; ``changes`` of ``workload`` and ``platform`` are of those records' own fields."""
    workload = dict(
        name="made-up", version=1, sha256="a" * 64, data="synthetic", source="noise", synthetic=True,
        data_sha256="b" * 64, samples=100,
    ) | changes.pop("workload", {})  # fmt: skip
    platform = dict(
        name="numba-event", version=1, family="cpu", kind="measured", origin="built in"
    ) | changes.pop("platform", {})
    fields: dict[str, Any] = dict(
        id="made-up", run="run-1", cell="c" * 64, status="ok", suite="temporal", tier="quick",
        scenario="SingleStream", division="closed", workload=WorkloadId(**workload),
        network=NetworkId(name="base", sha256="d" * 64, dialect=Dialect(dt=0.005)),
        platform=PlatformId(**platform), size="base", seed=0, system="sha256:" + "e" * 64, metrics=metrics,
        software=Software(nmbench="0", python="3.11", packages={}, commit=None, dirty=None),
        noise=Noise(load1=0.1, cpu_pressure=0.0), started="2026-11-24T06:00:00Z", wall_s=1.0, error=None,
    )  # fmt: skip
    return Result(**fields | changes)
