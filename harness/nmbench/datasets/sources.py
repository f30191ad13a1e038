"""The sources of events by name, and the one door to all of them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmbench.datasets.cache import cached
from nmbench.datasets.events import EventSet
from nmbench.datasets.recordings import Recordings
from nmbench.errors import InputError
from nmbench.progress import Progress
from nmbench.spec import Data


@dataclass(frozen=True)
class Source:
    """Where events come from.

    Attributes
    ----------
    synthetic
        True where no sensor recorded what the network sees: events that are simulated or spoken by a
        synthesiser, also from real pictures.
    files
        Modules of this folder that the bytes depend on: part of the cache's key. None: read where it lies.
    packages
        Installed packages whose content or voice the bytes depend on: their versions are part of the key.
    """

    synthetic: bool
    summary: str
    files: tuple[str, ...] | None = None
    packages: tuple[str, ...] = ()


_VISION = ("vision.event_camera", "reproducible", "samples")
_AUDIO = (
    "audio.encoder",
    "audio.cochlea",
    "audio.hydrodynamic",
    "audio.membrane",
    "audio.haircell",
    "audio.bushy",
    "samples",
)

SOURCES: Mapping[str, Source] = {
    "digits-saccade": Source(
        True,
        "scikit-learn's handwritten digits under a simulated event camera",
        ("vision.digits_saccade", *_VISION),
        ("scikit-learn",),
    ),
    "gesture": Source(
        True,
        "two strokes of a procedural figure: their order and tempo, before a busy ground",
        (
            "vision.gesture",
            "vision.gesture_subjects",
            "vision.gesture_score",
            "vision.gesture_scenery",
            "vision.gesture_figure",
            "vision.gesture_motion",
            *_VISION,
        ),
    ),
    "gesture-plain": Source(
        True,
        "a procedural figure that does the gestures of DVS128 Gesture",
        (
            "vision.gesture_plain",
            "vision.gesture_subjects",
            "vision.gesture_figure",
            "vision.gesture_motion",
            *_VISION,
        ),
    ),
    "spoken-digits": Source(
        True,
        "digits spoken by eSpeak NG through a cochlea model",
        ("audio.spoken_digits", "audio.speech", "reproducible", *_AUDIO),
        ("espeakng-loader",),
    ),
    "running-words": Source(
        True,
        "words in running audio by eSpeak NG through the same cochlea model",
        ("audio.running_words", "audio.spoken_digits", "audio.speech", "reproducible", *_AUDIO),
        ("espeakng-loader",),
    ),
    "fsdd": Source(
        False, "Free Spoken Digit Dataset through the same cochlea model", ("audio.fsdd", *_AUDIO)
    ),
    "braille": Source(
        False,
        "braille letters under a robot's fingertip, as send-on-delta events",
        ("touch.braille", "touch.taxels", "touch.pickled", "encoders", "samples"),
    ),
    "nmnist": Source(False, "N-MNIST: handwritten digits before a moving event camera"),
    "dvsgesture": Source(False, "DVS128 Gesture: hand and arm gestures, as tonic has cut them"),
    "shd": Source(False, "Spiking Heidelberg Digits: spoken digits through a cochlea model"),
    "ssc": Source(False, "Spiking Speech Commands: 35 spoken words through a cochlea model"),
    "cifar10dvs": Source(False, "CIFAR10-DVS: pictures moved before an event camera"),
    "ncaltech101": Source(False, "N-Caltech101: pictures of 101 things before a moving event camera"),
    "asldvs": Source(False, "ASL-DVS: 24 letters of American sign language"),
    "dvslip": Source(False, "DVS-Lip: 100 words read from lips"),
    "ntidigits18": Source(False, "N-TIDIGITS18: single spoken digits through a silicon cochlea"),
    "threeet": Source(True, "3ET: pupils before a simulated event camera; a regression, no classes"),
    "smnist": Source(True, "spiking sequential MNIST: threshold crossings, pixel after pixel"),
}


def load(
    data: Data,
    splits: Sequence[str],
    cache: Path,
    root: Path,
    progress: Progress,
) -> dict[str, EventSet]:
    """Return the splits (``train``, ``test``) of a workload's data.

    Parameters
    ----------
    data
        The workload's entry: source, seed and options, checked already.
    cache
        Folder of built sets.
    root
        Folder of real sets, or the path of one archive.

    Raises
    ------
    DataMissing
        If a real set is not there; the message says what to fetch and where to put it.
    InputError
        If an option or a file is faulty.
    """
    source = SOURCES[data.source]
    task = f"data {data.source}"

    def step(done: int, total: int) -> None:
        progress.step(task, done, total)

    if source.files is None:
        return {split: open_recordings(data, split, root, progress).event_set(step) for split in splits}
    key: dict[str, object] = {
        "source": data.source,
        "seed": data.seed,
        "options": dict(data.options),
        "code": _code_sha256(source.files),
        "packages": {name: importlib.metadata.version(name) for name in source.packages},
    }
    build: Callable[[], Mapping[str, EventSet]]
    if source.synthetic:
        generator = _module(source.files[0])

        def build() -> Mapping[str, EventSet]:
            made: Mapping[str, EventSet] = generator.generate(data.options, data.seed, step)
            return made
    else:
        archive = _module(source.files[0])
        key["archive"] = archive.archive_sha256(root)

        def build() -> Mapping[str, EventSet]:
            made: Mapping[str, EventSet] = archive.load(root, data.options, step)
            return made

    return cached(cache, key, build, splits, progress)


def is_streamed(data: Data) -> bool:
    """Tell whether `open_recordings` opens this source: a real set that is read where it lies."""
    return SOURCES[data.source].files is None


def open_recordings(data: Data, split: str, root: Path, progress: Progress) -> Recordings:
    """Index one split of a real set; its samples are read when they are asked for.

    Raises
    ------
    DataMissing
        If the set is not there; the message says what to fetch and where to put it.
    InputError
        If the set has options, no such split, or a broken index.
    """
    if data.options:
        raise InputError(data.source, [f"option {name!r}: a real set has none" for name in data.options])
    known = _module("sets.known")
    recordings: Recordings = known.open_set(data.source, root, split)
    note: str | None = known.incomplete(data.source, split, recordings)
    if note is not None:
        progress.note(note)
    return recordings


def _module(name: str) -> Any:
    return importlib.import_module(f"nmbench.datasets.{name}")


def _code_sha256(files: Sequence[str]) -> str:
    """Hash the modules that make the bytes: a change of a generator is a new data set."""
    digest = hashlib.sha256()
    for name in (*files, "events"):
        digest.update(Path(__file__).parent.joinpath(*name.split(".")).with_suffix(".py").read_bytes())
    return digest.hexdigest()
