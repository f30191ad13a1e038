"""Spiking sequential MNIST: pixels one after the other, and a spike where the grey value crosses a threshold.

The encoding is tonic's with its defaults: 99 neurons, 1 ms a step, every crossing twice. Going from pixel to
pixel, neuron ``99 - j`` spikes where the value rises to threshold ``j`` and ``50 - j`` where it falls below
(49 thresholds from 0 to 254, the first of which is never crossed), and neuron 0 at every pixel of 255; both
spikes of a crossing come at steps ``2 i`` and ``2 i + 1`` of the pixel ``i`` before it. tonic compares all
pixels with all thresholds, at 0.7 ms a picture, and gives the doubled spikes out of order. The pictures stay
in memory as bytes (47 MB), their spikes do not.

Source: the pictures, LeCun et al. 1998; the encoding, Bellec et al. 2020 (Nat. Commun. 11, 3625).
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import EVENT, Events
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.sets.files import Absent, File, identity, read_bytes, stated
from nmbench.datasets.sets.index import unknown_groups
from nmbench.datasets.sets.tonic import class_names
from nmbench.errors import InputError

SENSOR = (99, 1, 1)
THRESHOLDS = np.linspace(0.0, 254.0, 49).astype(np.uint8)
STEP_US = 1000
PIXELS = 28 * 28
IMAGES_MAX = 100_000
STEMS = {"train": "train", "test": "t10k"}

Bytes = npt.NDArray[np.uint8]


@numba.njit(nogil=True, cache=True)
def crossings(image: Bytes, thresholds: Bytes, out: Events) -> int:
    """Write the spikes of one picture in order of time and then of neuron; returns how many there are."""
    half = len(thresholds)
    n = 0
    for i in range(len(image)):
        now = image[i]
        after = image[i + 1] if i + 1 < len(image) else now
        spikes = n
        if now == 255:
            out[n].x = 0
            n += 1
        for j in range(half - 1, -1, -1):
            if now < thresholds[j] <= after:
                out[n].x = 2 * half + 1 - j
                n += 1
            elif after < thresholds[j] <= now:
                out[n].x = half + 1 - j
                n += 1
        count = n - spikes
        for repeat in range(2):
            for k in range(count):
                event = out[spikes + repeat * count + k]
                event.t, event.x, event.y, event.p = (2 * i + repeat) * STEP_US, out[spikes + k].x, 0, 0
        n += count
    return n


def open_smnist(folder: Path, split: str, name: str) -> Recordings:
    """Index one split; the files may be unpacked or ``.gz``, as MNIST's mirrors have them."""
    images, images_known = _idx(folder / f"{STEMS[split]}-images-idx3-ubyte", 2051, (28, 28))
    labels, labels_known = _idx(folder / f"{STEMS[split]}-labels-idx1-ubyte", 2049, ())
    classes = class_names("SMNIST")
    faults = [] if len(images) == len(labels) else [f"{len(labels)} labels for {len(images)} pictures"]
    if len(labels) and labels.max() >= len(classes):
        faults.append(f"class {labels.max()}, known are 0..{len(classes) - 1}")
    if faults:
        raise InputError(str(labels_known.path), faults)
    flat = images.reshape(len(images), PIXELS)

    def read(index: int) -> Events:
        out = np.empty(2 * PIXELS * (len(THRESHOLDS) + 1), EVENT)
        return out[: crossings(flat[index], THRESHOLDS, out)].copy()

    return Recordings(
        name=name,
        sensor=SENSOR,
        classes=classes,
        synthetic=True,
        labels=labels.astype(np.int64),
        groups=unknown_groups(len(labels)),
        sizes=np.full(len(labels), 2_000, np.int64),
        identity=identity([images_known, labels_known], folder),
        read_place=read,
        targets_of_place=None,
        places=np.arange(len(labels), dtype=np.int64),
    )


def _idx(path: Path, magic: int, shape: tuple[int, ...]) -> tuple[Bytes, File]:
    """Read an IDX file of bytes, unpacked or packed: magic number, count and shape, big-endian."""
    packed = path.with_name(path.name + ".gz")
    try:
        known = stated(path)
    except Absent:
        try:
            known = stated(packed)
        except Absent:
            raise Absent(f"{path} (or {packed.name})") from None
    item = int(np.prod(shape))
    head = 8 + 4 * len(shape)
    most = head + item * IMAGES_MAX
    raw = read_bytes(known.path, most)
    if known.path.suffix == ".gz":
        raw = _unpacked(raw, known.path, most)
    wanted = np.array([magic, max(len(raw) - head, 0) // item, *shape], ">u4").tobytes()
    if len(raw) < head or (len(raw) - head) % item or raw[:head].tobytes() != wanted:
        raise InputError(
            str(known.path), [f"not an IDX file of {shape} bytes with all that its head promises"]
        )
    return raw[head:].reshape(-1, *shape), known


def _unpacked(raw: Bytes, path: Path, most: int) -> Bytes:
    machine = zlib.decompressobj(wbits=31)  # gzip's envelope
    try:
        out = machine.decompress(raw.data, most + 1)
    except zlib.error as error:
        raise InputError(str(path), [f"damaged: {error}"]) from error
    if len(out) > most or not machine.eof:
        raise InputError(str(path), [f"cut off, or unpacks to more than {most} bytes"])
    return np.frombuffer(out, np.uint8)
