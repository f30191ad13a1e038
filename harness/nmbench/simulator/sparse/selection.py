"""Which engine runs a sparse network: the lazy one wherever it can.

Both walk the same rows, write as many sums and pay for the same spikes. The clock-driven engine looks at
every neuron in every step: about 0.13 ns each. The lazy one pays up to 0.4 ns more for an event (0.9 where
populations differ), or, in a step in which more than `nmbench.simulator.sparse.memory.DENSE` reach a neuron,
0.06 to 0.09 ns for each neuron: less in any case. It tells these steps apart itself, so nothing is left to
choose from outside. Measured by benchmarks/selection.py on an AMD EPYC (Zen 5, AVX-512): registers of 256
bits hold half as many float64, and the engines may be even there on busy networks.

The choice decides arithmetic: it depends on the network alone, not on the machine nor on the threads.
"""

from __future__ import annotations

import math
from typing import Literal

from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.memory import MOST_GROWN, RARE_MEAN, poisson_means

Engine = Literal["clock", "lazy"]


def faster_engine(network: SparseNetwork) -> Engine:
    """Return the engine that takes less time among those that can run the network."""
    return "clock" if lazy_faults(network) else "lazy"


def lazy_faults(network: SparseNetwork) -> list[str]:
    """Return why the lazy engine cannot run a network; empty where it can."""
    faults = []
    if network.synapse != "delta":
        faults.append("engine lazy: synapses must be delta")
    for population, mean in zip(network.populations, poisson_means(network), strict=True):
        neuron, where = population.neuron, f"engine lazy: population {population.name}"
        rest_mv = neuron.e_l_mv + population.drive.current_pa * neuron.tau_m_ms / neuron.c_m_pf
        if rest_mv >= neuron.v_th_mv:
            faults.append(f"{where}: its current alone makes it fire")
        if mean > RARE_MEAN:
            faults.append(f"{where}: {mean:.3g} Poisson spikes a neuron and step; at most {RARE_MEAN:g}")
        if network.dt_ms > neuron.tau_m_ms * math.log(MOST_GROWN):
            faults.append(f"{where}: tau_m_ms: {neuron.tau_m_ms} is too short for steps of {network.dt_ms}")
    return faults
