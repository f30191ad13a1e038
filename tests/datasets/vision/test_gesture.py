from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.datasets.events import EventSet
from nmbench.datasets.reproducible import Draws
from nmbench.datasets.vision.event_camera import CameraOptions, build_sensor
from nmbench.datasets.vision.film_strip import film_strip, scene_strip
from nmbench.datasets.vision.gesture import GestureOptions, Scene, draw_scene, generate, record
from nmbench.datasets.vision.gesture_figure import SIDE, Stance, draw_body, pose, stand
from nmbench.datasets.vision.gesture_scenery import CANVAS, MARGIN, Things, draw_shake, look, places
from nmbench.datasets.vision.gesture_score import CLASSES, STROKES, Stroke, draw_score
from nmbench.errors import InputError

LABELS = st.integers(0, len(CLASSES) - 1)
SMALL = {"subjects": 2, "test_subjects": 1, "gestures": [CLASSES[3], CLASSES[8]]}


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture(scope="module")
def few() -> dict[str, EventSet]:
    return generate(SMALL, 0, silent)


def test_splits_are_labelled_synthetic_and_apart_in_subjects(few: dict[str, EventSet]) -> None:
    for subject, (name, part) in enumerate(few.items()):
        assert part.name == f"gesture/{name}"
        assert part.sensor == (128, 128, 2)
        assert part.synthetic
        assert part.classes == CLASSES
        assert part.labels.tolist() == [3, 8]
        assert part.groups.tolist() == [subject] * 2
        assert np.diff(part.offsets).min() > 10_000
        assert part.events["t"].max() < 2_400_000


def test_same_bytes_on_every_machine(few: dict[str, EventSet]) -> None:
    assert few["train"].sha256() == "c32eb93b59a12ad9bfe29525e2f1ed4784ee770e29a8f6fc69b0f0a39737aec4"
    assert few["test"].sha256() == "c33cee2916f9f15806b22408e6c32fae27472e72b2023aa6af77d5e9b3372996"


def test_a_sample_depends_on_its_own_key_alone(few: dict[str, EventSet]) -> None:
    other = generate({**SMALL, "trials": 2, "gestures": [CLASSES[8]]}, 0, silent)
    assert other["train"].sample_sha256()[0] == few["train"].sample_sha256()[1]
    assert other["train"].sample_sha256()[1] not in few["train"].sample_sha256()
    assert generate(SMALL, 1, silent)["test"].sha256() != few["test"].sha256()


def test_every_stroke_stands_at_every_place_and_speed_in_as_many_classes() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == 12
    seen: dict[tuple[str, str, str], set[str]] = {}
    pairs: dict[frozenset[str], int] = {}
    for name in CLASSES:
        first, _, second, tempo = name.split("_")
        assert first != second
        speeds = ("slow", "quick") if tempo == "quickening" else ("quick", "slow")
        for place, stroke, speed in zip(("first", "second"), (first, second), speeds, strict=True):
            seen.setdefault((place, stroke, speed), set()).add(name)
        both = frozenset((first, second))
        pairs[both] = pairs.get(both, 0) + 1
    # a window that shows one stroke perfectly leaves two classes; the two strokes, in no order, leave four
    assert len(seen) == 2 * len(STROKES) * 2
    assert {len(names) for names in seen.values()} == {2}
    assert set(pairs.values()) == {4}


@settings(max_examples=200, deadline=None)
@given(LABELS, st.integers(0, 10_000), st.integers(0, 100), st.integers(2_100_000, 2_600_000))
def test_strokes_are_apart_by_more_than_300_ms_and_inside_the_sample(
    label: int, subject: int, trial: int, duration_us: int
) -> None:
    score = draw_score(label, Draws(0, subject), Draws(1, subject, trial), duration_us / 1e6)
    first, _, second, tempo = CLASSES[label].split("_")
    assert (score.first.name, score.second.name) == (first, second)
    assert score.second.start_s - score.first.end_s > 0.3
    assert score.first.start_s > 0.05
    assert score.second.end_s < duration_us / 1e6 - 0.05
    ratio = score.first.length_s / score.second.length_s
    assert ratio > 1.6 if tempo == "quickening" else ratio < 1 / 1.6


