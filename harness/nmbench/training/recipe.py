"""Recipes of the reference networks: structure and training, from ``recipes/<network>.yaml`` of a suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nmbench.errors import InputError


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Conv(_Record):
    """A convolutional layer of CubaLIF neurons; each channel has its own time constants."""

    kind: Literal["conv"]
    channels: int = Field(gt=0)
    kernel: int = Field(gt=0)
    stride: int = Field(1, gt=0)
    padding: int = Field(0, ge=0)


class Dense(_Record):
    """A fully connected layer of CubaLIF neurons; each neuron has its own time constants."""

    kind: Literal["dense"]
    units: int = Field(gt=0)
    delays: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), min_length=1, description="in steps")
    taps: Literal["every", "one_at_random"] = Field(
        "every", description="a synapse for every delay, or one synapse with one fixed random delay of them"
    )
    recurrent: bool = False
    density: float = Field(
        1.0, gt=0, le=1, description="share of the feed-forward synapses that are left after pruning"
    )


class Augment(_Record):
    """How far a training sample's events are moved; each sample draws anew, uniformly within the limits."""

    stretch: float = Field(0.0, ge=0, lt=1, description="of time, relative")
    offset_s: float = Field(0.0, ge=0, description="of time, either way")
    jitter_s: float = Field(0.0, ge=0, description="of each event's time, standard deviation")
    scale: float = Field(0.0, ge=0, lt=1, description="of place around the sensor's middle, relative")
    rotate_deg: float = Field(0.0, ge=0, description="of place, either way")
    shift: float = Field(0.0, ge=0, description="of x (and y, where there are rows), in addresses")
    drop: float = Field(0.0, ge=0, lt=1, description="largest share of events left out")
    mask_s: float = Field(0.0, ge=0, description="longest span of time left out")
    mask_x: float = Field(0.0, ge=0, description="widest band of x left out, in addresses")


class HeldOutRecipe(_Record):
    """What part of the training split is kept apart to choose the epoch: never a part of the test split.

    Attributes
    ----------
    by
        ``group``: whole subjects, voices or speakers, as where the test set's are unseen; ``sample``: the
        last ones of each class and group, as where the test set has the same ones.
    """

    by: Literal["group", "sample"]
    share: float = Field(gt=0, lt=1)


class Recipe(_Record):
    """One reference network: its input, layers, training schedule and quantisation.

    Attributes
    ----------
    quantised_epochs
        The last so many epochs train the rounded network; before, weights are exact.
    held_out, patience
        With ``held_out``, the best of the quantised epochs on these samples is kept, and training ends when
        ``patience`` of them have brought nothing better. Epochs before the rounding are no candidates: theirs
        is not the network that is written, and its learning rate is still high.
    prune_epochs
        First and last epoch of the pruning to each layer's ``density``.
    """

    dt_s: float = Field(gt=0)
    steps: int = Field(gt=0)
    transforms: tuple[tuple[str, Mapping[str, int | float]], ...] = ()
    layers: tuple[Annotated[Conv | Dense, Field(discriminator="kind")], ...] = Field(min_length=1)
    tau_syn_s: tuple[float, float] = Field(description="synaptic time constants at the start, log-uniform")
    tau_mem_s: tuple[float, float] = Field(description="membrane time constants at the start, log-uniform")
    tau_readout_s: float = Field(gt=0)
    epochs: int = Field(gt=0)
    batch: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(1e-3, ge=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    rate_limit: float = Field(0.15, gt=0, description="spikes per neuron and step above which a neuron pays")
    rate_penalty: float = Field(10.0, ge=0)
    weight_bits: Literal[4, 8, 16] = 8
    quantised_epochs: int = Field(0, ge=0)
    held_out: HeldOutRecipe | None = None
    patience: int = Field(4, gt=0)
    prune_epochs: tuple[int, int] | None = None
    products: Literal["float32", "bfloat16"] = "bfloat16"
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _phases_fit(self) -> Recipe:
        faults = []
        if self.quantised_epochs > self.epochs:
            faults.append(f"quantised_epochs: {self.quantised_epochs} of {self.epochs} epochs")
        if self.held_out is not None and not self.quantised_epochs:
            faults.append("held_out chooses between quantised_epochs: there are none")
        float_epochs = self.epochs - self.quantised_epochs
        pruned = any(isinstance(layer, Dense) and layer.density < 1 for layer in self.layers)
        if pruned != (self.prune_epochs is not None):
            faults.append("prune_epochs and a layer's density go together")
        if self.prune_epochs and not 1 <= self.prune_epochs[0] <= self.prune_epochs[1] <= float_epochs:
            faults.append(f"prune_epochs: within 1..{float_epochs}, before the quantised epochs")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def pooling(self) -> tuple[int, int]:
        """Columns and rows that the transforms join into one address."""
        x = y = 1
        for _, options in self.transforms:
            x, y = x * int(options.get("x", 1)), y * int(options.get("y", 1))
        return x, y


def parse_recipe(content: Mapping[str, object], subject: str) -> Recipe:
    """Check a recipe that was read from ``subject``; `InputError` with all its faults at once."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InputError(subject, faults) from error
