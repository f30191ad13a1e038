r"""Phases: the parts of a run on a conventional machine, and the power that it draws in each.

.. math::
    E_{dynamic} = \sum_k \max(0, P_k - P_{idle})\,t_k \qquad
    E_{idle} = P_{idle} \sum_k t_k \qquad E_{host} = P_{host} \sum_k t_k

Idle power lies inside ``chip_total`` where the card states that boundary (a GPU's board power), else inside
``system_without_io`` (the power of a whole machine at the wall). ``P_host``, where a card has one, is what
the machine round the device adds at the wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.quantity import Boundary


@dataclass(frozen=True, eq=False)
class Phase:
    """One part of a run.

    Attributes
    ----------
    seconds
        Of all that runs side by side, per sample, float64 ``[B]``.
    power
        The constant that says what the device draws meanwhile.
    """

    seconds: PerSample
    power: str


Phases = Mapping[str, Phase]


def cost_of(phases: Phases, card: Card, batch: int = 1, machines: int = 1) -> Cost:
    """Return the cost of runs by their phases: the energy of one of ``batch`` samples, the time of all.

    Parameters
    ----------
    phases
        By name; they follow one another.
    batch
        Samples that share a run.
    machines
        Alike, at work together; each draws the card's powers.
    """
    share = machines / batch
    idle_w = card.value("p_idle")
    total: PerSample = np.sum([phase.seconds for phase in phases.values()], axis=0) * share
    energy = {
        name: Term("chip_dynamic", max(0.0, card.value(phase.power) - idle_w) * phase.seconds * share)
        for name, phase in phases.items()
    }
    within: Boundary = "chip_total" if "chip_total" in card.boundaries else "system_without_io"
    energy["idle"] = Term(within, idle_w * total, static=True)
    if "p_host" in card.constants:
        energy["host"] = Term("system_without_io", card.value("p_host") * total, static=True)
    latency = {name: Term("chip_dynamic", phase.seconds) for name, phase in phases.items()}
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def optional(card: Card, constant: str) -> float:
    """Return a constant that not every machine has; 0 where the card has none."""
    return card.value(constant) if constant in card.constants else 0.0
