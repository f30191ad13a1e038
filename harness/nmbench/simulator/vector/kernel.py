"""Samples from first to last step, in one call that holds no lock and allocates nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.vector.advance import advance
from nmbench.simulator.vector.blocks import add_blocks
from nmbench.simulator.vector.compiled import HEAD_BYTES, ascending, recall, write_head
from nmbench.simulator.vector.lanes import (
    call_step,
    clear,
    read_float,
    read_int,
    read_long,
    write_float,
    write_long,
)
from nmbench.simulator.vector.records import UNLIMITED, Records

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

SKIP_BELOW = 16
"""Sixteens a spike of the last step from which a branch round silent ones pays: it is foreseen then."""


@njit(cache=True, nogil=True)
def run_samples(
    populations: Records,
    projections: Records,
    readout: Ints,
    output: int,
    late: int,
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
    """Run samples ``first`` to ``last`` (excluded); fill their outputs, spikes and synaptic events.

    Return ``last``, or the first sample in which a neuron spikes more often in one step than the
    integer sums are proven for: that one has to be run in float32.

    Parameters
    ----------
    readout
        Position of each output neuron, ``[C]``; of an output that spikes, the neuron at each position.
    late
        Steps by which outputs come late.
    limit
        Input spikes in a step that sums of rows hold whatever they are.
    zeroed, memory
        How many bytes of a worker's memory a sample starts with at 0, and its address.
    """
    # from here on arrays are addresses: handing arrays on counts references, for whose counters threads
    # would contend
    indices, rows, places = index.ctypes.data, offsets.ctypes.data, readout.ctypes.data
    end = index.size
    answers, emitted, delivered = outputs.ctypes.data, spikes.ctypes.data, events.ctypes.data
    classes, line, size = 4 * outputs.shape[2], 8 * projections.size, populations.size
    read = populations[output]
    for b in range(first, last):
        answer, row = answers + b * steps * classes, rows + 8 * b * steps
        counted = delivered + b * steps * line
        clear(memory, zeroed)
        if read.spiking or late:
            clear(answer, steps * classes)
        repeats = limit < UNLIMITED and not ascending(indices, row, steps)
        if not _begin(populations, projections, memory, row, indices, counted, 0):
            return b
        for t in range(steps):
            mine, theirs = emitted + 8 * size * (b * steps + t), counted + line * t
            lo = read_long(row + 8 * t)
            n = read_long(row + 8 * t + 8) - lo
            if n > limit:
                return b
            write_long(mine, n)
            _announce(memory, populations[0], t, indices + 4 * lo, n, end - lo, repeats)
            for p in range(1, size):
                q = populations[p]
                for at in range(q.steps, q.steps_end, 8):
                    call_step(read_long(at), memory, t, theirs, mine)
                if not q.advanced:
                    _step(projections, q, memory, t, theirs, mine, p, size, 0)
                # the input's share of the next step does not wait for this step's spikes: while its blocks
                # are added, the processor finds out how many there are
                for r in range(q.incoming, q.inner if t + 1 < steps else q.incoming):
                    if not _take_in(projections[r], memory, row, indices, theirs + line, t + 1):
                        return b
            if t + late < steps:
                out = answer + classes * (t + late)
                _read_out(memory, read, t, read_long(mine + 8 * output), out, places, readout.size)
    return last


@njit(cache=True, nogil=True)
def continue_sample(
    populations: Records,
    projections: Records,
    readout: Ints,
    output: int,
    limit: int,
    zeroed: int,
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
    """Run steps of one sample as `run_samples` does; the input `fits`, and outputs do not come late.

    A kernel of its own, so that the other's loop keeps its constants.

    Parameters
    ----------
    done, kept
        Steps that the memory has gone through, and rows of ``offsets`` before the first step, as many as a
        delay of the input is long.
    """
    line, size, classes = 8 * projections.size, populations.size, 4 * outputs.shape[2]
    read, entrance, end, stop = populations[output], populations[0], index.size, done + steps
    indices, places = index.ctypes.data, readout.ctypes.data
    # addresses are those of step 0, where nothing of these arrays stands
    row = offsets.ctypes.data + 8 * (kept - done)
    answer, emitted = outputs.ctypes.data - classes * done, spikes.ctypes.data - 8 * size * done
    counted = events.ctypes.data - line * done
    if done == 0:
        clear(memory, zeroed)
    if read.spiking:
        clear(answer + classes * done, classes * steps)
    repeats = limit < UNLIMITED and not ascending(indices, row + 8 * (done - kept), kept + steps)
    recall(memory, entrance.heads, entrance.mask, row, indices, end, done, kept, repeats)
    _begin(populations, projections, memory, row, indices, counted + line * done, done)
    for t in range(done, stop):
        mine, theirs = emitted + 8 * size * t, counted + line * t
        lo = read_long(row + 8 * t)
        n = read_long(row + 8 * t + 8) - lo
        write_long(mine, n)
        _announce(memory, entrance, t, indices + 4 * lo, n, end - lo, repeats)
        for p in range(1, size):
            q = populations[p]
            for at in range(q.steps, q.steps_end, 8):
                call_step(read_long(at), memory, t, theirs, mine)
            if not q.advanced:
                _step(projections, q, memory, t, theirs, mine, p, size, done)
            for r in range(q.incoming, q.inner if t + 1 < stop else q.incoming):
                _take_in(projections[r], memory, row, indices, theirs + line, t + 1)
        n = read_long(mine + 8 * output)
        _read_out(memory, read, t, n, answer + classes * t, places, readout.size)


@njit(nogil=True)
def _begin(
    populations: Records, projections: Records, memory: int, row: int, indices: int, events: int, t: int
) -> bool:
    """Add what the input brings through blocks in the first step; False if sums may not hold it."""
    held = True
    for p in range(1, populations.size):
        for r in range(populations[p].incoming, populations[p].inner):
            held &= _take_in(projections[r], memory, row, indices, events, t)
    return held


@njit(nogil=True, forceinline=True)
def _step(
    projections: Records, q: Any, memory: int, t: int, events: int, spikes: int, p: int, line: int,
    first: int,
) -> None:  # fmt: skip
    """Advance population ``p``, which blocks reach or which has a law that rows' functions do not know.

    ``events`` and ``spikes`` are the addresses of the step's counts, ``line`` is how many of the latter, and
    none stand before those of the ``first`` step.
    """
    for r in range(q.inner, q.rows):
        c = projections[r]
        head = memory + c.heads + ((t - c.delay) & c.mask) * HEAD_BYTES
        write_long(events + c.number, _deliver(memory, c, read_long(head), read_long(head + 8)))
    listed = memory + q.lists + (t & q.mask) * q.list_bytes
    before = read_long(spikes + 8 * (p - line)) if t > first else 0
    n = advance(memory, q, listed, before * SKIP_BELOW < q.sixteens)
    write_long(spikes + 8 * p, n)
    _announce(memory, q, t, listed, n, n, 0)


@njit(nogil=True, forceinline=True)
def _announce(memory: int, q: Any, t: int, ids: int, n: int, readable: int, repeats: int) -> None:
    """Say where a population's spikes of step ``t`` are listed, in its `HEAD`."""
    write_head(memory + q.heads + (t & q.mask) * HEAD_BYTES, ids, n, readable, repeats)