@settings(max_examples=30, deadline=None)
@given(LABELS, st.integers(0, 1_000), st.integers(0, 100))
def test_hands_go_only_during_the_strokes_and_the_same_way_at_either_speed(
    label: int, subject: int, trial: int
) -> None:
    score = draw_score(label, Draws(0, subject), Draws(1, subject, trial), 2.4)
    time_s = np.linspace(0.0, 2.4, 4_801)
    arms = score.arms(time_s)
    strokes = [(time_s >= s.start_s) & (time_s <= s.end_s) for s in (score.first, score.second)]
    step = np.abs(np.diff(np.concatenate([arms.right, arms.left], axis=1), axis=0)).max(axis=1)
    assert step[~(strokes[0] | strokes[1])[:-1]].max() < 1e-4  # rest: nothing but the small swing
    for stroke, inside in zip((score.first, score.second), strokes, strict=True):
        hand = arms.left if stroke.name == "left" else arms.right
        length = np.hypot(*np.diff(hand[inside], axis=0).T).sum()
        low, high = (1.2, 2.0) if stroke.name == "clap" else (3.0, 5.0)
        assert low < length < high  # arm lengths, whatever the speed


def test_all_that_is_drawn_is_of_the_same_law_in_all_classes() -> None:
    lengths = []
    for label in range(len(CLASSES)):
        scores = [draw_score(label, Draws(0, s), Draws(1, s, label), 2.4) for s in range(300)]
        quick = [min(s.first.length_s, s.second.length_s) for s in scores]
        slow = [max(s.first.length_s, s.second.length_s) for s in scores]
        pause = [s.second.start_s - s.first.end_s for s in scores]
        lengths.append(
            [np.mean(quick), np.mean(slow), np.mean(pause), np.mean([s.first.start_s for s in scores])]
        )
    # widest law: the start, 0.6 s wide at most; a mean of 300 has a deviation below 0.01
    assert np.ptp(np.array(lengths), axis=0).max() < 0.05


QUIET = CameraOptions(mismatch=0.0, leak_hz=0.0, shot_hz=0.0)
STILL = GestureOptions(ground=0.0, shake=0.0, distractor=False, camera=QUIET)


def played_back(scene: Scene) -> Scene:
    things = scene.things
    backwards = type(things)(things.capsules[::-1], things.radii, things.levels)
    return Scene(scene.score, scene.ground, scene.shift[::-1], backwards)


@pytest.mark.parametrize("label", [0, 5, 10])
def test_a_figure_played_backwards_leaves_each_pixel_the_same_counts(label: int) -> None:
    sensor = build_sensor(QUIET, SIDE, SIDE, 0)
    scene = draw_scene(STILL, 0, 3, label, 0)
    maps = []
    for played in (scene, played_back(scene)):
        events = record(played, STILL, sensor, Draws(0, 3))
        maps.append(np.zeros((SIDE, SIDE)))
        np.add.at(maps[-1], (events["y"], events["x"]), 1)
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.95
    assert abs(maps[0].sum() / maps[1].sum() - 1.0) < 0.02


@pytest.mark.parametrize("label", [1, 6])
def test_tempo_and_order_leave_the_same_counts(label: int) -> None:
    sensor = build_sensor(QUIET, SIDE, SIDE, 0)
    drawn = draw_score(label, Draws(0, 1), Draws(1, 1), 2.4)
    body = draw_body(Draws(0, 4))
    time_s = np.arange(801) * 0.003
    middle = np.full((len(time_s), 2), [64.0, 54.0])
    maps = []
    for names in permutations((drawn.first.name, drawn.second.name)):
        for lengths in permutations((drawn.first.length_s, drawn.second.length_s)):
            begins = (0.1, 0.1 + lengths[0] + 0.4)
            strokes = [Stroke(*each) for each in zip(names, begins, lengths, strict=True)]
            score = replace(drawn, first=strokes[0], second=strokes[1])
            things = Things(pose(body, middle, score.arms(time_s)), body.radii, body.levels(1.0))
            empty = np.zeros(CANVAS * CANVAS, dtype=np.int32)
            scene = Scene(score, empty, np.zeros_like(middle), things)
            events = record(scene, STILL, sensor, Draws(0))
            maps.append(np.zeros((SIDE, SIDE, 2)))
            np.add.at(maps[-1], (events["y"], events["x"], events["p"]), 1)
    for counts in maps[1:]:
        assert np.corrcoef(maps[0].ravel(), counts.ravel())[0, 1] > 0.95
        assert abs(maps[0].sum() / counts.sum() - 1.0) < 0.04


