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

from nmbench import metrics, noise, system
from nmbench.cell import Cell, Task
from nmbench.counts import join
from nmbench.energy.cost import join as join_costs
from nmbench.energy.outline import outline
from nmbench.energy.stored import Counted
from nmbench.errors import InputError
from nmbench.perform import perform
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.prepare import Prepared
from nmbench.progress import Progress
from nmbench.quality import judge
from nmbench.record import Gate, Metric, Noise, PlatformId, Result, Status, Traffic
from nmbench.scenario.bench import Broken
from nmbench.scenario.log import Log
from nmbench.scenario.refusal import refusal
from nmbench.scenario.settings import settings
from nmbench.spec import Scalar

CHUNK = 32
"""Samples handed over at once where nothing is timed: a compromise of progress bar and speed."""


@dataclass(frozen=True)
class Outcome:
    """What of a result depends on how the cell went."""

    status: Status
    metrics: tuple[Metric, ...] = ()
    quality: Gate | None = None
    counted: Counted | None = None
    choices: Mapping[str, Scalar] = field(default_factory=dict)
    right: str | None = None
    first_right: tuple[int, ...] | None = None
    detected: tuple[tuple[int, int, float], ...] | None = None
    traffic: Traffic | None = None
    log: Log | None = None
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Ran:
    """A cell's record, and what it names by hash: counts where it was counted, times where it was timed."""

    result: Result
    counted: Counted | None = None
    log: Log | None = None


@dataclass(frozen=True)
class Begun:
    """When a cell began, and how busy the machine was then."""

    at: datetime
    clock: float
    noise: Noise
    waited_s: float | None

    @classmethod
    def now(cls) -> Begun:
        """Read the clocks and the noise."""
        return cls(datetime.now(UTC), time.perf_counter(), system.noise(), system.waited_s())

    def noise_until_now(self, cell: Task, log: Log | None) -> Noise:
        """Return the noise before the cell with what the machine, and the cell's repetitions, say since.

        Repetitions that are alike but for their sample are those of one query after the other.
        """
        repetitions = None
        if log is not None and cell.scenario in ("SingleStream", "MultiStream"):
            repetitions = log.busy[:: settings(cell.scenario, cell.tier).samples_per_query]
        now, waited = system.waited_s(), None
        if now is not None and self.waited_s is not None:
            waited = (now - self.waited_s) / (time.perf_counter() - self.clock)
        marks = noise.marks(self.noise, system.noise(), system.system().cores, repetitions, waited)
        return self.noise.model_copy(update={"marks": marks})


def run_cell(cell: Cell, prepared: Prepared, run: str, progress: Progress) -> Ran:
    """Run one cell; whatever the platform does becomes a record: only an interrupt gets through."""
    begun = Begun.now()
    platform: Platform | None = None
    try:
        platform = cell.platform.make()
        how, scenario = cell.task.how, cell.task.scenario
        reason = platform.refuse(prepared.network) or refusal(how.generator, scenario, platform.info.clock)
        outcome = (
            Outcome("unsupported", error=reason) if reason else _measure(platform, prepared, cell, progress)
        )
    except Exception as error:
        outcome = Outcome("failed", error=_describe(error))
    return record(cell, prepared, run, begun, platform, outcome)


def record(
    cell: Cell, prepared: Prepared, run: str, begun: Begun, platform: Platform | None, outcome: Outcome
) -> Ran:
    """Write down how a cell went; ``platform`` is None where it could not even be made."""
    counted, task, log = outcome.counted, prepared.task, outcome.log
    timed = outcome.traffic is not None and outcome.traffic.clock != "virtual"
    stamp = begun.at.strftime("%Y%m%dT%H%M%SZ")
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
        right=outcome.right,
        first_right=outcome.first_right,
        detected=outcome.detected,
        traffic=outcome.traffic,
        log_sha256=log.sha256 if log else None,
        counts=counted.counts.per_inference() if counted else None,
        counts_by_part=counted.counts.per_part() if counted else None,
        counts_sha256=counted.sha256 if counted else None,
        metrics=outcome.metrics,
        software=system.software(),
        noise=begun.noise_until_now(task, log) if timed else begun.noise,
        started=begun.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        wall_s=time.perf_counter() - begun.clock,
        error=outcome.error,
    )
    return Ran(result, counted, log)


def _measure(platform: Platform, prepared: Prepared, cell: Cell, progress: Progress) -> Outcome:
    session = platform.load(prepared.network)
    try:
        session.warmup(prepared.batch.take([0]))
        answer = _answer_all(session, prepared, cell, progress)
        wall = platform.info.clock == "wall"
        judged = judge(
            prepared,
            answer.outputs,
            "measured" if wall else "simulated",
            f"the whole test set, answered by {platform.info.name}",
        )
        performed = perform(platform, session, prepared, answer, judged.when, progress, cell.label)
        found = [*judged.metrics, *performed.metrics]
        choices = session.choices(answer.counts)
    finally:
        session.close()
    counted = None
    if answer.counts is not None:
        counted = Counted(outline(prepared.network), answer.counts)
        found += metrics.neurobench(prepared.network, answer.counts)
    return Outcome(
        "ok",
        tuple(found),
        judged.gate,
        counted,
        choices,
        right=judged.right,
        first_right=judged.first_right,
        detected=judged.detected,
        traffic=performed.traffic,
        log=performed.log if wall else None,
    )


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
