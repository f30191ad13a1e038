"""Provenance of a trained network, ``<its name>.json``: how it was made, on which bytes, how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nmbench.documents import read_document
from nmbench.spec import Sha256
from nmbench.stats import wilson
from nmbench.training.recipe import Recipe

SCHEMA: Literal["nmbench.provenance/2"] = "nmbench.provenance/2"
Share = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accuracy(_Record):
    """Share of right decisions with its Wilson 95 % interval.

    Attributes
    ----------
    by
        What decided: ``nmbench.simulator, int8 weights``, ``torch, float32 weights``.
    """

    value: Share
    wilson_95: tuple[Share, Share]
    n: int = Field(gt=0)
    by: str

    @classmethod
    def of(cls, right: int, n: int, by: str) -> Accuracy:
        """Count the right ones of ``n``."""
        return cls(value=right / n, wilson_95=wilson(right, n), n=n, by=by)


class CountsOnly(_Record):
    """The best model that was trained on event counts alone, and the others."""

    model: str
    accuracy: Share
    others: dict[str, Share]


class SeedRun(_Record):
    """One training of the recipe: the shipped one is that of the lowest seed, never the best by test."""

    seed: int
    accuracy: Share
    accuracy_float: Share
    accuracy_int4: Share
    cpu_s: float
    sha256: Sha256


class Seeds(_Record):
    """Trainings that differ in their seed alone.

    Attributes
    ----------
    mean, sd
        Of the accuracies as shipped; the standard deviation over seeds (n - 1), None for one seed.
    """

    runs: tuple[SeedRun, ...] = Field(min_length=1)
    mean: Share
    sd: float | None
    mean_float: Share
    mean_int4: Share


class EarlyAnswer(_Record):
    """Accuracy of the shipped network, not retrained, when the answer is taken after ``time_s``."""

    time_s: float = Field(gt=0)
    accuracy: Share


class LayerEvents(_Record):
    """Synaptic events of one layer's inputs in one inference, mean over the test set, by the simulator.

    Attributes
    ----------
    name
        The neurons that receive them: ``neurons1``, ..., ``readout``.
    feed_forward, recurrent
        From the layer before (all its delays), and from the layer itself.
    share
        Of all synaptic events.
    """

    name: str
    feed_forward: float
    recurrent: float
    share: Share


class Activity(_Record):
    """What one inference costs in events: means over the test set, by the simulator.

    Attributes
    ----------
    plain_input_synaptic_events
        What the first layer would take were it fully connected to the sensor's own addresses through each of
        its delays, counted on the same events: the form that the input was thinned from. None where the first
        layer is a convolution.
    input_cut
        That over the first layer's actual feed-forward events.
    """

    input_events: float
    spikes: float
    neuron_updates: float
    synaptic_events: float
    layers: tuple[LayerEvents, ...]
    plain_input_synaptic_events: float | None = None
    input_cut: float | None = None


class HeldOut(_Record):
    """Samples taken out of the training split to decide when to stop; the test set has no say.

    Attributes
    ----------
    by
        ``group`` (whole subjects, voices, speakers) or ``sample`` (the last of each class and group).
    best_epoch
        The epoch whose weights were kept, from 1.
    """

    by: Literal["group", "sample"]
    samples: int = Field(gt=0)
    best_epoch: int = Field(gt=0)
    epochs_run: int = Field(gt=0)
    accuracy: Share


class Split(_Record):
    """One split of the data, by the hash of its events (`EventSet.sha256`)."""

    samples: int = Field(gt=0)
    sha256: Sha256


class Software(_Record):
    """What trained it."""

    nmbench: str
    torch: str
    numpy: str
    python: str
    products: Literal["float32", "bfloat16"] = Field(description="number type of the matrix products")
    device: str


class Provenance(_Record):
    """All that is known of one shipped network.

    Attributes
    ----------
    accuracy
        Of the file as it is shipped, on the whole test split, by the simulator.
    accuracy_float
        Of the same network before its weights were put on the grid.
    accuracy_int4
        Of the same network with its weights rounded to 4 bits afterwards: not trained for it.
    temporal_gain
        ``seeds.mean - counts_only.accuracy``: what time adds to counts.
    cpu_s
        CPU time of the shipped training alone, seconds.
    """

    schema_: Literal["nmbench.provenance/2"] = Field(SCHEMA, alias="schema")
    network: str
    sha256: Sha256
    workload: str
    data: str
    source: str
    options: dict[str, object]
    size: str
    command: str
    seed: int
    cpu_s: float
    recipe: Recipe
    recipe_sha256: Sha256
    parameters: int
    synapses: int
    neurons: int
    train: Split
    test: Split
    held_out: HeldOut | None
    accuracy: Accuracy
    accuracy_float: Accuracy
    accuracy_int4: Accuracy
    seeds: Seeds
    counts_only: CountsOnly
    temporal_gain: float
    early_answer: tuple[EarlyAnswer, ...]
    activity: Activity
    software: Software
    determinism: str
    written: str

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _gain_is_the_difference(self) -> Provenance:
        gain = self.seeds.mean - self.counts_only.accuracy
        if abs(gain - self.temporal_gain) > 1e-9:
            raise ValueError(f"temporal_gain is {self.temporal_gain}, seeds.mean less counts only is {gain}")
        return self


def read_provenance(path: Path) -> Provenance:
    """Read a provenance file; `InputError` with all its faults."""
    return read_document(path, Provenance)
