"""Brunel's network: the drive of both variants has the mean that the paper's eta asks for."""

from __future__ import annotations

import pytest

from nmbench.network.brunel import brunel


def test_current_and_poisson_have_the_same_mean() -> None:
    noisy, constant = brunel(1000), brunel(1000, poisson=False)
    for a, b in zip(noisy.populations, constant.populations, strict=True):
        # mean membrane of Poisson input: weight x rate x tau_m; of a current: R x I
        poisson_mv = a.drive.weight * a.drive.rate_hz / 1000 * a.neuron.tau_m_ms
        current_mv = b.drive.current_pa * b.neuron.tau_m_ms / b.neuron.c_m_pf
        assert poisson_mv == pytest.approx(current_mv) == pytest.approx(2 * a.neuron.v_th_mv)


def test_fewer_inputs_weigh_more() -> None:
    full, tenth = brunel(1000), brunel(1000, 100)
    for a, b in zip(full.projections, tenth.projections, strict=True):
        assert full.synapses(a) * a.weight.mean == pytest.approx(tenth.synapses(b) * b.weight.mean)
