r"""Energy of a simulator that runs for real on this CPU: its wall time by the power of a busy core.

.. math::
    E = P_{core}\, n_{cores}\, t_{wall}

Modelled, from a measured time: most machines show no energy counter. A meter, where there is one, is better.
"""

from __future__ import annotations

from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term


def price_host(wall_s: PerSample, card: Card, cores: int = 1) -> Cost:
    """Price inferences by their wall time.

    Parameters
    ----------
    wall_s
        Seconds per sample, float64 ``[B]``, as measured.
    cores
        Cores that were busy.
    """
    energy = {"busy_cores": Term("chip_dynamic", card.value("p_core_active") * cores * wall_s)}
    return Cost(energy, {}, card.model_error.energy, card.model_error.latency)
