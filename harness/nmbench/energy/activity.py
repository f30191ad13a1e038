"""Activities as a file of measurements states them: rates or exact counts, made into event counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from nmbench.counts import EventCounts
from nmbench.energy.described import (
    Count,
    Described,
    DescribedNetwork,
    DescribedPopulation,
    Name,
    NotNegative,
    Number,
    dense_macs,
    number,
)
from nmbench.energy.outline import Outline
from nmbench.errors import unknown

MOST_STEPS = 10**9
MOST_EVENTS = 1e18
"""Of a population or a projection in a whole inference: int64 holds them."""

EVERY = "*"
"""Stands for every population, where one number is given for all."""

EVEN = 1e-3
"""A count a step that is so near to a whole number is taken as that number in every step."""


def _by_name(value: object) -> object:
    """Take one number as every part's."""
    found = number(value)
    return {EVERY: found} if isinstance(found, int | float) and not isinstance(found, bool) else found


Share = Annotated[Number, Field(ge=0, le=1)]
ByName = dict[Name, NotNegative]


class DescribedCounts(Described):
    """Exact counts of a whole inference, all its steps.

    ``spikes`` and ``neuron_updates`` by population; ``synaptic_events`` by projection (its name, or
    ``from->to``, also written ``from-to``), by the population that they reach, or one number in all. What is
    not named follows from the spikes and the mean fan-out.
    """

    spikes: ByName | None = None
    synaptic_events: Annotated[ByName | None, BeforeValidator(_by_name)] = None
    neuron_updates: ByName | None = None


class DescribedActivity(DescribedCounts):
    """What a network did: the probability of a spike per neuron and step, a rate, or exact counts.

    ``step_s``: time that a step stands for; makes a probability of ``rate_hz``. Exact counts may stand here
    or under ``counts``. One probability or rate may be given for all populations. A population that no
    projection leaves may be left out: it is silent then.
    """

    steps: Annotated[Count, Field(ge=1, le=MOST_STEPS)]
    step_s: Annotated[Number, Field(gt=0)] | None = None
    spike_probability: Annotated[dict[Name, Share] | None, BeforeValidator(_by_name)] = None
    rate_hz: Annotated[ByName | None, BeforeValidator(_by_name)] = None
    counts: DescribedCounts | None = None

    def exact(self, field: str) -> Mapping[str, float]:
        """Return exact counts by name, stated here or under ``counts``."""
        return getattr(self, field) or (getattr(self.counts, field) if self.counts else None) or {}


@dataclass(frozen=True)
class Activity:
    """Expected counts of a whole inference.

    Attributes
    ----------
    spikes, neuron_updates
        By the outline's groups.
    synaptic_events
        By its links.
    """

    steps: int
    spikes: tuple[float, ...]
    neuron_updates: tuple[float, ...]
    synaptic_events: tuple[float, ...]


def activity_faults(stated: DescribedActivity, network: DescribedNetwork, step_s: float | None) -> list[str]:
    """List what is wrong with an activity beyond its fields, each fault with its place.

    ``step_s``: of the activity, or where that says nothing, of the options.
    """
    populations = [p.name for p in network.populations]
    faults: list[str] = []
    for field in ("spikes", "synaptic_events", "neuron_updates"):
        if getattr(stated, field) is not None and stated.counts and getattr(stated.counts, field) is not None:
            faults.append(f"{field}: stands twice, also under counts")
        if field != "synaptic_events":
            known = populations
            faults += [
                f"{field}: {unknown('population', n, known)}" for n in stated.exact(field) if n not in known
            ]
    faults += _event_faults(stated, network)
    for field, given in (("spike_probability", stated.spike_probability), ("rate_hz", stated.rate_hz)):
        known = [*populations, EVERY]
        faults += [f"{field}: {unknown('population', n, populations)}" for n in given or () if n not in known]
    if stated.rate_hz is not None and step_s is None:
        faults.append("rate_hz: needs step_s, the time that a step stands for")
    if any(rate * (step_s or 0.0) > 1 for rate in (stated.rate_hz or {}).values()):
        faults.append("rate_hz: more than one spike of a neuron in a step")
    leaving = {q.source for q in network.projections}
    for one in populations:
        given_by = [how for how, values in _ways(stated).items() if one in values or EVERY in values]
        if len(given_by) > 1:
            faults.append(f"{one}: its spikes are given by both {' and '.join(given_by)}")
        if not given_by and one in leaving:
            faults.append(f"{one}: no spike_probability, rate_hz or spikes")
    return faults


def _event_faults(stated: DescribedActivity, network: DescribedNetwork) -> list[str]:
    """List the names under ``synaptic_events`` that mean no projection, and those that two names mean."""
    means = _meant(network)
    exact = stated.exact("synaptic_events")
    labels = [q.label for q in network.projections]
    faults = [
        f"synaptic_events: {unknown('projection', n, labels)}" for n in exact if n not in {*means, EVERY}
    ]
    times = Counter(i for name in exact for i in means.get(name, ()))
    faults += [f"synaptic_events: {labels[i]} is counted {n} times" for i, n in times.items() if n > 1]
    if EVERY in exact and len(exact) > 1:
        faults.append("synaptic_events: both in all and by name")
    return faults


