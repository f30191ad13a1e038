"""From the windows of a meter to metrics of a record, or to what says why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nmbench.power.interval import Interval, median_interval
from nmbench.power.meter import MeterInfo
from nmbench.power.windows import Power, Window
from nmbench.quantity import Boundary
from nmbench.record import Metric

Unit = Literal["W", "J"]


def power_metrics(power: Power) -> list[Metric]:
    """State what a meter measured: power at rest, at work and above rest; energy an inference.

    ``chip_dynamic`` is stated for a meter of the chip alone: above the rest of a whole machine there is more
    than a chip. A number above rest whose interval reaches 0 is null: below what the meter resolves.
    """
    where = power.info.boundary
    idle = power.idle_w
    found = [
        _stated("power_idle", "W", where, [w.watts for w in power.idle], power, power.idle),
        _stated("power_active", "W", where, [w.watts for w in power.active], power, power.active),
        _above("power_dynamic", "W", power, *(power.dynamic_w(p) for p in (idle.value, idle.lo, idle.hi))),
        _stated("energy_per_inference", "J", where, power.energy_j, power, power.active),
    ]
    if where == "chip_total":
        above = (power.dynamic_j(p) for p in (idle.value, idle.lo, idle.hi))
        found.append(_above("energy_per_inference", "J", power, *above))
    return found + _beside(power)


def no_power(reason: str, info: MeterInfo | None = None) -> list[Metric]:
    """State that nothing was measured, and why: nulls under the same names, never 0.

    Parameters
    ----------
    info
        Of the meter that failed; None where there was none.
    """
    where: Boundary = info.boundary if info else "chip_total"
    found: list[tuple[str, Unit, Boundary]] = [
        ("power_idle", "W", where),
        ("power_active", "W", where),
        ("power_dynamic", "W", _dynamic(where)),
        ("energy_per_inference", "J", where),
    ]
    if where == "chip_total":
        found.append(("energy_per_inference", "J", "chip_dynamic"))
    source = info.covers if info else "none"
    return [
        Metric(name=n, unit=u, kind="measured", boundary=b, value=None, source=source, reason=reason)
        for n, u, b in found
    ]


def _stated(
    name: str,
    unit: Unit,
    boundary: Boundary | None,
    values: Sequence[float],
    power: Power,
    windows: Sequence[Window],
    covers: str = "",
) -> Metric:
    interval = median_interval(values)
    return Metric(
        name=name,
        unit=unit,
        kind="measured",
        boundary=boundary,
        value=interval.value,
        lo=interval.lo,
        hi=interval.hi,
        n=len(values),
        samples=tuple(values),
        source=f"{covers or power.info.covers}; {_rule(windows)}, {_confidence(interval.confidence)}",
    )


def _above(
    name: str, unit: Unit, power: Power, values: list[float], above_lo: list[float], above_hi: list[float]
) -> Metric:
    """State a number above rest; its interval joins that of the windows at work and that at rest.

    Parameters
    ----------
    values, above_lo, above_hi
        By the median power at rest, and by the lower and the upper end of its interval.
    """
    value = median_interval(values).value
    least, most = median_interval(above_hi), median_interval(above_lo)
    joint = max(0.0, least.confidence + power.idle_w.confidence - 1)
    interval = Interval(value, least.lo, most.hi, joint)
    resolved = interval.lo > 0
    return Metric(
        name=name,
        unit=unit,
        kind="measured",
        boundary=_dynamic(power.info.boundary),
        value=value if resolved else None,
        lo=interval.lo if resolved else None,
        hi=interval.hi if resolved else None,
        n=len(values),
        samples=tuple(values),
        source=f"{power.info.covers}; above the median power at rest; {_rule(power.active)} and the interval "
        f"at rest, {_confidence(joint)}",
        reason=None if resolved else _unresolved(interval, unit),
    )


def _beside(power: Power) -> list[Metric]:
    """State the power of what is counted beside the boundary (memory, platform); it has none itself."""
    found = []
    for part in power.active[0].beside:
        for name, windows in (("power_idle", power.idle), ("power_active", power.active)):
            values = [window.beside[part] / window.seconds for window in windows]
            covers = (
                f"{power.info.name.upper()} {part}: beside the boundary of the other numbers, not part of it"
            )
            found.append(_stated(f"{name}_{part}", "W", None, values, power, windows, covers))
    return found


def _dynamic(boundary: Boundary) -> Boundary:
    return "chip_dynamic" if boundary == "chip_total" else boundary


def _rule(windows: Sequence[Window]) -> str:
    done = sum(window.inferences for window in windows)
    shortest = min(window.seconds for window in windows)
    work = f", {done} inferences" if done else ""
    return f"median of {len(windows)} windows of at least {shortest:.3g} s{work}; interval: order statistics"


def _confidence(confidence: float) -> str:
    return f"{100 * confidence:.1f} % or more"


def _unresolved(interval: Interval, unit: Unit) -> str:
    return (
        f"below what the meter resolves: {interval.value:.3g} {unit} with the interval {interval.lo:.3g} to "
        f"{interval.hi:.3g} {unit} above rest"
    )
