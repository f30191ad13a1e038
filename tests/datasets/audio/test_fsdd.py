from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.datasets.audio import fsdd, hydrodynamic
from nmbench.errors import DataMissing, InputError

TOP = "free-spoken-digit-dataset-main"


def silent(_done: int, _total: int) -> None:
    pass


def wav(samples: np.ndarray, rate_hz: int = 8_000, channels: int = 1, width: int = 2) -> bytes:
    """Write a WAV file by the standard library, which the reader does not use."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def sound(seed: int, samples: int = 1_600) -> np.ndarray:
    return (3_000 * np.random.default_rng(seed).standard_normal(samples)).astype(np.int16)


def archive(
    folder: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED, name: str = "a.zip"
) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", compression) as file:
        for member, data in members.items():
            file.writestr(member, data)
    return path


def recordings() -> dict[str, bytes]:
    """Return two digits by two speakers; indices 3 and 4 are for the test, 5 and 12 for training."""
    names = [f"{d}_{s}_{i}" for d in (0, 7) for s in ("theo", "george") for i in (12, 3, 4, 5)]
    return {f"{TOP}/recordings/{name}.wav": wav(sound(k)) for k, name in enumerate(names)}


def test_the_official_split(tmp_path: Path) -> None:
    others = {f"{TOP}/README.md": b"#", f"{TOP}/utils/fsdd.py": b"import os", f"{TOP}/recordings/": b""}
    path = archive(tmp_path, {**others, **recordings()})
    calls: list[tuple[int, int]] = []
    sets = fsdd.load(path, {}, lambda done, total: calls.append((done, total)))
    assert calls == [(i, 16) for i in range(1, 17)]
    for split, events in sets.items():
        assert events.name == f"fsdd/{split}" and not events.synthetic
        assert events.sensor == (700, 1, 1) and events.classes == tuple("0123456789")
        # digit by digit, speaker by speaker in the alphabet's order
        assert events.labels.tolist() == [0, 0, 0, 0, 7, 7, 7, 7]
        assert events.groups.tolist() == [0, 0, 1, 1] * 2
        assert np.diff(events.offsets).min() > 100
    assert not set(sets["train"].sample_sha256()) & set(sets["test"].sample_sha256())


def test_a_speaker_held_out(tmp_path: Path) -> None:
    path = archive(tmp_path, recordings())
    sets = fsdd.load(path, {"unseen_speaker": "theo"}, silent)
    assert set(sets["test"].groups) == {1} and set(sets["train"].groups) == {0}
    with pytest.raises(InputError, match=r"did you mean 'theo'\?"):
        fsdd.load(path, {"unseen_speaker": "teo"}, silent)
    with pytest.raises(InputError, match="did you mean 'unseen_speaker'"):
        fsdd.load(path, {"unseen_speakers": "theo"}, silent)


def test_another_ear_hears_the_same_recordings(tmp_path: Path) -> None:
    path = archive(tmp_path, recordings())
    published, other = (fsdd.load(path, {"encoder": e}, silent) for e in ("fast", "hydrodynamic"))
    assert [s.sha256() for s in published.values()] == [
        s.sha256() for s in fsdd.load(path, {}, silent).values()
    ]
    recording = next(r for r in fsdd.read_archive(path) if r.index == 3)
    seed = zlib.crc32(recording.name.encode()) >> 1
    assert fsdd.utterance(recording, "hydrodynamic").tobytes() == (
        hydrodynamic.spikes(recording.pcm, 8_000, seed).tobytes()
    )
    for split in published:
        assert other[split].labels.tolist() == published[split].labels.tolist()
        assert other[split].sensor == published[split].sensor == (hydrodynamic.CHANNELS, 1, 1)
        assert not set(other[split].sample_sha256()) & set(published[split].sample_sha256())
    with pytest.raises(InputError, match="encoder"):
        fsdd.load(path, {"encoder": "lauscher"}, silent)


def test_the_archives_order_and_packing_do_not_matter(tmp_path: Path) -> None:
    members = recordings()
    one = archive(tmp_path, members)
    two = archive(
        tmp_path,
        {k.replace(TOP, "other"): members[k] for k in sorted(members)},
        zipfile.ZIP_STORED,
        "b.zip",
    )
    assert fsdd.archive_sha256(one) != fsdd.archive_sha256(two)
    assert [s.sha256() for s in fsdd.load(one, {}, silent).values()] == [
        s.sha256() for s in fsdd.load(two, {}, silent).values()
    ]


def test_where_the_archive_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataMissing) as missing:
        fsdd.load(tmp_path, {}, silent)
    told = str(missing.value)
    assert "nmbench data fetch fsdd" in told
    assert str(tmp_path / "fsdd" / "free-spoken-digit-dataset-") in told
    (tmp_path / "fsdd").mkdir()
    path = archive(tmp_path / "fsdd", recordings(), name="free-spoken-digit-dataset-26eb9aaf.zip")
    assert fsdd.find_archive(tmp_path) == fsdd.find_archive(path) == path
    archive(tmp_path, {}, name="free-spoken-digit-dataset-master.zip")
    with pytest.raises(InputError, match="which archive"):
        fsdd.load(tmp_path, {}, silent)


GOOD = wav(sound(1))
BROKEN: Mapping[str, tuple[bytes, str]] = {
    "stereo": (wav(sound(1), channels=2), "2 channels"),
    "rate": (wav(sound(1), rate_hz=16_000), "16000 Hz"),
    "bytes": (wav(sound(1), width=1), "8 bit"),
    "empty": (wav(sound(1)[:0]), "0 bytes of 16-bit samples"),
    "text": (b"hello", "not a WAV file"),
    "short": (GOOD[:200], "cut off"),
    "no samples": (GOOD[:36], "no samples"),
    "format": (GOOD[:16] + struct.pack("<I", 4) + GOOD[20:24], "format chunk has 4 bytes"),
    "float": (GOOD[:20] + b"\3" + GOOD[21:], "format 3"),
    "bomb": (GOOD + bytes(900_000), "packed more than"),
    "long": (wav(sound(2, 600_000)), "more than 1048576"),
}


def test_every_broken_recording_is_told(tmp_path: Path) -> None:
    members = {f"{TOP}/recordings/9_theo_{i}.wav": data for i, (data, _) in enumerate(BROKEN.values())}
    path = archive(tmp_path, {**recordings(), **members})
    with pytest.raises(InputError) as caught:
        fsdd.load(path, {}, silent)
    assert caught.value.subject == str(path)
    assert len(caught.value.faults) == len(BROKEN)
    for i, (fault, (_, told)) in enumerate(zip(caught.value.faults, BROKEN.values(), strict=True)):
        assert f"9_theo_{i}.wav: " in fault and told in fault


def lie_about_sizes(data: bytearray) -> None:
    """Make the directory and the member's own head promise 20 bytes."""
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.index(signature)
        data[at + place : at + place + 4] = struct.pack("<I", 20)


