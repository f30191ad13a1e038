"""Every transform: what holds of all, what holds of each, and tonic's own result on the same sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nmbench.datasets import transforms
from nmbench.datasets.disturbances import chance
from nmbench.datasets.events import EVENT, MARK, Events, EventSet, event_set
from nmbench.datasets.transforms import TRANSFORMS, apply, faults
from nmbench.errors import InputError

SENSOR = (6, 5, 2)
# few times and few places, so that equal times and busy addresses are common
FIELDS = st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 4), st.integers(0, 1))


@st.composite
def event_sets(draw: st.DrawFn) -> EventSet:
    samples = [
        draw(hnp.arrays(EVENT, st.integers(0, 40), elements=FIELDS)) for _ in range(draw(st.integers(1, 4)))
    ]
    for sample in samples:
        sample["t"] *= 1000
    labels = [draw(st.integers(0, 2)) for _ in samples]
    return event_set("test", SENSOR, samples, labels, range(len(samples)), ("a", "b", "c"), True)


SHARES = st.floats(0, 1)
SECONDS = st.integers(0, 45).map(lambda ms: ms / 1000) | st.integers(0, 45_000).map(lambda us: us / 1e6)
SEEDS = st.integers(0, 2**63 - 1)
SIZES = st.integers(1, 9)
OPTIONS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "pool": {"x": SIZES, "y": SIZES},
    "merge_polarity": {},
    "crop": {"start": SECONDS, "duration": SECONDS},
    "center_crop": {"width": SIZES, "height": SIZES},
    "time_skew": {"coefficient": st.floats(0.001, 1000), "offset": SECONDS},
    "flip_lr": {},
    "flip_ud": {},
    "flip_polarity": {},
    "denoise": {"filter_time": SECONDS},
    "refractory_period": {"duration": SECONDS},
    "decimation": {"n": SIZES},
    "drop_hot_pixel": {"frequency": st.floats(0, 1000)},
    "drop_event": {"probability": SHARES, "seed": SEEDS},
    "drop_event_by_time": {"duration_ratio": SHARES, "seed": SEEDS},
    "drop_event_by_area": {"area_ratio": st.floats(0, 0.999), "seed": SEEDS},
    "random_drop_pixel": {"probability": SHARES, "seed": SEEDS},
    "uniform_noise": {"n": st.integers(0, 20), "seed": SEEDS},
    "time_jitter": {"std": SECONDS, "seed": SEEDS},
    "spatial_jitter": {"std_x": st.floats(0, 5), "std_y": st.floats(0, 5), "seed": SEEDS},
}
KEEP_ALL = {"pool", "merge_polarity", "time_skew", "flip_lr", "flip_ud", "flip_polarity"}
SUBSET = {"denoise", "refractory_period", "decimation", "drop_hot_pixel", "drop_event"} | {
    "drop_event_by_time",
    "drop_event_by_area",
    "random_drop_pixel",
}
IDEMPOTENT = {"merge_polarity", "center_crop", "drop_hot_pixel"}
INVOLUTION = {"flip_lr", "flip_ud", "flip_polarity"}
SEEDED = {name for name, options in OPTIONS.items() if "seed" in options}


def options_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(OPTIONS[name]))


def rows(sample: Events) -> list[tuple[int, ...]]:
    return [tuple(event) for event in sample.tolist()]


def test_all_names_are_tried_here() -> None:
    assert OPTIONS.keys() == TRANSFORMS.keys()


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=40)
@given(events=event_sets(), data=st.data())
def test_what_holds_of_all(name: str, events: EventSet, data: st.DataObject) -> None:
    options = data.draw(options_of(name))
    assert faults(name, options) == []
    before = events.sha256()
    state = repr(np.random.get_state())
    changed = apply(events, [(name, options)])
    assert events.sha256() == before, "the set that was given is left alone"
    assert repr(np.random.get_state()) == state, "nobody else's draws are touched"
    assert apply(events, [(name, options)]).sha256() == changed.sha256(), "the same again"
    assert changed.labels.tolist() == events.labels.tolist()
    assert changed.groups.tolist() == events.groups.tolist()
    assert (changed.classes, changed.synthetic) == (events.classes, events.synthetic)
    assert len(changed.offsets) == len(events) + 1 and changed.offsets[-1] == len(changed.events)
    for field, size in zip("xyp", changed.sensor, strict=True):
        assert (changed.events[field] < size).all()
    for sample, old in zip(changed, events, strict=True):
        assert (np.diff(sample["t"].astype(np.int64)) >= 0).all()
        if name == "uniform_noise":
            assert len(sample) == len(old) + (options["n"] if len(old) else 0)
        elif name in KEEP_ALL:
            assert len(sample) == len(old)
        else:
            assert len(sample) <= len(old)
        if name in SUBSET:
            rest = iter(rows(old))
            assert all(event in rest for event in rows(sample)), "some of the events, in their order"


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=40)
@given(events=event_sets(), data=st.data())
def test_each_sample_is_changed_by_itself(name: str, events: EventSet, data: st.DataObject) -> None:
    options = data.draw(options_of(name))
    whole = apply(events, [(name, options)])
    order = data.draw(st.permutations(range(len(events))))
    cut = data.draw(st.integers(0, len(events)))
    for part in (order[:cut], order[cut:]):
        alone = apply(events.take(part), [(name, options)])
        assert alone.sample_sha256() == whole.take(part).sample_sha256()
        assert alone.sensor == whole.sensor


@pytest.mark.parametrize("name", sorted(IDEMPOTENT | INVOLUTION))
@settings(max_examples=40)
@given(events=event_sets(), data=st.data())
def test_twice(name: str, events: EventSet, data: st.DataObject) -> None:
    options = data.draw(options_of(name))
    once = apply(events, [(name, options)])
    twice = apply(once, [(name, options)])
    if name == "drop_hot_pixel":  # what is left may be shorter in time, so that more is hot: never less
        assert len(twice.events) <= len(once.events)
        return
    assert twice.sha256() == (events if name in INVOLUTION else once).sha256()


@pytest.mark.parametrize("name", sorted(SEEDED))
def test_seeds_and_samples_have_draws_of_their_own(name: str) -> None:
    rng = np.random.default_rng(1)
    sample = np.zeros(200, EVENT)
    sample["t"] = np.sort(rng.integers(0, 100_000, 200))
    for field, size in zip("xyp", SENSOR, strict=True):
        sample[field] = rng.integers(0, size, 200)
    other = sample.copy()
    other["t"] += 1
    events = event_set("t", SENSOR, [sample, other], [0, 0], [0, 0], ("a",), True)
    given_ = {"drop_event_by_area": {"area_ratio": 0.5}, "drop_event_by_time": {"duration_ratio": 0.3}}
    given_ |= {"uniform_noise": {"n": 50}, "time_jitter": {"std": 0.001}, "spatial_jitter": {}}
    options = given_.get(name, {"probability": 0.5})
    several = [apply(events, [(name, {**options, "seed": seed})]) for seed in range(6)]
    assert len({e.sha256() for e in several}) > 1
    moved = [(rows(e[0]), [(t - 1, *rest) for t, *rest in rows(e[1])]) for e in several]
    assert any(a != b for a, b in moved), "samples share their draws"


def wide(sample: Events) -> np.ndarray[Any, Any]:
    """Return a sample in tonic's own types, which it changes in place."""
    return sample.astype([("t", "<i8"), ("x", "<i8"), ("y", "<i8"), ("p", "<i8")])