@njit(nogil=True, forceinline=True)
def _take_in(c: Any, memory: int, row: int, indices: int, events: int, t: int) -> bool:
    """Add what the input brings through blocks in step ``t``; False if sums may not hold it.

    ``row`` is the address of the sample's offsets, and ``events`` where the step's synaptic events are
    counted.
    """
    due, lo, n = t - c.delay, 0, 0
    if due >= 0:
        lo = read_long(row + 8 * due)
        n = read_long(row + 8 * due + 8) - lo
    if n > c.limit and _too_many(indices + 4 * lo, n, c.most):
        return False
    write_long(events + c.number, _deliver(memory, c, indices + 4 * lo, n))
    return True


@njit(nogil=True, forceinline=True)
def _deliver(memory: int, c: Any, ids: int, n: int) -> int:
    """Add the blocks of the ``n`` spikes listed at ``ids``; return their synaptic events."""
    events = 0
    if n == 0:
        return events
    for a in range(c.passes, c.passes_end, 24):
        sums, weights = memory + read_long(a + 8), read_long(a + 16)
        events = add_blocks(read_long(a), sums, c.pitch, weights, ids, n, c.table)
    return events


@njit(cache=True, nogil=True)
def fits(limit: int, limits: Longs, most: Longs, steps: int, offsets: Longs, index: Ints) -> bool:
    """Tell whether whole numbers are proven for what spikes in the last ``steps`` of the rows.

    Parameters
    ----------
    limit
        Input spikes in a step that sums of rows hold whatever they are.
    limits, most
        The same of the input's blocks, and times that one neuron may spike where there are more.
    """
    indices = index.ctypes.data
    for row in range(offsets.size - 1 - steps, offsets.size - 1):
        n = offsets[row + 1] - offsets[row]
        if n > limit:
            return False
        for r in range(limits.size):
            if n > limits[r] and _too_many(indices + 4 * offsets[row], n, most[r]):
                return False
    return True


@njit(nogil=True)
def _too_many(ids: int, n: int, most: int) -> bool:
    """Tell whether a neuron stands more than ``most`` times in a list, or might: it is not in order."""
    found = False
    for k in range(n - 1):
        found |= read_int(ids + 4 * k) > read_int(ids + 4 * k + 4)
    for k in range(n - most):
        found |= read_int(ids + 4 * k) == read_int(ids + 4 * (k + most))
    return found


@njit(nogil=True, forceinline=True)
def _read_out(memory: int, read: Any, t: int, n: int, out: int, places: int, count: int) -> None:
    """Write one step's answer: 1 for each neuron that spiked, or the membranes of those that cannot."""
    if read.spiking:
        ids = memory + read.lists + (t & read.mask) * read.list_bytes
        for k in range(n):
            write_float(out + 4 * read_int(places + 4 * read_int(ids + 4 * k)), 1.0)
    else:
        for k in range(count):
            write_float(out + 4 * k, read_float(memory + read.membranes + 4 * read_int(places + 4 * k)))
