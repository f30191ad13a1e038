"""Power over time as readings give it, and its integral."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nmbench.power.meter import MeterError

MOST_READINGS = 4_000_000
"""Readings that are kept: a kilohertz for an hour."""


def integrate(
    times_s: Sequence[float] | npt.NDArray[np.float64],
    watts: Sequence[float] | npt.NDArray[np.float64],
    since_s: float,
    until_s: float,
    largest_gap_s: float,
) -> float:
    r"""Return :math:`\int P\,dt` between two moments, by the trapezoidal rule, in J.

    Power is taken to be linear between two readings, at the window's ends too.

    Parameters
    ----------
    times_s, watts
        Readings, ``[N]``; times grow.
    largest_gap_s
        Two readings that the window needs may lie so far apart.

    Raises
    ------
    MeterError
        The readings do not cover the window, leave a gap in it, or make negative energy.
    """
    times, powers = np.asarray(times_s, np.float64), np.asarray(watts, np.float64)
    if len(times) < 2 or times[0] > since_s or times[-1] < until_s:
        raise MeterError(f"the meter's readings do not cover the window of {until_s - since_s:.3g} s")
    first = int(np.searchsorted(times, since_s, side="right")) - 1
    last = int(np.searchsorted(times, until_s, side="left"))
    gap = float(np.diff(times[first : last + 1]).max(initial=0.0))
    if gap > largest_gap_s:
        raise MeterError(
            f"no reading for {gap:.3g} s within a window; at most {largest_gap_s:.3g} s are bridged"
        )
    inside = times[first + 1 : last]
    at = np.concatenate(([since_s], inside, [until_s]))
    joules = float(np.trapezoid(np.interp(at, times[first : last + 1], powers[first : last + 1]), at))
    if joules < 0:
        raise MeterError(
            f"the energy of a window is negative ({joules:.3g} J): the sensor is the wrong way round"
        )
    return joules


class Readings:
    """Power readings that another thread brings in; whoever integrates waits until they cover the window."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._watts: list[float] = []
        self._failure: MeterError | None = None
        self._changed = threading.Condition()

    def add(self, time_s: float, watts: float) -> None:
        """Take a reading; one that is not later than the last is left out."""
        with self._changed:
            if len(self._times) == MOST_READINGS:
                self._failure = MeterError(f"more than {MOST_READINGS} readings")
            elif not self._times or time_s > self._times[-1]:
                self._times.append(time_s)
                self._watts.append(watts)
            self._changed.notify_all()

    def fail(self, error: MeterError) -> None:
        """Say that no reading will follow; the first reason stands."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def period_s(self, readings: int, patience_s: float) -> float:
        """Wait for some readings, and return the median time between two.

        Raises
        ------
        MeterError
            They did not come.
        """
        self._wait(lambda: len(self._times) >= readings, patience_s, f"fewer than {readings} readings")
        return float(np.median(np.diff(self._times)))

    def joules(self, since_s: float, until_s: float, largest_gap_s: float, patience_s: float) -> float:
        """Wait until the readings reach the window's end, and integrate; see `integrate`."""
        self._wait(lambda: bool(self._times) and self._times[-1] >= until_s, patience_s, "no reading")
        with self._changed:
            times, watts = np.array(self._times), np.array(self._watts)
        return integrate(times, watts, since_s, until_s, largest_gap_s)

    def _wait(self, ready: Callable[[], bool], patience_s: float, missing: str) -> None:
        deadline = time.monotonic() + patience_s
        with self._changed:
            while not ready():
                if self._failure is not None:
                    raise self._failure
                left = deadline - time.monotonic()
                if left <= 0:
                    raise MeterError(f"{missing} for {patience_s:.3g} s")
                self._changed.wait(left)
