"""Crops of running audio: events and targets stay together."""

from __future__ import annotations

import numpy as np
import pytest

from nmbench.datasets.encode import encode
from nmbench.datasets.events import EVENT, EventSet, event_set, marks_of
from nmbench.training.recipe import Augment, Dense, Recipe
from nmbench.training.running import ANY, Crops

NOTHING, SECONDS = 2, 6.0
RECIPE = Recipe(
    dt_s=0.01,
    steps=200,
    layers=(Dense(kind="dense", units=3),),
    tau_syn_s=(0.01, 0.02),
    tau_mem_s=(0.01, 0.02),
    tau_readout_s=0.1,
    epochs=1,
    batch=4,
    learning_rate=0.1,
)


@pytest.fixture(scope="module")
def events() -> EventSet:
    """Two recordings whose channel says the truth: 0 and 1 while such a word lasts, 2 elsewhere."""
    rows = [(0, 500_000, 1_000_000, 0), (0, 2_100_000, 2_700_000, 1), (1, 3_000_000, 3_400_000, 1)]
    samples = []
    for sample in range(2):
        t = np.arange(0, int(SECONDS * 1e6), 10_000)
        made = np.zeros(len(t), EVENT)
        made["t"], made["x"] = t, NOTHING
        for owner, start, end, label in rows:
            if owner == sample:
                made["x"][(t >= start) & (t < end)] = label
        samples.append(made)
    return event_set("r/train", (3, 1, 1), samples, [-1, -1], [0, 1], ("a", "b", "-"), True, marks_of(rows))


def test_all_crops_are_the_recordings_as_they_are(events: EventSet) -> None:
    crops = Crops.cut(events, RECIPE, SECONDS)
    spikes = np.concatenate([part.numpy() for part, _ in crops.all()], axis=1)
    whole = encode(events, RECIPE.dt_s, 600)
    for crop in range(6):
        recording, first = divmod(crop, 3)
        for step in range(200):
            row = np.bincount(whole.row(recording, first * 200 + step), minlength=3)
            np.testing.assert_array_equal(spikes[step, crop], row)


def test_a_word_is_asked_for_from_its_middle_to_just_after_its_end(events: EventSet) -> None:
    crops = Crops.cut(events, RECIPE, SECONDS)
    (first,) = crops.targets(np.array([0]), np.array([0.0]), np.array([1.0])).T
    assert (first[:50] == NOTHING).all() and (first[50:75] == ANY).all()
    assert (first[75:115] == 0).all() and (first[115:125] == ANY).all() and (first[125:] == NOTHING).all()
    (cut,) = crops.targets(np.array([0]), np.array([0.7]), np.array([1.0])).T
    assert (cut[:55] == ANY).all(), "of a word whose beginning was not heard nothing is asked"


def test_targets_stretch_with_the_events(events: EventSet) -> None:
    crops = Crops.cut(events, RECIPE, SECONDS)
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(20):
        for spikes, targets in crops.epoch(rng, Augment(stretch=0.3)):
            assert spikes.shape == (200, 4, 3) and targets.shape == (200, 4)
            loud = spikes.numpy().argmax(axis=2)
            for label in (0, 1):
                asked_for = (targets.numpy() == label) & (spikes.numpy().sum(axis=2) > 0)
                # half of the word, and 0.15 s after its end
                assert not asked_for.any() or (loud[asked_for] == label).mean() > 0.4
                seen += int(asked_for.sum())
            unasked = (targets.numpy() == NOTHING) & (spikes.numpy().sum(axis=2) > 0)
            assert (loud[unasked] == NOTHING).mean() > 0.98
    assert seen > 100


def test_a_set_without_marks_cannot_be_cut(events: EventSet) -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="no marks"):
        Crops.cut(replace(events, marks=None), RECIPE, SECONDS)
