"""Clocks: wall time, wall time without idle waiting, and virtual time. All start at 0 and count seconds."""

from __future__ import annotations

import time
from typing import Literal, Protocol

ClockName = Literal["wall", "skipping", "virtual"]

SPIN_S = 200e-6
"""A sleeper wakes up late by some 50 us: the last part of a wait is spent awake."""


class Clock(Protocol):
    """What a scenario reads the time from, and waits by."""

    @property
    def name(self) -> ClockName:
        """Name that stands in a record."""

    def now(self) -> float:
        """Return the time, seconds."""

    def wait_until(self, moment: float) -> None:
        """Return when the moment has come; at once where it is past."""


class WallClock:
    """The monotonic clock of this machine; whoever waits really waits."""

    name: ClockName = "wall"

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def now(self) -> float:
        """Return the seconds since it was made."""
        return time.perf_counter() - self._start

    def wait_until(self, moment: float) -> None:
        """Sleep, and spin at the end; the interpreter is free for other threads meanwhile."""
        while (left := moment - self.now()) > 0:
            time.sleep(left - SPIN_S if left > SPIN_S else 0)


class SkippingClock(WallClock):
    """The wall clock without the time in which all wait: work takes as long as it takes, waiting none.

    For platforms that are slower than what they stand for, and for long traffic at a low rate. A platform
    that works while the harness waits needs the wall clock.
    """

    name: ClockName = "skipping"

    def wait_until(self, moment: float) -> None:
        """Put the clock forward."""
        ahead = moment - self.now()
        if ahead > 0:
            self._start -= ahead


class VirtualClock:
    """A number that moves when it is told to: discrete events."""

    name: ClockName = "virtual"

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Return the virtual time."""
        return self._now

    def wait_until(self, moment: float) -> None:
        """Move to the moment."""
        self._now = max(self._now, moment)

    def spend(self, seconds: float) -> None:
        """Let work take so long."""
        self._now += seconds


def clock(name: ClockName) -> WallClock | SkippingClock | VirtualClock:
    """Return a clock that starts now."""
    kinds: dict[ClockName, type[WallClock | SkippingClock | VirtualClock]] = {
        "wall": WallClock,
        "skipping": SkippingClock,
        "virtual": VirtualClock,
    }
    return kinds[name]()