def tonic(name: str, sample: Events, seed: int | None = None, **options: Any) -> list[tuple[int, ...]]:
    """Let tonic do it, its draws seeded as ours are."""
    import tonic.transforms as theirs

    state = np.random.get_state()
    try:
        if seed is not None:
            np.random.seed(chance(seed, sample))
        return rows(getattr(theirs, name)(**options)(wide(sample)))
    finally:
        np.random.set_state(state)


PARITY: Mapping[str, Callable[[Events, dict[str, Any]], list[tuple[int, ...]]]] = {
    "merge_polarity": lambda s, o: tonic("MergePolarities", s),
    "center_crop": lambda s, o: tonic("CenterCrop", s, sensor_size=SENSOR, size=(o["width"], o["height"])),
    "flip_lr": lambda s, o: tonic("RandomFlipLR", s, sensor_size=SENSOR, p=1),
    "flip_ud": lambda s, o: tonic("RandomFlipUD", s, sensor_size=SENSOR, p=1),
    "flip_polarity": lambda s, o: tonic("RandomFlipPolarity", s, p=1),
    "denoise": lambda s, o: tonic("Denoise", s, filter_time=round(o["filter_time"] * 1e6)),
    "refractory_period": lambda s, o: tonic("RefractoryPeriod", s, delta=round(o["duration"] * 1e6)),
    "decimation": lambda s, o: tonic("Decimation", s, n=o["n"]),
    "drop_hot_pixel": lambda s, o: tonic("DropPixel", s, hot_pixel_frequency=o["frequency"]),
    "drop_event": lambda s, o: tonic("DropEvent", s, o["seed"], p=o["probability"]),
    "drop_event_by_time": lambda s, o: tonic(
        "DropEventByTime", s, o["seed"], duration_ratio=o["duration_ratio"]
    ),
    "drop_event_by_area": lambda s, o: tonic(
        "DropEventByArea", s, o["seed"], sensor_size=SENSOR, area_ratio=o["area_ratio"]
    ),
    "random_drop_pixel": lambda s, o: tonic(
        "RandomDropPixel", s, o["seed"], p=o["probability"], sensor_size=SENSOR
    ),
    "uniform_noise": lambda s, o: tonic("UniformNoise", s, o["seed"], sensor_size=SENSOR, n=o["n"]),
    "time_jitter": lambda s, o: tonic("TimeJitter", s, o["seed"], std=o["std"] * 1e6, clip_negative=True),
}
LATER_US = 50_000
"""tonic's memory begins at time 0: samples are compared from here on."""
OUT_OF_ORDER = {"uniform_noise", "time_jitter"}


