"""Synthetic gestures: a drawn figure does the 11 gestures of DVS128 Gesture before a simulated camera.

Nobody was recorded. The classes, the sensor's size and the split by subject are those of DVS128 Gesture
(Amir et al., "A low power, fully event-based gesture recognition system", CVPR 2017). A sample is a `Scene`:
a body, the way of its middle, and the ways of its hands; each subject has a body and habits of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from nmbench.datasets.events import Events, EventSet
from nmbench.datasets.reproducible import Draws, Floats
from nmbench.datasets.vision.event_camera import Frame, Sensor, build_sensor, develop, start
from nmbench.datasets.vision.gesture_figure import SIDE, Body, draw_body, draw_sway, film, paint, pose
from nmbench.datasets.vision.gesture_motion import MOTIONS, Arms, draw_manner
from nmbench.datasets.vision.gesture_subjects import (
    FrameUs,
    Gestures,
    SubjectOptions,
    Subjects,
    Trials,
    perform,
)
from nmbench.documents import check

CLASSES = tuple(MOTIONS)

_SUBJECT, _HABIT, _TRIAL, _NOISE = 1, 2, 3, 4
"""Second part of the keys of the random streams: each thing has its own."""


class GestureOptions(SubjectOptions):
    """Options of the set; the defaults are the published version."""

    CLASSES = CLASSES

    subjects: Subjects = 24
    test_subjects: int = Field(default=6, ge=1)
    trials: Trials = 3
    gestures: Gestures = CLASSES
    duration_us: int = Field(default=1_500_000, ge=10_000, le=5_000_000)
    frame_us: FrameUs = 2_000


@dataclass(frozen=True, eq=False)
class Scene:
    """All that the camera sees in one sample; a harder set composes other ways and other light.

    Attributes
    ----------
    body
        Who moves.
    middle
        Way of the middle of the shoulders, pixels, ``[frames, 2]``.
    arms
        Ways of the hands.
    light
        Factor on all contrasts of the body, 1.
    """

    body: Body
    middle: Floats
    arms: Arms
    light: float


def generate(
    options: Mapping[str, object], seed: int, progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Make the training and the test split: 594 and 198 samples of 1.5 s with the default options.

    Parameters
    ----------
    options
        Fields of `GestureOptions`.
    seed
        Chooses the sensor, its noise, the subjects and what they do.
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
    asked = check(dict(options), GestureOptions, "source gesture-plain")
    sensor = build_sensor(asked.camera, SIDE, SIDE, seed)

    def make(subject: int, label: int, trial: int) -> Events:
        scene = draw_scene(asked, seed, subject, label, trial)
        return record(scene, asked, sensor, Draws(seed, _NOISE, subject, label, trial))

    return perform("gesture-plain", asked, make, progress)


def draw_scene(options: GestureOptions, seed: int, subject: int, label: int, trial: int) -> Scene:
    """Draw what a subject does in a trial of the gesture ``CLASSES[label]``."""
    frames = -(-options.duration_us // options.frame_us) + 1
    time_s: Floats = np.arange(frames, dtype=np.float64) * (options.frame_us / 1e6)
    draws = Draws(seed, _TRIAL, subject, label, trial)
    manner = draw_manner(Draws(seed, _HABIT, subject), draws)
    return Scene(
        body=draw_body(Draws(seed, _SUBJECT, subject)),
        middle=draw_sway(draws, time_s),
        arms=MOTIONS[CLASSES[label]](time_s, manner),
        light=draws.uniform(0.9, 1.1),
    )


def record(scene: Scene, options: GestureOptions, sensor: Sensor, noise: Draws) -> Events:
    """Film a scene with the event camera."""
    capsules = pose(scene.body, scene.middle, scene.arms)
    radii, levels = scene.body.radii, scene.body.levels(scene.light)
    first: Frame = np.zeros(SIDE * SIDE, dtype=np.int32)
    paint(first, capsules[0], radii, levels)
    recording = start(sensor, first, noise)
    film(recording, capsules, radii, levels, first, options.frame_us, options.duration_us)
    return develop(recording, options.duration_us)
