"""W3 and W3-DC for the peers: one drawn list of synapses, and what a plain simulation makes of it.

The constants are `nmbench.network.brunel`'s. The expected spikes come from the ten lines of NumPy below, in
float64. Under a constant current (W3-DC) the peers must make the same spikes until rounding parts them, for
the network is chaotic; under Poisson drive (W3) only the rate can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.network.brunel import brunel
from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.constants import initial_membranes
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.simulator.sparse.listing import synapse_list

DURATION_MS = 1000.0
SEED = 1

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A network with its synapses drawn, as nmbench draws them for itself.

    Attributes
    ----------
    synapses
        Sources and targets by the source's population, ``E`` and ``I``.
    weight_mv
        By the source's population: 0.1 and -0.5 mV rounded to the engine's grid, a power of two.
    v0_mv
        Membranes at the start, float64 ``[N]``.
    """

    network: SparseNetwork
    synapses: dict[str, tuple[Ids, Ids]]
    weight_mv: dict[str, float]
    v0_mv: npt.NDArray[np.float64]


def draw(neurons: int, *, poisson: bool) -> Drawn:
    """Draw fixed in-degrees of 1,000 with repetition."""
    network = brunel(neurons, poisson=poisson)
    listed = synapse_list(compile_sparse(network, seed=SEED).layout)
    excitatory = listed.source < network.population("E").size
    synapses, weights = {}, {}
    for name, chosen in (("E", excitatory), ("I", ~excitatory)):
        synapses[name] = listed.source[chosen].astype(np.int32), listed.target[chosen].astype(np.int32)
        (weights[name],) = set(listed.weight[chosen].tolist())
    return Drawn(network, synapses, weights, initial_membranes(network, SEED))


def undrawn(neurons: int, *, poisson: bool) -> Drawn:
    """Return a network without its list of synapses, which for large ones is larger than the network."""
    network, none = brunel(neurons, poisson=poisson), np.empty(0, np.int32)
    weights = {p.source: p.weight.mean for p in network.projections}
    return Drawn(network, dict.fromkeys(weights, (none, none)), weights, initial_membranes(network, SEED))


def in_float64(network: SparseNetwork, duration_ms: float = DURATION_MS) -> npt.NDArray[np.int64]:
    """Return the spikes of each step by nmbench's engine in float64."""
    steps = round(duration_ms / network.dt_ms)
    run = compile_sparse(network, seed=SEED, arithmetic="double").run(steps)
    return np.bincount(run.steps, minlength=steps)


def constants(drawn: Drawn) -> dict[str, float]:
    """Return the numbers that the step needs, in ms, mV, pA and pF."""
    network, weights = drawn.network, drawn.weight_mv
    first = network.populations[0]
    return {
        "dt_ms": network.dt_ms,
        "duration_ms": DURATION_MS,
        "tau_m_ms": first.neuron.tau_m_ms,
        "c_m_pf": first.neuron.c_m_pf,
        "v_th_mv": first.neuron.v_th_mv,
        "v_reset_mv": first.neuron.v_reset_mv,
        "t_ref_ms": first.neuron.t_ref_ms,
        "delay_ms": network.projections[0].delay_ms.mean,
        "weight_e_mv": weights["E"],
        "weight_i_mv": weights["I"],
        "current_pa": first.drive.current_pa,
        "rate_hz": first.drive.rate_hz,
        "drive_mv": first.drive.weight,
    }


def simulate(drawn: Drawn, duration_ms: float = DURATION_MS, seed: int = 1) -> npt.NDArray[np.int64]:
    """Return the spikes of each step, float64 throughout, by NEST's conventions for `iaf_psc_delta`."""
    c, n = constants(drawn), drawn.network.size
    rows = {}
    for name, (source, target) in drawn.synapses.items():
        order = np.argsort(source, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))])
        rows[name] = target[order], first, drawn.weight_mv[name]
    decay = exp(-c["dt_ms"] / c["tau_m_ms"])
    constant = c["current_pa"] / c["c_m_pf"] * c["tau_m_ms"] * (1 - decay)
    steps, delay, refractory = (round(ms / c["dt_ms"]) for ms in (duration_ms, c["delay_ms"], c["t_ref_ms"]))
    rng, mean = np.random.default_rng(seed), c["rate_hz"] * c["dt_ms"] / 1000
    v, rest, fired = drawn.v0_mv.copy(), np.zeros(n, np.int64), np.zeros(steps, np.int64)
    ring = np.zeros((delay + 1, n))
    for t in range(steps):
        arriving = ring[t % (delay + 1)]
        if mean:
            arriving += c["drive_mv"] * rng.poisson(mean, n)
        awake = rest == 0
        v[awake] = (constant + decay * v[awake]) + arriving[awake]
        rest[~awake] -= 1
        arriving[:] = 0
        spiking = np.flatnonzero(awake & (v >= c["v_th_mv"]))
        v[spiking], rest[spiking], fired[t] = c["v_reset_mv"], refractory, len(spiking)
        for target, first, weight_mv in rows.values():
            hit = np.concatenate([target[:0], *(target[first[s] : first[s + 1]] for s in spiking)])
            ring[(t + delay) % (delay + 1)] += weight_mv * np.bincount(hit, minlength=n)
    return fired


def export(name: str, drawn: Drawn, fired: npt.NDArray[np.int64], path: Path) -> None:
    """Write what a peer reads: constants, ``pre_e, post_e, pre_i, post_i``, ``v0_mv``, ``fired``."""
    ends = {
        f"{end}_{population.lower()}": ids
        for population, pair in drawn.synapses.items()
        for end, ids in zip(("pre", "post"), pair, strict=True)
    }
    numbers = {key: np.float64(value) for key, value in constants(drawn).items()}
    np.savez(path, allow_pickle=False, name=np.array(name), v0_mv=drawn.v0_mv, fired=fired, **ends, **numbers)
