"""Inner hair cells: the membrane's velocity becomes the chance that a nerve fibre fires.

A cell keeps transmitter in three pools, free ``q``, in the cleft ``c``, being reprocessed ``w``::

    k = g (v + A) / (v + A + B) where v + A > 0, else 0
    dq/dt = y max(M - q, 0) + x w - k q
    dc/dt = k q - (l + r) c
    dw/dt = r c - x w
    a fibre fires at rate h c

Source: Meddis 1986 and 1988 (J. Acoust. Soc. Am. 79, 702 and 83, 1056); the constants are those of Cramer et
al. 2022 (IEEE TNNLS 33, 2744), checked against their package lauscher 1.0.1. Euler's method, as there: it is
stable while a step takes less than all of the cleft, ``l + r < rate``, so at 24,000 steps a second (a 48-kHz
sound in the package) but not at 8,000 (a 16-kHz sound).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HairCell:
    """Constants of a cell, in 1/s and in the membrane's units; the defaults are the published ones.

    Attributes
    ----------
    permeability_per_s, offset, half
        ``g``, ``A`` and ``B`` of the permeability ``k``.
    replenishment_per_s, loss_per_s, reuptake_per_s, reprocessing_per_s
        ``y``, ``l``, ``r``, ``x``.
    capacity
        ``M``.
    firing_per_s
        ``h``.
    """

    permeability_per_s: float = 2_000.0
    offset: float = 5.0
    half: float = 300.0
    replenishment_per_s: float = 5.05
    loss_per_s: float = 2_500.0
    reuptake_per_s: float = 6_580.0
    reprocessing_per_s: float = 66.3
    capacity: float = 1.0
    firing_per_s: float = 50_000.0


def at_rest(cell: HairCell, channels: int) -> Float:
    """Return the pools ``q``, ``c``, ``w`` of cells that have heard silence for long, ``[3, channels]``."""
    k = cell.permeability_per_s * cell.offset / (cell.offset + cell.half)
    gone = cell.loss_per_s + cell.reuptake_per_s
    cleft = (
        cell.capacity * cell.replenishment_per_s * k / (cell.loss_per_s * k + cell.replenishment_per_s * gone)
    )
    pools = np.array([cleft * gone / k, cleft, cleft * cell.reuptake_per_s / cell.reprocessing_per_s])
    return np.repeat(pools[:, None], channels, axis=1)


def firing_chances(velocity: Float, rate_hz: float, cell: HairCell, pools: Float) -> Float:
    """Run one cell a channel.

    Parameters
    ----------
    velocity
        ``[steps, channels]``.
    rate_hz
        Steps per second.
    pools
        Of `at_rest` or of the block before, ``[3, channels]``; changed to the state after the last step.

    Returns
    -------
    numpy.ndarray
        The chance that a rested fibre fires in a step, float64 ``[steps, channels]``.

    Raises
    ------
    ValueError
        If so few steps a second are not stable.
    """
    if cell.loss_per_s + cell.reuptake_per_s >= rate_hz:
        raise ValueError(f"{rate_hz:g} steps a second are not stable: the cleft empties faster")
    constants = (
        cell.permeability_per_s,
        cell.replenishment_per_s,
        cell.loss_per_s + cell.reuptake_per_s,
        cell.reuptake_per_s,
        cell.reprocessing_per_s,
        cell.firing_per_s,
    )
    steps = np.array(constants) / rate_hz
    return _chances(velocity, steps, cell.offset, cell.half, cell.capacity, pools)


@numba.njit(nogil=True)
def _chances(
    velocity: Float, rates: Float, offset: float, half: float, capacity: float, pools: Float
) -> Float:
    steps, channels = velocity.shape
    permeability, replenishment, gone, reuptake, reprocessing, firing = rates
    chances = np.empty((steps, channels))
    free, cleft, store = pools[0], pools[1], pools[2]
    for step in range(steps):
        moved, out = velocity[step], chances[step]
        for i in range(channels):
            open_ = max(moved[i] + offset, 0.0)
            ejected = permeability * open_ / (open_ + half) * free[i]
            back = reprocessing * store[i]
            taken = reuptake * cleft[i]
            free[i] += replenishment * max(capacity - free[i], 0.0) - ejected + back
            cleft[i] += ejected - gone * cleft[i]
            store[i] += taken - back
            out[i] = firing * cleft[i]
    return chances
