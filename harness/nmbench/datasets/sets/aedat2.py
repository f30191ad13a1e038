"""AEDAT 2.0, jAER's files: a header of ``#`` lines, then big-endian pairs of address and microseconds.

CIFAR10-DVS as its authors publish it. The addresses are of a DVS128, read as jAER and the authors'
``dat2mat.m`` do: column ``127 - bits 1..7``, row ``bits 8..14``, on where bit 0 is 0. The row counts from the
bottom.

Source: Li et al. 2017, Front. Neurosci. 11, 309.
"""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.sets.decode import EVENTS_MAX, I8, Bytes, Clock, Seen, new_seen, note, sample
from nmbench.datasets.sets.files import read_bytes
from nmbench.errors import InputError

CLOCK = Clock(starts_at_zero=False, slack_us=10_000)
HEADER_MAX = 1 << 16
MAGIC = b"#!AER-DAT2.0"


@numba.njit(nogil=True, inline="always")
def _word(raw: Bytes, k: int) -> int:
    word: int = I8(raw[k]) << 24 | I8(raw[k + 1]) << 16 | I8(raw[k + 2]) << 8 | I8(raw[k + 3])
    return word


@numba.njit(nogil=True, cache=True)
def take_pairs(raw: Bytes, out: Events, seen: Seen) -> int:
    """Decode all pairs; returns how many addresses are none of a pixel (bit 15 or above)."""
    start, strange = I8(1) << 62, 0
    for k in range(4, len(raw), 8):
        start = min(start, _word(raw, k))
    for n in range(len(raw) // 8):
        address, t = _word(raw, 8 * n), _word(raw, 8 * n + 4) - start
        if address >> 15:
            strange += 1
            continue
        x, y, p = 127 - (address >> 1 & 127), address >> 8, 1 - (address & 1)
        note(seen, n, x, y, p, t)
        event = out[n]
        event.t, event.x, event.y, event.p = t, x, y, p
    return strange


def read_aedat2(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one recording (``.aedat``); raises `InputError` with its name."""
    raw = read_bytes(path, 8 * EVENTS_MAX + HEADER_MAX)
    begin = _header_end(path, raw[:HEADER_MAX].tobytes())
    content = raw[begin:]
    if len(content) % 8 or not len(content):
        raise InputError(str(path), [f"{len(content)} bytes of events: cut off, an event has 8"])
    out, seen = np.empty(len(content) // 8, EVENT), new_seen()
    if strange := take_pairs(content, out, seen):
        raise InputError(str(path), [f"{strange} addresses that are no pixel of a DVS128"])
    return sample(path, "", out, seen, sensor, CLOCK)


def _header_end(path: Path, head: bytes) -> int:
    if not head.startswith(MAGIC):
        raise InputError(str(path), [f"does not begin with {MAGIC.decode()}"])
    place = 0
    while head[place : place + 1] == b"#":
        end = head.find(b"\n", place)
        if end < 0:
            raise InputError(str(path), ["its header does not end"])
        place = end + 1
    return place
