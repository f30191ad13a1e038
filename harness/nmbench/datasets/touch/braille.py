"""Braille letters under a robot's fingertip, real recordings, as send-on-delta events.

1,350 slides: 27 letters (space, A to Z), 50 repetitions each, over 3D-printed letters at about 10 mm/s; the
12 capacitive taxels of an iCub fingertip, 8 bit, sampled at 40 Hz: 76 readings, 1.9 s.

Source: Mueller-Cleve et al., "Braille letter reading: A benchmark for spatio-temporal pattern recognition on
neuromorphic hardware", Frontiers in Neuroscience 16 (2022) 951164; data: Zenodo 6556273, CC BY 4.0, as
fzenke/spytorch holds them for its tutorial 5. There is no official split; ours: repetitions 40..49 of each
letter for the test. One finger made all of them: there is no subject to leave out, and a sample's group is
its repetition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from nmbench.datasets.encoders import delta
from nmbench.datasets.events import EventSet, train_and_test
from nmbench.datasets.holdings import missing
from nmbench.datasets.samples import make_samples
from nmbench.datasets.touch.taxels import CLASSES, TAXELS, read_trials
from nmbench.documents import check
from nmbench.errors import InputError

ORIGINAL = "tutorial5_braille_spiking_data.pkl.gz"
REPACKED = "braille_taxels.npz"
"""The same readings without the pickle: ``x``, ``y``, ``rep``, ``names``."""

SENSOR = (TAXELS, 1, 2)
PERIOD_US = 25_000
TEST_FROM = 40


class Options(BaseModel):
    """How the readings become events.

    Attributes
    ----------
    threshold
        Change of a reading that makes an event; the paper compares 1, 2, 5 and 10.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: int = Field(2, ge=1, le=255)


def load(
    root: Path, options: Mapping[str, object], progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Read the slides and make events of them; column ``x`` is the taxel, polarity 1 a growing reading.

    Parameters
    ----------
    root
        The file, or the data folder that it lies in.
    options
        Of `Options`.
    progress
        Called with slides done and all.

    Returns
    -------
    dict
        ``train`` and ``test``, sorted by letter and repetition.

    Raises
    ------
    DataMissing
        If there is no file; the message says what to fetch and where to put it.
    InputError
        If an option is faulty or the file is not what it should be, with all faults.
    """
    threshold = check(dict(options), Options, "source braille").threshold
    path = find_archive(root)
    trials = read_trials(path)
    tested = trials.repetition >= TEST_FROM
    if tested.all() or not tested.any():
        raise InputError(str(path), [f"{tested.sum()} of {len(tested)} slides are for the test: no split"])
    felt = make_samples(
        lambda i: delta(trials.readings[i], threshold, PERIOD_US), len(trials.letter), progress
    )
    return train_and_test(
        "braille",
        SENSOR,
        felt,
        trials.letter,
        trials.repetition,
        CLASSES,
        synthetic=False,
        test=tested,
    )


def find_archive(root: Path) -> Path:
    """Return the file: ``root`` itself, or the one in that folder or in its subfolder ``braille``."""
    if root.is_file():
        return root
    places = [folder / name for folder in (root, root / "braille") for name in (REPACKED, ORIGINAL)]
    found = [place for place in places if place.is_file()]
    if not found:
        raise missing("braille", root)
    if len(found) > 1:
        raise InputError(str(root), [f"which file? found {', '.join(str(p) for p in found)}"])
    return found[0]


def archive_sha256(root: Path) -> str:
    """Hash the file that `load` would read."""
    with find_archive(root).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
