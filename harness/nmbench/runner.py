"""One cell: a platform answers the workload, the harness times it and writes down what came."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench import metrics, system
from nmbench.cell import Cell
from nmbench.counts import join
from nmbench.energy.cost import join as join_costs
from nmbench.energy.outline import outline
from nmbench.energy.stored import Counted
from nmbench.errors import InputError
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.prepare import Prepared
from nmbench.progress import Progress
from nmbench.record import Gate, Metric, PlatformId, Result, Status
from nmbench.scenario import single_stream
from nmbench.spec import Scalar

CHUNK = 32
"""Samples handed over at once where nothing is timed: a compromise of progress bar and speed."""


class Broken(Exception):
    """An answer that breaks the contract of a platform."""


@dataclass(frozen=True)
class Outcome:
    """What of a result depends on how the cell went."""

    status: Status
    metrics: tuple[Metric, ...] = ()
    quality: Gate | None = None
    counted: Counted | None = None
    choices: Mapping[str, Scalar] = field(default_factory=dict)
    error: str | None = None


def run_cell(cell: Cell, prepared: Prepared, run: str, progress: Progress) -> tuple[Result, Counted | None]:
    """Run one cell; whatever the platform does becomes a record: only an interrupt gets through.

    Returns
    -------
    tuple[Result, Counted | None]
        The record, and what was counted where the platform counts: the record names its hash.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    noise = system.noise()
    platform: Platform | None = None
    try:
        platform = cell.platform.make()
        reason = platform.refuse(prepared.network)
        outcome = (
            Outcome("unsupported", error=reason) if reason else _measure(platform, prepared, cell, progress)
        )
    except Exception as error:
        outcome = Outcome("failed", error=_describe(error))
    counted, task = outcome.counted, prepared.task
    stamp = started.strftime("%Y%m%dT%H%M%SZ")
    result = Result(
        id=f"{stamp}-{task.suite}-{task.workload.name}-{cell.platform.name}-{task.size}-"
        f"{task.scenario.lower()}-s{task.seed}-{secrets.token_hex(2)}",
        run=run,
        cell=cell.sha256,
        status=outcome.status,
        suite=task.suite,
        tier=task.tier,
        scenario=task.scenario,
        division="closed",
        workload=prepared.workload_id,
        network=prepared.network_id,
        platform=_identify(cell, platform, outcome.choices),
        size=task.size,
        seed=task.seed,
        system=f"sha256:{system.system().sha256}",
        quality=outcome.quality,
        counts=counted.counts.per_inference() if counted else None,
        counts_by_part=counted.counts.per_part() if counted else None,
        counts_sha256=counted.sha256 if counted else None,
        metrics=outcome.metrics,
        software=system.software(),
        noise=noise,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        wall_s=time.perf_counter() - clock,
        error=outcome.error,
    )
    return result, counted


def _measure(platform: Platform, prepared: Prepared, cell: Cell, progress: Progress) -> Outcome:
    session = platform.load(prepared.network)
    try:
        session.warmup(prepared.batch.take([0]))
        answer = _answer_all(session, prepared, cell, progress)
        decide = metrics.DECISIONS[prepared.task.workload.decision]
        decided = decide(answer.outputs)
        wall = platform.info.clock == "wall"
        found = [
            metrics.accuracy(
                decided,
                prepared.labels,
                "measured" if wall else "simulated",
                f"the whole test set, answered by {platform.info.name}",
            )
        ]
        if wall:
            timed = single_stream.ask(session, prepared.batch, prepared.task.seed, single_stream.QUICK)
            if (decide(timed.outputs) != decided[timed.samples]).any():
                raise Broken(
                    "timed answers differ from those of the accuracy run: performance of other outputs"
                )
            found += _timed_metrics(platform, timed.seconds)
        elif answer.cost is None:
            raise Broken("a platform with the clock 'model' must state a cost")
        else:
            spreads = session.spreads(answer.counts) if answer.counts else {}
            found += metrics.modelled_cost(answer.cost, card_source(platform.info), spreads)
        choices = session.choices(answer.counts)
    finally:
        session.close()
    counted = None
    if answer.counts is not None:
        counted = Counted(outline(prepared.network), answer.counts)
        found += metrics.neurobench(prepared.network, answer.counts)
    target = prepared.task.workload.quality
    value = found[0].value
    assert value is not None  # accuracy always has one
    gate = Gate(metric=target.metric, target=target.target, value=value, reached=value >= target.target)
    return Outcome("ok", tuple(found), gate, counted, choices)


