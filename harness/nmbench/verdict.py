"""Whether the difference of two metrics is real, by what there is: repetitions, intervals, or a model's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmbench.contrast import (
    Effect,
    Right,
    paired_percentiles,
    paired_shares,
    ratio,
    shares,
    unpaired_percentiles,
)
from nmbench.early_stopping import needed, rank
from nmbench.record import Metric, Result
from nmbench.stats import Values

Finding = Literal["real", "not shown", "apart", "overlap", "undecided"]
"""``real``, ``not shown``: by a test of measurements; ``apart``, ``overlap``: intervals of two models."""

SHARES = ("accuracy", "deadline_misses")
"""Metrics that are shares of samples or decisions: what differs is points, not a factor."""

MORE_IS_BETTER = ("accuracy", "f1", "throughput", "server_rate")


@dataclass(frozen=True)
class Verdict:
    """What two records say of one metric.

    Attributes
    ----------
    effect
        With its 95 % interval; None where no sampling decides (models, missing intervals).
    how
        By what it was decided; of what is undecided, why it is.
    noisy
        One of the records is marked noisy and this metric is one that noise spoils.
    """

    finding: Finding
    how: str
    effect: Effect | None = None
    noisy: bool = False


def judge(results: tuple[Result, Result], metrics: tuple[Metric, Metric], starts: float) -> Verdict:
    """Say whether a metric of two results differs; both of one name, unit, kind and boundary, with values.

    Parameters
    ----------
    starts
        Relative standard deviation between starts of one program on one machine.
    """
    kind, name = metrics[0].kind, metrics[0].name
    noisy = kind == "measured" and name not in ("accuracy", "f1") and any(r.noise.marks for r in results)
    if name in SHARES and kind != "modelled":
        finding = _judge_shares(results, metrics)
    elif kind == "modelled":
        finding = _judge_models(results, metrics)
    elif kind != "measured":
        finding = Verdict("undecided", f"{kind} numbers hold no repetitions")
    else:
        finding = _judge_measurements(results, metrics, starts)
    return Verdict(finding.finding, finding.how, finding.effect, noisy)


def why_unpaired(one: Result, other: Result) -> list[str]:
    """Return why the n-th queries of two results did not ask for the same sample; empty where they did."""
    generators = [r.traffic.generator if r.traffic else "none stated" for r in (one, other)]
    found = why_other_samples(one, other)
    if one.seed != other.seed:
        found.append(f"seeds differ ({one.seed}, {other.seed})")
    if one.tier != other.tier:
        found.append(f"tiers differ ({one.tier}, {other.tier})")
    if generators[0] != generators[1]:
        found.append(f"generators of traffic differ ({', '.join(generators)})")
    return found


def why_other_samples(one: Result, other: Result) -> list[str]:
    """Return why the n-th samples of two test sets may not be the same; empty where they are."""
    mine, theirs = one.workload, other.workload
    if mine.sha256 != theirs.sha256:
        return ["definitions of the workload differ"]
    if mine.data_sha256 is None or theirs.data_sha256 is None:
        return ["no hash of the data"]
    if (mine.data_sha256, mine.samples) != (theirs.data_sha256, theirs.samples):
        return ["data differ"]
    return []


def _judge_models(results: tuple[Result, Result], metrics: tuple[Metric, Metric]) -> Verdict:
    """Set two models' 90 % intervals side by side; those of one card share their constants."""
    one, other = metrics
    cards = [r.platform.card_sha256 for r in results]
    if cards[0] is not None and cards[0] == cards[1]:
        return Verdict("undecided", "same card: its constants are in both, so that intervals do not decide")
    if one.lo is None or one.hi is None or other.lo is None or other.hi is None:
        return Verdict("undecided", "no interval stated")
    apart = one.hi < other.lo or other.hi < one.lo
    return Verdict("apart" if apart else "overlap", "90 % intervals of two models, not a test")


