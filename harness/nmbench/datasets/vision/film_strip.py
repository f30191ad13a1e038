"""Samples as strips of pictures that a human can read: the events in turn, and what the camera looked at.

Arrays only; whoever shows them chooses the colours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.datasets.events import Events
from nmbench.datasets.vision.event_camera import LEVEL_BITS
from nmbench.datasets.vision.gesture import GestureOptions, draw_scene
from nmbench.datasets.vision.gesture_figure import SIDE
from nmbench.errors import InputError

Pictures = npt.NDArray[np.uint8]

EMPTY, OFF, ON = 0, 1, 2
"""Values of a picture of `film_strip`."""


def film_strip(events: Events, sensor: tuple[int, int, int], frames: int, duration_us: int) -> Pictures:
    """Cut a sample into equal spans of time and show the last event of each pixel in each.

    Parameters
    ----------
    events
        Of one sample, in order of time; those from ``duration_us`` on are not shown.
    sensor
        Width, height and polarities. With one polarity every event is `ON`.
    frames
        Spans.
    duration_us
        Length of all spans together, microseconds.

    Returns
    -------
    Pictures
        `EMPTY`, `OFF` or `ON`, ``[frames, height, width]``.

    Raises
    ------
    InputError
        If ``frames`` or ``duration_us`` is below 1.
    """
    _check(frames=frames, duration_us=duration_us)
    width, height, polarities = sensor
    strip: Pictures = np.full((frames, height, width), EMPTY, dtype=np.uint8)
    shown = events[events["t"] < duration_us]
    frame = shown["t"].astype(np.int64) * frames // duration_us
    value = np.where(shown["p"] == 1, ON, OFF) if polarities > 1 else np.full(len(shown), ON)
    # where an index comes twice NumPy keeps the last value, and the events are in order of time
    strip[frame, shown["y"], shown["x"]] = value
    return strip


def scene_strip(
    options: GestureOptions, seed: int, subject: int, label: int, trial: int, frames: int
) -> Pictures:
    """Show what the camera looks at in the middle of each of equal spans of a sample of ``gesture``.

    Returns
    -------
    Pictures
        Grey, ``[frames, 128, 128]``: 128 is the empty ground, 127 steps are one natural-log unit.

    Raises
    ------
    InputError
        If ``frames`` is below 1.
    """
    _check(frames=frames)
    scene = draw_scene(options, seed, subject, label, trial)
    last = len(scene.shift) - 1
    middles = [(2 * k + 1) * last // (2 * frames) for k in range(frames)]
    levels = np.stack([scene.frame(index).reshape(SIDE, SIDE) for index in middles])
    grey = 128 + np.rint(levels * (127 / 2**LEVEL_BITS))
    return np.asarray(np.clip(grey, 0, 255), dtype=np.uint8)


def _check(**numbers: int) -> None:
    faults = [f"{name} is {value}, at least 1 is needed" for name, value in numbers.items() if value < 1]
    if faults:
        raise InputError("film strip", faults)
