"""SingleStream, MultiStream, Server and Offline on a platform that runs for real."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nmbench import early_stopping
from nmbench.scenario import generator, schedule, scores
from nmbench.scenario.bench import Bench
from nmbench.scenario.desk import Desk
from nmbench.scenario.inputs import Performed
from nmbench.scenario.log import Log
from nmbench.scenario.search import Found, Verdict, highest_rate, verdict
from nmbench.scenario.settings import Settings
from nmbench.spec import Scenario

MANY = 1 << 62

REPEATS = 3
"""Calls of each size while the best one is sought; the fastest counts."""

LEAST_GAIN = 1.03
"""A larger batch that is not faster by this factor is not the better one."""

MARGIN = 1.25
"""By which calls under way may be faster than those that the capacity was measured on."""

STEPS_DOWN = 8
"""Times that a rate is lowered, by more tolerances each time, until a full run meets the bound."""


def perform(bench: Bench) -> Performed:
    """Perform the scenario that the bench's task asks for.

    Raises
    ------
    Broken
        The platform's answers are not as asked.
    """
    return PERFORM[bench.asked.scenario](bench)


def _stream(bench: Bench) -> Performed:
    """Ask one query after the other: SingleStream, MultiStream."""
    asked = bench.asked
    order = schedule.order(asked.samples, asked.seed)
    bench.live.load(order)

    def run(settings: Settings) -> tuple[Desk, Log]:
        with generator.uninterrupted():
            desk = bench.desk()
            generator.one_after_another(desk, bench.live, order, settings, bench.tell)
        return desk, bench.close(desk)

    def again(seconds: float) -> int:
        return len(run(replace(asked.settings, least_seconds=seconds, least_queries=1, most_queries=MANY))[1])

    desk, log = run(asked.settings)
    seconds = log.latency(asked.settings.samples_per_query)
    found = scores.measured_latencies(seconds, bench.origin, asked.settings.percentile or 0.9)
    return Performed(tuple(found), scores.traffic(desk, log, asked), log, again)


def _offline(bench: Bench) -> Performed:
    """Ask for all samples at once, in batches of the best size."""
    asked, settings = bench.asked, bench.asked.settings
    batch, per_second = best_batch(bench)
    if batch == 1:
        bench.live.load(schedule.order(asked.samples, asked.seed))
    n = max(asked.samples, settings.least_queries, math.ceil(settings.least_seconds * per_second))
    n = min(n, settings.most_queries)
    order = schedule.asked(asked.samples, asked.seed, n)

    def run(samples: schedule.Samples) -> tuple[Desk, Log]:
        with generator.uninterrupted():
            desk = bench.desk()
            generator.all_at_once(desk, bench.live, samples, batch, asked.samples, settings, bench.tell)
        return desk, bench.close(desk)

    def again(seconds: float) -> int:
        return len(run(np.resize(order, math.ceil(seconds * per_second)))[1])

    desk, log = run(order)
    found = (scores.measured_throughput(log, bench.origin),)
    return Performed(found, scores.traffic(desk, log, asked, batch=batch), log, again)


def best_batch(bench: Bench) -> tuple[int, float]:
    """Return the size of calls with the most samples per second, and how many those are.

    Sizes are powers of two up to what the platform takes; the search ends where two in a row gain nothing.
    """
    asked = bench.asked
    order = schedule.order(asked.samples, asked.seed)
    bench.live.load(order[:REPEATS])
    best, best_rate, since = 1, 0.0, 0
    size = 1
    while size <= bench.live.most_at_once and since < 2:
        rate = max(size / call_s(bench, np.resize(np.roll(order, -k), size)) for k in range(REPEATS))
        if rate > best_rate * LEAST_GAIN:
            best, best_rate, since = size, rate, 0
        else:
            since += 1
        size *= 2
    return best, best_rate


def call_s(bench: Bench, samples: schedule.Samples) -> float:
    """Return the seconds of one call with these samples."""
    desk, part = bench.desk(), samples.tolist()
    bench.live.load(samples[:1])
    bench.live.take(desk, desk.ask(part), part)
    desk.wait(len(part), bench.asked.settings.patience_s)
    return bench.close(desk).seconds


def _server(bench: Bench) -> Performed:
    """Search the highest rate that meets the bound, and run it in full; or run the rate that is asked for."""
    asked, tolerance = bench.asked, bench.asked.settings.tolerance
    bench.live.load(schedule.order(asked.samples, asked.seed))
    found = Found(asked.rate, None, ()) if asked.rate else search_rate(bench)
    if found.met is None:
        return none_met(bench, found)
    rate = found.met
    for step in range(1, STEPS_DOWN + 1):
        desk, log = serve(bench, rate, scores.queries(asked, rate, wall=True))
        if asked.rate or _judge(bench, log) == "met":
            break
        rate /= tolerance**step
    else:
        found = Found(None, rate, found.probes)
        return none_met(bench, found)
    found = Found(
        rate, found.missed or found.met if rate < (found.met or rate) else found.missed, found.probes
    )
    judged = asked.settings.percentile or 0.99
    metrics = (
        *(() if asked.rate else (scores.server_rate(found, asked, bench.origin),)),
        *scores.measured_latencies(log.latency(), bench.origin, judged),
        scores.utilisation(log, bench.origin),
    )

    def again(seconds: float) -> int:
        return len(serve(bench, rate, math.ceil(rate * seconds))[1])

    return Performed(metrics, scores.traffic(desk, log, asked, rate=rate), log, again)


def none_met(bench: Bench, found: Found) -> Performed:
    """Return what a Server comes to that meets its bound at no rate."""
    rate = scores.server_rate(found, bench.asked, bench.origin)
    return Performed((rate,), scores.no_traffic(bench.asked, bench.clock_name))


def search_rate(bench: Bench) -> Found:
    """Search the highest rate that meets Server's bound."""
    settings = bench.asked.settings
    _, capacity = best_batch(bench)

    def probe(rate: float) -> Verdict:
        queries = min(max(settings.probe_queries, math.ceil(rate)), math.ceil(rate * settings.probe_seconds))
        allowed = early_stopping.allowed(queries, settings.percentile or 0.99) or 0
        return _judge(bench, serve(bench, rate, queries, most_over=2 * allowed + 20)[1])

    return highest_rate(probe, capacity, settings.tolerance, MARGIN)


def serve(bench: Bench, rate: float, queries: int, most_over: int = MANY) -> tuple[Desk, Log]:
    """Let queries come at a rate; so many answers over the bound end the run."""
    asked = bench.asked
    order = schedule.asked(asked.samples, asked.seed, queries)
    moments = schedule.arrivals(asked.seed, rate, queries)
    with generator.uninterrupted():
        desk = bench.desk(asked.bound_s)
        generator.as_scheduled(desk, bench.live, order, moments, asked.settings, most_over, bench.tell)
    return desk, bench.close(desk)


def _judge(bench: Bench, log: Log) -> Verdict:
    percentile = bench.asked.settings.percentile or 0.99
    return verdict(log, bench.asked.bound_s, percentile, bench.live.most_at_once)


PERFORM: Mapping[Scenario, Callable[[Bench], Performed]] = {
    "SingleStream": _stream,
    "MultiStream": _stream,
    "Server": _server,
    "Offline": _offline,
}
