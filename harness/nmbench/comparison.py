"""Two results side by side: what both state alike, whether it differs, and what is not comparable and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmbench.errors import InputError, unknown
from nmbench.quantity import BOUNDARIES, UnlikeError
from nmbench.record import Metric, Result
from nmbench.starts import ASSUMED, Starts
from nmbench.verdict import SHARES, Verdict, judge

COMPARED = (
    *("accuracy", "f1", "energy_per_inference", "energy_per_decision"),
    *("latency_p50", "latency_p90", "latency_p99", "latency_p90_estimate", "latency_p99_estimate"),
    *("server_rate", "throughput", "decision_latency_p99", "deadline_misses", "time_to_first_correct"),
    *("power_idle", "power_active", "power_dynamic", "power_mean"),
)

ALWAYS = ("energy_per_inference", "latency_p50", "latency_p90")
"""What is missed where neither states it at a boundary that was asked for."""


@dataclass(frozen=True)
class Line:
    """One metric of both results; ``ratio`` is the second by the first, None where the first is 0."""

    one: Metric
    other: Metric
    ratio: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Pair:
    """Two results on the same workload, under the same scenario.

    Attributes
    ----------
    unlike
        Metrics that are not compared, with the reason.
    notes
        What else differs, and what of either is doubtful.
    starts
        By how much starts differ: what the verdicts were made with.
    """

    one: Result
    other: Result
    lines: tuple[Line, ...]
    unlike: tuple[str, ...]
    notes: tuple[str, ...]
    starts: Starts


def pairs(
    some: Sequence[Result], others: Sequence[Result], boundary: str | None = None, starts: Starts = ASSUMED
) -> list[Pair]:
    """Pair results; of runs, those of the same workload, size, data, scenario and platform.

    Parameters
    ----------
    boundary
        Compare energy and latency at this one alone.
    starts
        By how much two starts of one program differ: widens the intervals of what is measured.

    Raises
    ------
    InputError
        No two results are alike, or nothing of them is comparable: with the reasons.
    """
    subject = "nmbench compare"
    if boundary is not None and boundary not in BOUNDARIES:
        raise InputError(subject, [unknown("boundary", boundary, BOUNDARIES)])
    single = len(some) == len(others) == 1
    if single and _task(some[0]) != _task(others[0]):
        raise InputError(subject, [f"{_words(some[0])} against {_words(others[0])} is never compared"])
    matched = [(r, other) for r in some if (other := _partner(r, others, single=single))]
    if not matched:
        raise InputError(subject, ["no workload, size, data, scenario and platform stands in both"])
    found = [_pair(one, other, boundary, starts) for one, other in matched]
    if not any(line.one.boundary for pair in found for line in pair.lines):
        raise InputError(subject, [reason for pair in found for reason in pair.unlike])
    return found


def _partner(result: Result, others: Sequence[Result], *, single: bool) -> Result | None:
    """Return the like result, of several the last one of the same seed."""
    like = [o for o in others if _key(o, single=single) == _key(result, single=single)]
    return next((o for o in reversed(like) if o.seed == result.seed), like[-1] if like else None)


def _pair(one: Result, other: Result, boundary: str | None, starts: Starts) -> Pair:
    lines: list[Line] = []
    unlike: dict[str, list[str]] = {}
    for name in COMPARED:
        mine, theirs = (_stated(r, name, boundary) for r in (one, other))
        both = [key for key in mine if key in theirs]
        for key in both:
            metrics = mine[key], theirs[key]
            try:
                lines.append(Line(*metrics, _ratio(*metrics), judge((one, other), metrics, starts.spread)))
            except UnlikeError as error:
                unlike.setdefault(str(error), []).append(name)
        if not both and boundary and not (mine or theirs) and name in ALWAYS:
            unlike.setdefault(f"neither states one at {boundary}", []).append(name)
        if not both and (mine or theirs):
            reason = f"{_kinds(one, mine)}, {_kinds(other, theirs)}: never compared"
            unlike.setdefault(reason, []).append(name)
    reasons = [f"{r.platform.name}: {r.status}, {r.error}" for r in (one, other) if r.error]
    reasons += [f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in unlike.items()]
    return Pair(one, other, tuple(lines), tuple(reasons), tuple(_notes(one, other)), starts)


def _ratio(one: Metric, other: Metric) -> float | None:
    """Return the second by the first; of a share that is 0, None: shares differ by points."""
    if one.value is None and other.value is None and one.reason == other.reason:
        raise UnlikeError(f"no value: {one.reason}")
    if one.name in SHARES and one.value == 0 and other.value is not None and one.kind == other.kind:
        return None
    return other.quantity.by(one.quantity)


def _notes(one: Result, other: Result) -> list[str]:
    """Say what else differs between two results, and what of them is doubtful."""
    found = [f"tiers differ: A {one.tier}, B {other.tier}"] if one.tier != other.tier else []
    if one.network.sha256 != other.network.sha256:
        found.append(f"networks differ: A {one.network.name}, B {other.network.name}")
    if one.system != other.system and all(m.platform.kind == "measured" for m in (one, other)):
        found.append("machines differ")
    for side, result in (("A", one), ("B", other)):
        if result.noise.marks:
            found.append(f"{side} is marked noisy: {'; '.join(result.noise.marks)}")
        if result.quality and not result.quality.reached:
            found.append(f"{side} missed its quality target: its performance does not count")
    return found


def _stated(result: Result, name: str, boundary: str | None) -> dict[tuple[str, str | None], Metric]:
    """Return a result's metrics of a name by kind and boundary; those without a boundary under none."""
    found = [m for m in result.metrics if m.name == name]
    kept = [m for m in found if m.boundary is None or boundary in (None, m.boundary)]
    return {("", None) if m.boundary is None else (m.kind, m.boundary): m for m in kept}


def _kinds(result: Result, metrics: dict[tuple[str, str | None], Metric]) -> str:
    kinds = " and ".join(f"{kind} at {boundary}" for kind, boundary in metrics) or "nothing"
    return f"{result.platform.name} states {kinds}"


def _task(result: Result) -> tuple[str, ...]:
    return (
        result.suite,
        result.workload.name,
        str(result.workload.version),
        result.size,
        result.workload.source,
        result.scenario,
    )


def _key(result: Result, *, single: bool) -> tuple[str, ...]:
    return _task(result) if single else (*_task(result), result.platform.name)


def _words(result: Result) -> str:
    suite, workload, version, size, source, scenario = _task(result)
    return f"{suite}/{workload} v{version}, size {size}, {source}, {scenario}"
