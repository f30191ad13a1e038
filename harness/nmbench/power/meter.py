"""The contract of a meter: marks in time, and the joules between two of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from nmbench.quantity import Boundary

LEAST_UPDATES = 10
"""A window holds at least so many updates of its meter: a counter that lags by one is 10 % off at worst."""


class MeterError(Exception):
    """A meter that failed midway, or a window that it cannot measure: there is no number.

    The text goes into records: it names no path and no command of this machine.

    Parameters
    ----------
    detail
        What the meter itself said, for the terminal alone.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.detail = detail
        super().__init__(reason)


@dataclass(frozen=True)
class NoMeter:
    """Says why there is no meter: the reason beside every number that is missing for it."""

    reason: str


class Clock:
    """The clocks of this machine; a test puts its own in their place."""

    def now(self) -> float:
        """Return seconds that only grow, from an arbitrary start."""
        return time.perf_counter()

    def wall(self) -> float:
        """Return seconds since 1970, as the logs of other machines have them."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long, or a little longer."""
        time.sleep(seconds)


@dataclass(frozen=True)
class MeterInfo:
    """What a meter says of itself.

    Attributes
    ----------
    name
        Which sort it is: ``rapl``, ``nvml``, ``command``, ``csv``.
    boundary
        What its joules include, in the words that every energy has.
    covers
        The same for a reader: which parts, and what of them is not this benchmark's doing.
    update_s
        It takes a new value so often; a window must be much longer (`LEAST_UPDATES`).
    longest_s
        A window may last so long; None where nothing bounds it.
    """

    name: str
    boundary: Boundary
    covers: str
    update_s: float
    longest_s: float | None = None

    @property
    def shortest_s(self) -> float:
        """The shortest window that the meter resolves."""
        return LEAST_UPDATES * self.update_s

    def refuse_short(self, seconds: float) -> None:
        """Raise `MeterError` where a window holds too few updates."""
        if seconds < self.shortest_s:
            raise MeterError(
                f"a window of {seconds:.3g} s is too short for {self.name}, which has a new value every "
                f"{self.update_s:.2g} s: at least {self.shortest_s:.3g} s"
            )

    def refuse_long(self, seconds: float) -> None:
        """Raise `MeterError` where a counter could wrap twice unseen."""
        if self.longest_s is not None and seconds > self.longest_s:
            raise MeterError(
                f"a window of {seconds:.4g} s is too long for {self.name}: past {self.longest_s:.4g} s its "
                "counter could wrap twice unseen; several shorter windows add up to the same"
            )


@dataclass(frozen=True)
class Mark:
    """A moment, with what the meter's counters showed.

    Attributes
    ----------
    time_s, wall_s
        By `Clock.now` and by `Clock.wall`.
    counters
        In the meter's own order and unit; empty for one that samples power.
    """

    time_s: float
    wall_s: float
    counters: tuple[int, ...] = ()


class Meter(ABC):
    """Measures the energy between two marks. Use it in a ``with``: it may hold a process or a thread."""

    info: MeterInfo

    @abstractmethod
    def mark(self) -> Mark:
        """Take a mark now.

        Raises
        ------
        MeterError
            The meter failed.
        """

    @abstractmethod
    def joules(self, since: Mark, until: Mark) -> float:
        """Return the energy between two marks of this meter, in J.

        Raises
        ------
        MeterError
            The meter failed, or cannot tell: a gap, a counter that stood still, a window too long.
        """

    def beside(self, since: Mark, until: Mark) -> Mapping[str, float]:
        """Return other energies of the same window, by name, in J; none of them is part of `joules`."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """Let go of what the meter holds; a second time does nothing."""

    def __enter__(self) -> Self:
        """Return the meter itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def seconds_between(since: Mark, until: Mark) -> float:
    """Return the time from one mark to a later one, in s.

    Raises
    ------
    ValueError
        The second is not later.
    """
    seconds = until.time_s - since.time_s
    if seconds <= 0:
        raise ValueError(f"a window of {seconds} s")
    return seconds
