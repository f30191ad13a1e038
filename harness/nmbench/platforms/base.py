"""The contract of a platform: it loads a network and answers batches; the harness owns clock and order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost
from nmbench.energy.uncertainty import Spread, What
from nmbench.network.network import Network
from nmbench.quantity import Boundary
from nmbench.spec import Scalar
from nmbench.spikes import SpikeBatch


@dataclass(frozen=True)
class PlatformInfo:
    """What a platform says of itself.

    Attributes
    ----------
    name
        Unique, lower case, words joined by ``-``: part of file names.
    family
        Platforms of one maker or principle; ``--platform gpu`` runs the whole family.
    clock
        ``wall``: it runs for real and the harness times it. ``model``: it states its own time.
    boundary
        Boundary of a latency by the wall clock.
    card
        Constants that energy and modelled latency stand on; None where it states neither.
    caveat
        What of the answers is not the platform's own; stands beside every accuracy.
    """

    name: str
    version: int
    family: str
    summary: str
    clock: Literal["wall", "model"]
    boundary: Boundary = "wall"
    card: Card | None = None
    caveat: str | None = None
    options: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a platform returns for B samples of T steps.

    Attributes
    ----------
    outputs
        Membrane of the readout (or spikes of the output population) by step, float32 ``[B, T, classes]``.
    counts
        What was counted on the way; None where a platform cannot count.
    cost
        Energy and time of a modelled platform; None for a measured one, which the harness times.
    """

    outputs: npt.NDArray[np.float32]
    counts: EventCounts | None = None
    cost: Cost | None = None


class Session(ABC):
    """A network on a platform, ready to answer."""

    @abstractmethod
    def infer(self, batch: SpikeBatch) -> Answer:
        """Answer every sample of the batch, each from the resting state. This call is the one timed."""

    def choices(self, counts: EventCounts | None) -> Mapping[str, Scalar]:
        """Return what was chosen for this network and these counts, an engine or the ways of its layers, say.

        It stands among the record's options.
        """
        return {}

    def spreads(self, counts: EventCounts) -> Mapping[What, Spread]:
        """Return the 90 % spread of what these counts cost; empty: the cost's own factors are all."""
        return {}

    def warmup(self, batch: SpikeBatch) -> None:
        """Do once what must not be timed: compile, allocate, fill caches."""
        self.infer(batch.take([0]))

    def close(self) -> None:  # noqa: B027 - most platforms hold nothing
        """Give back what the session holds."""


class Platform(ABC):
    """Something that runs networks; see CONTRIBUTING for the recipe and `dummy.py` for the smallest one."""

    @property
    @abstractmethod
    def info(self) -> PlatformInfo:
        """Name, version, clock, boundary and card."""

    def refuse(self, network: Network) -> str | None:
        """Return why this platform cannot run the network, with the limit and by how much; None if it can."""
        return None

    @abstractmethod
    def load(self, network: Network) -> Session:
        """Place the network; not timed."""

    def price_wall(self, seconds: npt.NDArray[np.float64]) -> Cost | None:
        """Return the energy of timed queries (seconds, ``[B]``) where the card states a power; else None."""
        return None

    def wall_spreads(self, seconds: npt.NDArray[np.float64]) -> Mapping[What, Spread]:
        """Return the 90 % spread of what `price_wall` states; empty: the cost's own factors are all."""
        return {}