def test_the_whole_picture_moves_with_the_camera() -> None:
    options = GestureOptions(distractor=False)
    scene = draw_scene(options, 0, 0, 0, 0)
    assert np.ptp(scene.shift, axis=0).max() > 1.0
    still = draw_scene(GestureOptions(distractor=False, shake=0.0), 0, 0, 0, 0)
    moved = (scene.things.capsules - still.things.capsules)[:, -1, :2]
    shake = draw_shake(Draws(0, 16, 0, 0, 0), np.arange(801) * 0.003, 1.0)
    assert np.abs(moved - shake).max() < 0.01  # the figure's hand goes along, to the grid's rounding
    assert np.all(still.shift == 0.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31))
def test_camera_and_ground_stay_within_the_canvas(seed: int) -> None:
    scene_shift = []
    for label in range(2):
        scene_shift.append(
            np.abs(draw_scene(GestureOptions(duration_us=2_600_000), seed, 0, label, 0).shift).max()
        )
    assert max(scene_shift) < MARGIN - 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(-24.0, 24.0), st.floats(-24.0, 24.0))
def test_the_ground_is_looked_up_bilinearly(seed: int, right: float, down: float) -> None:
    rng = np.random.default_rng(seed)
    ground = rng.integers(-(2**20), 2**20, CANVAS * CANVAS).astype(np.int32)
    place = places(np.array([right, down]))
    frame = np.empty(SIDE * SIDE, dtype=np.int32)
    look(ground, place, frame)
    y, x = np.mgrid[:SIDE, :SIDE]
    from_x, from_y = x + MARGIN - place[0] / 256, y + MARGIN - place[1] / 256
    column, row = np.floor(from_x).astype(int), np.floor(from_y).astype(int)
    part_x, part_y = from_x - column, from_y - row
    wide = ground.reshape(CANVAS, CANVAS).astype(float)
    expected = (wide[row, column] * (1 - part_x) + wide[row, column + 1] * part_x) * (1 - part_y) + (
        wide[row + 1, column] * (1 - part_x) + wide[row + 1, column + 1] * part_x
    ) * part_y
    assert np.abs(frame.reshape(SIDE, SIDE) - expected).max() <= 1.0


def test_a_stance_scales_foreshortens_and_leans() -> None:
    capsules = np.array([[[10.0, 0.0, 0.0, 10.0]]])
    middle = np.zeros((1, 2))

    def stood(lean: float, turn: float, scale: float) -> list[float]:
        placed = stand(capsules, middle, Stance(np.array([lean]), np.array([turn]), scale))
        return [round(float(v), 3) for v in placed[0, 0]]

    assert stood(0.0, 0.0, 0.5) == [5.0, 0.0, 0.0, 5.0]
    assert stood(0.0, 1 / 6, 1.0) == [5.0, 0.0, 0.0, 10.0]
    assert stood(0.25, 0.0, 1.0) == [0.0, 10.0, -10.0, 0.0]


def test_film_strip_shows_the_last_event_of_each_pixel() -> None:
    events = np.zeros(5, dtype=[("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
    events["t"] = [0, 49, 50, 99, 100]
    events["x"] = [1, 1, 2, 2, 0]
    events["y"] = [0, 0, 1, 0, 0]
    events["p"] = [0, 1, 0, 0, 1]
    strip = film_strip(events, (3, 2, 2), 2, 100)
    assert strip.tolist() == [[[0, 2, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 1]]]
    assert film_strip(events, (3, 2, 1), 1, 100).tolist() == [[[0, 2, 2], [0, 0, 2]]]
    with pytest.raises(InputError) as caught:
        film_strip(events, (3, 2, 2), 0, 0)
    assert len(caught.value.faults) == 2


def test_scene_strip_shows_what_the_camera_saw() -> None:
    strip = scene_strip(STILL, 0, 1, 2, 0, 8)
    assert strip.shape == (8, SIDE, SIDE)
    assert np.all(strip[:, 0, 0] == 128)  # empty ground
    assert len(np.unique(strip)) > 10
    assert not np.array_equal(strip[0], strip[3])
    with pytest.raises(InputError, match="frames"):
        scene_strip(STILL, 0, 1, 2, 0, 0)


def test_wrong_options_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        generate({"subject": 3, "trials": 0, "gestures": ["right_then_lef_slowing"], "shake": 2.0}, 0, silent)
    assert len(caught.value.faults) == 4
    assert "did you mean 'right_then_left_slowing'" in str(caught.value)
    with pytest.raises(InputError, match="test_subjects must be below subjects"):
        generate({"subjects": 3, "test_subjects": 3}, 0, silent)
    with pytest.raises(InputError, match="duration_us"):
        generate({"duration_us": 1_500_000}, 0, silent)