def _answer_all(session: Session, prepared: Prepared, cell: Cell, progress: Progress) -> Answer:
    """Answer the whole test set in chunks, each checked against the contract."""
    batch = prepared.batch
    classes = prepared.network.populations[prepared.network.output].size
    parts = []
    for start in range(0, len(batch), CHUNK):
        chunk = batch.take(range(start, min(start + CHUNK, len(batch))))
        part = session.infer(chunk)
        expected = (len(chunk), batch.steps, classes)
        if part.outputs.shape != expected:
            raise Broken(
                f"outputs of shape {part.outputs.shape}, expected {expected} (samples, steps, classes)"
            )
        if not np.isfinite(part.outputs).all():
            raise Broken("outputs that are not finite")
        parts.append(part)
        progress.step(cell.label, start + len(chunk), len(batch))
    counts = [p.counts for p in parts if p.counts is not None]
    costs = [p.cost for p in parts if p.cost is not None]
    if len(counts) not in (0, len(parts)) or len(costs) not in (0, len(parts)):
        raise Broken("counts or costs for some samples and not for others")
    return Answer(
        np.concatenate([p.outputs for p in parts]),
        join(counts) if counts else None,
        join_costs(costs) if costs else None,
    )


def _timed_metrics(platform: Platform, seconds: list[float]) -> list[Metric]:
    info = platform.info
    found = metrics.measured_latency(
        seconds,
        info.boundary,
        "perf_counter_ns round one query: encoded sample in memory to readout in memory",
    )
    return found + wall_cost(platform, np.array(seconds))


def wall_cost(platform: Platform, seconds: npt.NDArray[np.float64]) -> list[Metric]:
    """Return what timed queries (seconds, ``[B]``) cost by the platform's card, or why that is not known."""
    cost = platform.price_wall(seconds)
    if cost is None:
        reason = "no meter could be read and the platform has no card with its power"
        return [metrics.missing_energy(reason, "wall", "measured")]
    source = f"wall latency x power of {card_source(platform.info)}"
    return metrics.modelled_cost(cost, source, platform.wall_spreads(seconds))


def card_source(info: PlatformInfo) -> str:
    """Return the source of what a platform's card prices."""
    return f"card {info.card.name} v{info.card.version}" if info.card else f"platform {info.name}"


def _identify(cell: Cell, platform: Platform | None, choices: Mapping[str, Scalar]) -> PlatformId:
    if platform is None:
        return PlatformId(
            name=cell.platform.name,
            version=0,
            family=cell.platform.family,
            kind="reported",
            origin=cell.platform.origin,
        )
    info = platform.info
    return PlatformId(
        name=cell.platform.name,
        family=info.family,
        kind="measured" if info.clock == "wall" else "modelled",
        origin=cell.platform.origin,
        options={**info.options, **choices},
        **stated_by(info),
    )


def stated_by(info: PlatformInfo) -> dict[str, Any]:
    """Return the fields of a record's platform that follow from its version and its card."""
    return {
        "version": info.version,
        "card_sha256": info.card.sha256 if info.card else None,
        "what_if": info.card is not None and info.card.status == "what-if",
        "caveat": info.caveat,
    }


def _describe(error: Exception) -> str:
    """Name the error and the line that raised it; the file by its name alone, since records travel."""
    if isinstance(error, InputError | Broken):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
