"""Neurons advanced by one step, a block at a time.

``k`` is their population, ``p`` the partition: its lines of ``arrived`` and ``fired`` are for one block.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nmbench.simulator.sparse.plan import (
    DECAY,
    DRIVE,
    GAIN,
    HELD,
    RESET,
    SYN_DECAY,
    THRESHOLD,
    UNIT,
    WAITING,
    Bytes,
    Doubles,
    Floats,
    Ints,
)


@njit(cache=True, nogil=True)
def exponential(
    constants: Floats, k: int, at: int, many: int, v: Floats, i: Ints, arrived: Ints, fired: Bytes, p: int
) -> bool:
    """Advance neurons with exponential synapses, whose current is an integer; say whether any fires."""
    decay, gain = constants[k, DECAY], constants[k, GAIN]
    drive, syn_decay = constants[k, DRIVE], constants[k, SYN_DECAY]
    threshold, reset = constants[k, THRESHOLD], constants[k, RESET]
    held, waiting = constants[k, HELD], constants[k, WAITING]
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u, flow = v[place], np.float32(i[place])
        counted = u + np.float32(1)
        back = counted if counted < held else reset
        moved = (u * decay + flow * gain) + drive
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        i[place] = np.int32(np.rint(flow * syn_decay)) + arrived[p, j]
        fired[p, j] = above
        some |= above
    return some


@njit(cache=True, nogil=True)
def exponential_double(
    constants: Floats, k: int, at: int, many: int, v: Floats, above_0: Ints, below_0: Ints,
    excitatory: Doubles, inhibitory: Doubles, arrived: Ints, fired: Bytes, p: int,
) -> bool:  # fmt: skip
    """Advance neurons with exponential synapses in double precision, as ``iaf_psc_exp`` adds up.

    What arrived in the last step is taken up first: the current of the last step is then complete.
    """
    decay, gain = constants[k, DECAY], constants[k, GAIN]
    drive, syn_decay = constants[k, DRIVE], constants[k, SYN_DECAY]
    threshold, reset = constants[k, THRESHOLD], constants[k, RESET]
    held, waiting, unit = constants[k, HELD], constants[k, WAITING], constants[k, UNIT]
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u = v[place]
        rise = excitatory[place] + above_0[place] * unit
        fall = inhibitory[place] + below_0[place] * unit
        counted = u + 1.0
        back = counted if counted < held else reset
        moved = ((u * decay + rise * gain) + fall * gain) + drive
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        excitatory[place] = rise * syn_decay
        inhibitory[place] = fall * syn_decay
        above_0[place] = arrived[p, j]
        below_0[place] = 0
        fired[p, j] = above
        some |= above
    return some


@njit(cache=True, nogil=True)
def delta(
    constants: Floats, k: int, at: int, many: int, v: Floats, sums: Ints, arrived: Ints, fired: Bytes, p: int
) -> bool:
    """Advance neurons with delta synapses, in the width of the membrane; say whether any fires."""
    decay, drive = constants[k, DECAY], constants[k, DRIVE]
    threshold, reset = constants[k, THRESHOLD], constants[k, RESET]
    held, waiting, unit = constants[k, HELD], constants[k, WAITING], constants[k, UNIT]
    width = v.dtype.type
    some = False
    for j in range(many):
        place = np.uint64(at + j)
        u = v[place]
        counted = u + width(1)
        back = counted if counted < held else reset
        moved = (drive + u * decay) + width(sums[place] + arrived[p, j]) * unit
        moved = back if u < held else moved
        above = moved >= threshold
        v[place] = waiting if above else moved
        sums[place] = 0
        fired[p, j] = above
        some |= above
    return some
