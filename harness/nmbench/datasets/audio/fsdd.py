"""The Free Spoken Digit Dataset, real recordings, heard by a cochlea model.

3,000 utterances of 0..9 by six speakers, mono 16-bit 8 kHz WAV, read straight from the project's archive:
nothing is unpacked. The archive is a stranger's file and is read with limits.

Source: Jakobovski et al., https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0; its README
gives the official split: recordings 0..4 of each speaker and digit for the test, 5..49 for training.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from nmbench.datasets.audio.cochlea import SENSOR
from nmbench.datasets.audio.encoder import Encoder, heard
from nmbench.datasets.events import Events, EventSet, train_and_test
from nmbench.datasets.holdings import missing
from nmbench.datasets.samples import make_samples
from nmbench.documents import check
from nmbench.errors import InputError, unknown

ARCHIVE = "free-spoken-digit-dataset*.zip"
"""How the archive is called in the data folder: GitHub's own name, or any that begins like it."""

CLASSES = tuple(str(digit) for digit in range(10))
RATE_HZ = 8_000
TEST_BELOW = 5
LOUDNESS_DB = -20.0

MEMBERS_MAX = 10_000
ARCHIVE_BYTES_MAX = 256 << 20
RECORDING_BYTES_MAX = 1 << 20  # a minute of sound; the longest real one is 37 kB
TOTAL_BYTES_MAX = 256 << 20
RATIO_MAX = 100
FAULTS_TOLD_MAX = 50

_RECORDING = re.compile(
    r"[^/\\]+/recordings/(?P<name>(?P<digit>\d)_(?P<speaker>[a-z]{1,32})_(?P<index>\d{1,4}))\.wav"
)


class Options(BaseModel):
    """How the recordings are split and heard.

    Attributes
    ----------
    unseen_speaker
        Test on all recordings of this speaker and train on the others; None for the official split.
    encoder
        The ear; ``fast`` is the published one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unseen_speaker: str | None = None
    encoder: Encoder = "fast"


@dataclass(frozen=True, eq=False)
class Recording:
    """One utterance as recorded.

    Attributes
    ----------
    name
        ``{digit}_{speaker}_{index}``.
    pcm
        Samples at `RATE_HZ`, int16 ``[n]``.
    """

    name: str
    digit: int
    speaker: str
    index: int
    pcm: npt.NDArray[np.int16]


def load(
    root: Path, options: Mapping[str, object], progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Read and hear the recordings.

    Parameters
    ----------
    root
        The archive, or the data folder that it lies in.
    options
        Of `Options`.
    progress
        Called with recordings done and all.

    Returns
    -------
    dict
        ``train`` and ``test``, sorted by digit, speaker, index; a sample's group is its speaker's place in
        the alphabet.

    Raises
    ------
    DataMissing
        If there is no archive; the message says what to fetch and where to put it.
    InputError
        If an option is faulty or the archive is not what it should be, with all faults.
    """
    chosen = check(dict(options), Options, "source fsdd")
    path = find_archive(root)
    recordings = read_archive(path)
    speakers = sorted({r.speaker for r in recordings})
    if chosen.unseen_speaker is not None and chosen.unseen_speaker not in speakers:
        raise InputError("fsdd", [f"unseen_speaker: {unknown('speaker', chosen.unseen_speaker, speakers)}"])
    tested = [
        r.index < TEST_BELOW if chosen.unseen_speaker is None else r.speaker == chosen.unseen_speaker
        for r in recordings
    ]
    if all(tested) or not any(tested):
        raise InputError(str(path), [f"{sum(tested)} of {len(tested)} recordings are for the test: no split"])
    made = make_samples(lambda i: utterance(recordings[i], chosen.encoder), len(recordings), progress)
    return train_and_test(
        "fsdd",
        SENSOR,
        made,
        [r.digit for r in recordings],
        [speakers.index(r.speaker) for r in recordings],
        CLASSES,
        synthetic=False,
        test=tested,
    )


def utterance(recording: Recording, encoder: Encoder = "fast") -> Events:
    """Hear one recording; the noise of the neurons is seeded by its name."""
    seed = zlib.crc32(recording.name.encode()) >> 1
    return heard(recording.pcm, RATE_HZ, seed, LOUDNESS_DB, encoder)


