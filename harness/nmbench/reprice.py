"""Stored results priced again: today's cards and equations on yesterday's counts, without a run.

What was measured or simulated (answers, accuracy, wall times, counts) stays; what a card priced is made anew.
Results that share counts and platform share their price: it is worked out once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from nmbench import system
from nmbench.energy.card import Card
from nmbench.energy.graded import graded_projections
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Misfit
from nmbench.energy.models import layers_by_way, price_spreads, refusal
from nmbench.energy.stored import Counted
from nmbench.perform import card_source, wall_cost
from nmbench.platforms.base import Platform
from nmbench.platforms.modelled import ModelledPlatform, in_batches, most_at_once, price_batch
from nmbench.record import Metric, Result, Traffic
from nmbench.runner import stated_by
from nmbench.scenario import modelled
from nmbench.scenario.decisions import Right
from nmbench.scenario.inputs import Asked
from nmbench.scenario.log import Log
from nmbench.scenario.service import Pricing
from nmbench.scenario.settings import settings
from nmbench.spec import Scalar, Server, Streaming
from nmbench.spotting import Hits


@dataclass(frozen=True)
class Priced:
    """What a card makes of a result: its metrics, and the platform's options that follow from them."""

    metrics: tuple[Metric, ...]
    options: Mapping[str, Scalar]
    traffic: Traffic | None = None


Make = Callable[[str], Platform | None]
"""Makes a platform by name; None: there is none of that name now."""


@dataclass
class Repricer:
    """Prices results again.

    Parameters
    ----------
    platform
        Makes a platform by its name.
    counts, logs
        Read what a result counted, and when its queries were answered, by their hashes.
    """

    platform: Make
    counts: Callable[[str], Counted]
    logs: Callable[[str], Log]
    _platforms: dict[str, Platform | None] = field(default_factory=dict)
    _counted: dict[str, Counted] = field(default_factory=dict)
    _priced: dict[tuple[object, ...], Priced | Misfit] = field(default_factory=dict)
    _identities: dict[str, dict[str, Any]] = field(default_factory=dict)

    def reason_not(self, result: Result) -> str | None:
        """Return why a result cannot be priced again; None if it can."""
        if result.status != "ok":
            return f"{result.status}: there is nothing to price"
        platform = self._made(result.platform.name)
        if platform is None:
            return f"no platform {result.platform.name!r} now"
        if isinstance(platform, ModelledPlatform):
            return None if result.counts_sha256 else "its counts were not stored"
        if platform.info.card is None:
            return "no card of its platform prices it"
        return None if result.log_sha256 else "its log was not stored"

    def reprice(self, results: Iterable[Result], run: str) -> Iterator[Result]:
        """Yield a new record of the run for each result; all of them can be priced again (`reason_not`)."""
        stamp, software = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", system.software()
        for result in results:
            priced = self._price(result)
            identity = self._identity(result.platform.name)
            if isinstance(priced, Misfit):
                changed: dict[str, Any] = {"status": "unsupported", "error": priced.reason, "metrics": ()}
            else:
                changed = {"metrics": _merged(result.metrics, priced.metrics)}
                changed |= {"traffic": priced.traffic or result.traffic}
                identity = {**identity, "options": dict(priced.options)}
            yield result.model_copy(
                update={
                    "id": f"{stamp}-{_middle(result.id)}-{secrets.token_hex(4)}",
                    "run": run,
                    "platform": result.platform.model_copy(update=identity),
                    **changed,
                    "software": software,
                    "repriced_from": result.id,
                }
            )

    def _price(self, result: Result) -> Priced | Misfit:
        platform = self._made(result.platform.name)
        if isinstance(platform, ModelledPlatform):
            assert result.counts_sha256 is not None
            key = (result.counts_sha256, platform.card.name, *_traffic_key(result))
            if key not in self._priced:
                self._priced[key] = self._modelled(platform.card, result)
            return self._priced[key]
        assert platform is not None
        assert result.log_sha256 is not None
        found = wall_cost(platform, self.logs(result.log_sha256), result.scenario)
        return Priced(tuple(found), result.platform.options)

    def _modelled(self, card: Card, result: Result) -> Priced | Misfit:
        sha256 = result.counts_sha256
        assert sha256 is not None
        if sha256 not in self._counted:
            self._counted[sha256] = self.counts(sha256)
        counted = self._counted[sha256]
        counts = counted.counts
        placed = refusal(card, graded_projections(counts)) or place(counted.outline, card)
        if isinstance(placed, Misfit):
            return placed
        info = ModelledPlatform(card).info
        pricing = Pricing(
            lambda some, batch: price_batch(some, batch, placed, card),
            lambda some, batch, each_s: price_spreads(some, in_batches(placed, batch), card, each_s),
            most_at_once(card),
            card_source(info),
        )
        performed = modelled.perform(
            _asked(result, len(counts), counts.steps), counts, pricing, _right(result)
        )
        options = {**info.options, **layers_by_way(counts, placed, card)}
        return Priced(performed.metrics, options, performed.traffic)

    def _identity(self, name: str) -> dict[str, Any]:
        """Return what of a record's platform follows from its card."""
        if name not in self._identities:
            platform = self._made(name)
            assert platform is not None
            self._identities[name] = stated_by(platform.info)
        return self._identities[name]

    def _made(self, name: str) -> Platform | None:
        if name not in self._platforms:
            self._platforms[name] = self.platform(name)
        return self._platforms[name]


