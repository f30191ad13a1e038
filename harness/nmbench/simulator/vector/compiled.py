"""Samples of a network that has a function of its own (`nmbench.simulator.vector.program`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.vector.lanes import call_sample, clear, falls, read_int, read_long
from nmbench.simulator.vector.records import UNLIMITED

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]


@njit(cache=True, nogil=True)
def run_compiled(
    sample: int,
    limit: int,
    zeroed: int,
    memory: int,
    first: int,
    last: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> int:
    """Run samples as `nmbench.simulator.vector.kernel.run_samples` does, by the function at ``sample``.

    A kernel of its own: each array that is handed over takes 30 ns, and a sample may take no more than 10 us.

    Parameters
    ----------
    memory
        Address of a worker's memory.
    """
    indices, rows, end = index.ctypes.data, offsets.ctypes.data, index.size
    answers, emitted, delivered = outputs.ctypes.data, spikes.ctypes.data, events.ctypes.data
    for b in range(first, last):
        row = rows + 8 * b * steps
        clear(memory, zeroed)
        repeats = 1 if limit < UNLIMITED and not ascending(indices, row, steps) else 0
        answer = answers + 4 * b * steps * outputs.shape[2]
        mine, theirs = emitted + 8 * b * steps * spikes.shape[2], delivered + 8 * b * steps * events.shape[2]
        if not call_sample(sample, memory, row, indices, end, answer, mine, theirs, steps, repeats, limit):
            return b
    return last


@njit(nogil=True)
def ascending(indices: int, row: int, steps: int) -> bool:
    """Tell whether each step of a sample lists each neuron once, in order.

    ``row`` is the address of the sample's offsets.
    """
    lo, end = read_long(row), read_long(row + 8 * steps)
    found, k = 0, lo
    while k + 17 <= end:
        found += falls(indices + 4 * k)
        k += 16
    while k < end - 1:
        found += read_int(indices + 4 * k) >= read_int(indices + 4 * k + 4)
        k += 1
    between, ended = 0, -1  # from one step to the next they may
    for t in range(1, steps):
        k = read_long(row + 8 * t)
        if lo < k < end and k != ended:
            between += read_int(indices + 4 * k - 4) >= read_int(indices + 4 * k)
        ended = k
    return found == between