def find_archive(root: Path) -> Path:
    """Return the archive: ``root`` itself, or the one in that folder or in its subfolder ``fsdd``."""
    if root.is_file():
        return root
    found = sorted(p for folder in (root, root / "fsdd") for p in folder.glob(ARCHIVE) if p.is_file())
    if not found:
        raise missing("fsdd", root)
    if len(found) > 1:
        raise InputError(str(root), [f"which archive? found {', '.join(str(p) for p in found)}"])
    return found[0]


def archive_sha256(root: Path) -> str:
    """Hash the archive that `load` would read."""
    with find_archive(root).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_archive(path: Path) -> list[Recording]:
    """Read every recording of an archive, sorted by digit, speaker, index; other members are left alone.

    Raises
    ------
    InputError
        With one fault for each recording that is broken, or for the archive if it is too big to trust.
    """
    if path.stat().st_size > ARCHIVE_BYTES_MAX:
        raise InputError(str(path), [f"{path.stat().st_size} bytes, more than {ARCHIVE_BYTES_MAX}"])
    try:
        with zipfile.ZipFile(path) as archive:
            return _recordings(archive, path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(str(path), [f"not a readable zip archive: {error}"]) from error


def _recordings(archive: zipfile.ZipFile, path: Path) -> list[Recording]:
    members = archive.infolist()
    if len(members) > MEMBERS_MAX:
        raise InputError(str(path), [f"{len(members)} members, more than {MEMBERS_MAX}"])
    matches = [(info, m) for info in members if (m := _RECORDING.fullmatch(info.filename))]
    total = sum(info.file_size for info, _ in matches)
    if total > TOTAL_BYTES_MAX:
        raise InputError(str(path), [f"recordings of {total} bytes, more than {TOTAL_BYTES_MAX}"])
    found: dict[str, Recording] = {}
    faults = [] if matches else ["no member is called <folder>/recordings/<digit>_<speaker>_<index>.wav"]
    for info, match in matches:
        try:
            pcm = _pcm(_member(archive, info))
            if match["name"] in found:
                raise ValueError("stands in the archive twice")
        except ValueError as error:
            faults.append(f"{info.filename}: {error}")
            continue
        digit, index = int(match["digit"]), int(match["index"])
        found[match["name"]] = Recording(match["name"], digit, match["speaker"], index, pcm)
    if faults:
        more = len(faults) - FAULTS_TOLD_MAX
        raise InputError(str(path), faults[:FAULTS_TOLD_MAX] + ([f"and {more} more"] if more > 0 else []))
    return sorted(found.values(), key=lambda r: (r.digit, r.speaker, r.index))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read one member within the limits; raises ValueError."""
    if info.flag_bits & 1:
        raise ValueError("encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"compression method {info.compress_type}, known are stored and deflated")
    if info.file_size > RECORDING_BYTES_MAX:
        raise ValueError(f"{info.file_size} bytes, more than {RECORDING_BYTES_MAX}")
    if info.file_size > RATIO_MAX * max(info.compress_size, 1):
        raise ValueError(
            f"{info.file_size} bytes from {info.compress_size}: packed more than {RATIO_MAX} fold"
        )
    try:
        with archive.open(info) as file:
            # the directory's size may lie: what is read is limited, not what is promised
            return file.read(RECORDING_BYTES_MAX)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"damaged: {error}") from error


def _pcm(data: bytes) -> npt.NDArray[np.int16]:
    """Take the samples out of a WAV file: mono, 16 bit, `RATE_HZ`, at least one sample; raises ValueError."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("not a WAV file")
    place, layout = 12, None
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + size]
        if len(body) < size:
            raise ValueError(f"cut off: chunk {kind!r} has {len(body)} of {size} bytes")
        if kind == b"fmt ":
            if size < 16:
                raise ValueError(f"its format chunk has {size} bytes")
            layout = struct.unpack_from("<HHIIHH", body)
            if (layout[0], layout[1], layout[2], layout[5]) != (1, 1, RATE_HZ, 16):
                raise ValueError(
                    f"format {layout[0]}, {layout[1]} channels, {layout[2]} Hz, {layout[5]} bit;"
                    f" wanted PCM (1), 1 channel, {RATE_HZ} Hz, 16 bit"
                )
        elif kind == b"data" and layout is not None:
            if size == 0 or size % 2:
                raise ValueError(f"{size} bytes of 16-bit samples")
            return np.frombuffer(body, "<i2").astype(np.int16)
        place += 8 + size + size % 2
    raise ValueError("no samples in it")
