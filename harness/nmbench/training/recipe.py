"""Recipes of the reference networks: structure and training, read from ``recipes/<workload>-<size>.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmbench.errors import InputError, unknown
from nmbench.registry import SUITES

FOLDER = SUITES / "temporal" / "recipes"


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


class Recipe(_Record):
    """One reference network: its input, layers, training schedule and quantisation."""

    dt_s: float = Field(gt=0)
    steps: int = Field(gt=0)
    transforms: tuple[tuple[Literal["pool"], Mapping[str, int]], ...] = ()
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
    weight_bits: Literal[8, 16] = 8
    augment: Augment = Augment()

    @property
    def pooling(self) -> tuple[int, int]:
        """Columns and rows that the transforms join into one address."""
        x = y = 1
        for _, options in self.transforms:
            x, y = x * options.get("x", 1), y * options.get("y", 1)
        return x, y


def read_recipe(name: str) -> Recipe:
    """Read ``recipes/<name>.yaml``.

    Raises
    ------
    InputError
        If there is no such recipe, or it is faulty: all faults at once.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise InputError("recipe", [unknown("recipe", name, [p.stem for p in FOLDER.glob("*.yaml")])])
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InputError(str(path), faults) from error
