"""What a benchmark run leaves behind: one record, written as ``results.json`` (schema in README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lineup import BIOLOGICAL, OURS
from published import PUBLISHED, Published

SCHEMA = "nmbench.benchmarks/2"
PLAIN = "plain float32"
LAYERWISE = "layerwise"
"""Variants that need the whole recording before they begin; all others take step after step."""

JAX = "jax.lax.scan"
WHATS = ("stepwise", "layerwise", f"{JAX} stepwise", f"{JAX} layerwise", "throughput")
FULL = "microcircuit"
"""The workload that has been published by others."""


@dataclass(frozen=True)
class Timing:
    """One variant of one implementation on one workload with a number of threads.

    Attributes
    ----------
    seconds
        By batch size: shortest repeat of a whole batch, s. Large networks: of a biological second, batch 1.
    check
        What the script found before it timed: ``exact``, spikes made and expected, ``accepted``.
    load1
        Load of the machine when the script started.
    """

    workload: str
    peer: str
    variant: str
    threads: int
    seconds: dict[int, float]
    check: dict[str, Any]
    versions: dict[str, str]
    note: str
    load1: float

    @property
    def latency_s(self) -> float | None:
        """Seconds of one sample in a batch of one."""
        return self.seconds.get(1)

    @property
    def throughput(self) -> tuple[float, int] | None:
        """Samples a second at the best batch size, and that size."""
        return max(((n / s, n) for n, s in self.seconds.items()), default=None)


@dataclass
class Results:
    """A whole run of the benchmarks."""

    started: str
    quick: bool
    system: dict[str, Any]
    software: dict[str, Any]
    noise_before: dict[str, Any]
    noise_after: dict[str, Any] = field(default_factory=dict)
    activity: dict[str, dict[str, Any]] = field(default_factory=dict)
    floors: dict[str, dict[str, float]] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)  # workload, peer, reason

    def add(self, report: dict[str, Any], load1: float) -> None:
        """Take up a script's line of JSON, a timing for each variant, those it refused included."""
        for variant, check in report["checks"].items():
            seconds = {int(n): s for n, s in report["times"].get(variant, {}).items()}
            common = (report["workload"], report["peer"], variant, report["threads"], seconds, check)
            self.timings.append(Timing(*common, report["versions"], report["note"], load1))
        for variant, reason in report.get("refused", {}).items():
            peer = f"{report['peer']}, {variant}"
            lacking = {"workload": report["workload"], "peer": peer, "reason": f"refused: {reason}"}
            if lacking not in self.missing:
                self.missing.append(lacking)

    def of(self, workload: str) -> list[Timing]:
        """Return the timings of a workload, ours first."""
        chosen = [t for t in self.timings if t.workload == workload]
        return sorted(chosen, key=lambda t: t.peer != OURS)

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that a run that is cut off leaves the last one whole."""
        record = {
            "schema": SCHEMA,
            **asdict(self),
            "ratios": [asdict(r) for r in ratios(self)],
            "published": [asdict(c) for c in beside_published(self)],
        }
        part = path.with_suffix(".part")
        part.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        part.replace(path)


@dataclass(frozen=True)
class Ratio:
    """How much faster ours is than the best peer of a kind: above 1 is faster.

    Attributes
    ----------
    what
        Of `WHATS`. Batch 1: ``stepwise`` (peers that take step after step, and can stand behind a sensor),
        ``layerwise`` (those that need the whole recording), and the same of jax alone; ``throughput`` (best
        batch of the best peer of either kind).
    floor
        Ours over the floor of its dtype, batch 1 only.
    """

    workload: str
    what: str
    ours: str
    threads: int
    peer: str
    ratio: float
    floor: float | None


def ratios(results: Results) -> list[Ratio]:
    """Set each of our variants beside the best peers, by workload; threads apart for large networks.

    The plain engine, which is for processors without AVX-512, stands in the times alone.
    """
    found: list[Ratio] = []
    for workload in dict.fromkeys(t.workload for t in results.timings):
        timings = results.of(workload)
        for variant in dict.fromkeys(t.variant for t in timings if t.peer == OURS and t.variant != PLAIN):
            ours = [t for t in timings if t.peer == OURS and t.variant == variant]
            peers = [t for t in timings if t.peer != OURS]
            if workload in BIOLOGICAL:
                for threads in sorted({t.threads for t in ours}):
                    mine, theirs = ([t for t in ts if t.threads == threads] for ts in (ours, peers))
                    found += _latency(results, "stepwise", mine, theirs)
                continue
            for kind in ("stepwise", LAYERWISE):
                own = [t for t in peers if (t.variant == LAYERWISE) == (kind == LAYERWISE)]
                found += _latency(results, kind, ours, own)
                found += _latency(results, f"{JAX} {kind}", ours, [t for t in own if t.peer == JAX])
            found += _throughput(ours, peers)
    return found


@dataclass(frozen=True)
class Comparison:
    """A published figure of the microcircuit beside ours: ratios above 1 say that ours is faster or cheaper.

    ``ratio`` is of real-time factors, ``core_ratio`` of core-seconds per biological second.
    """

    published: Published
    ours: str
    threads: int
    ratio: float
    core_ratio: float | None


def beside_published(results: Results) -> list[Comparison]:
    """Set the fastest of our runs of the microcircuit at full density beside what is published."""
    ours = fastest(t for t in results.of(FULL) if t.peer == OURS)
    if ours is None or ours.latency_s is None:
        return []
    factor, cores = ours.latency_s, ours.threads
    return [
        Comparison(
            each,
            ours.variant,
            cores,
            each.real_time_factor / factor,
            None if each.core_seconds is None else each.core_seconds / (factor * cores),
        )
        for each in PUBLISHED
    ]


def _latency(results: Results, what: str, ours: list[Timing], peers: list[Timing]) -> Iterable[Ratio]:
    mine, theirs = fastest(ours), fastest(peers)
    if mine is None or theirs is None:
        return
    assert mine.latency_s is not None and theirs.latency_s is not None
    floor = results.floors.get(mine.workload, {}).get(dtype(mine.variant))
    yield Ratio(
        mine.workload,
        what,
        mine.variant,
        mine.threads,
        _name(theirs),
        theirs.latency_s / mine.latency_s,
        None if floor is None else mine.latency_s / floor,
    )


def _throughput(ours: list[Timing], peers: list[Timing]) -> Iterable[Ratio]:
    mine, theirs = (max((t for t in ts if t.throughput), key=_rate, default=None) for ts in (ours, peers))
    if mine is not None and theirs is not None:
        ratio = _rate(mine) / _rate(theirs)
        yield Ratio(mine.workload, "throughput", mine.variant, mine.threads, _name(theirs), ratio, None)


def fastest(timings: Iterable[Timing]) -> Timing | None:
    """Return the timing with the shortest latency."""
    return min((t for t in timings if t.latency_s is not None), key=lambda t: t.latency_s or 0, default=None)


def dtype(variant: str) -> str:
    """Return the type of weights that a variant of ours names."""
    return next((d for d in ("float32", "int16", "int8") if d in variant), "")


def _rate(timing: Timing) -> float:
    assert timing.throughput is not None
    return timing.throughput[0]


def _name(timing: Timing) -> str:
    return f"{timing.peer}, {timing.variant}"