@pytest.mark.parametrize("name", PARITY)
@settings(max_examples=40)
@given(events=event_sets(), data=st.data())
def test_tonic_gives_the_same(name: str, events: EventSet, data: st.DataObject) -> None:
    options = data.draw(options_of(name))
    if name == "center_crop":  # a crop beyond the sensor shifts addresses there, and none is shifted here
        assume(options["width"] <= SENSOR[0] and options["height"] <= SENSOR[1])
    if name == "drop_event_by_time":
        assume(options["duration_ratio"] < 1)
    if name == "drop_hot_pixel":
        assume(options["frequency"] > 0)  # 0 is no frequency to tonic
    later = events.events.copy()
    if name in ("denoise", "refractory_period"):
        later["t"] += LATER_US
    events = replace(events, events=later)
    changed = apply(events, [(name, options)])
    for sample, ours in zip(events, changed, strict=True):
        if not len(sample):
            continue  # tonic's Compose passes no sample without events to a transform
        theirs = PARITY[name](sample, options)
        found = rows(ours)
        if name in OUT_OF_ORDER:
            theirs, found = sorted(theirs), sorted(found)
        assert found == theirs


@given(events=event_sets(), factor=st.sampled_from([1, 2, 4]))
def test_pool_is_tonics_downsample(events: EventSet, factor: int) -> None:
    pooled = apply(events, [("pool", {"x": factor, "y": factor})])
    for sample, ours in zip(events, pooled, strict=True):
        assert rows(ours) == tonic("Downsample", sample, spatial_factor=1 / factor)


@given(events=event_sets(), start=st.integers(0, 40), length=st.integers(1, 40))
def test_crop_is_tonics_crop_time_counted_from_its_start(events: EventSet, start: int, length: int) -> None:
    cropped = apply(events, [("crop", {"start": start / 1000, "duration": length / 1000})])
    for sample, ours in zip(events, cropped, strict=True):
        first, last = start * 1000, (start + length) * 1000 - 1
        theirs = tonic("CropTime", sample, min=first, max=last)
        assert [(t + first, *rest) for t, *rest in rows(ours)] == theirs


@given(events=event_sets(), coefficient=st.sampled_from([0.5, 1.0, 1.5, 3.0]))
def test_time_skew_is_tonics(events: EventSet, coefficient: float) -> None:
    skewed = apply(events, [("time_skew", {"coefficient": coefficient, "offset": 0.002})])
    for sample, ours in zip(events, skewed, strict=True):
        assert rows(ours) == tonic("TimeSkew", sample, coefficient=coefficient, offset=2000)


