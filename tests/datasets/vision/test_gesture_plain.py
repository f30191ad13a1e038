from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from nmbench.datasets.events import EventSet
from nmbench.datasets.reproducible import Draws
from nmbench.datasets.vision.event_camera import CameraOptions, build_sensor
from nmbench.datasets.vision.gesture_figure import paint, pose
from nmbench.datasets.vision.gesture_motion import MOTIONS, Arms
from nmbench.datasets.vision.gesture_plain import CLASSES, GestureOptions, Scene, draw_scene, generate, record
from nmbench.errors import InputError

CIRCLES = tuple(name for name in CLASSES if "clockwise" in name)


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture(scope="module")
def few() -> dict[str, EventSet]:
    return generate({"subjects": 3, "test_subjects": 1, "trials": 1}, 0, silent)


def test_splits_are_labelled_synthetic_and_apart_in_subjects(few: dict[str, EventSet]) -> None:
    assert few["train"].groups.tolist() == [0] * 11 + [1] * 11
    assert few["test"].groups.tolist() == [2] * 11
    for name, part in few.items():
        assert part.name == f"gesture-plain/{name}"
        assert part.sensor == (128, 128, 2)
        assert part.synthetic
        assert part.classes == CLASSES
        assert sorted(set(part.labels.tolist())) == list(range(11))


def test_classes_are_those_of_dvs128_gesture() -> None:
    assert CLASSES == (
        "hand_clapping",
        "right_hand_wave",
        "left_hand_wave",
        "right_arm_clockwise",
        "right_arm_counter_clockwise",
        "left_arm_clockwise",
        "left_arm_counter_clockwise",
        "arm_roll",
        "air_drums",
        "air_guitar",
        "other_gestures",
    )


def test_no_sample_is_near_empty(few: dict[str, EventSet]) -> None:
    counts = np.concatenate([np.diff(part.offsets) for part in few.values()])
    assert counts.min() > 5_000
    assert 15_000 < counts.mean() < 40_000
    assert max(part.events["t"].max() for part in few.values()) < 1_500_000


def test_same_bytes_each_time_and_for_a_part_of_the_set(few: dict[str, EventSet]) -> None:
    part = generate(
        {"subjects": 3, "test_subjects": 2, "trials": 2, "gestures": ["arm_roll", "air_drums"]}, 0, silent
    )
    known = dict(zip(few["train"].sample_sha256(), range(22), strict=True))
    # subject 0, trial 0 of both gestures: rows 0 and 2 here
    assert [known.get(part["train"].sample_sha256()[row]) for row in (0, 2)] == [7, 8]
    other = generate({"subjects": 2, "gestures": ["arm_roll"], "test_subjects": 1, "trials": 1}, 1, silent)
    assert other["train"].sample_sha256()[0] not in known


