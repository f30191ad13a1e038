"""Reference networks of a workload, as far as their provenance files say how good they are.

Only what a sheet shows is read, without the training package and what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nmbench.documents import read_document
from nmbench.progress import Progress
from nmbench.spec import Data, Sha256, Workload

Share = Annotated[float, Field(ge=0, le=1)]
SPOTTING = "spotting"
"""Decision of workloads whose recordings have marks in place of labels."""
SIZES = ("small", "base", "large")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Accuracy(_Part):
    """Share of right decisions with its Wilson 95 % interval, over ``n`` samples."""

    value: Share
    wilson_95: tuple[Share, Share]
    n: int


class CountsOnly(_Part):
    """The best model on event counts."""

    model: str
    accuracy: Share


class Seeds(_Part):
    """Trainings that differ in their seed alone: the mean of the accuracies, and their spread."""

    runs: tuple[_Part, ...]
    mean: Share
    sd: float | None


class EarlyAnswer(_Part):
    """Accuracy when the answer is taken after ``time_s``."""

    time_s: float
    accuracy: Share


class Activity(_Part):
    """Events of one inference, means over the test set."""

    input_events: float
    spikes: float
    synaptic_events: float


class Split(_Part):
    """Which data the network was measured on."""

    samples: int
    sha256: Sha256


class Baseline(_Part):
    """A reference network with what is known of it.

    Attributes
    ----------
    accuracy
        Of the shipped file, int8 weights, on the whole test split, by the simulator.
    accuracy_float, accuracy_int4
        Before rounding, and rounded to 4 bits without training for it.
    """

    size: str
    command: str
    cpu_s: float
    parameters: int
    synapses: int
    test: Split
    accuracy: Accuracy
    accuracy_float: Accuracy | Share
    accuracy_int4: Accuracy | None = None
    seeds: Seeds | None = None
    counts_only: CountsOnly
    temporal_gain: float
    early_answer: tuple[EarlyAnswer, ...] = ()
    activity: Activity | None = None


class Measured(_Part):
    """A quality with its 95 % interval, over ``n`` of what it counts."""

    value: float
    lo: float
    hi: float
    n: int


class Delay(_Part):
    """From the end of a word to its detection, s: median and 90th percentile."""

    p50: float
    p90: float


class Spotter(_Part):
    """A network that spots words in running recordings, with what is known of it."""

    size: str
    command: str
    cpu_s: float
    synapses: int
    test: Split
    quality: dict[str, Measured]
    detection_delay_s: Delay


@dataclass(frozen=True)
class Networks:
    """The reference networks of a workload's data, small ones first."""

    classifiers: tuple[Baseline, ...] = ()
    spotters: tuple[Spotter, ...] = ()

    @property
    def base(self) -> Baseline | None:
        """The classifier of size base, or the first; None where there is none."""
        return next((b for b in self.classifiers if b.size == "base"), next(iter(self.classifiers), None))


def read_networks(folder: Path, workload: Workload, data: Data, progress: Progress) -> Networks:
    """Read the provenance beside each network of a workload's data.

    A network without a provenance file is left out and told as a note.

    Raises
    ------
    InputError
        If a file is faulty.
    """
    paths = {size: (folder / file).with_suffix(".json") for size, file in data.networks.items()}
    order = sorted(paths, key=lambda s: (SIZES.index(s) if s in SIZES else len(SIZES), s))
    for size in order:
        if not paths[size].is_file():
            progress.note(f"{paths[size].name} is not there: its network is in no sheet")
    there = [paths[size] for size in order if paths[size].is_file()]
    if workload.decision == SPOTTING:
        return Networks(spotters=tuple(read_document(path, Spotter) for path in there))
    return Networks(tuple(read_document(path, Baseline) for path in there))
