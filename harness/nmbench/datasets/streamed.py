"""Encode recordings a few at a time: decoded, transformed and cut into rows in threads, written in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.datasets.encode import compressed_rows, input_shape
from nmbench.datasets.events import Events, EventSet, joined, set_sha256
from nmbench.datasets.recordings import Faults, Recordings
from nmbench.datasets.samples import in_order
from nmbench.datasets.spike_files import Encoded, SpikeManifest, Writer, kept_spikes
from nmbench.errors import InputError
from nmbench.progress import Progress

Change = Callable[[EventSet], EventSet]

CHUNK_EVENTS = 1 << 18
"""About how many events are worked on at once by each thread: some 30 MB with all that is made of them."""
CHUNK_SAMPLES = 256


@dataclass(frozen=True, eq=False)
class Chunk:
    """What a few samples became, or what is wrong with them."""

    samples: int
    sensor: tuple[int, int, int]
    offsets: npt.NDArray[np.int64]
    index: npt.NDArray[np.int32]
    events: int
    digests: list[bytes]
    errors: list[InputError]


def encode_chunk(recordings: Recordings, part: range, change: Change, dt_s: float, steps: int) -> Chunk:
    """Read, transform and encode the samples of ``part``; safe to call from several threads."""
    read: list[Events] = []
    digests: list[bytes] = []
    errors: list[InputError] = []
    for index in part:
        events, error = recordings.attempt(index)
        if error is not None or events is None:
            errors += [] if error is None else [error]
            continue
        read.append(events)
        digests.append(recordings.digest(index, events))
    if errors:
        none = np.zeros(1, np.int64), np.empty(0, np.int32)
        return Chunk(len(part), recordings.sensor, *none, 0, [], errors)
    chosen = slice(part.start, part.stop)
    raw = EventSet(
        name=recordings.name,
        sensor=recordings.sensor,
        **joined(read),
        labels=recordings.labels[chosen],
        groups=recordings.groups[chosen],
        classes=recordings.classes,
        synthetic=recordings.synthetic,
    )
    changed = change(raw)
    offsets, index_ = compressed_rows(changed, dt_s, steps)
    return Chunk(len(part), changed.sensor, offsets, index_, len(changed.events), digests, [])


def chunks(sizes: npt.NDArray[np.int64]) -> Iterator[range]:
    """Share samples of about these sizes out into runs of about `CHUNK_EVENTS` events."""
    first, total = 0, 0
    for k, size in enumerate(sizes.tolist()):
        total += size
        if total >= CHUNK_EVENTS or k + 1 - first >= CHUNK_SAMPLES:
            yield range(first, k + 1)
            first, total = k + 1, 0
    if first < len(sizes):
        yield range(first, len(sizes))


def write_encoded(
    recordings: Recordings,
    change: Change,
    dt_s: float,
    steps: int,
    folder: Path,
    progress: Callable[[int, int], None],
) -> SpikeManifest:
    """Encode a set into a folder, never held whole.

    The rows are those of `encode` after ``change`` on the whole set, which treats each sample by itself.

    Raises
    ------
    InputError
        With the faults of all samples, at most `FAULTS_TOLD_MAX`.
    """
    faults, digests, events, done = Faults(recordings.name), [], 0, 0
    sensor = recordings.sensor
    if not len(recordings):
        raise InputError(recordings.name, ["no samples"])
    writer = Writer(folder)
    try:
        for chunk in in_order(
            lambda part: encode_chunk(recordings, part, change, dt_s, steps), chunks(recordings.sizes)
        ):
            for error in chunk.errors:
                faults.add(error)
            writer.add(chunk.offsets, chunk.index)
            digests += chunk.digests
            events += chunk.events
            sensor = chunk.sensor
            done += chunk.samples
            progress(done, len(recordings))
        faults.raise_any()
        hashes = writer.close()
    finally:
        writer.abandon()
    return SpikeManifest(
        key={},
        dt_s=dt_s,
        steps=steps,
        shape=input_shape(sensor),
        samples=len(recordings),
        spikes=writer.spikes,
        events=events,
        kept=writer.spikes,
        data_sha256=set_sha256(recordings.sensor, recordings.classes, digests),
        offsets_sha256=hashes[0],
        index_sha256=hashes[1],
    )


def encoded_recordings(
    recordings: Recordings,
    transforms: list[tuple[str, Mapping[str, object]]],
    change: Change,
    window: tuple[float, int],
    cache: Path,
    progress: Progress,
) -> Encoded:
    """Return a real set encoded, from the cache where it is there.

    The cache is keyed by what the bytes depend on: the files by their paths, sizes and times of change
    (`nmbench data verify` hashes them; a file that changes within its size and time is not noticed here), the
    transforms, the window, and the code of the data sets.

    Parameters
    ----------
    transforms, change
        Names and options, and the function that applies them.
    window
        Seconds a step, and steps.
    cache
        Folder of all caches.
    """
    source, split = recordings.name.split("/")
    key: dict[str, object] = {
        "source": source,
        "split": split,
        "files": recordings.identity,
        "transforms": json.loads(json.dumps([[name, dict(options)] for name, options in transforms])),
        "dt_s": window[0],
        "steps": window[1],
        "code": _code_sha256(),
    }

    def make(folder: Path) -> SpikeManifest:
        return write_encoded(
            recordings,
            change,
            *window,
            folder,
            lambda done, total: progress.step(f"data {source}", done, total),
        )

    return kept_spikes(cache, key, make, progress)


def _code_sha256() -> str:
    """Hash the modules that make the bytes: those of the real sets, and of all sets."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *here.glob("sets/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
