"""Gestures that only memory tells apart: two strokes in order and tempo, before a busy ground.

Nobody was recorded. A figure does two of three strokes, one after the other with a pause of more than 300 ms,
one of them at half the speed (`gesture_score`); the class is the order and which one was the quick one. The
camera is not held still, things stand and move behind, somebody smaller does pieces of other gestures beside,
and the figure leans, turns and may be faint. Subjects of the test are unseen in training. The easier set with
the classes of DVS128 Gesture is `gesture_plain`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from nmbench.datasets.events import Events, EventSet
from nmbench.datasets.reproducible import Draws, Floats, sine
from nmbench.datasets.vision.event_camera import Frame, Sensor, build_sensor, develop, start
from nmbench.datasets.vision.gesture_figure import SIDE, Stance, draw_body, draw_sway, paint, pose, stand
from nmbench.datasets.vision.gesture_motion import MOTIONS, draw_manner
from nmbench.datasets.vision.gesture_scenery import (
    Things,
    draw_ground,
    draw_passers,
    draw_shake,
    film_scene,
    look,
    places,
)
from nmbench.datasets.vision.gesture_score import CLASSES, Score, draw_score
from nmbench.datasets.vision.gesture_subjects import (
    FrameUs,
    Gestures,
    SubjectOptions,
    Subjects,
    Trials,
    perform,
)
from nmbench.documents import check

_SUBJECT, _HABIT, _TRIAL, _NOISE, _BESIDE, _SCENERY = 11, 12, 13, 14, 15, 16
"""Second part of the keys of the random streams: each thing has its own."""


class GestureOptions(SubjectOptions):
    """Options of the set; the defaults are the published version."""

    CLASSES = CLASSES

    subjects: Subjects = 100
    test_subjects: int = Field(default=20, ge=1)
    trials: Trials = 1
    gestures: Gestures = CLASSES
    duration_us: int = Field(default=2_400_000, ge=2_100_000, le=2_600_000)
    frame_us: FrameUs = 3_000
    faintest: float = Field(default=0.5, gt=0.0, le=1.0)
    """Least factor on the contrast of the figure; the largest is 1."""
    ground: float = Field(default=1.0, ge=0.0, le=2.0)
    """Factor on the contrast of the ground and what moves on it; 0 leaves it empty."""
    shake: float = Field(default=1.0, ge=0.0, le=1.0)
    """Factor on the camera's motion."""
    turn: float = Field(default=1.0, ge=0.0, le=1.0)
    """Factor on how far the figure leans and turns."""
    distractor: bool = True
    """Whether somebody else gestures beside."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All that the camera sees in one sample.

    Attributes
    ----------
    score
        What the figure does when.
    ground
        Levels behind everything, wider than the picture (`gesture_scenery.draw_ground`).
    shift
        How far the ground is moved, pixels, ``[frames, 2]``.
    things
        What is painted on it: what passes by, who gestures beside, and last the figure.
    """

    score: Score
    ground: Frame
    shift: Floats
    things: Things

    def frame(self, index: int) -> Frame:
        """Return one frame, levels, int32 ``[SIDE * SIDE]``."""
        frame: Frame = np.empty(SIDE * SIDE, dtype=np.int32)
        look(self.ground, places(self.shift[index]), frame)
        paint(frame, self.things.capsules[index], self.things.radii, self.things.levels)
        return frame


