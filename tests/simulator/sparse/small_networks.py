"""Small random sparse networks, lively enough to fire: for comparisons with the oracle."""

from __future__ import annotations

from hypothesis import strategies as st

from nmbench.network.sparse import (
    Drive,
    FixedInDegree,
    FixedTotal,
    LeakyNeuron,
    SparseNetwork,
    SparsePopulation,
    SparseProjection,
    Spread,
)

DT_MS = 0.1


@st.composite
def networks(draw: st.DrawFn, *, poisson: bool, quiet: bool = False) -> SparseNetwork:
    """Draw a network; a ``quiet`` one is of the sort that the lazy engine runs."""
    synapse = "delta" if quiet else draw(st.sampled_from(["exponential", "delta"]))
    weight = 60.0 if synapse == "exponential" else 0.4
    names = ["A", "B", "C"][: draw(st.integers(1, 3))]
    populations = []
    for name in names:
        neuron = LeakyNeuron(
            synapse=synapse,
            tau_m_ms=draw(st.sampled_from([5.0, 10.0, 20.0])),
            c_m_pf=250.0,
            e_l_mv=draw(st.sampled_from([-65.0, 0.0])),
            v_th_mv=15.0,
            v_reset_mv=draw(st.sampled_from([0.0, 5.0])),
            t_ref_ms=draw(st.sampled_from([0.0, 0.1, 0.5, 2.0])),
            tau_syn_ms=draw(st.sampled_from([0.5, 2.0, 5.0])) if synapse == "exponential" else None,
        )
        over = (neuron.v_th_mv - neuron.e_l_mv) * neuron.c_m_pf / neuron.tau_m_ms
        rate_hz = draw(st.sampled_from([20.0, 150.0, 2000.0, 20_000.0])) if poisson else 0.0
        drive = Drive(over * draw(st.sampled_from([0.8, 1.2, 2.0])), rate_hz, weight)
        if quiet:
            drive = Drive(over * draw(st.sampled_from([0.0, 0.8])), draw(st.sampled_from([5.0, 150.0])), 12.0)
        size = draw(st.integers(1, 150))
        populations.append(SparsePopulation(name, size, neuron, drive, Spread(neuron.e_l_mv + 7, 5)))
    in_degrees = draw(st.booleans())
    projections = []
    for source in names:
        sign = draw(st.sampled_from([1, -4]))
        for target in draw(st.sets(st.sampled_from(names))):
            rule = (
                FixedInDegree(draw(st.integers(0, 30)))
                if in_degrees
                else FixedTotal(draw(st.integers(0, 4000)))
            )
            spread = draw(st.sampled_from([0.0, 0.1, 1.0]))
            delay_ms = draw(st.sampled_from([0.1, 0.7, 1.5]))
            projections.append(
                SparseProjection(
                    source,
                    target,
                    rule,
                    Spread(sign * weight, spread * weight),
                    Spread(delay_ms, delay_ms * draw(st.sampled_from([0.0, 0.5]))),
                )
            )
    return SparseNetwork("small", DT_MS, tuple(populations), tuple(projections))
