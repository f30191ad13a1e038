"""What a measured quantity means in terms of a cost (docs/validation.md has it in words)."""

from __future__ import annotations

from dataclasses import dataclass

from nmbench.energy.cost import Cost
from nmbench.energy.mapping import Mapping
from nmbench.energy.measurements import Measurement, Quantity
from nmbench.quantity import NESTED, Boundary

PLACED: tuple[Quantity, ...] = ("cores", "chips", "boards")
"""Of the mapper; all others are of the cost equation."""

TIMES: tuple[Quantity, ...] = ("latency_s", "step_s", "real_time_factor", "inferences_per_s")
"""Have the error of latencies; the others of the equation that of energies."""

PLACING_FACTOR = 1.1
"""90 % error of the mapper's counts: vendors' compilers cut layers by rules of their own."""


@dataclass(frozen=True)
class Totals:
    """Of one inference at a boundary; None where the card does not state it there.

    Attributes
    ----------
    energy_j, dynamic_j
        With and without the static terms.
    latency_s
        From the input to the answer; where samples run side by side, to the last one's.
    energy_error, latency_error
        The equation's own 90 % factors.
    """

    energy_j: float | None
    dynamic_j: float | None
    latency_s: float | None
    energy_error: float
    latency_error: float

    def extended(self, shorter: Totals, by: float) -> Totals:
        """Follow the line from a shorter run through this one, ``by`` times their difference further."""

        def along(here: float | None, there: float | None) -> float | None:
            return None if here is None or there is None else here + by * (here - there)

        return Totals(
            along(self.energy_j, shorter.energy_j),
            along(self.dynamic_j, shorter.dynamic_j),
            along(self.latency_s, shorter.latency_s),
            self.energy_error,
            self.latency_error,
        )


def totals(cost: Cost, boundary: Boundary) -> list[Totals]:
    """Return the totals of each sample of a cost."""
    samples = len(next(iter(cost.energy_j.values())).values)
    energy: list[float | None] = [None] * samples
    dynamic, latency = energy, energy
    if boundary in NESTED and boundary in cost.energy_factor:
        energy, dynamic = cost.energy(boundary).tolist(), cost.dynamic(boundary).tolist()
    if boundary in NESTED and boundary in cost.latency_factor:
        latency = cost.latency(boundary).tolist()
    errors = cost.energy_factor.get(boundary, 1.0), cost.latency_factor.get(boundary, 1.0)
    return [Totals(*own, *errors) for own in zip(energy, dynamic, latency, strict=True)]


def stated(quantity: Quantity, row: Measurement, own: Totals, mapping: Mapping) -> float | str:
    """Return what the model states of a quantity, or why it states nothing."""
    if quantity in PLACED:
        return _placed(quantity, row, mapping)
    if quantity in TIMES:
        latency = own.latency_s
        return f"no latency is stated at {row.boundary}" if latency is None else _time(quantity, row, latency)
    if own.energy_j is None or own.dynamic_j is None:
        return f"no energy is stated at {row.boundary}"
    if quantity.startswith("energy"):
        return _energy(quantity, row, own.energy_j, own.dynamic_j)
    return _power(quantity, row, own.energy_j, own.dynamic_j, own.latency_s)


def error(quantity: Quantity, own: Totals) -> float:
    """Return the 90 % factor of what the equation, or the mapper's rule, leaves out."""
    if quantity in PLACED:
        return PLACING_FACTOR
    return own.latency_error if quantity in TIMES else own.energy_error


def _placed(quantity: Quantity, row: Measurement, mapping: Mapping) -> float | str:
    found = {"cores": mapping.cores, "chips": mapping.chips, "boards": mapping.boards}[quantity]
    return float(found) if found else f"{row.card.name} has no {quantity}"


def _energy(quantity: Quantity, row: Measurement, energy: float, dynamic: float) -> float | str:
    if quantity == "energy_dynamic_J":
        return dynamic
    if quantity == "energy_per_synaptic_event_J":
        events = sum(row.activity.synaptic_events)
        return energy / events if events else "no synaptic event"
    return energy


def _power(
    quantity: Quantity, row: Measurement, energy: float, dynamic: float, latency: float | None
) -> float | str:
    if not latency:
        return f"no latency is stated at {row.boundary}, so no power"
    if quantity == "power_static_W" and energy <= dynamic:
        return f"no static power inside {row.boundary}"
    joules = {"power_static_W": energy - dynamic, "power_dynamic_W": dynamic}.get(quantity, energy)
    return joules * row.conditions.batch / latency


def _time(quantity: Quantity, row: Measurement, latency: float) -> float | str:
    if quantity == "latency_s":
        return latency
    if quantity == "step_s":
        return latency / row.activity.steps
    if quantity == "real_time_factor":
        return latency / (row.activity.steps * row.step_s) if row.step_s else "no time of a step"
    return row.conditions.batch / latency if latency else "no time"
