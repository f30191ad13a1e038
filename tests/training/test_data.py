"""Dense training batches equal the harness's own encoding; augmentation moves what it may and no more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nmbench.datasets import transforms
from nmbench.datasets.encode import encode
from nmbench.datasets.events import EVENT, event_set
from nmbench.training.augment import Columns, moved
from nmbench.training.data import Batches
from nmbench.training.recipe import Augment, Dense, Recipe

SENSOR = (12, 9, 2)
RECIPE = Recipe(
    dt_s=0.01,
    steps=7,
    transforms=(("pool", {"x": 4, "y": 2}),),
    layers=(Dense(kind="dense", units=3),),
    tau_syn_s=(0.01, 0.02),
    tau_mem_s=(0.01, 0.02),
    tau_readout_s=0.1,
    epochs=1,
    batch=4,
    learning_rate=0.1,
)


def samples(seed: int, count: int = 10):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        events = np.zeros(rng.integers(0, 60), EVENT)
        # whole steps among them: the edge of a bin is where float times go wrong
        events["t"] = rng.choice([rng.integers(0, 90_000), 10_000 * rng.integers(0, 8)], len(events))
        for field, size in zip("xyp", SENSOR, strict=True):
            events[field] = rng.integers(0, size, len(events))
        made.append(events)
    return event_set(
        "random/train", SENSOR, made, rng.integers(0, 3, count), [-1] * count, ("a", "b", "c"), True
    )


@given(st.integers(0, 10_000))
def test_dense_batches_equal_the_encoding(seed: int) -> None:
    events = samples(seed)
    spikes = encode(transforms.apply(events, RECIPE.transforms), RECIPE.dt_s, RECIPE.steps)
    batches = Batches.of(events, RECIPE)
    assert batches.shape == spikes.shape == (2, 5, 3)
    first = 0
    for dense, labels in batches.all():
        for b in range(len(labels)):
            assert labels[b] == events.labels[first + b]
            for t in range(RECIPE.steps):
                row = np.bincount(spikes.row(first + b, t), minlength=spikes.size)
                np.testing.assert_array_equal(dense[t, b].numpy().ravel(), row)
        first += len(labels)
    assert first == len(events)


def test_an_epoch_is_repeatable_and_shuffled() -> None:
    batches, augment = Batches.of(samples(0), RECIPE), Augment(stretch=0.2, drop=0.5, shift=2, scale=0.1)
    runs = [list(batches.epoch(np.random.default_rng(seed), augment)) for seed in (5, 5, 6)]
    assert [len(labels) for _, labels in runs[0]] == [4, 4]  # 10 samples, whole batches only
    assert all((a[0] == b[0]).all() and (a[1] == b[1]).all() for a, b in zip(runs[0], runs[1], strict=True))
    assert any((a[0] != b[0]).any() for a, b in zip(runs[0], runs[2], strict=True))


def columns(seed: int, events: int = 400, count: int = 5) -> Columns:
    rng = np.random.default_rng(seed)
    return Columns(
        np.sort(rng.integers(0, count, events)),
        rng.random(events, dtype=np.float32),
        rng.integers(0, SENSOR[0], events).astype(np.float32),
        rng.integers(0, SENSOR[1], events).astype(np.float32),
        rng.integers(0, 2, events).astype(np.uint8),
    )


def test_no_augmentation_changes_nothing() -> None:
    events = columns(0)
    after = moved(events, 5, Augment(), SENSOR, np.random.default_rng(0))
    for field in ("sample", "t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(after, field), getattr(events, field))


@given(st.integers(0, 1000), st.floats(0, 0.4), st.floats(0, 0.1), st.integers(0, 5))
def test_moves_stay_within_their_limits(seed: int, stretch: float, offset_s: float, shift: int) -> None:
    events = columns(seed)
    limits = Augment(stretch=stretch, offset_s=offset_s, shift=shift)
    after = moved(events, 5, limits, SENSOR, np.random.default_rng(seed))
    assert (np.abs(after.t - events.t) <= stretch * events.t + offset_s + 1e-5).all()
    assert (np.abs(after.x - events.x) <= shift + 1).all()
    assert (after.x == np.rint(after.x)).all()
    if offset_s == 0:  # one draw a sample, not one an event
        late = events.t > 0.01
        relative = (after.t[late] - events.t[late]) / events.t[late]
        for s in range(5):
            assert np.ptp(relative[events.sample[late] == s]) < 1e-3


def test_drop_leaves_out_at_most_its_share_and_keeps_order() -> None:
    events = columns(3, events=20_000)
    after = moved(events, 5, Augment(drop=0.3), SENSOR, np.random.default_rng(0))
    assert 0.65 * 20_000 < len(after.t) < 20_000
    assert (np.diff(after.sample) >= 0).all()
