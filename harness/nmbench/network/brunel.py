"""Brunel's network of excitatory and inhibitory neurons with delta synapses: workloads W3 and W3-DC.

Brunel (2000), J. Comput. Neurosci. 8:183-208, model A, in the regime asynchronous irregular: a neuron has
1,000 synapses (800 excitatory of 0.1 mV, 200 inhibitory, g = 5 times as strong), a membrane of 20 ms, a
threshold of 20 mV, a reset at 10 mV, 2 ms of refractoriness and delays of 1.5 ms. Its outer drive is twice
what takes the membrane to the threshold (eta = 2).
"""

from __future__ import annotations

from nmbench.network.sparse import (
    Drive,
    FixedInDegree,
    LeakyNeuron,
    SparseNetwork,
    SparsePopulation,
    SparseProjection,
    Spread,
)

EXCITATORY_SHARE = 0.8
IN_DEGREE = 1000
WEIGHT_MV = 0.1
INHIBITION = 5.0
ETA = 2.0
DELAY_MS = 1.5
DT_MS = 0.1
NEURON = LeakyNeuron(
    synapse="delta", tau_m_ms=20.0, c_m_pf=250.0, e_l_mv=0.0, v_th_mv=20.0, v_reset_mv=10.0, t_ref_ms=2.0
)
V0_MV = Spread(10.0, 5.0)
"""Spread of the membranes at the start: without it neurons under a constant current fire in step."""


def brunel(neurons: int, in_degree: int = IN_DEGREE, *, poisson: bool = True) -> SparseNetwork:
    """Return the network with ``neurons`` in all, driven by Poisson spikes (W3) or a current (W3-DC).

    The current has the mean of the Poisson drive: ``eta`` times the threshold, in mV of membrane. Where
    ``in_degree`` is not 1,000 weights are as 1,000 over it, so that the mean input stays what it was.
    """
    excitatory = round(EXCITATORY_SHARE * neurons)
    weight_mv = WEIGHT_MV * IN_DEGREE / in_degree
    mean_mv = ETA * NEURON.v_th_mv
    if poisson:
        drive = Drive(rate_hz=1000 * mean_mv / (WEIGHT_MV * NEURON.tau_m_ms), weight=WEIGHT_MV)
    else:
        drive = Drive(current_pa=mean_mv * NEURON.c_m_pf / NEURON.tau_m_ms)
    sizes = {"E": excitatory, "I": neurons - excitatory}
    in_degrees = {"E": round(EXCITATORY_SHARE * in_degree), "I": round((1 - EXCITATORY_SHARE) * in_degree)}
    weights = {"E": weight_mv, "I": -INHIBITION * weight_mv}
    return SparseNetwork(
        name=f"brunel-{neurons}{'' if poisson else '-dc'}",
        dt_ms=DT_MS,
        populations=tuple(SparsePopulation(name, size, NEURON, drive, V0_MV) for name, size in sizes.items()),
        projections=tuple(
            SparseProjection(
                source, target, FixedInDegree(in_degrees[source]), Spread(weights[source]), Spread(DELAY_MS)
            )
            for source in sizes
            for target in sizes
        ),
    )
