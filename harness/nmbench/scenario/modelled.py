"""A scenario in virtual time: discrete events whose durations and energies a platform's model states.

Pure: the same counts, prices and seed give the same numbers, so that stored counts can be priced again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from nmbench import early_stopping
from nmbench.counts import EventCounts
from nmbench.energy.uncertainty import Spread
from nmbench.metrics import main_causes, modelled_cost
from nmbench.quantity import NESTED, Boundary
from nmbench.record import Metric
from nmbench.scenario import generator, schedule, scores, streaming
from nmbench.scenario.clock import VirtualClock
from nmbench.scenario.decisions import Right
from nmbench.scenario.desk import Desk
from nmbench.scenario.inputs import Asked, Performed
from nmbench.scenario.log import Log
from nmbench.scenario.search import Found, Verdict, highest_rate, verdict
from nmbench.scenario.service import Modelled, Pricing, Service, service
from nmbench.stats import percentile

NEVER = 1 << 62
VIRTUAL_SAMPLES = 1_000_000
"""A run in virtual time ends here, in the official tier too: a model does not warm up."""
PROBE_S = 0.5
"""Virtual seconds of a try of Server's search, where that is no more than ten times its least queries."""


def perform(asked: Asked, counts: EventCounts, pricing: Pricing, right: Right) -> Performed:
    """Perform a scenario on the counts of the test set.

    Parameters
    ----------
    right
        Where right decisions stand; needed by Streaming alone.
    """
    cost, usual = pricing.price(counts, 1), asked.settings
    most = min(usual.most_queries, VIRTUAL_SAMPLES // usual.samples_per_query)
    asked = replace(asked, settings=replace(usual, most_queries=most))
    if asked.scenario == "SingleStream":
        return Performed(tuple(modelled_cost(cost, pricing.source, pricing.spreads(counts, 1, None))))
    boundary = headline_boundary(cost.latency_factor)
    if asked.scenario == "Streaming":
        return streaming.modelled(asked, counts, pricing, boundary, right)
    chip = _Chip(
        asked,
        counts,
        pricing,
        service(pricing.price, counts, pricing.most_at_once, boundary),
        scores.Origin("modelled", boundary, f"{pricing.source}, in virtual time"),
    )
    return {"MultiStream": _multi_stream, "Server": _server, "Offline": _offline}[asked.scenario](chip)


@dataclass(frozen=True, eq=False)
class _Chip:
    """A modelled platform under a scenario."""

    asked: Asked
    counts: EventCounts
    pricing: Pricing
    served: Service
    origin: scores.Origin

    def latency_spread(self, size: int) -> Spread:
        """Return the spread of the time of a call of so many samples."""
        found = self.pricing.spreads(self.counts, size, None)
        return found.get(("latency", self.origin.boundary)) or Spread.by(1.0)

    def energy(self, log: Log, *, waits: bool) -> list[Metric]:
        """Return the energy of a run; one that waits for queries takes as long whatever the chip's speed."""
        each_s = log.seconds / len(log) if waits else None
        spreads = self.pricing.spreads(self.counts, self.served.usual_size(log), each_s)
        return scores.modelled_energy(self.served, log, spreads, self.origin.source, waits=waits)


def headline_boundary(stated: Mapping[Boundary, float]) -> Boundary:
    """Return the boundary whose latency is the time of a call: chip_total where stated, else the widest."""
    return "chip_total" if "chip_total" in stated else max(stated, key=NESTED.index)


def _multi_stream(chip: _Chip) -> Performed:
    asked, clock = chip.asked, VirtualClock()
    desk, order = Desk(clock, None), schedule.order(asked.samples, asked.seed)
    with generator.uninterrupted():
        generator.one_after_another(desk, Modelled(chip.served, clock), order, asked.settings, _silent)
    log = desk.close()
    seconds = log.latency(asked.settings.samples_per_query)
    spread = chip.latency_spread(chip.served.usual_size(log))
    range_ = scores.Range(seconds, seconds * spread.lower, seconds * spread.upper, main_causes(spread))
    found = (*scores.modelled_latencies(range_, chip.origin), *chip.energy(log, waits=False))
    return Performed(found, scores.traffic(desk, log, asked), log)


def _offline(chip: _Chip) -> Performed:
    asked, served, settings = chip.asked, chip.served, chip.asked.settings
    clock, batch = VirtualClock(), served.best_size
    desk = Desk(clock, None)
    n = max(asked.samples, settings.least_queries, math.ceil(settings.least_seconds * served.capacity))
    n = -(-min(n, settings.most_queries) // batch) * batch
    order = schedule.asked(asked.samples, asked.seed, n)
    with generator.uninterrupted():
        generator.all_at_once(desk, Modelled(served, clock), order, batch, n, settings, _silent)
    log = desk.close()
    found = (
        scores.modelled_throughput(log, chip.latency_spread(batch), chip.origin),
        *chip.energy(log, waits=False),
    )
    return Performed(found, scores.traffic(desk, log, asked, batch=batch), log)


def _server(chip: _Chip) -> Performed:
    """Search the rate of the model, and those of one as slow and as fast as its interval allows."""
    asked, served, origin = chip.asked, chip.served, chip.origin
    found = _highest(asked, served)
    if found.met is None:
        alone_s = percentile(served.seconds[0], asked.settings.percentile or 0.99)
        metrics = (scores.server_rate(found, asked, origin, alone_s=alone_s),)
        return Performed(metrics, scores.no_traffic(asked, "virtual"))
    rate = found.met
    desk, log = serve(asked, served, rate, scores.queries(asked, rate, wall=False))
    while not asked.rate and _judge(asked, served, log) != "met":  # a longer run than those of the search
        rate /= asked.settings.tolerance
        desk, log = serve(asked, served, rate, scores.queries(asked, rate, wall=False))
    spread = chip.latency_spread(served.usual_size(log))
    metrics = (
        *(() if asked.rate else (_rate(asked, served, spread, replace(found, met=rate), origin),)),
        *_latencies(asked, served, spread, rate, log, origin),
        scores.utilisation(log, origin),
        *chip.energy(log, waits=True),
    )
    return Performed(metrics, scores.traffic(desk, log, asked, rate=rate), log)


def _rate(asked: Asked, served: Service, spread: Spread, found: Found, origin: scores.Origin) -> Metric:
    """Return the rate with those that its model reaches at the ends of its interval."""
    slow, fast = (_highest(asked, served.scaled(f)) for f in (spread.upper, spread.lower))
    return scores.server_rate(found, asked, origin, (slow.met or 0.0, fast.missed or fast.met))


def _latencies(
    asked: Asked, served: Service, spread: Spread, rate: float, log: Log, origin: scores.Origin
) -> list[Metric]:
    """Return latencies at the rate; without an upper end where the model's slow end does not sustain it."""
    fast, slow = served.scaled(spread.lower), served.scaled(spread.upper)
    queries = len(log)
    late = serve(asked, slow, rate, queries)[1] if rate < slow.capacity else None
    range_ = scores.Range(
        log.latency(),
        serve(asked, fast, rate, queries)[1].latency(),
        late.latency() if late else None,
        main_causes(spread),
    )
    return scores.modelled_latencies(range_, origin)


def _highest(asked: Asked, served: Service) -> Found:
    if asked.rate:
        return Found(asked.rate, None, ())
    settings, judged = asked.settings, asked.settings.percentile or 0.99
    if percentile(served.seconds[0], judged) > asked.bound_s:  # without any traffic
        return Found(None, None, ())

    def probe(rate: float) -> Verdict:
        queries = max(settings.probe_queries, min(math.ceil(rate * PROBE_S), 10 * settings.probe_queries))
        allowed = early_stopping.allowed(queries, judged) or 0
        return _judge(asked, served, serve(asked, served, rate, queries, most_over=2 * allowed + 20)[1])

    return highest_rate(probe, served.capacity, settings.tolerance)


def _judge(asked: Asked, served: Service, log: Log) -> Verdict:
    return verdict(log, asked.bound_s, asked.settings.percentile or 0.99, served.sizes[-1])


def serve(
    asked: Asked, served: Service, rate: float, queries: int, most_over: int = NEVER
) -> tuple[Desk, Log]:
    """Let queries come at a rate; so many answers over the bound end the run."""
    clock = VirtualClock()
    desk = Desk(clock, None, bound_s=asked.bound_s)
    order = schedule.asked(asked.samples, asked.seed, queries)
    moments = schedule.arrivals(asked.seed, rate, queries)
    with generator.uninterrupted():
        generator.as_scheduled(
            desk, Modelled(served, clock), order, moments, asked.settings, most_over, _silent
        )
    return desk, desk.close()


def _silent(share: float) -> None:
    """Virtual time passes too fast to tell of it."""
