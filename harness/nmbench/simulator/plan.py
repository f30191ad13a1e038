"""A network laid out for the kernels: flat, padded arrays, one row of weights for each source neuron.

State positions differ from the network's C-order neurons: a population that a convolution reaches is kept
channels last with a halo, so that one spike adds ``lines`` contiguous runs of weights and never tests a
border. Spike lists hold C-order neurons everywhere; ``neuron`` translates on a spike, not per step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench.network.connectivity import fan_out
from nmbench.network.dialect import Dialect
from nmbench.network.network import Floats, Network, Population
from nmbench.simulator.records import Longs, Plan, State
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
    weights, indexed, targets, first = _join(laid, network.dtype)
    depth = [
        1 + max((q.delay for q in network.projections if q.source == p), default=0)
        for p in range(len(network.populations))
    ]
    sizes = [p.size for p in network.populations]
    kept = [0, *(n * d for n, d in zip(sizes[1:], depth[1:], strict=True))]
    incoming = [[r for r, q in enumerate(network.projections) if q.target == p] for p in range(len(sizes))]
    dialect = network.dialect
    spread: dict[str, Any] = _coefficients(network, placed)
    onset, early_bias = _early(network, placed)
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
        **spread,
        onset=onset,
        early_bias=early_bias,
        entries=_concatenate(
            [f if r.entries is None else r.entries for r, f in zip(laid, fans, strict=True)]
        ),
        general=_longs(_is_general(p, dialect) for p in network.populations),
        resets=_longs(p.dynamics is not None and p.dynamics.resets for p in network.populations),
        neuron=_neurons(placed),
        readout=placed[network.output].position,
        output=network.output,
        output_delay=dialect.output_delay,
        subtract=int(dialect.reset == "subtract"),
        reset_delay=dialect.reset_delay,
        rereset=int(dialect.rereset and dialect.reset == "subtract"),
        multispike=int(dialect.multispike),
        at_threshold=int(dialect.tie == "ge"),
        graded=_longs(q.graded for q in network.projections),
        handing=_ends(len(sizes), (q.source for q in network.projections if q.graded)),
        summing=_ends(len(sizes), (q.target for q in network.projections if q.graded)),
    )


def _is_general(population: Population, dialect: Dialect) -> bool:
    """Tell whether a population's step takes more than decay, threshold and a reset at once."""
    law = population.dynamics
    repeats = dialect.rereset and dialect.reset == "subtract"
    rare = bool(dialect.reset_delay) or dialect.multispike or repeats
    return law is not None and law.spiking and (rare or not law.resets)


def new_state(plan: Plan) -> State:
    """Make the memory that one worker writes."""
    positions, dtype = len(plan.neuron), plan.v_reset.dtype
    above, kept = np.zeros(positions, np.uint8), int((plan.size * plan.depth)[1:].sum())
    graded = plan.graded.any()
    return State(
        i=aligned_zeros(positions, dtype),
        v=aligned_zeros(positions, dtype),
        arriving=aligned_zeros(positions, dtype),
        above=above,
        words=above.view(np.uint64),
        spiked=np.zeros(kept, np.int32),
        listed=np.zeros((len(plan.size), int(plan.depth.max())), np.int64),
        times=np.zeros(kept, np.int32),
        pending=aligned_zeros(positions if plan.general.any() else 0, dtype),
        values=np.zeros(kept if graded else 0, dtype),
        products=aligned_zeros(positions if graded else 0, np.float64),
    )


def _longs(values: Iterable[int]) -> Longs:
    return np.array([int(v) for v in values], dtype=np.int64)


def _ends(populations: int, marked: Iterable[int]) -> Longs:
    """Mark populations, 0 or 1 ``[P]``."""
    marks = np.zeros(populations, np.int64)
    marks[list(marked)] = 1
    return marks


def _starts(lengths: Iterable[int]) -> Longs:
    return np.concatenate([[0], np.cumsum(_longs(lengths))]).astype(np.int64)


def _concatenate(parts: list[Longs]) -> Longs:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _join(laid: list[Rows], dtype: np.dtype[Any]) -> tuple[Floats, Floats, npt.NDArray[np.int32], list[int]]:
    """Join the rows' values, dense and indexed apart; return also where each projection's values begin."""
    dense = [0 if r.targets is not None else -(-len(r.values) // ALIGNED) * ALIGNED for r in laid]
    sparse = [len(r.values) if r.targets is not None else 0 for r in laid]
    first = np.where([r.targets is not None for r in laid], _starts(sparse)[:-1], _starts(dense)[:-1])
    weights = aligned_zeros(sum(dense), dtype)
    indexed, targets = np.empty(sum(sparse), dtype), np.empty(sum(sparse), np.int32)
    for rows_, at in zip(laid, first, strict=True):
        if rows_.targets is None:
            weights[at : at + len(rows_.values)] = rows_.values
        else:
            indexed[at : at + len(rows_.values)] = rows_.values
            targets[at : at + len(rows_.values)] = rows_.targets
    return weights, indexed, targets, [int(at) for at in first]


def aligned_zeros(length: int, dtype: npt.DTypeLike = np.float32) -> Floats:
    """Return zeros whose first byte lies at a multiple of 64."""
    room = np.zeros(length + ALIGNED, dtype)
    skip = -room.ctypes.data // room.itemsize % ALIGNED
    return room[skip : skip + length]


def _coefficients(network: Network, placed: list[Place]) -> dict[str, Floats]:
    """Spread the dynamics over the state positions; halo and padding stay at 0 and never spike."""
    names = ("syn_decay", "syn_gain", "mem_decay", "mem_gain", "leak", "bias", "threshold", "v_reset")
    length = placed[-1].start + placed[-1].padded
    spread = {name: aligned_zeros(length, network.dtype) for name in (*names, "drop", "floor", "level")}
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
            spread["level"][place.position] = law.threshold
            if law.resets and dialect.v_floor is not None:
                floor = -law.threshold if dialect.v_floor == "-v_threshold" else dialect.v_floor
                spread["floor"][place.position] = floor
            if dialect.tie == "ge":  # v >= x is v > (the float before x): one comparison serves both
                below = np.nextafter(law.threshold, law.threshold.dtype.type(-np.inf))
                spread["threshold"][place.position] = below
    return spread


def _early(network: Network, placed: list[Place]) -> tuple[Longs, Floats]:
    """Spread the biases of the first steps: row k holds before step ``onset[k]``."""
    laws = [p.dynamics for p in network.populations]
    onsets = sorted({until for law in laws if law is not None for until, _ in law.early})
    early = np.zeros((len(onsets), placed[-1].start + placed[-1].padded), network.dtype)
    for law, place in zip(laws, placed, strict=True):
        for row, onset in enumerate(onsets):
            if law is not None:
                bias = next((values for until, values in law.early if onset <= until), law.bias)
                early[row, place.position] = bias
    return _longs(onsets), early


def _neurons(placed: list[Place]) -> npt.NDArray[np.int32]:
    neuron = np.full(placed[-1].start + placed[-1].padded, -1, np.int32)
    for place in placed[1:]:
        neuron[place.position] = np.arange(len(place.position))
    return neuron
