"""The contract of a platform: it loads a network and answers batches; the harness owns clock and order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
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
    draws
        Which part of this host draws the energy of a platform with a wall clock: says which meter to read.
    in_order
        Answers come in the order of the queries. One that works on several at a time may say that they need
        not: then an answer that overtakes another is no fault.
    """

    name: str
    version: int
    family: str
    summary: str
    clock: Literal["wall", "model"]
    boundary: Boundary = "wall"
    card: Card | None = None
    caveat: str | None = None
    draws: Literal["cpu", "gpu", "external"] = "cpu"
    in_order: bool = True
    options: dict[str, Scalar] = field(default_factory=dict)


Reply = Callable[[int, npt.NDArray[np.float32]], None]
"""Takes the answer of one query, by its number: outputs ``[T, classes]``. From any thread, once a query."""


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


class Stream(ABC):
    """A recording under way: the network keeps its state from piece to piece."""

    @abstractmethod
    def feed(self, piece: SpikeBatch) -> npt.NDArray[np.float32]:
        """Go on with the steps of a piece, one sample of k steps; return their outputs ``[k, classes]``."""

    @abstractmethod
    def rest(self) -> None:
        """Return to the resting state: the next piece begins a recording."""


class Session(ABC):
    """A network on a platform, ready to answer."""

    @abstractmethod
    def infer(self, batch: SpikeBatch) -> Answer:
        """Answer every sample of the batch, each from the resting state. This call is the one timed."""

    @property
    def most_at_once(self) -> int:
        """Most samples that are worth handing over in one call; 1: it works on one after the other."""
        return 1

    def submit(self, numbers: Sequence[int], batch: SpikeBatch, reply: Reply) -> None:
        """Take queries, sample i of the batch under ``numbers[i]``, and reply to each when it is answered.

        A platform that works on while it takes the next query overrides this, returns at once and replies
        from a thread of its own.
        """
        for number, outputs in zip(numbers, self.infer(batch).outputs, strict=True):
            reply(number, outputs)

    def stream(self) -> Stream | None:
        """Return a recording under way; None: no state can be kept, each is run again from its beginning."""
        return None

    def price(self, counts: EventCounts, batch: int = 1) -> Cost | None:
        """Price counts, of whole recordings or of pieces, in calls of ``batch`` like samples.

        The energy is a sample's, the latency the call's. None where the platform states no cost.
        """
        return None

    def choices(self, counts: EventCounts | None) -> Mapping[str, Scalar]:
        """Return what was chosen for this network and these counts, an engine or the ways of its layers, say.

        It stands among the record's options.
        """
        return {}

    def spreads(
        self, counts: EventCounts, batch: int = 1, each_s: float | None = None
    ) -> Mapping[What, Spread]:
        """Return the 90 % spread of what these counts cost; empty: the cost's own factors are all.

        Parameters
        ----------
        batch
            Samples that share a call.
        each_s
            Of energies alone, in traffic that brings a sample every so many seconds.
        """
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

    def price_wall(self, seconds: npt.NDArray[np.float64], together: npt.ArrayLike = 1) -> Cost | None:
        """Return the energy of timed samples where the card states a power; else None.

        Parameters
        ----------
        seconds
            Of the call that answered each sample, ``[B]``.
        together
            Samples in that call, int, ``[B]`` or one number for all.
        """
        return None

    def wall_spreads(
        self, seconds: npt.NDArray[np.float64], together: npt.ArrayLike = 1
    ) -> Mapping[What, Spread]:
        """Return the 90 % spread of what `price_wall` states; empty: the cost's own factors are all."""
        return {}