def flip_a_sample(data: bytearray) -> None:
    data[data.index(b"data") + 100] ^= 0xFF


def encrypt(data: bytearray) -> None:
    for signature, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(signature) + place] |= 1


def cut_the_directory(data: bytearray) -> None:
    del data[-30:]


def name_another_method(data: bytearray) -> None:
    data[data.index(b"PK\x01\x02") + 10] = 97


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lie_about_sizes, "cut off|not a WAV|damaged"),
        (flip_a_sample, "damaged: Bad CRC"),
        (encrypt, "encrypted"),
        (cut_the_directory, "not a readable zip"),
        (name_another_method, "compression method 97"),
    ],
)
def test_hostile_archives(tmp_path: Path, spoil: Callable[[bytearray], None], told: str) -> None:
    path = archive(tmp_path, {f"{TOP}/recordings/0_theo_0.wav": GOOD}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    spoil(data)
    path.write_bytes(data)
    with pytest.raises(InputError, match=told):
        fsdd.load(path, {}, silent)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        pcm = fsdd._pcm(b"RIFF" + data)
    except ValueError:
        return
    assert pcm.dtype == np.int16 and len(pcm)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_wrong_byte_is_refused_or_read(place: int, value: int) -> None:
    data = bytearray(GOOD[:200])
    data[4:8], data[40:44] = struct.pack("<I", 192), struct.pack("<I", 156)
    data[place % len(data)] = value
    try:
        pcm = fsdd._pcm(bytes(data))
    except ValueError:
        return
    assert 1 <= len(pcm) <= 78


def test_names_that_leave_the_folder_are_never_opened(tmp_path: Path) -> None:
    names = (
        "../recordings/0_a_0.wav",
        "/recordings/0_a_0.wav",
        "x/../recordings/0_a_0.wav",
        "recordings/0_a_0.wav",
    )
    path = archive(tmp_path, {name: GOOD for name in names} | {f"{TOP}\\recordings\\0_a_0.wav": GOOD})
    before = sorted(tmp_path.rglob("*"))
    # the first is read as any other, but nothing is unpacked; the others are not recordings
    assert [r.name for r in fsdd.read_archive(path)] == ["0_a_0"]
    assert sorted(tmp_path.rglob("*")) == before


def test_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path, recordings())
    for limit, value in (("MEMBERS_MAX", 15), ("TOTAL_BYTES_MAX", 1_000), ("ARCHIVE_BYTES_MAX", 1_000)):
        with monkeypatch.context() as patch, pytest.raises(InputError, match=f"more than {value}"):
            patch.setattr(fsdd, limit, value)
            fsdd.load(path, {}, silent)


def test_archives_without_recordings_or_split(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no member is called"):
        fsdd.load(archive(tmp_path, {"notes.txt": b"x"}), {}, silent)
    with pytest.raises(InputError, match="no split"):
        fsdd.load(archive(tmp_path, {f"{TOP}/recordings/0_theo_0.wav": GOOD}), {}, silent)
    twice = {f"{TOP}/recordings/0_theo_0.wav": GOOD, "again/recordings/0_theo_0.wav": GOOD}
    with pytest.raises(InputError, match="twice"):
        fsdd.load(archive(tmp_path, twice), {}, silent)


@pytest.mark.slow
def test_the_real_archive(real_data: Path) -> None:
    path = real_data / "free-spoken-digit-dataset-26eb9aaf.zip"
    if not path.is_file():
        pytest.skip(f"no {path}")
    sets = fsdd.load(path, {}, silent)
    assert {split: len(events) for split, events in sets.items()} == {"train": 2_700, "test": 300}
    assert np.bincount(sets["test"].labels).tolist() == [30] * 10
    assert np.bincount(sets["train"].groups).tolist() == [450] * 6
    counts = np.concatenate([np.diff(events.offsets) for events in sets.values()])
    assert 7_000 < counts.mean() < 9_000 and counts.min() > 1_000
