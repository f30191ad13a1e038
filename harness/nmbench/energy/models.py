"""The cost models by name: how a network is placed, what that costs, and which conditions matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmbench.energy.akida import price_akida
from nmbench.energy.crossbar import price_crossbar
from nmbench.energy.dense import price_dense
from nmbench.energy.loihi import price_loihi, price_loihi2
from nmbench.energy.spinnaker import price_spinnaker
from nmbench.energy.spinnaker2 import price_spinnaker2

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
        Fields of `Conditions` that change its answer; others, where stated, are refused.
    """

    price: Price
    heeds: frozenset[str] = frozenset()


MODELS: Mapping[str, Model] = {
    "loihi": Model(price_loihi, frozenset({"host_io", "input_cores"})),
    "loihi2": Model(price_loihi2),
    "spinnaker": Model(price_spinnaker),
    "spinnaker2": Model(price_spinnaker2),
    "akida": Model(price_akida),
    "crossbar": Model(price_crossbar),
    "dense": Model(price_dense),
}
"""By the name that a card's ``model`` gives."""