def _meant(network: DescribedNetwork) -> dict[str, tuple[int, ...]]:
    """Return, for every name that events may go by, the indices of the projections that it means."""
    means: dict[str, tuple[int, ...]] = {}
    for i, q in enumerate(network.projections):
        means[q.target] = (*means.get(q.target, ()), i)
    for i, q in enumerate(network.projections):
        means[f"{q.source}-{q.target}"] = (i,)
    return means | {q.label: (i,) for i, q in enumerate(network.projections)}


def _ways(stated: DescribedActivity) -> dict[str, Mapping[str, float]]:
    return {
        "spikes": stated.exact("spikes"),
        "spike_probability": stated.spike_probability or {},
        "rate_hz": stated.rate_hz or {},
    }


def resolved(
    stated: DescribedActivity,
    network: DescribedNetwork,
    outline: Outline,
    at: Mapping[str, int],
    step_s: float | None,
) -> Activity:
    """Return the expected counts of a stated activity without faults (`activity_faults`)."""
    spikes = {p.name: _spikes(stated, p, step_s) for p in network.populations}
    totals = [0.0] * len(outline.groups)
    for name, n in spikes.items():
        totals[at[name]] += n
    updates = [0.0, *(float(g.size) * stated.steps for g in outline.groups[1:])]
    for name, n in stated.exact("neuron_updates").items():
        updates[at[name]] = n
    sizes = {p.name: p.size for p in network.populations}
    links = zip(network.projections, outline.links, strict=True)
    events = [spikes[q.source] * link.synapses / sizes[q.source] for q, link in links]
    exact = stated.exact("synaptic_events")
    means = _meant(network)
    for name, total in exact.items():
        chosen = means.get(name, range(len(events)))
        synapses = [float(outline.links[i].synapses) for i in chosen]
        shares = _shared_out(total, [events[i] for i in chosen], synapses)
        events = [dict(zip(chosen, shares, strict=True)).get(i, n) for i, n in enumerate(events)]
    return Activity(stated.steps, tuple(totals), tuple(updates), tuple(events))


def _spikes(stated: DescribedActivity, population: DescribedPopulation, step_s: float | None) -> float:
    """Return the spikes of a whole inference."""
    name, chances = population.name, float(population.size) * stated.steps
    exact = stated.exact("spikes")
    if name in exact:
        return exact[name]
    shares = stated.spike_probability or {}
    rates = stated.rate_hz or {}
    share = shares.get(name, shares.get(EVERY))
    rate = rates.get(name, rates.get(EVERY, 0.0))
    return chances * (rate * (step_s or 0.0) if share is None else share)


def _shared_out(total: float, parts: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Share out a total in proportion to the parts; where those are all 0, to the weights."""
    by = parts if sum(parts) > 0 else weights
    whole = sum(by)
    return [total * part / whole if whole else 0.0 for part in by]


def expected_counts(outline: Outline, activity: Activity, steps: int) -> EventCounts:
    """Return event counts of one sample, its first ``steps`` steps, spread evenly over them.

    A whole inference has `Activity.steps`. Where every count a step is nearly whole the arrays are
    broadcast, of stride 0; else rare events fall on single steps, synaptic events together with the spikes
    that cause them. Totals are right to half a count.
    """
    per_step = 1 / activity.steps
    spikes = np.array(activity.spikes) * per_step
    updates = np.array(activity.neuron_updates) * per_step
    events = np.array(activity.synaptic_events) * per_step
    sources = np.array([link.source for link in outline.links], dtype=np.int64)
    if all(_is_even(part) for part in (spikes, updates, events)):
        made = [
            np.broadcast_to(np.rint(part).astype(np.int64), (steps, len(part)))
            for part in (spikes, updates, events)
        ]
    else:
        clock = np.arange(1, steps + 1)[:, None]
        emitted = np.rint(clock * spikes)
        fan_out = np.divide(events, spikes[sources], out=np.zeros_like(events), where=spikes[sources] > 0)
        delivered = np.where(spikes[sources] > 0, emitted[:, sources] * fan_out, clock * events)
        made = [_each_step(emitted), _each_step(clock * updates), _each_step(delivered)]
    return EventCounts(
        populations=tuple(group.name for group in outline.groups),
        projections=tuple(link.name for link in outline.links),
        spikes=made[0][None],
        neuron_updates=made[1][None],
        synaptic_events=made[2][None],
        dense_macs=np.array(dense_macs(outline), dtype=np.int64),
    )


def _is_even(per_step: npt.NDArray[np.float64]) -> bool:
    return bool((np.abs(np.rint(per_step) - per_step) <= EVEN * per_step).all())


def _each_step(running: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the counts of each step from their running totals, ``[T, K]``."""
    whole = np.rint(running).astype(np.int64)
    return whole - np.vstack([np.zeros((1, whole.shape[1]), np.int64), whole[:-1]])
