"""The host's CPU, measured: the event-driven simulator, compiled by Numba."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nmbench.counts import EventCounts
from nmbench.energy.card import load_card
from nmbench.energy.cost import Cost, PerSample
from nmbench.energy.host import price_host
from nmbench.energy.uncertainty import Spread, What, cost_spreads
from nmbench.network.network import Network
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.spec import Scalar
from nmbench.spikes import SpikeBatch

if TYPE_CHECKING:
    from nmbench.simulator.engine import Simulator


class NumbaEvent(Platform):
    """Runs the network on this host; the harness times it.

    Parameters
    ----------
    threads
        Threads over samples; a single sample is never split.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._card = load_card("cpu-host")

    @property
    def info(self) -> PlatformInfo:
        """Measured by the wall clock; the card holds the host's constants."""
        return PlatformInfo(
            name="numba-event",
            version=1,
            family="cpu",
            summary="event-driven simulator on this CPU",
            clock="wall",
            card=self._card,
            options={"threads": self.threads},
        )

    def price_wall(self, seconds: PerSample) -> Cost:
        """Price wall times by the card's power of a busy core; one query keeps one thread busy."""
        return price_host(seconds, self._card)

    def wall_spreads(self, seconds: PerSample) -> Mapping[What, Spread]:
        """Propagate the interval of the card's power; the seconds are measured."""
        return cost_spreads(lambda card: price_host(seconds, card), self._card)

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

    def infer(self, batch: SpikeBatch) -> Answer:
        """Answer with the readout and with what was counted on the way."""
        run = self.simulator.run(batch, self.threads)
        return Answer(run.outputs, run.counts)