def _right(result: Result) -> Right:
    """Return where a stored result's right decisions stand."""
    if result.detected is None:
        return np.array(result.first_right or (), dtype=np.int64)
    rows = np.array(result.detected, np.float64).reshape(-1, 3)
    return Hits(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2])


def _asked(result: Result, samples: int, steps: int) -> Asked:
    """Return what a stored result was asked for."""
    traffic, dt_s = result.traffic, result.network.dialect.dt
    bound_s = traffic.latency_bound_s if traffic else None
    window_s, deadline_s = (traffic.window_s, traffic.deadline_s) if traffic else (None, None)
    fixed = traffic.rate if traffic and result.find("server_rate") is None else None
    return Asked(
        scenario=result.scenario,
        settings=settings(result.scenario, result.tier),
        seed=result.seed,
        samples=samples,
        steps=steps,
        dt_s=dt_s,
        server=Server(latency_bound_s=bound_s) if bound_s else None,
        streaming=Streaming(window_steps=round(window_s / dt_s), deadline_s=deadline_s) if window_s else None,
        rate=fixed,
    )


def _traffic_key(result: Result) -> tuple[object, ...]:
    """Return what of a result decides on its traffic: results that share it share their price."""
    if result.scenario == "SingleStream":
        return (result.scenario,)
    fixed = result.traffic.rate if result.traffic and result.find("server_rate") is None else None
    return (result.scenario, result.tier, result.seed, result.workload.sha256, fixed)


def _middle(id_: str) -> str:
    """Return what of an id says which cell it is: all between its time and its random end."""
    return id_.split("-", 1)[1].rsplit("-", 1)[0]


def _merged(old: Iterable[Metric], priced: Iterable[Metric]) -> tuple[Metric, ...]:
    """Put the new prices where the old ones stood."""
    kept = list(old)
    modelled = [i for i, metric in enumerate(kept) if metric.kind == "modelled"]
    at = modelled[0] if modelled else len(kept)
    others = [metric for metric in kept if metric.kind != "modelled"]
    before = sum(metric.kind != "modelled" for metric in kept[:at])
    return (*others[:before], *priced, *others[before:])


def made(entries: Mapping[str, Callable[[], Platform]], cards: Iterable[Card]) -> Make:
    """Return how to make platforms by name; cards that are given stand before what is registered."""
    own = {card.name: ModelledPlatform(card) for card in cards}

    def make(name: str) -> Platform | None:
        if name in own:
            return own[name]
        return entries[name]() if name in entries else None

    return make
