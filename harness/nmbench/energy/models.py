"""The cost models by name: how a network is placed, what that costs, and which conditions matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmbench.energy.akida import price_akida
from nmbench.energy.crossbar import price_crossbar
from nmbench.energy.dense import price_dense
from nmbench.energy.either import kernels, price_either
from nmbench.energy.events import price_events
from nmbench.energy.loihi import price_loihi
from nmbench.energy.loihi2 import price_loihi2
from nmbench.energy.mapping import Misfit
from nmbench.energy.spinnaker import price_spinnaker
from nmbench.energy.spinnaker2 import choices, price_spinnaker2
from nmbench.energy.uncertainty import Spread, What, cost_spreads, traffic_spreads

if TYPE_CHECKING:
    from nmbench.counts import EventCounts
    from nmbench.energy.card import Card
    from nmbench.energy.cost import Cost
    from nmbench.energy.mapping import Mapping as Placed

Price = Callable[["EventCounts", "Placed", "Card"], "Cost"]
"""Prices the counts of B samples of a network that lies on the platform so."""


@dataclass(frozen=True)
class Model:
    """A family's equation.

    Attributes
    ----------
    heeds
        Fields of `Conditions` that change its answer.
    real_time
        A step takes the time that it stands for: a network's own ``step_s`` is the platform's tick. Others
        run as fast as they can, unless the conditions of a run say otherwise.
    ways
        Where a layer may take one of two ways: names each projection's, the cheaper one.
    values
        Whether values (graded projections), not spikes alone, are delivered and priced.
    """

    price: Price
    heeds: frozenset[str] = frozenset()
    real_time: bool = False
    ways: Callable[[EventCounts, Placed, Card], Mapping[str, str]] | None = None
    values: Callable[[Card], bool] = lambda card: True


MODELS: Mapping[str, Model] = {
    "loihi": Model(
        price_loihi, frozenset({"host_io", "input_cores", "chips", "step_s"}), values=lambda card: False
    ),
    "loihi2": Model(price_loihi2, frozenset({"host_io", "chips", "step_s"})),
    "spinnaker": Model(
        price_spinnaker, frozenset({"boards", "chips", "step_s"}), real_time=True, values=lambda card: False
    ),
    "spinnaker2": Model(price_spinnaker2, frozenset({"chips", "step_s"}), real_time=True, ways=choices),
    "akida": Model(price_akida, frozenset({"batch", "step_s"})),
    "crossbar": Model(
        price_crossbar,
        frozenset({"input_bits", "output_bits"}),
        values=lambda card: card.value("input_bits") > 1,
    ),
    "dense": Model(price_dense, frozenset({"batch"})),
    "events": Model(price_events, frozenset({"batch", "boards", "chips"})),
    "either": Model(price_either, frozenset({"batch"}), ways=kernels),
}
"""By the name that a card's ``model`` gives."""

SPREAD_SAMPLES = 8
"""Samples whose mean cost stands for all where a spread is sought: it varies little from sample to sample."""


def refusal(card: Card, graded: Sequence[str]) -> Misfit | None:
    """Refuse graded projections, by name, where the card's chip delivers spikes alone; None: it can."""
    if not graded or MODELS[card.model].values(card):
        return None
    return Misfit((f"projections {', '.join(graded)} carry values: only spikes are delivered and priced",))


def layers_by_way(counts: EventCounts, mapping: Placed, card: Card) -> dict[str, list[str]]:
    """Return the projections that take each way, the cheaper one; empty where there is but one."""
    ways = MODELS[card.model].ways
    found: dict[str, list[str]] = {}
    for projection, way in (ways(counts, mapping, card) if ways else {}).items():
        found.setdefault(way, []).append(projection)
    return found


def price(counts: EventCounts, mapping: Placed, card: Card) -> Cost:
    """Price inferences by the card's own equation."""
    return MODELS[card.model].price(counts, mapping, card)


def price_spreads(
    counts: EventCounts, mapping: Placed, card: Card, each_s: float | None = None
) -> dict[What, Spread]:
    """Return the 90 % spread of what `price` states, on samples from few to many synaptic events.

    ``each_s``: of energies alone, in traffic that brings a sample every so many seconds.
    """
    order = np.argsort(counts.synaptic_events.sum(axis=(1, 2)), kind="stable")
    at = np.unique(np.linspace(0, len(order) - 1, SPREAD_SAMPLES).round().astype(np.int64))
    few = counts.take(order[at])

    def priced(varied: Card) -> Cost:
        return price(few, mapping, varied)

    if each_s is None:
        return cost_spreads(priced, card)
    return traffic_spreads(priced, card, each_s, mapping.conditions.batch)
