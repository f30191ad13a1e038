"""LZ4 frames, in which AEDAT 4 packs its packets: unpacked with a limit, every offset checked.

Written from the format's description (https://github.com/lz4/lz4/tree/dev/doc, frame format 1.6.4 and block
format); checksums are not verified. No package of our dependencies reads them.
"""

from __future__ import annotations

import numba
import numpy as np

from nmbench.datasets.sets.decode import I8, Bytes

MAGIC = 0x184D2204
_BAD = -1


def unpack(frame: Bytes, most: int) -> Bytes:
    """Unpack one frame into at most ``most`` bytes.

    Raises
    ------
    ValueError
        If it is no LZ4 frame, cut off, damaged, or unpacks to more.
    """
    if len(frame) < 7 or _u4(frame, 0) != MAGIC:
        raise ValueError("not an LZ4 frame")
    flags, block = int(frame[4]), int(frame[5])
    if flags >> 6 != 1 or flags & 1:
        raise ValueError("an LZ4 frame of another version, or with a dictionary")
    block_max = 1 << (8 + 2 * (block >> 4 & 7))
    place = 7 + (8 if flags & 8 else 0)
    room = min(most, 255 * len(frame) + 64)  # no byte of LZ4 stands for more than 255
    out, size = np.empty(min(room, 4 * len(frame) + block_max), np.uint8), 0
    while place + 4 <= len(frame):
        head = _u4(frame, place)
        place += 4
        if head == 0:
            return out[:size]
        length = head & 0x7FFFFFFF
        if length > block_max or place + length > len(frame):
            raise ValueError("an LZ4 block that is cut off")
        if size + block_max > len(out):
            out = np.concatenate([out[:size], np.empty(max(size, 2 * block_max), np.uint8)])
        source = frame[place : place + length]
        if head >> 31:
            out[size : size + length] = source
            size += length
        else:
            size = int(unpack_block(source, out, size, min(size + block_max, len(out))))
        if size == _BAD:
            raise ValueError("a damaged LZ4 block")
        if size > most:
            raise ValueError(f"unpacks to more than {most} bytes")
        place += length + (4 if flags & 16 else 0)
    # jAER's and DV's writers may leave the end mark out: a packet knows its length
    if place != len(frame):
        raise ValueError("an LZ4 frame that is cut off")
    return out[:size]


def _u4(raw: Bytes, k: int) -> int:
    return int.from_bytes(raw[k : k + 4].tobytes(), "little")


@numba.njit(nogil=True, cache=True)
def unpack_block(source: Bytes, out: Bytes, start: int, end: int) -> int:
    """Unpack one block to ``out[start:end]``, -1 if it is bad; copies may reach before ``start``.

    Returns where it ends.
    """
    place, to = 0, start
    while place < len(source):
        token = I8(source[place])
        literals, place = _length(source, place + 1, token >> 4)
        if place + literals > len(source) or to + literals > end:
            return _BAD
        for k in range(literals):
            out[to + k] = source[place + k]
        place += literals
        to += literals
        if place == len(source):  # the last sequence has no copy
            return to
        if place + 2 > len(source):
            return _BAD
        back = I8(source[place]) | I8(source[place + 1]) << 8
        length, place = _length(source, place + 2, token & 15)
        length += 4
        if back == 0 or back > to or to + length > end or place > len(source):
            return _BAD
        for k in range(length):
            out[to + k] = out[to - back + k]
        to += length
    return _BAD


@numba.njit(nogil=True, cache=True)
def _length(source: Bytes, place: int, length: int) -> tuple[int, int]:
    """Read on where four bits do not hold a length; a place behind the end where the block is cut off."""
    if length < 15:
        return length, place
    while place < len(source):
        length += I8(source[place])
        place += 1
        if source[place - 1] < 255:
            return length, place
    return length, len(source) + 1
