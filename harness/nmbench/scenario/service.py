"""Service: how long a modelled platform works on each sample, and what it draws, in virtual time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.cost import Cost
from nmbench.energy.uncertainty import Spread, What
from nmbench.quantity import NESTED, Boundary
from nmbench.scenario.clock import VirtualClock
from nmbench.scenario.desk import Desk
from nmbench.scenario.log import Log

Price = Callable[[EventCounts, int], Cost]
"""Prices counts in calls of so many like samples: a sample's energy, the call's time."""


@dataclass(frozen=True)
class Pricing:
    """How counts are priced.

    Attributes
    ----------
    spreads
        The 90 % spread of what counts cost (`Session.spreads`).
    most_at_once
        Most samples that are worth handing over in one call.
    source
        Of what is priced: the card and its version.
    """

    price: Price
    spreads: Callable[[EventCounts, int, float | None], Mapping[What, Spread]]
    most_at_once: int
    source: str


Table = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Power:
    """What a platform draws inside a boundary.

    Attributes
    ----------
    active_j
        Joules of a sample in a call of each size, without what flows anyway, ``[sizes, B]``.
    standing_w
        What flows for as long as the network is loaded, watts.
    """

    active_j: Table
    standing_w: float


@dataclass(frozen=True, eq=False)
class Service:
    """Durations and energies of calls, by their size and by sample.

    Attributes
    ----------
    boundary
        Of the durations.
    sizes
        Sizes of calls that were priced, ascending from 1; a call of another size takes the next one's time.
    seconds
        Of a call of so many samples like this one, ``[sizes, B]``; one of different samples takes their mean.
    power
        By boundary of the energy.
    """

    boundary: Boundary
    sizes: tuple[int, ...]
    seconds: Table
    power: Mapping[Boundary, Power]

    def scaled(self, factor: float) -> Service:
        """Return the service of a platform that takes so many times as long."""
        return replace(self, seconds=self.seconds * factor)

    @property
    def capacity(self) -> float:
        """Samples per second of a platform that never waits, at its best size."""
        return float((np.array(self.sizes) / self.seconds.mean(axis=1)).max())

    @property
    def best_size(self) -> int:
        """Size of calls with the most samples per second; the smallest of equals."""
        return self.sizes[int((np.array(self.sizes) / self.seconds.mean(axis=1)).argmax())]

    def usual_size(self, log: Log) -> int:
        """Return the size at which the median sample of a run was priced."""
        return self.sizes[bisect_left(self.sizes, int(np.median(log.together)))]

    def energy_j(self, log: Log, boundary: Boundary) -> Table:
        """Return the joules of each sample of a run, ``[n]``; what flows while waiting is shared evenly."""
        power = self.power[boundary]
        sizes = np.array(self.sizes)
        k = np.searchsorted(sizes, log.together)
        active = power.active_j[k, log.sample] * sizes[k] / log.together
        energy: Table = active + power.standing_w * log.seconds / len(log)
        return energy


def service(price: Price, counts: EventCounts, most_at_once: int, boundary: Boundary) -> Service:
    """Price calls of 1, 2, 4 ... samples, at most ``most_at_once``."""
    sizes = tuple(1 << k for k in range(most_at_once.bit_length()) if 1 << k <= most_at_once)
    costs = [price(counts, size) for size in sizes]
    return Service(
        boundary=boundary,
        sizes=sizes,
        seconds=np.stack([cost.latency(boundary) for cost in costs]),
        power={b: _power(costs, b) for b in NESTED if b in costs[0].energy_factor},
    )


def _power(costs: Sequence[Cost], boundary: Boundary) -> Power:
    standing = costs[0].standing(boundary)
    return Power(
        active_j=np.stack([cost.energy(boundary) - cost.standing(boundary) for cost in costs]),
        standing_w=float(standing.sum() / costs[0].latency(boundary).sum()),
    )


class Modelled:
    """A respondent in virtual time: it is busy for as long as its model says."""

    def __init__(self, service: Service, clock: VirtualClock) -> None:
        self._clock = clock
        self._sizes = service.sizes
        self._alone = service.seconds[0].tolist()
        self._seconds = service.seconds
        self._most = service.sizes[-1]

    @property
    def most_at_once(self) -> int:
        """The largest call that was priced."""
        return self._most

    def take(self, desk: Desk, first: int, samples: Sequence[int]) -> None:
        """Spend the time of a call."""
        if len(samples) == 1:
            self._clock.spend(self._alone[samples[0]])
        else:
            size = bisect_left(self._sizes, len(samples))
            self._clock.spend(float(self._seconds[size, samples].mean()))
        desk.done(first, len(samples))
