"""The performance run of a cell: the task's scenario on the platform's clock, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from nmbench import metrics
from nmbench.cell import Task
from nmbench.counts import EventCounts
from nmbench.energy.cost import Cost
from nmbench.energy.uncertainty import Spread, What
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.power.choose import choose
from nmbench.power.meter import MeterError, NoMeter
from nmbench.power.stated import no_power, power_metrics
from nmbench.power.windows import OFFICIAL, measure, quick
from nmbench.prepare import Prepared
from nmbench.progress import Progress
from nmbench.quality import decider
from nmbench.record import Metric
from nmbench.scenario import measured, modelled, streaming
from nmbench.scenario.bench import Bench, Broken
from nmbench.scenario.decisions import Right
from nmbench.scenario.desk import Expected
from nmbench.scenario.generator import Tell
from nmbench.scenario.inputs import Asked, Decide, Performed
from nmbench.scenario.log import Log
from nmbench.scenario.scores import Origin
from nmbench.scenario.service import Price, Pricing
from nmbench.scenario.settings import settings
from nmbench.spec import Scenario

WALL = "perf_counter round one query: encoded sample in memory to readout in memory"


def asked_of(task: Task, samples: int) -> Asked:
    """Return what a task asks for of so many test samples."""
    workload = task.workload
    return Asked(
        scenario=task.scenario,
        settings=settings(task.scenario, task.tier),
        seed=task.seed,
        samples=samples,
        steps=workload.window.steps,
        dt_s=workload.dialect.dt,
        server=workload.server,
        streaming=workload.streaming,
        rate=task.how.rate,
    )


def perform(
    platform: Platform,
    session: Session,
    prepared: Prepared,
    answer: Answer,
    right: Right,
    progress: Progress,
    label: str,
) -> Performed:
    """Perform the task's scenario.

    Parameters
    ----------
    answer
        Of the accuracy run, the whole test set.
    right
        First window at whose end each sample is decided rightly, or the words that were detected; empty
        where the scenario has none.
    label
        Names the cell to who waits for it.

    Raises
    ------
    Broken
        The platform's answers are not as asked, or it lacks what its clock asks for.
    """
    if platform.info.clock == "wall":
        performed = _measured(
            platform,
            session,
            prepared,
            answer,
            right,
            decider(prepared.task.workload),
            lambda share: progress.step(label, int(100 * share), 100),
        )
        return _with_energy(performed, platform, prepared.task, progress)
    if answer.cost is None:
        raise Broken("a platform with the clock 'model' must state a cost")
    asked = asked_of(prepared.task, len(prepared.batch))
    source = card_source(platform.info)
    counts = answer.counts
    if asked.scenario == "SingleStream":
        spreads = session.spreads(counts) if counts else {}
        return Performed(tuple(metrics.modelled_cost(answer.cost, source, spreads)))
    if counts is None or session.price(counts.take([0])) is None:
        raise Broken(f"to perform {asked.scenario}, a modelled platform must price counts (`Session.price`)")
    pricing = Pricing(_price_of(session), session.spreads, session.most_at_once, source)
    return modelled.perform(asked, counts, pricing, right)


def _price_of(session: Session) -> Price:
    def price(counts: EventCounts, batch: int) -> Cost:
        priced = session.price(counts, batch)
        assert priced is not None  # the caller has asked
        return priced

    return price


def _measured(
    platform: Platform,
    session: Session,
    prepared: Prepared,
    answer: Answer,
    right: Right,
    decide: Decide,
    tell: Tell,
) -> Performed:
    task, info = prepared.task, platform.info
    bench = Bench(
        session,
        prepared.batch,
        Expected(answer.outputs, lambda samples, outputs: decide(outputs)),
        asked_of(task, len(prepared.batch)),
        "skipping" if task.how.clock == "skipping" else "wall",
        Origin("measured", info.boundary, WALL),
        tell,
        in_order=info.in_order,
    )
    if task.how.generator == "loadgen":
        from nmbench.scenario import loadgen

        performed = loadgen.perform(bench)
    elif task.scenario == "Streaming":
        performed = streaming.measured(bench, right)
    else:
        performed = measured.perform(bench)
    return performed


def _with_energy(performed: Performed, platform: Platform, task: Task, progress: Progress) -> Performed:
    """Add what a meter of this host says of the same traffic, and beside it what the platform's card does."""
    if performed.log is None or performed.again is None:
        return performed
    metered = _of(task.scenario, _metered(performed.again, platform, task, progress))
    found = (*performed.metrics, *metered, *wall_cost(platform, performed.log, task.scenario))
    return replace(performed, metrics=found)


def lasting(again: Callable[[float], int]) -> Callable[[float], int]:
    """Return traffic that goes on until its seconds are over by the wall clock, however early it ends."""

    def work(seconds: float) -> int:
        end, done = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            done += again(left)
        return done

    return work


def _metered(
    again: Callable[[float], int], platform: Platform, task: Task, progress: Progress
) -> list[Metric]:
    if task.how.clock == "skipping":
        return no_power("not measured: the clock leaves out the time in which the platform waits")
    chosen = choose(task.how.power, platform.info.draws)
    if isinstance(chosen, NoMeter):
        return no_power(chosen.reason)
    try:
        with chosen as meter:
            plan = OFFICIAL if task.tier == "official" else quick(meter.info)
            return power_metrics(measure(meter, lasting(again), plan, progress))
    except MeterError as error:
        progress.note(f"{error} {error.detail}".strip())
        return no_power(str(error), chosen.info)


def wall_cost(platform: Platform, log: Log, scenario: Scenario) -> list[Metric]:
    """Return what a run's samples cost by the platform's card; nothing where it has none with its power."""
    cost = platform.price_wall(log.busy, log.together)
    if cost is None:
        return []
    source = f"wall latency x power of {card_source(platform.info)}"
    spreads: Mapping[What, Spread] = platform.wall_spreads(log.busy, log.together)
    return _of(scenario, metrics.modelled_cost(cost, source, spreads))


def _of(scenario: Scenario, found: list[Metric]) -> list[Metric]:
    """Name energies by what they are of: of Streaming, decisions."""
    if scenario != "Streaming":
        return found
    return [
        m.model_copy(update={"name": "energy_per_decision"}) if m.name == "energy_per_inference" else m
        for m in found
    ]


def card_source(info: PlatformInfo) -> str:
    """Return the source of what a platform's card prices."""
    return f"card {info.card.name} v{info.card.version}" if info.card else f"platform {info.name}"