def _judge_shares(results: tuple[Result, Result], metrics: tuple[Metric, Metric]) -> Verdict:
    one, other = metrics
    reasons = why_other_samples(*results)
    if one.name == "accuracy" and not reasons:
        rights = [_right(r, m) for r, m in zip(results, metrics, strict=True)]
        if rights[0] is not None and rights[1] is not None:
            effect = paired_shares(rights[0], rights[1])
            return _verdict(effect, f"paired: McNemar's exact test on {len(rights[0])} samples")
        reasons = ["which samples were right is not stated"]
    elif not reasons:
        reasons = ["which decisions were late is not stated"]
    if (
        not one.n
        or not other.n
        or one.value is None
        or other.value is None
        or max(one.value, other.value) > 1
    ):
        return Verdict("undecided", "no number of samples stated")
    effect = shares(round(one.value * one.n), one.n, round(other.value * other.n), other.n)
    return _verdict(effect, f"unpaired: {'; '.join(reasons)}")


def _judge_measurements(
    results: tuple[Result, Result], metrics: tuple[Metric, Metric], starts: float
) -> Verdict:
    """Decide by the repetitions where a percentile of them is compared, else by the stated intervals."""
    latency = re.fullmatch(r"(?P<of>\w*latency)_p(?P<digits>\d+)(?P<estimate>_estimate)?", metrics[0].name)
    if latency is None:
        return _judge_intervals(metrics, starts)
    rates = [r.traffic.rate if r.traffic else None for r in results]
    if rates[0] != rates[1]:
        words = ", ".join("its own pace" if rate is None else f"{rate:g}/s" for rate in rates)
        return Verdict("undecided", f"asked at different rates ({words})")
    mine, theirs = (_repetitions(r, m, latency["of"]) for r, m in zip(results, metrics, strict=True))
    if mine is None or theirs is None:
        return _judge_intervals(metrics, starts)
    p = float(f"0.{latency['digits']}")
    n = min(len(mine), len(theirs))
    if n < needed(0, p):
        return Verdict("undecided", f"{n} queries are too few for a p{latency['digits']}: {needed(0, p)}")
    if latency["estimate"] and (place := rank(n, p)) is not None:
        p = (place + 0.5) / n
    if reasons := why_unpaired(*results):
        return _verdict(unpaired_percentiles(mine, theirs, p, starts), f"unpaired: {'; '.join(reasons)}")
    part = "" if len(mine) == len(theirs) else "the first "
    effect = paired_percentiles(mine[:n], theirs[:n], p, starts)
    return _verdict(effect, f"paired: {part}{n} queries of both")


def _judge_intervals(metrics: tuple[Metric, Metric], starts: float) -> Verdict:
    """Decide by the 95 % intervals that both state."""
    ends = [(m.value, m.lo, m.hi) for m in metrics]
    stated = [
        (v, lo, hi) for v, lo, hi in ends if v is not None and lo is not None and hi is not None and lo > 0
    ]
    if len(stated) < 2:
        return Verdict("undecided", "no repetitions and no interval above 0 stated")
    return _verdict(ratio(stated[0], stated[1], starts), "unpaired: by the two intervals")


def _verdict(effect: Effect, how: str) -> Verdict:
    return Verdict("real" if effect.real else "not shown", how, effect)


def _right(result: Result, metric: Metric) -> Right | None:
    """Unpack which samples were decided rightly; None where that is not stated or is not the metric's."""
    if result.right is None or metric.n is None or metric.value is None:
        return None
    packed = np.frombuffer(bytes.fromhex(result.right), dtype=np.uint8)
    bits = np.unpackbits(packed)[: metric.n].astype(np.bool_)
    fits = len(packed) == -(-metric.n // 8) and int(bits.sum()) == round(metric.value * metric.n)
    return bits if fits else None


def _repetitions(result: Result, metric: Metric, of: str) -> Values | None:
    """Return the queries that a percentile is of: they stand with one of its percentiles, in their order."""
    for found in result.metrics:
        like = (found.kind, found.boundary, found.n) == (metric.kind, metric.boundary, metric.n)
        if like and found.samples and found.name.startswith(f"{of}_p") and min(found.samples) > 0:
            return np.array(found.samples) if len(found.samples) in (found.n, None) else None
    return None
