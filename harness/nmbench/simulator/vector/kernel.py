"""Samples from first to last step, in one call that holds no lock and allocates nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.vector.advance import advance
from nmbench.simulator.vector.gather import add_blocks, add_rows
from nmbench.simulator.vector.lanes import (
    clear,
    read_float,
    read_int,
    read_long,
    write_float,
    write_long,
)
from nmbench.simulator.vector.records import BLOCKS, Records

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

SKIP_BELOW = 16
"""Sixteens a spike of the last step from which a branch round silent ones pays: it is foreseen then."""


@njit(nogil=True)
def _run(
    populations: Records,
    projections: Records,
    readout: Ints,
    output: int,
    late: int,
    state: Longs,
    zeroed: int,
    listed: Longs,
    first: int,
    last: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> int:
    """Run samples; see `run_samples`."""
    # from here on arrays are addresses: handing arrays on counts references, for whose counters threads
    # would contend
    memory, lengths, depth = state.ctypes.data, listed.ctypes.data, 8 * listed.shape[1]
    indices, rows, places = index.ctypes.data, offsets.ctypes.data, readout.ctypes.data
    answers, emitted, delivered = outputs.ctypes.data, spikes.ctypes.data, events.ctypes.data
    answer_bytes = 4 * steps * outputs.shape[2]
    spike_bytes, event_bytes = 8 * steps * populations.size, 8 * steps * projections.size
    end, line = index.size, 8 * projections.size
    read = populations[output]
    for b in range(first, last):
        answer, row = answers + b * answer_bytes, rows + 8 * b * steps
        clear(memory, zeroed)
        if read.spiking or late:
            clear(answer, answer_bytes)
        counted = delivered + b * event_bytes
        for p in range(1, populations.size):
            for r in range(populations[p].incoming, populations[p].inner):
                if not _take_in(projections[r], memory, row, indices, end, counted, 0):
                    return b
        for t in range(steps):
            mine = emitted + b * spike_bytes + 8 * t * populations.size
            theirs = counted + line * t
            write_long(mine, read_long(row + 8 * t + 8) - read_long(row + 8 * t))
            for p in range(1, populations.size):
                q = populations[p]
                for r in range(q.inner, q.incoming_end):
                    c = projections[r]
                    due, n, ids = t - c.delay, 0, 0
                    if due >= 0:
                        s = populations[c.source]
                        slot = due & s.mask
                        ids = memory + s.lists + slot * s.list_bytes
                        n = read_long(lengths + c.source * depth + 8 * slot)
                    write_long(theirs + c.number, _deliver(memory, c, ids, n, n))
                slot = t & q.mask
                quiet = t == 0 or read_long(mine - 8 * populations.size + 8 * p) * SKIP_BELOW < q.sixteens
                fired = advance(memory, q, memory + q.lists + slot * q.list_bytes, quiet)
                write_long(lengths + p * depth + 8 * slot, fired)
                write_long(mine + 8 * p, fired)
                # the input's share of the next step does not wait for this step's spikes: while its rows are
                # read, the processor finds out how many there are
                for r in range(q.incoming, q.inner if t + 1 < steps else q.incoming):
                    if not _take_in(projections[r], memory, row, indices, end, theirs + line, t + 1):
                        return b
            if t + late < steps:
                out = answer + 4 * outputs.shape[2] * (t + late)
                _read_out(memory, read, t, read_long(mine + 8 * output), out, places, readout.size)
    return last


@njit(nogil=True, forceinline=True)
def _take_in(c: Any, memory: int, row: int, indices: int, end: int, events: int, t: int) -> bool:
    """Add what the input brings through a projection in step ``t``; False if sums may not hold it.

    ``row`` is the address of the sample's offsets, ``end`` the length of the batch's list of spikes, and
    ``events`` where the step's synaptic events are counted.
    """
    due, lo, n = t - c.delay, 0, 0
    if due >= 0:
        lo = read_long(row + 8 * due)
        n = read_long(row + 8 * due + 8) - lo
    if n > c.limit and _too_many(indices + 4 * lo, n, c.most):
        return False
    write_long(events + c.number, _deliver(memory, c, indices + 4 * lo, n, end - lo))
    return True


@njit(nogil=True, forceinline=True)
def _deliver(memory: int, c: Any, ids: int, n: int, listed: int) -> int:
    """Add what the ``n`` spikes listed at ``ids`` bring through a projection; return its synaptic events.

    ``listed`` neurons may be read there: rows of those behind are fetched ahead.
    """
    events, pitch, table = 0, c.pitch, c.table
    if n == 0:
        return events
    for a in range(c.passes, c.passes_end, 24):
        code, sums, weights = read_long(a), memory + read_long(a + 8), read_long(a + 16)
        if c.kind == BLOCKS:
            events = add_blocks(code, sums, pitch, weights, ids, n, table)
            continue
        events, done, at_once, shift = 0, 0, c.at_once, c.shift
        while done < n:
            m = min(n - done, at_once)
            events += add_rows(code, sums, weights, pitch, ids + 4 * done, m, listed - done, table, shift)
            done += m
    return events


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


def _sources() -> int:
    """Hash the files of this engine, more than 0."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return 1 + int.from_bytes(digest.digest()[:7], "little")


def _cached(sources: int) -> Any:
    """Compile the kernel, kept on disk under what its sources are: all of them, not this file alone.

    Numba keeps a function as long as its own file and the values that it encloses stay the same.
    """

    @njit(cache=True, nogil=True)
    def run_samples(
        populations: Records,
        projections: Records,
        readout: Ints,
        output: int,
        late: int,
        state: Longs,
        zeroed: int,
        listed: Longs,
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
        state, zeroed
            A worker's memory (64-byte aligned), and how many bytes of it a sample starts with at 0.
        listed
            Lengths of the spike lists, ``[P, depth]``.
        """
        if sources == 0:  # never: the hash is only enclosed
            return first
        return _run(
            populations,
            projections,
            readout,
            output,
            late,
            state,
            zeroed,
            listed,
            first,
            last,
            steps,
            offsets,
            index,
            outputs,
            spikes,
            events,
        )

    return run_samples


run_samples = _cached(_sources())