def generate(
    options: Mapping[str, object], seed: int, progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Make the training and the test split: 960 and 240 samples of 2.4 s with the default options.

    Parameters
    ----------
    options
        Fields of `GestureOptions`.
    seed
        Chooses the sensor, its noise, the subjects, what they do and where.
    progress
        Called as ``progress(done, total)`` after each sample.

    Returns
    -------
    splits
        ``train`` and ``test``, of different subjects; ``groups`` are the subjects.

    Raises
    ------
    InputError
        If an option is unknown or its value is not allowed; with all faults.
    """
    asked = check(dict(options), GestureOptions, "source gesture")
    sensor = build_sensor(asked.camera, SIDE, SIDE, seed)

    def make(subject: int, label: int, trial: int) -> Events:
        scene = draw_scene(asked, seed, subject, label, trial)
        return record(scene, asked, sensor, Draws(seed, _NOISE, subject, label, trial))

    return perform("gesture", asked, make, progress)


def draw_scene(options: GestureOptions, seed: int, subject: int, label: int, trial: int) -> Scene:
    """Draw what a subject does in a trial of ``CLASSES[label]``, and where."""
    frames = -(-options.duration_us // options.frame_us) + 1
    time_s: Floats = np.arange(frames, dtype=np.float64) * (options.frame_us / 1e6)
    here = Draws(seed, _SCENERY, subject, label, trial)
    shake = draw_shake(here, time_s, options.shake)
    drift = np.stack([here.uniform(-2.5, 2.5) * (time_s - time_s[-1] / 2) for _ in range(2)], axis=1)
    ground = draw_ground(here, options.ground)
    things = draw_passers(here, time_s, options.ground)
    if options.distractor:
        things = things.behind(_beside(options, Draws(seed, _BESIDE, subject, label, trial), time_s, shake))
    trials = Draws(seed, _TRIAL, subject, label, trial)
    score = draw_score(label, Draws(seed, _HABIT, subject), trials, options.duration_us / 1e6)
    body = draw_body(Draws(seed, _SUBJECT, subject))
    middle = draw_sway(trials, time_s) + shake
    stance = _stance(trials, time_s, options.turn, trials.uniform(0.86, 1.0))
    capsules = stand(pose(body, middle, score.arms(time_s)), middle, stance)
    levels = body.levels(trials.uniform(options.faintest, 1.0))
    figure = Things(capsules, body.radii * stance.scale, levels)
    return Scene(score, ground, shake + options.shake * drift, things.behind(figure))


def _stance(draws: Draws, time_s: Floats, factor: float, scale: float) -> Stance:
    lean = draws.uniform(-0.02, 0.02) + 0.01 * sine(draws.uniform(0.2, 0.5) * time_s + draws.uniform(0, 1))
    turn = draws.uniform(-0.09, 0.09) + 0.02 * sine(draws.uniform(0.2, 0.5) * time_s + draws.uniform(0, 1))
    return Stance(factor * lean, factor * turn, scale)


def _beside(options: GestureOptions, draws: Draws, time_s: Floats, shake: Floats) -> Things:
    """Draw somebody of half the size at one side who does a piece of some gesture, stops, and goes on.

    Half of them do strokes like the figure's own, in an order and tempo of no meaning.
    """
    body = draw_body(draws)
    place = np.array([SIDE / 2 + draws.sign() * draws.uniform(36.0, 48.0), draws.uniform(40.0, 80.0)])
    middle = place + shake
    # time that stands still now and then: the hands stop in the air, and go on
    rate, phase = draws.uniform(0.4, 0.8), draws.uniform(0.0, 1.0)
    swing = 1.0 / (2.0 * np.pi * rate)
    local = time_s - swing * (sine(rate * time_s + phase) - sine(phase))
    if draws.sign() > 0.0:
        label = int(draws.uniform(0.0, len(CLASSES)))
        arms = draw_score(label, draws, draws, options.duration_us / 1e6).arms(local)
    else:
        names = tuple(MOTIONS)
        motion = MOTIONS[names[int(draws.uniform(0.0, len(names)))]]
        arms = motion(local, draw_manner(draws, draws))
    stance = _stance(draws, time_s, options.turn, draws.uniform(0.42, 0.55))
    capsules = stand(pose(body, middle, arms), middle, stance)
    return Things(capsules, body.radii * stance.scale, body.levels(draws.uniform(options.faintest, 1.0)))


def record(scene: Scene, options: GestureOptions, sensor: Sensor, noise: Draws) -> Events:
    """Film a scene with the event camera."""
    first, things = scene.frame(0), scene.things
    recording = start(sensor, first, noise)
    film_scene(
        recording, scene.ground, places(scene.shift), things.capsules, things.radii, things.levels,
        first, options.frame_us, options.duration_us,
    )  # fmt: skip
    return develop(recording, options.duration_us)
