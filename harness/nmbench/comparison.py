"""Two results side by side: what both state alike, as ratios, and what is not comparable, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmbench.errors import InputError, unknown
from nmbench.quantity import BOUNDARIES, UnlikeError
from nmbench.record import Metric, Result

COMPARED = ("accuracy", "energy_per_inference", "latency_p50", "latency_p90")


@dataclass(frozen=True)
class Line:
    """One metric of both results; ``ratio`` is the second by the first."""

    one: Metric
    other: Metric
    ratio: float


@dataclass(frozen=True)
class Pair:
    """Two results on the same workload.

    Attributes
    ----------
    unlike
        Metrics that are not compared, with the reason.
    """

    one: Result
    other: Result
    lines: tuple[Line, ...]
    unlike: tuple[str, ...]


def pairs(some: Sequence[Result], others: Sequence[Result], boundary: str | None = None) -> list[Pair]:
    """Pair results; of runs, those of the same workload, size, data and platform.

    Parameters
    ----------
    boundary
        Compare energy and latency at this one alone.

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
    by_key = {_key(r, single=single): r for r in others}
    matched = [(r, by_key[key]) for r in some if (key := _key(r, single=single)) in by_key]
    if not matched:
        raise InputError(subject, ["no workload, size, data and platform stands in both"])
    found = [_pair(one, other, boundary) for one, other in matched]
    if not any(line.one.boundary for pair in found for line in pair.lines):
        raise InputError(subject, [reason for pair in found for reason in pair.unlike])
    return found


def _pair(one: Result, other: Result, boundary: str | None) -> Pair:
    lines: list[Line] = []
    unlike = [f"{r.platform.name}: {r.status}, {r.error}" for r in (one, other) if r.error]
    for name in COMPARED:
        mine, theirs = (_stated(r, name, boundary) for r in (one, other))
        both = [key for key in mine if key in theirs]
        for key in both:
            try:
                lines.append(Line(mine[key], theirs[key], theirs[key].quantity.by(mine[key].quantity)))
            except UnlikeError as error:
                unlike.append(f"{name}: {error}")
        if not both and boundary and not (mine or theirs) and name != "accuracy":
            unlike.append(f"{name}: neither states one at {boundary}")
        if not both and (mine or theirs):
            unlike.append(f"{name}: {_kinds(one, mine)}, {_kinds(other, theirs)}: never compared")
    return Pair(one, other, tuple(lines), tuple(dict.fromkeys(unlike)))


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
    )


def _key(result: Result, *, single: bool) -> tuple[str, ...]:
    return _task(result) if single else (*_task(result), result.platform.name)


def _words(result: Result) -> str:
    suite, workload, version, size, source = _task(result)
    return f"{suite}/{workload} v{version}, size {size}, {source}"
