"""The host's CPU, measured: the event-driven simulator, compiled by Numba."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.card import Card, load_card
from nmbench.energy.cost import Cost, PerSample
from nmbench.energy.host import price_host
from nmbench.energy.uncertainty import Spread, What, cost_spreads
from nmbench.network.network import Network
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session, Stream
from nmbench.spec import Scalar
from nmbench.spikes import SpikeBatch

if TYPE_CHECKING:
    from nmbench.simulator.engine import Simulator


MOST_AT_ONCE = 256


class NumbaEvent(Platform):
    """Runs the network on this host; the harness times it.

    Parameters
    ----------
    threads
        Threads over samples; a single sample is never split. None: all cores at hand.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self._card = load_card("cpu-host")

    @property
    def info(self) -> PlatformInfo:
        """Measured by the wall clock; the card holds the host's constants."""
        return PlatformInfo(
            name="numba-event",
            version=2,
            family="cpu",
            summary="event-driven simulator on this CPU",
            clock="wall",
            card=self._card,
            options={"threads": self.threads},
        )

    def price_wall(self, seconds: PerSample, together: npt.ArrayLike = 1) -> Cost:
        """Price wall times by the card's power of a busy core; a sample keeps one thread busy."""
        return self._price(seconds, together, self._card)

    def wall_spreads(self, seconds: PerSample, together: npt.ArrayLike = 1) -> Mapping[What, Spread]:
        """Propagate the interval of the card's power; the seconds are measured."""
        return cost_spreads(lambda card: self._price(seconds, together, card), self._card)

    def _price(self, seconds: PerSample, together: npt.ArrayLike, card: Card) -> Cost:
        cores = np.minimum(self.threads, together)
        return price_host(seconds * cores / np.asarray(together), card)

    def load(self, network: Network) -> Session:
        """Lay the network out for this CPU."""
        from nmbench.simulator.engine import compile  # Numba takes seconds to import

        return _Running(compile(network), self.threads)


class _Running(Session):
    """A network in the simulator."""

    def __init__(self, simulator: Simulator, threads: int) -> None:
        self.simulator = simulator
        self.threads = threads

    def choices(self, counts: EventCounts | None) -> Mapping[str, Scalar]:
        """Name the engine and the type of its weights, and why no faster ones where there are."""
        chosen = {"engine": self.simulator.engine}
        return chosen | ({"engine_reason": self.simulator.reason} if self.simulator.reason else {})

    @property
    def most_at_once(self) -> int:
        """Samples that keep all threads busy and share what a call costs."""
        return MOST_AT_ONCE

    def stream(self) -> Stream:
        """Keep the network's state in memory of its own."""
        return _Streaming(self.simulator)

    def infer(self, batch: SpikeBatch) -> Answer:
        """Answer with the readout and with what was counted on the way."""
        run = self.simulator.run(batch, self.threads)
        return Answer(run.outputs, run.counts)


class _Streaming(Stream):
    """A recording under way in the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._stream = simulator.stream()

    def feed(self, piece: SpikeBatch) -> npt.NDArray[np.float32]:
        """Go on with the piece's steps."""
        outputs: npt.NDArray[np.float32] = self._stream.feed(piece).outputs[0]
        return outputs

    def rest(self) -> None:
        """Begin a recording."""
        self._stream.rest()