def test_jitter_has_its_deviation() -> None:
    sample = np.zeros(20_000, EVENT)
    sample["t"], sample["x"], sample["y"] = np.arange(20_000) * 50 + 500_000, 500, 500
    events = event_set("t", (1001, 1001, 1), [sample], [0], [0], ("a",), True)
    moved = apply(events, [("spatial_jitter", {"std_x": 30.0, "std_y": 10.0})]).events
    assert len(moved) == 20_000 and np.array_equal(moved["t"], sample["t"])
    for field, std in (("x", 30), ("y", 10)):
        shift = moved[field].astype(float) - 500
        assert abs(shift.std() / std - 1) < 0.03 and abs(shift.mean() + 0.5) < 4 * std / 141
    still = apply(events, [("spatial_jitter", {"std_x": 0.0, "std_y": 0.0}), ("time_jitter", {"std": 0.0})])
    assert still.sha256() == events.sha256()


def test_the_first_event_of_an_address_is_kept() -> None:
    sample = np.array([(0, 1, 1, 0), (0, 2, 1, 0), (500, 1, 1, 1), (2_000, 1, 1, 0)], EVENT)
    events = event_set("t", SENSOR, [sample, sample], [0, 0], [0, 0], ("a",), True)
    rested = apply(events, [("refractory_period", {"duration": 0.001})])
    assert rows(rested[0]) == rows(rested[1]) == [(0, 1, 1, 0), (0, 2, 1, 0), (2_000, 1, 1, 0)]
    supported = apply(events, [("denoise", {"filter_time": 0.001})])
    assert rows(supported[0]) == rows(supported[1]) == [(0, 2, 1, 0), (500, 1, 1, 1)]


def test_marks_go_with_the_time() -> None:
    sample = np.zeros(1, EVENT)
    marks = np.array([(0, 0, 100, 1), (0, 150, 400, 0), (0, 500, 900, 1)], MARK)
    events = event_set("t", SENSOR, [sample], [-1], [0], ("a", "b"), True, marks)
    cropped = apply(events, [("crop", {"start": 0.0002, "duration": 0.0004})])
    assert cropped.marks is not None and cropped.marks.tolist() == [(0, 0, 200, 0), (0, 300, 400, 1)]
    skewed = apply(events, [("time_skew", {"coefficient": 2.0, "offset": 0.00001})])
    assert skewed.marks is not None and skewed.marks["start_us"].tolist() == [10, 310, 1010]


def test_a_time_that_cannot_be_written_is_refused() -> None:
    sample = np.zeros(1, EVENT)
    sample["t"] = 2**32 - 1
    events = event_set("long", SENSOR, [sample], [0], [0], ("a",), True)
    with pytest.raises(InputError, match="time_skew"):
        apply(events, [("time_skew", {"coefficient": 2.0})])
    jittered = [apply(events, [("time_jitter", {"std": 0.5, "seed": n})]).events["t"] for n in range(40)]
    assert 5 < sum(len(t) for t in jittered) < 35, "about half of them fall out of time, none comes round"
    assert all(t > 2**32 - 4_000_000 for times in jittered for t in times.tolist())


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("denois", {}, "did you mean 'denoise'"),
        ("denoise", {}, "transform 'denoise': filter_time is missing"),
        ("center_crop", {"width": 3}, "height is missing"),
        ("drop_event", {"probability": 1.1}, "probability must be a number of 0 to 1, not 1.1"),
        ("drop_event", {"probability": 0.1, "seed": -1}, "seed must be a whole number of 0 to"),
        ("drop_event", {"probability": 0.1, "seed": 1.0}, "seed must be a whole number"),
        ("uniform_noise", {"n": 10**9}, "n must be a whole number of 0 to 10000000"),
        ("time_jitter", {"std": float("inf")}, "std must be a number"),
        ("time_jitter", {"std": float("nan")}, "std must be a number"),
        ("time_jitter", {"sdt": 1, "std": 0.1}, "did you mean 'std'"),
        ("flip_lr", {"p": 0.5}, "unknown option of transform 'flip_lr'"),
    ],
)
def test_faults(name: str, options: dict[str, object], told: str) -> None:
    (fault,) = transforms.faults(name, options)
    assert told in fault


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (0, 0), (2, 0)])
@pytest.mark.parametrize("later", [999, 1_000])
def test_what_supports_an_event(dx: int, dy: int, later: int) -> None:
    sample = np.array([(50, 2 + dx, 2 + dy, 0), (50 + later, 2, 2, 1)], EVENT)
    events = event_set("t", SENSOR, [sample], [0], [0], ("a",), True)
    kept = apply(events, [("denoise", {"filter_time": 0.001})])
    assert len(kept.events) == (abs(dx) + abs(dy) == 1 and later < 1_000)
