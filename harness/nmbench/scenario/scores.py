"""From logs to metrics: latencies, rates, energy, decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench import early_stopping
from nmbench.bootstrap import bootstrap_interval
from nmbench.energy.uncertainty import Spread, What
from nmbench.metrics import main_causes
from nmbench.quantity import Boundary, Kind
from nmbench.record import Metric, Traffic
from nmbench.scenario.clock import ClockName
from nmbench.scenario.desk import Desk
from nmbench.scenario.inputs import Asked
from nmbench.scenario.log import Log
from nmbench.scenario.search import Found
from nmbench.scenario.service import Service
from nmbench.stats import percentile, percentile_interval, wilson

Seconds = npt.NDArray[np.float64]

RAW = 2048
"""Most repetitions that stand in a record itself; all of them are in its log."""

WORK_ALONE = "work alone: the card states no power of a platform that waits"
"""Reason of an energy in traffic with pauses that leaves these out: such a number is not ranked."""

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Origin:
    """Where times come from: what every metric of a run shares."""

    kind: Kind
    boundary: Boundary
    source: str


@dataclass(frozen=True, eq=False)
class Range:
    """Latencies of a model, and those where it is as fast, and as slow, as its interval allows.

    Attributes
    ----------
    slow
        None where so slow a platform does not sustain the traffic: they have no end.
    """

    value: Seconds
    fast: Seconds
    slow: Seconds | None
    causes: Mapping[str, float]


def queries(asked: Asked, rate: float, *, wall: bool) -> int:
    """Return how many queries a run at a rate has, in full; by the wall clock it may have to end before."""
    settings = asked.settings
    n = max(settings.least_queries, math.ceil(rate * settings.least_seconds))
    if wall and settings.most_seconds is not None:
        n = min(n, math.ceil(rate * settings.most_seconds))
    return min(n, settings.most_queries)


def measured_latencies(
    seconds: Seconds, origin: Origin, judged: float, prefix: str = "latency"
) -> list[Metric]:
    """Return percentiles of queries' latencies with distribution-free intervals, and MLPerf's estimate.

    ``judged`` is the percentile on which the scenario is judged: the raw times stand with it, and its
    early-stopping estimate is a metric of its own.
    """
    found = []
    for name, p in PERCENTILES.items():
        lo, hi = percentile_interval(seconds, p)
        raw = tuple(seconds.tolist()) if p == judged and len(seconds) <= RAW else None
        found.append(
            Metric(
                name=f"{prefix}_{name}", unit="s", kind=origin.kind, boundary=origin.boundary,
                value=percentile(seconds, p), lo=lo, hi=hi, n=len(seconds), samples=raw, source=origin.source,
            )
        )  # fmt: skip
    estimate = early_stopping.estimate(seconds, judged)
    needed = early_stopping.needed(1, judged)
    found.append(
        Metric(
            name=f"{prefix}_p{100 * judged:g}_estimate", unit="s", kind=origin.kind, boundary=origin.boundary,
            value=estimate, n=len(seconds), source=f"{origin.source}; early stopping, confidence 0.99",
            reason=None if estimate is not None else f"{len(seconds)} queries; {needed} are needed",
        )
    )  # fmt: skip
    return found


def modelled_latencies(range_: Range, origin: Origin, prefix: str = "latency") -> list[Metric]:
    """Return percentiles of a model's latencies; the interval is that of the same traffic on its range."""
    note = "" if range_.slow is not None else "; at the slow end of its interval it does not sustain this"
    found = []
    for name, p in PERCENTILES.items():
        value, fast = percentile(range_.value, p), percentile(range_.fast, p)
        slow = None if range_.slow is None else max(value, percentile(range_.slow, p))
        found.append(
            Metric(
                name=f"{prefix}_{name}", unit="s", kind=origin.kind, boundary=origin.boundary,
                value=value, lo=min(fast, value), hi=slow, n=len(range_.value),
                causes=dict(range_.causes) or None, source=f"{origin.source}{note}",
            )
        )  # fmt: skip
    return found


