"""AEDAT 4, DV's files: packets of flatbuffers, as they are or in LZ4; the events of the lowest stream.

CIFAR10-DVS as tonic's mirror has it (``.aedat4``). Flatbuffers packed with Zstandard are refused by name: no
package of our dependencies unpacks them.

Source: the format's description, https://docs.inivation.com/software/software-advanced-usage/file-formats.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets import lz4
from nmbench.datasets.sets.aedat2 import read_aedat2
from nmbench.datasets.sets.decode import EVENTS_MAX, I8, Bytes, Clock, Seen, new_seen, note, sample
from nmbench.datasets.sets.files import class_folders, files, indexed_labels, read_bytes
from nmbench.datasets.sets.index import listed
from nmbench.datasets.sets.splits import last_of_each_class
from nmbench.datasets.sets.tonic import class_names
from nmbench.errors import InputError

MAGIC = b"#!AER-DAT4.0\r\n"
SENSOR = (128, 128, 2)
CLOCK = Clock(starts_at_zero=False, slack_us=10_000)
PACKET_MAX = 1 << 28
NO_PACKING, LZ4 = 0, (1, 2)

RAW_EVENT = np.dtype(
    {
        "names": ["t", "x", "y", "on"],
        "formats": ["<i8", "<i2", "<i2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)


def read_aedat4(path: Path, sensor: tuple[int, int, int]) -> Events:
    """Read one recording's events; raises `InputError` with its name."""
    raw = read_bytes(path, RAW_EVENT.itemsize * EVENTS_MAX)
    try:
        packets = _event_packets(raw)
    except (ValueError, struct.error) as error:
        raise InputError(str(path), [f"not a whole AEDAT 4 file: {error}"]) from error
    count = sum(len(p) for p in packets)
    if not 0 < count <= EVENTS_MAX:
        raise InputError(str(path), [f"{count} events, wanted 1..{EVENTS_MAX}"])
    out, seen = np.empty(count, EVENT), new_seen()
    start = min(int(p["t"].min()) for p in packets)
    place = 0
    for packet in packets:
        take_packet(packet, start, place, out, seen)
        place += len(packet)
    return sample(path, "", out, seen, sensor, CLOCK)


@numba.njit(nogil=True, cache=True)
def take_packet(packet: npt.NDArray[np.void], start: int, place: int, out: Events, seen: Seen) -> None:
    """Take DV's events into ours, from ``place`` on."""
    for k in range(len(packet)):
        raw = packet[k]
        t, x, y, p = raw.t - start, I8(raw.x), I8(raw.y), I8(raw.on)
        note(seen, place + k, x, y, p, t)
        event = out[place + k]
        event.t, event.x, event.y, event.p = t, x, y, p


def _event_packets(raw: Bytes) -> list[npt.NDArray[np.void]]:
    """Return the event arrays of the lowest stream that has any, one a packet."""
    if raw[: len(MAGIC)].tobytes() != MAGIC:
        raise ValueError(f"it does not begin with {MAGIC.decode().strip()}")
    (size,) = struct.unpack_from("<I", raw.data, len(MAGIC))
    place = len(MAGIC) + 4 + size
    packing, table = _io_header(raw[len(MAGIC) + 4 : place], size)
    end = table if table >= 0 else len(raw)
    if not place <= end <= len(raw):
        raise ValueError("its table of packets lies outside")
    streams: dict[int, list[npt.NDArray[np.void]]] = {}
    events = 0
    while place < end:
        stream, length = struct.unpack_from("<ii", raw.data, place)
        place += 8
        if not 0 < length <= end - place:
            raise ValueError(f"packet at byte {place - 8} is cut off")
        content = raw[place : place + length]
        place += length
        packet = _events(_unpacked(content, packing))
        if packet is not None and len(packet):
            events += len(packet)
            if events > EVENTS_MAX:
                raise ValueError(f"more than {EVENTS_MAX} events")
            streams.setdefault(stream, []).append(packet)
    return streams[min(streams)] if streams else []


def _unpacked(content: Bytes, packing: int) -> Bytes:
    return content if packing == NO_PACKING else lz4.unpack(content, PACKET_MAX)


def _io_header(table: Bytes, size: int) -> tuple[int, int]:
    """Read how packets are packed and where the table of packets begins, -1 where there is none."""
    if len(table) < size or size < 8 or table[4:8].tobytes() != b"IOHE":
        raise ValueError("no header of the format")
    root = _u4(table, 0)
    packing = _field(table, root, 0, "<i", 0)
    if packing not in (NO_PACKING, *LZ4):
        raise ValueError(f"packed in a way (number {packing}) that is not read here: only none and LZ4")
    return packing, _field(table, root, 1, "<q", -1)


def _events(buffer: Bytes) -> npt.NDArray[np.void] | None:
    """Return the events of a packet (a view), or None where it is one of something else."""
    if len(buffer) < 12 or _u4(buffer, 0) > len(buffer) - 4:
        raise ValueError("a packet that is shorter than it says")
    table = buffer[4:]
    if table[4:8].tobytes() != b"EVTS":
        return None
    root = _u4(table, 0)
    at = _field_at(table, root, 0)
    if at is None:
        return np.empty(0, RAW_EVENT)
    vector = at + _u4(table, at)
    count = _u4(table, vector)
    if count * RAW_EVENT.itemsize > len(table) - vector - 4:
        raise ValueError(f"a packet that promises {count} events and has fewer")
    return table[vector + 4 : vector + 4 + count * RAW_EVENT.itemsize].view(RAW_EVENT)


def _u4(table: Bytes, k: int) -> int:
    value: int = struct.unpack_from("<I", table.data, k)[0]
    return value


def _field_at(table: Bytes, root: int, number: int) -> int | None:
    """Return where a flatbuffer table's field lies, None where it has its default."""
    (back,) = struct.unpack_from("<i", table.data, root)
    entry = root - back
    if entry < 0:
        raise ValueError("a table outside its packet")
    (length,) = struct.unpack_from("<H", table.data, entry)
    if length < 6 + 2 * number:
        return None
    (offset,) = struct.unpack_from("<H", table.data, entry + 4 + 2 * number)
    return root + offset if offset else None


def _field(table: Bytes, root: int, number: int, kind: str, default: int) -> int:
    at = _field_at(table, root, number)
    if at is None:
        return default
    value: int = struct.unpack_from(kind, table.data, at)[0]
    return value


def open_cifar10dvs(folder: Path, split: str, name: str) -> Recordings:
    """Index CIFAR10-DVS: a folder a class; its split is made here: the last tenth of each class is the test.

    So does most of the literature: 900 and 100 pictures a class, by their numbers.
    """
    classes = class_names("CIFAR10DVS")
    found = files(class_folders(folder, classes), (".aedat4", ".aedat"))
    endings = {file.path.suffix for file in found}
    if len(endings) > 1:
        # the two releases need not agree on which way round a picture lies
        raise InputError(str(folder), ["both .aedat and .aedat4 files: which of the two releases is it?"])
    labels = indexed_labels(found, folder, classes, lambda f: f.label)
    new = endings == {".aedat4"}
    everything = listed(
        name, folder, found, 16 if new else 8, SENSOR, classes, labels, read_aedat4 if new else read_aedat2
    )
    return everything.take(last_of_each_class(labels, split, one_in=10))
