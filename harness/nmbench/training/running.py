"""Crops of running audio with a target for every step: what a network that spots words is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from nmbench.datasets.events import EventSet, Marks
from nmbench.training.augment import Columns, moved
from nmbench.training.data import Batches
from nmbench.training.recipe import Augment, Recipe

Longs = npt.NDArray[np.int64]
ANY = -1
"""Target of a step in which any answer will do."""


@dataclass(frozen=True)
class Target:
    """When a word is asked for.

    Attributes
    ----------
    from_share
        Share of the word after which it is; before, any answer will do.
    after_s
        How long after its end, seconds.
    blur_s
        How long any answer will do then, seconds.
    """

    from_share: float = 0.5
    after_s: float = 0.15
    blur_s: float = 0.1


@dataclass(frozen=True, eq=False)
class Crops(Batches):
    """Crops of marked recordings; the last class is asked for where no word is.

    ``steps`` is a crop's length, and ``labels`` counts crops: an epoch has as many as fill the recordings.

    Attributes
    ----------
    marks
        Of the recordings (`nmbench.datasets.events.MARK`).
    seconds
        Of a recording.
    classes
        With the one that stands for nothing.
    """

    marks: Marks
    seconds: float
    classes: int
    target: Target = Target()

    @classmethod
    def cut(cls, events: EventSet, recipe: Recipe, seconds: float) -> Crops:
        """Cut a marked set by the recipe.

        Raises
        ------
        ValueError
            The set has no marks.
        """
        if events.marks is None:
            raise ValueError(f"{events.name} has no marks")
        base = Batches.of(events, recipe)
        crops = int(len(events) * seconds / (recipe.steps * recipe.dt_s))
        return cls(
            columns=base.columns,
            offsets=base.offsets,
            labels=np.zeros(crops, np.int64),
            sensor=base.sensor,
            pooling=base.pooling,
            dt_s=base.dt_s,
            steps=base.steps,
            size=base.size,
            marks=events.marks,
            seconds=seconds,
            classes=len(events.classes),
        )

    @property
    def crop_s(self) -> float:
        """Seconds of a crop."""
        return self.steps * self.dt_s

    def epoch(
        self, rng: np.random.Generator, augment: Augment
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield batches of crops that begin anywhere: spikes ``[T, B, *shape]`` and targets ``[T, B]``.

        Time is stretched here, so that the targets go with it.
        """
        still = augment.model_copy(update={"stretch": 0.0, "offset_s": 0.0})
        for _ in range(len(self.labels) // self.size):
            chosen = rng.integers(0, len(self.offsets) - 1, self.size)
            stretch = 1.0 + augment.stretch * rng.uniform(-1.0, 1.0, self.size)
            begin = rng.uniform(0.0, self.seconds - self.crop_s / stretch)
            events = moved(self._cut(chosen, begin, stretch), self.size, still, self.sensor, rng)
            spikes, _ = self._dense(events, np.zeros(self.size, np.int64))
            yield spikes, torch.from_numpy(self.targets(chosen, begin, stretch))

    def all(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all recordings in crops, one after the other, as they are."""
        each = int(self.seconds / self.crop_s)
        recordings = np.repeat(np.arange(len(self.offsets) - 1), each)
        begins = np.tile(np.arange(each) * self.crop_s, len(self.offsets) - 1)
        for start in range(0, len(begins), self.size):
            chosen, begin = recordings[start : start + self.size], begins[start : start + self.size]
            one = np.ones(len(chosen))
            spikes, _ = self._dense(self._cut(chosen, begin, one), np.zeros(len(chosen), np.int64))
            yield spikes, torch.from_numpy(self.targets(chosen, begin, one))

    def targets(
        self, chosen: Longs, begin: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]
    ) -> Longs:
        """Return the class of each step of crops, ``[T, B]``; `ANY` where any will do."""
        found = np.full((self.steps, len(chosen)), self.classes - 1)
        for place, recording in enumerate(chosen.tolist()):
            for mark in self.marks[self.marks["sample"] == recording]:
                start, end = (
                    (float(mark[name]) * 1e-6 - begin[place]) * stretch[place]
                    for name in ("start_us", "end_us")
                )
                half = start + self.target.from_share * (end - start)
                late = end + self.target.after_s
                column = found[:, place]
                column[self._span(start, late + self.target.blur_s)] = ANY
                if start >= 0.0:  # of a word whose beginning was not heard nothing is asked
                    column[self._span(half, late)] = mark["label"]
        return found

    def _span(self, start_s: float, end_s: float) -> slice:
        return slice(max(0, round(start_s / self.dt_s)), max(0, round(end_s / self.dt_s)))

    def _cut(
        self, chosen: Longs, begin: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]
    ) -> Columns:
        """Return the events of crops, times from the crop's beginning."""
        parts = []
        for place, recording in enumerate(chosen.tolist()):
            first, last = self.offsets[recording], self.offsets[recording + 1]
            t = self.columns.t[first:last]
            ends = np.array([begin[place], begin[place] + self.crop_s / stretch[place]])
            a, b = (first + np.searchsorted(t, ends.astype(np.float32))).tolist()
            parts.append((place, slice(a, b)))
        sample = np.repeat([place for place, _ in parts], [s.stop - s.start for _, s in parts])
        t, x, y, p = (
            np.concatenate([field[s] for _, s in parts])
            for field in (self.columns.t, self.columns.x, self.columns.y, self.columns.p)
        )
        t = (t - begin.astype(np.float32)[sample]) * stretch.astype(np.float32)[sample]
        return Columns(sample, t, x, y, p)