def server_rate(
    found: Found,
    asked: Asked,
    origin: Origin,
    ends: tuple[float | None, float | None] = (None, None),
    alone_s: float | None = None,
) -> Metric:
    """Return the highest rate that met the bound; the interval reaches to the lowest that surely missed it.

    Parameters
    ----------
    ends
        Rates of a model that is as slow, and as fast, as its interval allows: they widen the interval.
    alone_s
        What 99 of 100 queries take at most without any traffic, seconds; None: not known.
    """
    reason = None
    if found.met is None:
        reason = f"no rate meets the bound of {asked.bound_s:g} s at p99"
        reason += f": without traffic it is {alone_s:.3g} s" if alone_s and alone_s > asked.bound_s else ""
    rates = [rate for rate in (found.met, found.missed, *ends) if rate is not None]
    return Metric(
        name="server_rate", unit="1/s", kind=origin.kind, boundary=origin.boundary, value=found.met,
        lo=min(rates) if found.met else None, hi=max(rates) if found.met else None,
        source=f"{origin.source}; {len(found.probes)} rates tried", reason=reason,
    )  # fmt: skip


def measured_throughput(log: Log, origin: Origin) -> Metric:
    """Return samples per second, with the bootstrap interval over the calls."""
    starts, at = np.unique(log.started, return_index=True)
    ends = log.completed[[*(at[1:] - 1), len(log) - 1]]
    per_sample = np.diff(np.concatenate([[log.started[0]], np.maximum.accumulate(ends)])) / log.together[at]
    lo = hi = value = len(log) / log.seconds
    if len(starts) > 1:
        low, high = bootstrap_interval(per_sample, lambda drawn: np.asarray(drawn.mean(axis=-1)))
        centre = float(per_sample.mean())
        lo, hi = min(value, value * centre / high), max(value, value * centre / low)
    return Metric(
        name="throughput", unit="1/s", kind=origin.kind, boundary=origin.boundary,
        value=value, lo=lo, hi=hi, n=len(log), source=origin.source,
    )  # fmt: skip


def modelled_throughput(log: Log, spread: Spread, origin: Origin) -> Metric:
    """Return samples per second of a model that never waits; the spread is that of its calls' time."""
    value, n = len(log) / log.seconds, len(log)
    return Metric(
        name="throughput", unit="1/s", kind=origin.kind, boundary=origin.boundary, value=value,
        lo=value / spread.upper, hi=value / spread.lower, n=n,
        causes=main_causes(spread) or None, source=origin.source,
    )  # fmt: skip


def modelled_energy(
    service: Service,
    log: Log,
    spreads: Mapping[What, Spread],
    source: str,
    name: str = "energy_per_inference",
    parts: int = 1,
    *,
    waits: bool = False,
) -> list[Metric]:
    """Return the energy at each boundary: work, and what flows for the run's whole time.

    Parameters
    ----------
    parts
        Entries of the log that make one inference, or one decision.
    waits
        The platform waits for input; where its card states no power for that, the number's reason says so.
    """
    found = []
    for boundary, power in service.power.items():
        value = float(service.energy_j(log, boundary).mean()) * parts
        waiting = power.standing_w * log.seconds / len(log) * parts
        spread = spreads.get(("energy", boundary)) or Spread.by(1.0)
        partial = waits and not power.standing_w and boundary != "chip_dynamic"
        found.append(
            Metric(
                name=name, unit="J", kind="modelled", boundary=boundary, value=value,
                lo=value * spread.lower, hi=value * spread.upper, n=len(log) // parts,
                breakdown={"work": value - waiting, "standing": waiting},
                causes=main_causes(spread) or None, source=source, reason=WORK_ALONE if partial else None,
            )
        )  # fmt: skip
    return found


def modelled_power(service: Service, log: Log, spreads: Mapping[What, Spread], source: str) -> list[Metric]:
    """Return the mean power of a run at each boundary."""
    found = []
    for metric in modelled_energy(service, log, spreads, source, "power_mean", len(log), waits=True):
        scale = {end: getattr(metric, end) / log.seconds for end in ("value", "lo", "hi")}
        terms = {name: joules / log.seconds for name, joules in (metric.breakdown or {}).items()}
        found.append(metric.model_copy(update={"unit": "W", "breakdown": terms, **scale}))
    return found


