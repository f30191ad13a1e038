"""Samples of a network that has a function of its own (`nmbench.simulator.vector.program`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.vector.lanes import call_sample, clear, falls, read_int, read_long, write_long
from nmbench.simulator.vector.records import HEAD, UNLIMITED

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

HEAD_BYTES = HEAD.itemsize


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
        if not call_sample(sample, memory, row, indices, end, answer, mine, theirs, 0, steps, repeats, limit):
            return b
    return last


@njit(cache=True, nogil=True)
def continue_compiled(
    sample: int,
    limit: int,
    zeroed: int,
    heads: int,
    mask: int,
    done: int,
    kept: int,
    memory: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> None:
    """Run steps of one sample as `nmbench.simulator.vector.kernel.run_samples` does.

    Parameters
    ----------
    heads, mask
        Of the input's record.
    done, kept
        Steps that the memory has gone through, and rows of ``offsets`` before the first step, as many as a
        delay of the input is long.
    """
    indices, row, end = index.ctypes.data, offsets.ctypes.data + 8 * (kept - done), index.size
    if done == 0:
        clear(memory, zeroed)
    earlier = offsets.ctypes.data
    repeats = 1 if limit < UNLIMITED and not ascending(indices, earlier, kept + steps) else 0
    recall(memory, heads, mask, row, indices, end, done, kept, repeats)
    answer = outputs.ctypes.data - 4 * done * outputs.shape[2]
    mine = spikes.ctypes.data - 8 * done * spikes.shape[2]
    theirs = events.ctypes.data - 8 * done * events.shape[2]
    stop = done + steps
    call_sample(sample, memory, row, indices, end, answer, mine, theirs, done, stop, repeats, limit)


@njit(nogil=True)
def recall(
    memory: int, heads: int, mask: int, row: int, indices: int, end: int, done: int, kept: int, repeats: int
) -> None:
    """Say where the input of ``kept`` steps is listed now: no longer where it was when they were run.

    ``row`` is the address of the offsets of step 0; ``done`` the step behind them.
    """
    for t in range(done - kept, done):
        lo = read_long(row + 8 * t)
        n = read_long(row + 8 * t + 8) - lo
        write_head(memory + heads + (t & mask) * HEAD_BYTES, indices + 4 * lo, n, end - lo, repeats)


@njit(nogil=True, forceinline=True)
def write_head(head: int, ids: int, n: int, readable: int, repeats: int) -> None:
    """Fill a `HEAD` at an address."""
    write_long(head, ids)
    write_long(head + 8, n)
    write_long(head + 16, readable)
    write_long(head + 24, repeats)


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
