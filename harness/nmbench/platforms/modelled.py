"""A modelled platform: the simulator counts, the card and the family's equation price."""

from __future__ import annotations

from collections.abc import Mapping as Named
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nmbench.counts import EventCounts
from nmbench.energy.card import Card, load_card
from nmbench.energy.cost import Cost
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping, Misfit
from nmbench.energy.models import MODELS, layers_by_way, price, price_spreads, refusal
from nmbench.energy.uncertainty import Spread, What
from nmbench.network.network import Network
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.quantity import NESTED, Boundary
from nmbench.spec import Scalar
from nmbench.spikes import SpikeBatch

if TYPE_CHECKING:
    from nmbench.simulator.engine import Simulator


@dataclass(frozen=True)
class ModelledPlatform(Platform):
    """A chip that is not there: its answers are the simulator's, its cost comes from its card."""

    card: Card

    @property
    def info(self) -> PlatformInfo:
        """Name, version and family are the card's; the boundary is the outermost whose latency it states."""
        return PlatformInfo(
            name=self.card.name,
            version=self.card.version,
            family=self.card.family,
            summary=self.card.summary,
            clock="model",
            boundary=_outermost(self.card),
            card=self.card,
            caveat=self.card.answers,
        )

    def place(self, network: Network) -> Mapping | Misfit:
        """Map the network, without loading it; graded projections only where values are delivered."""
        placed, refused = place(network, self.card), refusal(self.card, network.graded)
        if refused is None:
            return placed
        return Misfit((*refused.faults, *(placed.faults if isinstance(placed, Misfit) else ())))

    def refuse(self, network: Network) -> str | None:
        """Return the limits that the network breaks; None if it fits."""
        placed = self.place(network)
        return placed.reason if isinstance(placed, Misfit) else None

    def load(self, network: Network) -> ModelledSession:
        """Map the network and compile it for the simulator.

        Raises
        ------
        ValueError
            If the platform refuses it.
        """
        placed = self.place(network)
        if isinstance(placed, Misfit):
            raise ValueError(f"{self.card.name} refuses the network: {placed.reason}")
        from nmbench.simulator.engine import compile  # Numba takes seconds to import

        return ModelledSession(compile(network), placed, self)


MOST_AT_ONCE = 1024
"""Samples in a call of a platform whose equation prices batches."""


@dataclass(frozen=True, eq=False)
class ModelledSession(Session):
    """A network on a modelled platform."""

    simulator: Simulator
    mapping: Mapping
    platform: ModelledPlatform

    def infer(self, batch: SpikeBatch) -> Answer:
        """Run the samples in the simulator and price what it counted."""
        run = self.simulator.run(batch)
        cost = price(run.counts, self.mapping, self.platform.card)
        return Answer(outputs=run.outputs, counts=run.counts, cost=cost)

    @property
    def most_at_once(self) -> int:
        """Batches where the family's equation prices them; else one after the other."""
        return most_at_once(self.platform.card)

    def price(self, counts: EventCounts, batch: int = 1) -> Cost:
        """Price counts by the family's equation."""
        return price_batch(counts, batch, self.mapping, self.platform.card)

    def choices(self, counts: EventCounts | None) -> Named[str, Scalar]:
        """Name the layers by the way that was the cheaper, where the chip has two."""
        return layers_by_way(counts, self.mapping, self.platform.card) if counts else {}

    def spreads(
        self, counts: EventCounts, batch: int = 1, each_s: float | None = None
    ) -> Named[What, Spread]:
        """Propagate the card's intervals."""
        return price_spreads(counts, in_batches(self.mapping, batch), self.platform.card, each_s)


def most_at_once(card: Card) -> int:
    """Return how many samples are worth handing over at once."""
    return MOST_AT_ONCE if "batch" in MODELS[card.model].heeds else 1


def price_batch(counts: EventCounts, batch: int, mapping: Mapping, card: Card) -> Cost:
    """Price counts in calls of ``batch`` like samples: a sample's energy, the call's time."""
    return price(counts, in_batches(mapping, batch), card)


def in_batches(mapping: Mapping, batch: int) -> Mapping:
    """Return the placement of a network that answers so many samples in a call."""
    return replace(mapping, conditions=replace(mapping.conditions, batch=batch))


def modelled(card: str) -> ModelledPlatform:
    """Return the platform of a card that nmbench ships."""
    return ModelledPlatform(load_card(card))


def _outermost(card: Card) -> Boundary:
    return max(card.model_error.latency, key=NESTED.index)
