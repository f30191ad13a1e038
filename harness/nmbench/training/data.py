"""Training data: splits of a workload, and batches of augmented input spikes as dense tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from nmbench.datasets import transforms
from nmbench.datasets.encode import input_shape
from nmbench.datasets.events import EventSet
from nmbench.errors import InputError
from nmbench.training.augment import Columns, moved
from nmbench.training.recipe import Augment, HeldOutRecipe, Recipe


def split_held_out(train: EventSet, held: HeldOutRecipe) -> tuple[EventSet, EventSet]:
    """Return what is left to train on and what is kept apart, both in the set's order.

    By group, whole groups spread evenly over their sorted numbers are kept apart; by sample, the last ones of
    each class and group. The same set and share give the same split: no draw is involved.

    Raises
    ------
    InputError
        If the share leaves one of the two empty, or groups are wanted where none are known.
    """
    apart = np.zeros(len(train), dtype=np.bool_)
    if held.by == "group":
        groups = np.unique(train.groups[train.groups >= 0])
        wanted = max(1, round(held.share * len(groups)))
        places = (np.arange(wanted) + 0.5) * len(groups) / wanted
        apart = np.isin(train.groups, groups[places.astype(np.int64)]) if len(groups) else apart
    else:
        cells = np.stack([train.labels, train.groups])
        for cell in np.unique(cells, axis=1).T:
            members = np.flatnonzero((cells == cell[:, None]).all(0))
            apart[members[len(members) - round(held.share * len(members)) :]] = True
    if apart.all() or not apart.any():
        raise InputError(
            "recipe", [f"held_out: {apart.sum()} of {len(apart)} samples, none or all of {train.name}"]
        )
    return train.take(np.flatnonzero(~apart)), train.take(np.flatnonzero(apart))


@dataclass(frozen=True, eq=False)
class Batches:
    """The samples of a split as dense input spikes, batch by batch.

    Binning agrees with `nmbench.datasets.encode.encode` after the recipe's transforms (a test compares
    them); augmentation works on the sensor's own addresses and times, before either.

    Attributes
    ----------
    columns
        All events, one array a field; ``columns.sample`` is not used.
    """

    columns: Columns
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    sensor: tuple[int, int, int]
    pooling: tuple[int, int]
    dt_s: float
    steps: int
    size: int

    @classmethod
    def of(cls, events: EventSet, recipe: Recipe) -> Batches:
        """Split the events of a set into columns, once; what is no pooling is done before, once."""
        pooling = recipe.pooling
        if any(name != "pool" for name, _ in recipe.transforms):
            events, pooling = transforms.apply(events, recipe.transforms), (1, 1)
        return cls(
            columns=Columns(
                sample=np.empty(0, np.int64),
                t=events.events["t"].astype(np.float32) * np.float32(1e-6),
                x=events.events["x"].astype(np.float32),
                y=events.events["y"].astype(np.float32),
                p=events.events["p"].copy(),
            ),
            offsets=events.offsets,
            labels=events.labels,
            sensor=events.sensor,
            pooling=pooling,
            dt_s=recipe.dt_s,
            steps=recipe.steps,
            size=recipe.batch,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the input population after pooling."""
        width, height, polarities = self.sensor
        x, y = self.pooling
        return input_shape((-(-width // x), -(-height // y), polarities))

    def epoch(
        self, rng: np.random.Generator, augment: Augment
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield shuffled, augmented batches: spikes ``[T, B, *shape]`` and labels ``[B]``; all of one size.

        The samples that do not fill a last batch are left out of this epoch (batch norm wants equal batches).
        """
        order = rng.permutation(len(self.labels))
        for start in range(0, len(order) - self.size + 1, self.size):
            chosen = order[start : start + self.size]
            yield self._dense(moved(self._gather(chosen), len(chosen), augment, self.sensor, rng), chosen)

    def all(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield every sample once, in order, as it is."""
        for start in range(0, len(self.labels), self.size):
            chosen = np.arange(start, min(start + self.size, len(self.labels)))
            yield self._dense(self._gather(chosen), chosen)

    def _gather(self, chosen: npt.NDArray[np.int64]) -> Columns:
        starts, ends = self.offsets[chosen], self.offsets[chosen + 1]
        spans = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
        c = self.columns
        return Columns(
            np.repeat(np.arange(len(chosen)), ends - starts),
            *(np.concatenate([field[s] for s in spans]) for field in (c.t, c.x, c.y, c.p)),
        )

    def _dense(self, c: Columns, chosen: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        width, height, _ = self.sensor
        # half a microsecond: a float32 second must not fall short of the step that the event stands in
        step = np.floor((c.t + np.float32(5e-7)) / np.float32(self.dt_s))
        kept = (step >= 0) & (step < self.steps)
        kept &= (c.x >= 0) & (c.x < width) & (c.y >= 0) & (c.y < height)
        px, py = self.pooling
        columns, rows = -(-width // px), -(-height // py)
        x = c.x[kept].astype(np.int64) // px
        y = c.y[kept].astype(np.int64) // py
        address = (c.p[kept].astype(np.int64) * rows + y) * columns + x
        neurons, batch = int(np.prod(self.shape)), len(chosen)
        flat = (step[kept].astype(np.int64) * batch + c.sample[kept]) * neurons + address
        counts = np.bincount(flat, minlength=self.steps * batch * neurons).astype(np.float32)
        spikes = torch.from_numpy(counts.reshape(self.steps, batch, *self.shape))
        return spikes, torch.from_numpy(self.labels[chosen])
