"""A network laid out for the kernels: flat, padded arrays, one row of weights for each source neuron.

State positions differ from the network's C-order neurons: a population that a convolution reaches is kept
channels last with a halo, so that one spike adds ``lines`` contiguous runs of weights and never tests a
border. Spike lists hold C-order neurons everywhere; ``neuron`` translates on a spike, not per step.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nmbench.network.connectivity import fan_out
from nmbench.network.network import Floats, Network
from nmbench.simulator.kernels import Longs, Plan
from nmbench.simulator.rows import ALIGNED, Place, Rows, places, rows


def lay_out(network: Network) -> Plan:
    """Lay a network out for the kernel.

    Raises
    ------
    ValueError
        A projection without delay that does not go forward: the kernel would read spikes of the past.
    """
    backward = [q.name for q in network.projections if q.delay == 0 and q.source >= q.target]
    if backward:
        raise ValueError(f"projections {backward} go backward without a delay")
    placed = places(network)
    fans = [fan_out(network, p) for p in network.projections]
    laid = [rows(network, p, placed[p.target], fan) for p, fan in zip(network.projections, fans, strict=True)]
    weights, indexed, targets, first = _join(laid)
    depth = [
        1 + max((q.delay for q in network.projections if q.source == p), default=0)
        for p in range(len(network.populations))
    ]
    sizes = [p.size for p in network.populations]
    kept = [0, *(n * d for n, d in zip(sizes[1:], depth[1:], strict=True))]
    incoming = [[r for r, q in enumerate(network.projections) if q.target == p] for p in range(len(sizes))]
    dialect = network.dialect
    return Plan(
        start=_longs(p.start for p in placed),
        padded=_longs(p.padded for p in placed),
        size=_longs(sizes),
        spiking=_longs(p.dynamics is not None and p.dynamics.spiking for p in network.populations),
        lagging=_longs(
            dialect.order == "membrane_synapse_threshold" and p.model in ("CubaLIF", "CubaLI")
            for p in network.populations
        ),
        depth=_longs(depth),
        history=_starts(kept)[:-1],
        source=_longs(q.source for q in network.projections),
        delay=_longs(q.delay for q in network.projections),
        kind=_longs(r.kind for r in laid),
        table=_starts([len(f) for f in fans])[:-1],
        lines=_longs(r.lines for r in laid),
        length=_longs(r.length for r in laid),
        pitch=_longs(r.pitch for r in laid),
        incoming=_longs(r for group in incoming for r in group),
        incoming_start=_starts([len(group) for group in incoming]),
        synapses=_concatenate(fans),
        row=_concatenate([r.row + at for r, at in zip(laid, first, strict=True)]),
        base=_concatenate([r.base for r in laid]),
        weights=weights,
        indexed=indexed,
        targets=targets,
        **_coefficients(network, placed),
        neuron=_neurons(placed),
        readout=placed[network.output].position,
        output=network.output,
        output_delay=dialect.output_delay,
        subtract=int(dialect.reset == "subtract"),
    )


def _longs(values: Iterable[int]) -> Longs:
    return np.array([int(v) for v in values], dtype=np.int64)


def _starts(lengths: Iterable[int]) -> Longs:
    return np.concatenate([[0], np.cumsum(_longs(lengths))]).astype(np.int64)


def _concatenate(parts: list[Longs]) -> Longs:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _join(laid: list[Rows]) -> tuple[Floats, Floats, npt.NDArray[np.int32], list[int]]:
    """Join the rows' values, dense and indexed apart; return also where each projection's values begin."""
    dense = [0 if r.targets is not None else -(-len(r.values) // ALIGNED) * ALIGNED for r in laid]
    sparse = [len(r.values) if r.targets is not None else 0 for r in laid]
    first = np.where([r.targets is not None for r in laid], _starts(sparse)[:-1], _starts(dense)[:-1])
    weights = aligned_zeros(sum(dense))
    indexed, targets = np.empty(sum(sparse), np.float32), np.empty(sum(sparse), np.int32)
    for rows_, at in zip(laid, first, strict=True):
        if rows_.targets is None:
            weights[at : at + len(rows_.values)] = rows_.values
        else:
            indexed[at : at + len(rows_.values)] = rows_.values
            targets[at : at + len(rows_.values)] = rows_.targets
    return weights, indexed, targets, [int(at) for at in first]


def aligned_zeros(length: int) -> Floats:
    """Return float32 zeros whose first byte lies at a multiple of 64."""
    room = np.zeros(length + ALIGNED, np.float32)
    skip = -room.ctypes.data // room.itemsize % ALIGNED
    return room[skip : skip + length]


def _coefficients(network: Network, placed: list[Place]) -> dict[str, Floats]:
    """Spread the dynamics over the state positions; halo and padding stay at 0 and never spike."""
    names = ("syn_decay", "syn_gain", "mem_decay", "mem_gain", "leak", "bias", "threshold", "v_reset")
    length = placed[-1].start + placed[-1].padded
    spread = {name: aligned_zeros(length) for name in (*names, "drop", "floor")}
    spread["threshold"][:] = np.inf
    spread["floor"][:] = -np.inf
    dialect = network.dialect
    for population, place in zip(network.populations, placed, strict=True):
        law = population.dynamics
        if law is None:
            continue
        for name in names:
            spread[name][place.position] = getattr(law, name)
        if law.spiking:
            spread["drop"][place.position] = law.threshold - law.v_reset
            if dialect.v_floor is not None:
                spread["floor"][place.position] = dialect.v_floor
            if dialect.tie == "ge":  # v >= x is v > (the float before x): one comparison serves both
                spread["threshold"][place.position] = np.nextafter(law.threshold, np.float32(-np.inf))
    return spread


def _neurons(placed: list[Place]) -> npt.NDArray[np.int32]:
    neuron = np.full(placed[-1].start + placed[-1].padded, -1, np.int32)
    for place in placed[1:]:
        neuron[place.position] = np.arange(len(place.position))
    return neuron
