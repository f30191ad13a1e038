r"""The procedure: windows at rest, then windows at work, of one meter.

.. math::
    P_{idle} = \operatorname{median}_k\, E_k^{rest} / t_k \qquad
    e_k = E_k / n_k \qquad
    e_k^{dyn} = (E_k - P_{idle}\, t_k) / n_k

for window k with energy :math:`E_k`, duration :math:`t_k` and :math:`n_k` inferences. Negative
dynamic energies stay negative. Windows of 10 s as MLPerf Tiny takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nmbench.power.interval import Interval, median_interval
from nmbench.power.meter import Clock, Meter, MeterError, MeterInfo, seconds_between
from nmbench.progress import Progress, Silence

LEAST_WINDOWS = 5

QUICK_S = 0.5
LONGEST_QUICK_S = 2.0

ROUNDING_S = 1e-6
"""Of two moments of a clock that has run for months."""

Work = Callable[[float], int]
"""Works for at least so many seconds, and returns how many inferences it finished."""


@dataclass(frozen=True)
class Plan:
    """How long a meter is read.

    Attributes
    ----------
    windows
        At rest, and as many at work. Seven are the fewest whose interval has 95 % for a median and for the
        difference of two.
    warmup_s
        Rest before the windows at rest, and work before those at work; not measured.
    """

    seconds: float = 10.0
    windows: int = 7
    warmup_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what makes no statistics."""
        if self.windows < LEAST_WINDOWS or self.seconds <= 0 or self.warmup_s < 0:
            raise ValueError(f"{self}: at least {LEAST_WINDOWS} windows that last")


OFFICIAL = Plan()


def quick(info: MeterInfo) -> Plan:
    """Return a plan of a few seconds; a meter that is too slow for it refuses with its reason."""
    return Plan(min(max(QUICK_S, info.shortest_s), LONGEST_QUICK_S), LEAST_WINDOWS, QUICK_S / 2)


@dataclass(frozen=True)
class Window:
    """What a meter said of one window.

    Attributes
    ----------
    inferences
        Finished in it; 0 at rest.
    beside
        Other energies of the same window, in J; see `Meter.beside`.
    """

    seconds: float
    joules: float
    inferences: int = 0
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.seconds


@dataclass(frozen=True)
class Power:
    """All windows of a meter, and what follows from them, per window."""

    info: MeterInfo
    idle: tuple[Window, ...]
    active: tuple[Window, ...]

    @property
    def idle_w(self) -> Interval:
        """Median power at rest."""
        return median_interval([window.watts for window in self.idle])

    @property
    def energy_j(self) -> list[float]:
        """Energy an inference, of each window."""
        return [window.joules / window.inferences for window in self.active]

    def dynamic_w(self, idle_w: float) -> list[float]:
        """Power above rest, of each window."""
        return [window.watts - idle_w for window in self.active]

    def dynamic_j(self, idle_w: float) -> list[float]:
        """Energy an inference above rest, of each window."""
        return [(window.joules - idle_w * window.seconds) / window.inferences for window in self.active]


def measure(
    meter: Meter,
    work: Work,
    plan: Plan = OFFICIAL,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> Power:
    """Read a meter at rest and at work.

    Raises
    ------
    MeterError
        The meter failed, its windows cannot be as the plan says, or ``work`` did less than it must.
    """
    progress, clock = progress or Silence(), clock or Clock()
    meter.info.refuse_short(plan.seconds)
    meter.info.refuse_long(plan.seconds)

    def rest(seconds: float) -> int:
        clock.sleep(seconds)
        return 0

    idle = _windows(meter, rest, plan, progress, "power at rest")
    active = _windows(meter, work, plan, progress, "power at work")
    if any(window.inferences < 1 for window in active):
        raise MeterError(f"no inference was finished in a window of {plan.seconds:g} s")
    return Power(meter.info, idle, active)


def _windows(meter: Meter, work: Work, plan: Plan, progress: Progress, task: str) -> tuple[Window, ...]:
    if plan.warmup_s:
        work(plan.warmup_s)
    found = []
    for i in range(plan.windows):
        progress.step(task, i, plan.windows)
        found.append(_window(meter, work, plan.seconds))
    progress.step(task, plan.windows, plan.windows)
    return tuple(found)


def _window(meter: Meter, work: Work, least_s: float) -> Window:
    since = meter.mark()
    inferences = work(least_s)
    until = meter.mark()
    seconds = seconds_between(since, until)
    if seconds < least_s - ROUNDING_S:
        raise MeterError(f"a window lasted {seconds:.4g} s, less than {least_s:.4g} s")
    return Window(seconds, meter.joules(since, until), inferences, meter.beside(since, until))
