"""Encoding a few samples at a time gives what encoding the whole set gives, and holds little of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_events import SENSOR, event_sets

from nmbench.datasets import streamed, transforms
from nmbench.datasets.cache import Damaged
from nmbench.datasets.encode import duration_covered, encode
from nmbench.datasets.events import EVENT, Events, EventSet
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.spike_files import Encoded, open_spikes
from nmbench.datasets.streamed import chunks, encoded_recordings, write_encoded
from nmbench.errors import InputError
from nmbench.progress import Silence

STEPS = [("pool", {"x": 2, "y": 1}), ("crop", {"start": 0.01, "duration": 0.07})]


def silent(_done: int, _total: int) -> None:
    pass


def lazy(events: EventSet, read: Callable[[int], Events] | None = None) -> Recordings:
    """Return a set in memory as recordings."""
    n = len(events)
    return Recordings(
        name="toy/test",
        sensor=events.sensor,
        classes=events.classes,
        synthetic=events.synthetic,
        labels=events.labels,
        groups=events.groups,
        sizes=np.diff(events.offsets),
        identity="toy",
        read_place=read or (lambda place: events[place]),
        targets_of_place=None,
        places=np.arange(n, dtype=np.int64),
    )


def change(events: EventSet) -> EventSet:
    return transforms.apply(events, STEPS)


def made(recordings: Recordings, folder: Path) -> Encoded:
    folder.mkdir(exist_ok=True)
    manifest = write_encoded(recordings, change, 0.01, 5, folder, silent)
    (folder / "manifest.json").write_text(manifest.sealed().model_dump_json())
    return open_spikes(folder)


@settings(deadline=None)
@given(event_sets(), st.integers(1, 20))
def test_the_stream_is_the_whole(
    tmp_path_factory: pytest.TempPathFactory, events: EventSet, chunk_events: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "CHUNK_EVENTS", chunk_events)
        got = made(lazy(events), tmp_path_factory.mktemp("encoded"))
    expected = encode(change(events), 0.01, 5)
    assert got.batch.sha256() == expected.sha256() and got.batch.shape == expected.shape
    assert len(got.batch) == len(events)
    assert got.covered == duration_covered(change(events), 0.01, 5)
    assert got.data_sha256 == events.sha256()
    np.testing.assert_array_equal(
        got.batch.take([len(events) - 1]).index, expected.take([len(events) - 1]).index
    )


@given(st.lists(st.integers(0, 400_000), max_size=600))
def test_chunks_share_out_all(sizes: list[int]) -> None:
    parts = list(chunks(np.array(sizes, np.int64)))
    assert [k for part in parts for k in part] == [*range(len(sizes))]
    for part in parts:
        assert len(part) <= streamed.CHUNK_SAMPLES
        assert sum(sizes[k] for k in part[:-1]) < streamed.CHUNK_EVENTS


def some(count: int = 6) -> EventSet:
    rng = np.random.default_rng(1)
    samples = []
    for _ in range(count):
        sample = np.zeros(30, EVENT)
        sample["t"] = np.sort(rng.integers(0, 90_000, 30))
        sample["x"], sample["p"] = rng.integers(0, SENSOR[0], 30), rng.integers(0, 2, 30)
        samples.append(sample)
    return EventSet(
        "toy/test",
        SENSOR,
        np.concatenate(samples),
        np.arange(count + 1) * 30,
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        ("a",),
        False,
    )


class Listener(Silence):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_made_once_and_again_where_what_it_depends_on_changes(tmp_path: Path) -> None:
    events, reads = some(), []

    def read(place: int) -> Events:
        reads.append(place)
        return events[place]

    def get(recordings: Recordings, steps: object = STEPS, window: tuple[float, int] = (0.01, 5)) -> Encoded:
        return encoded_recordings(recordings, steps, change, window, tmp_path, Silence())  # type: ignore[arg-type]

    recordings = lazy(events, read)
    first, again = get(recordings), get(recordings)
    assert sorted(reads) == [*range(6)]
    assert first.batch.sha256() == again.batch.sha256() and again.data_sha256 == events.sha256()
    for other in (
        lambda: get(replace(recordings, identity="changed")),
        lambda: get(recordings, STEPS[:1]),
        lambda: get(recordings, STEPS, (0.02, 5)),
        lambda: get(recordings, STEPS, (0.01, 6)),
    ):
        reads.clear()
        other()
        assert sorted(reads) == [*range(6)]


@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "gone", "manifest", "seal", "rows", "neurons"])
def test_damaged_spikes_are_made_again_and_said_so(tmp_path: Path, damage: str) -> None:
    listener = Listener()

    def get() -> Encoded:
        return encoded_recordings(lazy(some()), STEPS, change, (0.01, 5), tmp_path, listener)  # type: ignore[arg-type]

    good = get().batch.sha256()
    (folder,) = (p for p in (tmp_path / "spikes").iterdir() if p.is_dir())
    index, offsets, manifest = (folder / n for n in ("index.i4", "offsets.i8", "manifest.json"))
    content = index.read_bytes()
    if damage == "flip":
        index.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    elif damage == "cut":
        index.write_bytes(content[:-2])
    elif damage == "longer":
        offsets.write_bytes(offsets.read_bytes() + bytes(8))
    elif damage == "gone":
        offsets.unlink()
    elif damage == "manifest":
        manifest.write_text("{}")
    elif damage == "seal":
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"events": 7}))
    elif damage == "rows":
        offsets.write_bytes(np.frombuffer(offsets.read_bytes(), "<i8")[::-1].tobytes())
    else:
        index.write_bytes(np.full(len(content) // 4, 10**6, "<i4").tobytes())
    with pytest.raises(Damaged):
        open_spikes(folder)
    assert get().batch.sha256() == good
    assert len(listener.notes) == 1 and "damaged" in listener.notes[0]


def test_faults_leave_nothing_behind(tmp_path: Path) -> None:
    def read(place: int) -> Events:
        raise InputError(f"file {place}", ["cut off"])

    with pytest.raises(InputError) as caught:
        encoded_recordings(lazy(some(), read), STEPS, change, (0.01, 5), tmp_path, Silence())  # type: ignore[arg-type]
    assert caught.value.faults == tuple(f"file {k}: cut off" for k in range(6))
    assert not [p for p in (tmp_path / "spikes").iterdir() if p.is_dir()]
    with pytest.raises(InputError, match="no samples"):
        made(lazy(some()).take([]), tmp_path / "none")


MEMORY = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {tests!r})
from test_streamed import lazy, some, silent, made
from nmbench.datasets.events import EVENT
from dataclasses import replace
n, size = {samples}, {events}
def peak():  # ru_maxrss would begin with what the parent held before this process was executed
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
def read(place):
    sample = np.zeros(size, EVENT)
    sample["t"] = np.arange(size) % 70_000
    sample["t"].sort()
    sample["x"] = (np.arange(size) + place) % 6
    return sample
made(lazy(some(2)), Path({folder!r}) / "warm")  # what compiling takes is there before
before = peak()
few = lazy(some(1), read)
zeros = np.zeros(n, np.int64)
many = replace(few, labels=zeros, groups=zeros, sizes=np.full(n, size), places=np.arange(n))
made(many, Path({folder!r}) / "large")
print(before >> 10, peak() >> 10)
"""


def peak_mib(folder: Path, samples: int, events: int) -> tuple[int, int]:
    """Return the most memory of a process before and after it encodes so many generated samples, MiB."""
    code = MEMORY.format(tests=str(Path(__file__).parent), folder=str(folder), samples=samples, events=events)
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    return before, after


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    # 270 MB of events: held whole with what is made of them, they would take 700 MB
    before, after = peak_mib(tmp_path / "a", 150, 200_000)
    assert after - before < 160


@pytest.mark.slow
def test_two_gigabytes_under_600_megabytes(tmp_path: Path) -> None:
    _, after = peak_mib(tmp_path / "a", 1_200, 200_000)  # 2.16 GB of events
    assert after < 600
