"""Sparse networks whose rate is set from outside, drawn over neurons, fan-outs and rates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nmbench.network.brunel import brunel
from nmbench.network.sparse import Drive, SparseNetwork, Spread

MAX_SYNAPSES = 25_000_000
BUSY = 0.3
"""Synaptic events a neuron and step that every third cell has at least: the engines are close there."""

MOST = {"neurons": (1_000, 100_000), "fan_out": (3, 10_000), "rate_hz": (0.03, 50.0)}


@dataclass(frozen=True)
class Cell:
    """One network and how it is run."""

    neurons: int
    fan_out: int
    rate_hz: float
    threads: int
    spread: bool
    alike: bool


def driven(cell: Cell) -> SparseNetwork:
    """Neurons that fire when an outer spike reaches them; their synapses hardly matter."""
    busy = brunel(cell.neurons, cell.fan_out)
    populations = [
        dataclasses.replace(p, drive=Drive(rate_hz=cell.rate_hz, weight=25.0)) for p in busy.populations
    ]
    if not cell.alike:
        slower = dataclasses.replace(populations[1].neuron, tau_m_ms=10.0)
        populations[1] = dataclasses.replace(populations[1], neuron=slower)
    return dataclasses.replace(
        busy,
        populations=tuple(populations),
        projections=tuple(
            dataclasses.replace(
                p,
                weight=Spread(p.weight.mean * cell.fan_out / 5000),
                delay_ms=Spread(p.delay_ms.mean, 0.5 if cell.spread else 0.0),
            )
            for p in busy.projections
        ),
    )


def cells(count: int, seed: int, threads: Sequence[int]) -> Iterable[Cell]:
    """Draw the grid; a network has at least as many neurons as its fan-out."""
    rng, drawn = np.random.default_rng(seed), 0
    while drawn < count:
        neurons, fan_out, rate_hz = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in MOST.values())
        used, spread, alike = int(rng.choice(threads)), bool(rng.integers(2)), bool(rng.integers(2))
        if not fan_out <= neurons <= MAX_SYNAPSES / fan_out:
            continue
        if drawn % 3 == 2 and fan_out * rate_hz * 1e-4 < BUSY:
            continue
        yield Cell(round(neurons), round(fan_out), float(f"{rate_hz:.3g}"), used, spread, alike)
        drawn += 1