def median(name: str, values: Seconds, ends: tuple[Seconds, Seconds], origin: Origin) -> Metric:
    """Return the median of times of which some may be infinite: what never comes.

    ``ends`` are a model's at its fastest and its slowest; a measurement's interval is free of distribution.
    """
    value = percentile(values, 0.5)
    if origin.kind == "modelled":
        lo, hi = (percentile(end, 0.5) for end in ends)
    else:
        lo, hi = percentile_interval(values, 0.5)
    finite = math.isfinite(value)
    return Metric(
        name=name, unit="s", kind=origin.kind, boundary=origin.boundary, value=value if finite else None,
        lo=lo if finite else None, hi=hi if finite and math.isfinite(hi) else None, n=len(values),
        source=origin.source, reason=None if finite else "more than half are never decided rightly",
    )  # fmt: skip


def delays(name: str, values: Seconds, ends: tuple[Seconds, Seconds], origin: Origin) -> list[Metric]:
    """Return the median and the p90 of delays; they may be negative: a word is known before it has ended.

    ``ends`` are a model's at its fastest and its slowest.
    """
    found = []
    for label in ("p50", "p90"):
        p = PERCENTILES[label]
        value = lo = hi = None
        if len(values):
            value = percentile(values, p)
            if origin.kind == "modelled":
                lo, hi = (percentile(end, p) for end in ends)
            else:
                lo, hi = percentile_interval(values, p)
        found.append(
            Metric(
                name=f"{name}_{label}", unit="s", kind=origin.kind, boundary=origin.boundary, value=value,
                lo=lo, hi=hi, n=len(values), source=origin.source,
                reason=None if len(values) else "nothing was detected",
            )
        )  # fmt: skip
    return found


def share(name: str, of: npt.NDArray[np.bool_], kind: Kind, boundary: Boundary, source: str) -> Metric:
    """Return a share with its Wilson interval of 95 %."""
    hits, n = int(of.sum()), len(of)
    lo, hi = wilson(hits, n)
    return Metric(
        name=name, unit="1", kind=kind, boundary=boundary, value=hits / n, lo=min(lo, hits / n),
        hi=max(hi, hits / n), n=n, source=source,
    )  # fmt: skip


def utilisation(log: Log, origin: Origin) -> Metric:
    """Return the share of the run in which the platform worked."""
    starts, at = np.unique(log.started, return_index=True)
    busy = float(log.busy[at].sum())
    return Metric(
        name="utilisation", unit="1", kind=origin.kind, boundary=origin.boundary,
        value=min(1.0, busy / log.seconds), n=len(starts), source=origin.source,
    )  # fmt: skip


def no_traffic(asked: Asked, clock: ClockName) -> Traffic:
    """Return the traffic of a Server that meets its bound at no rate."""
    return Traffic(
        generator="nmbench", clock=clock, queries=0, samples=0, seconds=0.0,
        percentile=asked.settings.percentile, latency_bound_s=asked.bound_s,
    )  # fmt: skip


def traffic(
    desk: Desk, log: Log, asked: Asked, *, rate: float | None = None, batch: int | None = None
) -> Traffic:
    """Return who asked and how it went."""
    settings, queries = asked.settings, len(log) // asked.settings.samples_per_query
    made = Traffic(
        generator="nmbench",
        clock=desk.clock.name,
        queries=queries,
        samples=len(log),
        seconds=log.seconds,
        batch=batch or int(log.together.max(initial=1)),
        rate=rate,
        percentile=settings.percentile,
        conduct=dict(desk.conduct),
    )
    if asked.scenario == "Server":
        judged = settings.percentile or 0.99
        allowed = early_stopping.allowed(queries, judged)
        over = int((~(log.latency() <= asked.bound_s)).sum())
        return made.model_copy(
            update={
                "latency_bound_s": asked.bound_s,
                "over": over,
                "allowed": allowed,
                "enough": allowed is not None and over <= allowed,
            }
        )
    if asked.scenario in ("SingleStream", "MultiStream") and settings.percentile:
        return made.model_copy(update={"enough": queries >= early_stopping.needed(1, settings.percentile)})
    return made