def pooled_counts(part: EventSet) -> np.ndarray:
    """Count events in squares of 8 x 8 pixels and by polarity, square roots, ``[samples, 512]``."""
    counts = np.zeros((len(part), 16, 16, 2))
    sample = np.repeat(np.arange(len(part)), np.diff(part.offsets))
    np.add.at(counts, (sample, part.events["y"] // 8, part.events["x"] // 8, part.events["p"]), 1)
    return np.sqrt(counts.reshape(len(part), -1))


def test_counts_alone_do_not_tell_the_direction_of_a_circle() -> None:
    splits = generate({"subjects": 60, "test_subjects": 30, "trials": 1, "gestures": CIRCLES}, 3, silent)
    train, test = (pooled_counts(splits[name]) for name in ("train", "test"))
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 0.1

    def hits(target: dict[str, np.ndarray]) -> int:
        model = LogisticRegression(C=0.01, max_iter=500).fit((train - mean) / deviation, target["train"])
        guesses = model.predict((test - mean) / deviation)
        return int(np.count_nonzero(guesses == target["test"]))

    labels = {name: part.labels for name, part in splits.items()}
    left = {name: values >= CLASSES.index("left_arm_clockwise") for name, values in labels.items()}
    assert hits(left) >= 118  # the counts do tell which arm it is: the classifier is able

    inside = 0
    for pair in (CIRCLES[:2], CIRCLES[2:]):
        numbers = [CLASSES.index(name) for name in pair]
        rows = {name: np.isin(values, numbers) for name, values in labels.items()}
        model = LogisticRegression(C=0.01, max_iter=500)
        model.fit((train[rows["train"]] - mean) / deviation, labels["train"][rows["train"]])
        guesses = model.predict((test[rows["test"]] - mean) / deviation)
        inside += int(np.count_nonzero(guesses == labels["test"][rows["test"]]))
    # 120 fair coins: 60 heads, and 99 % of the time between 46 and 74
    assert 46 <= inside <= 74


def test_a_way_back_gives_each_pixel_the_same_counts() -> None:
    quiet = CameraOptions(mismatch=0.0, leak_hz=0.0, shot_hz=0.0)
    options = GestureOptions(camera=quiet)
    sensor = build_sensor(quiet, 128, 128, 0)
    totals = np.zeros((2, 2))
    for subject in range(6):
        scene = draw_scene(options, 0, subject, CLASSES.index("right_arm_clockwise"), 0)
        back = Scene(
            scene.body,
            scene.middle[::-1],
            Arms(scene.arms.right[::-1], scene.arms.left[::-1], scene.arms.bend),
            scene.light,
        )
        maps = []
        for way, played in enumerate((scene, back)):
            events = record(played, options, sensor, Draws(0, subject))
            totals[way] += np.bincount(events["p"], minlength=2)
            maps.append(np.zeros((128, 128)))
            np.add.at(maps[-1], (events["y"], events["x"]), 1)
        assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.97
    assert np.abs(totals[0] / totals[1] - 1.0).max() < 0.02


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_go_the_way_that_they_are_called(name: str) -> None:
    scene = draw_scene(GestureOptions(), 0, 4, CLASSES.index(name), 0)
    capsules = pose(scene.body, scene.middle, scene.arms)
    hand = capsules[:, 7 if name.startswith("right") else 10, 2:] - scene.middle
    swept = hand - hand.mean(axis=0)
    turn = swept[:-1, 0] * swept[1:, 1] - swept[:-1, 1] * swept[1:, 0]
    # the picture's y points down, so a positive turn is clockwise for who looks on
    assert np.all(turn > 0.0) if "counter" not in name else np.all(turn < 0.0)
    arm_x = hand[:, 0].mean()
    assert arm_x < 0 if name.startswith("right") else arm_x > 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from(CLASSES), st.integers(0, 5))
def test_arms_hold_together_and_keep_their_lengths(subject: int, name: str, trial: int) -> None:
    options = GestureOptions(duration_us=400_000)
    scene = draw_scene(options, 0, subject, CLASSES.index(name), trial)
    capsules = pose(scene.body, scene.middle, scene.arms)
    assert np.all(np.isfinite(capsules))
    body = scene.body
    for upper, fore, hand in ((5, 6, 7), (8, 9, 10)):
        assert np.array_equal(capsules[:, upper, 2:], capsules[:, fore, :2])
        assert np.array_equal(capsules[:, fore, 2:], capsules[:, hand, :2])
        for part, length in ((upper, body.upper), (fore, body.fore), (hand, body.hand)):
            span = np.hypot(*(capsules[:, part, 2:] - capsules[:, part, :2]).T)
            assert span.max() < 1.15 * length  # a bend seen from the front may only shorten an arm
    step = np.abs(np.diff(capsules, axis=0)).max()
    assert step < 2.5  # no jumps: at most so many pixels between two frames


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_capsules_are_painted_as_their_distance_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    capsules = rng.uniform(-20.0, 148.0, (3, 4))
    radii = rng.uniform(1.0, 15.0, 3)
    levels = rng.integers(-(2**20), 2**20, 3).astype(np.int32)
    frame = np.zeros(128 * 128, dtype=np.int32)
    paint(frame, capsules, radii, levels)
    y, x = np.mgrid[:128, :128].astype(float)
    expected = np.zeros((128, 128))
    for (x0, y0, x1, y1), radius, level in zip(capsules, radii, levels, strict=True):
        axis = np.array([x1 - x0, y1 - y0])
        along = np.clip(((x - x0) * axis[0] + (y - y0) * axis[1]) / (axis @ axis), 0.0, 1.0)
        distance = np.hypot(x - x0 - along * axis[0], y - y0 - along * axis[1])
        cover = np.clip((radius - distance) / 1.5 + 0.5, 0.0, 1.0)
        expected += cover * (level - expected)
    # the cover has 12 bits and is rounded down, at most once a capsule
    assert np.abs(frame.reshape(128, 128) - expected).max() < 3 * 2**21 / 4096 + 3


def test_every_class_has_a_motion_of_its_own() -> None:
    options = GestureOptions()
    hands = [
        np.concatenate([(arms := draw_scene(options, 0, 0, label, 0).arms).right, arms.left])
        for label in range(len(MOTIONS))
    ]
    for one in range(len(hands)):
        for other in range(one):
            assert not np.array_equal(hands[one], hands[other])


def test_wrong_options_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        generate({"subject": 3, "trials": 0, "gestures": ["arm_rol"]}, 0, silent)
    assert len(caught.value.faults) == 3
    assert "did you mean 'arm_roll'" in str(caught.value)
    with pytest.raises(InputError, match="test_subjects must be below subjects"):
        generate({"subjects": 3, "test_subjects": 3}, 0, silent)
