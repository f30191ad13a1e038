"""Constants of neurons on the grid of time, and where their membranes start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.network.sparse import LeakyNeuron, SparseNetwork, SparsePopulation
from nmbench.simulator.sparse.alias import MEMBRANES

HELD = -float(1 << 20)
"""Below it a membrane is a counter of refractory steps; float32 counts exactly there."""


def refractory_steps(neuron: LeakyNeuron, dt_ms: float) -> int:
    """Return how many steps a neuron is held after a spike."""
    return round(neuron.t_ref_ms / dt_ms)


def initial_membranes(network: SparseNetwork, seed: int) -> npt.NDArray[np.float64]:
    """Return the membranes at the start, mV above rest, one a neuron: the same for any layout."""
    parts = []
    for k, population in enumerate(network.populations):
        rng = np.random.default_rng([seed, MEMBRANES, k])
        drawn = rng.normal(population.v0_mv.mean, population.v0_mv.sd, population.size)
        parts.append(drawn - population.neuron.e_l_mv)
    return np.concatenate(parts)


def neuron_constants(population: SparsePopulation, dt_ms: float, unit: float) -> list[float]:
    """Return the constants of a population in the order of the kernel's columns; membranes are above rest.

    Exact integration (Rotter & Diesmann 1999); the current's effect on the membrane is written with
    ``expm1``, since the two exponentials are nearly equal.
    """
    neuron = population.neuron
    decay = np.exp(-dt_ms / neuron.tau_m_ms)
    drive = population.drive.current_pa * (neuron.tau_m_ms / neuron.c_m_pf * (1.0 - decay))
    syn_decay, gain = 0.0, 0.0
    if neuron.tau_syn_ms is not None:
        syn_decay = np.exp(-dt_ms / neuron.tau_syn_ms)
        gain = current_gain(neuron, dt_ms)
    held = HELD - refractory_steps(neuron, dt_ms)
    reset = neuron.v_reset_mv - neuron.e_l_mv
    waiting = held if refractory_steps(neuron, dt_ms) else reset
    return [decay, gain, drive, syn_decay, neuron.v_th_mv - neuron.e_l_mv, reset, HELD, waiting, unit]


def current_gain(neuron: LeakyNeuron, dt_ms: float) -> float:
    """Return what 1 pA of synaptic current adds to the membrane in a step, mV."""
    tau_syn, tau_m = float(neuron.tau_syn_ms or 0), neuron.tau_m_ms
    if tau_syn == tau_m:
        return float(dt_ms / neuron.c_m_pf * np.exp(-dt_ms / tau_m))
    beta = tau_syn * tau_m / (tau_m - tau_syn)
    rate = (tau_m - tau_syn) / (tau_syn * tau_m)
    return float(beta / neuron.c_m_pf * np.exp(-dt_ms * (1 / tau_syn)) * np.expm1(dt_ms * rate))
