"""Run: what every engine and the reference return."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nmbench.counts import EventCounts
from nmbench.errors import InputError
from nmbench.network.network import Floats, Network
from nmbench.spikes import SpikeBatch


@dataclass(frozen=True, eq=False)
class Run:
    """Outputs and counts of B samples of T steps.

    Attributes
    ----------
    outputs
        Membrane of a readout that does not spike, or spikes (0 or 1) of one that does, float32
        ``[B, T, C]``; ``dialect.output_delay`` steps late, 0 before.
    counts
        Exact, per sample and step.
    """

    outputs: Floats
    counts: EventCounts


def check_batch(network: Network, batch: SpikeBatch) -> None:
    """Refuse samples that were made for another network.

    Raises
    ------
    InputError
        Another number of input neurons, or another duration of a step.
    """
    faults = _faults(network, batch)
    if faults:
        raise InputError("samples", faults)


def check_piece(network: Network, batch: SpikeBatch) -> None:
    """Refuse a piece of a recording that was made for another network, or that is not one sample.

    Raises
    ------
    InputError
        Another number of input neurons or of samples, or another duration of a step.
    """
    faults = _faults(network, batch)
    if len(batch) != 1:
        faults.append(f"{len(batch)} samples, a piece is of one")
    if faults:
        raise InputError("piece", faults)


def _faults(network: Network, batch: SpikeBatch) -> list[str]:
    expected, dt_s = network.populations[0], network.dialect.dt
    faults = []
    if batch.size != expected.size:
        faults.append(f"{batch.size} input neurons {batch.shape}, the network has {expected.shape}")
    if not math.isclose(batch.dt_s, dt_s, rel_tol=1e-6):
        faults.append(f"steps of {batch.dt_s:g} s, the network's dialect has {dt_s:g} s")
    return faults
