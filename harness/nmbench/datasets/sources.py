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
_AUDIO = ("audio.cochlea", "samples")

SOURCES: Mapping[str, Source] = {
    "digits-saccade": Source(
        True,
        "scikit-learn's handwritten digits under a simulated event camera",
        ("vision.digits_saccade", *_VISION),
        ("scikit-learn",),
    ),
    "gesture": Source(
        True,
        "a procedural figure that gestures",
        ("vision.gesture", "vision.gesture_figure", "vision.gesture_motion", *_VISION),
    ),
    "spoken-digits": Source(
        True,
        "digits spoken by eSpeak NG through a cochlea model",
        ("audio.spoken_digits", "audio.speech", "reproducible", *_AUDIO),
        ("espeakng-loader",),
    ),
    "fsdd": Source(
        False, "Free Spoken Digit Dataset through the same cochlea model", ("audio.fsdd", *_AUDIO)
    ),
    "nmnist": Source(False, "N-MNIST through tonic"),
    "dvsgesture": Source(False, "DVS128 Gesture through tonic"),
    "shd": Source(False, "Spiking Heidelberg Digits through tonic"),
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
        tonic = _module("sets.tonic")
        return {split: tonic.load(data.source, root, split, step) for split in splits}
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


def _module(name: str) -> Any:
    return importlib.import_module(f"nmbench.datasets.{name}")


def _code_sha256(files: Sequence[str]) -> str:
    """Hash the modules that make the bytes: a change of a generator is a new data set."""
    digest = hashlib.sha256()
    for name in (*files, "events"):
        digest.update(Path(__file__).parent.joinpath(*name.split(".")).with_suffix(".py").read_bytes())
    return digest.hexdigest()
