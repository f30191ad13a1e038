"""Handwritten digits seen by an event camera that makes three saccades, as N-MNIST's camera does.

The pictures are the 1,797 real 8 x 8 handwritten digits that scikit-learn ships (Alpaydin and Kaynak,
UCI "Optical Recognition of Handwritten Digits", 1998; its test part, 13 writers who are not named, so the
same writers are in both splits). The events are simulated. The camera goes along the three sides of a
triangle in 100 ms each, as in Orchard, Jayawant, Cohen, Thakor, Frontiers in Neuroscience 9:437 (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numba
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from sklearn.datasets import load_digits

from nmbench.datasets.events import Events, EventSet, train_and_test
from nmbench.datasets.reproducible import Draws, Floats
from nmbench.datasets.samples import make_samples
from nmbench.datasets.vision.event_camera import (
    LEVEL_BITS,
    CameraOptions,
    Frame,
    Recording,
    Sensor,
    build_sensor,
    develop,
    finish,
    start,
    watch,
)
from nmbench.documents import check

SIDE = 34
"""Rows and columns of the sensor, as N-MNIST's."""

CLASSES = tuple(str(digit) for digit in range(10))

_CORNERS = ((-0.5, 0.5), (0.0, -0.5), (0.5, 0.5), (-0.5, 0.5))
"""Where the camera looks at the start and the end of each saccade, in spans, (x to the right, y down)."""

_LIGHT_BITS = 16
_TEST_EVERY = 5


class DigitsOptions(BaseModel):
    """Options of the set; the defaults are the published version."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    limit: int | None = Field(default=None, ge=5)
    """Digits of each class, both splits together; none for all (174 to 183)."""
    saccade_us: int = Field(default=100_000, ge=1_000, le=1_000_000, multiple_of=1_000)
    """Time of one of the three saccades, microseconds."""
    span_px: float = Field(default=5.0, ge=0.0, le=8.0)
    """Width and height of the triangle, pixels."""
    cell_px: float = Field(default=3.25, ge=2.0, le=4.25)
    """Side of one of the picture's 8 x 8 cells on the sensor, pixels."""
    darkness: float = Field(default=0.22, ge=0.01, le=1.0)
    """Light of the paper as a part of the stroke's light (white digit on dark ground)."""
    frame_us: int = Field(default=1_000, ge=100, le=10_000)
    """Time between two frames that the camera sees, microseconds."""
    camera: CameraOptions = CameraOptions()
    """Constants of the sensor."""


def generate(
    options: Mapping[str, object], seed: int, progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Make the training and the test split: 1,437 and 360 samples of 300 ms with the default options.

    Parameters
    ----------
    options
        Fields of `DigitsOptions`.
    seed
        Chooses the sensor, its noise and the split.
    progress
        Called as ``progress(done, total)`` after each sample.

    Raises
    ------
    InputError
        If an option is unknown or its value is not allowed; with all faults.
    """
    asked = check(dict(options), DigitsOptions, "source digits-saccade")
    digits = load_digits()
    chosen, test = split(np.asarray(digits.target), asked.limit, seed)
    pictures = np.asarray(digits.images, dtype=np.float64) / 16.0
    sensor = build_sensor(asked.camera, SIDE, SIDE, seed)
    gaze, light = gaze_path(asked), _log_table(asked.darkness)

    def make(index: int) -> Events:
        draws = Draws(seed, int(chosen[index]))
        return record(pictures[chosen[index]], asked, sensor, gaze, light, draws)

    samples = make_samples(make, len(chosen), progress)
    return train_and_test(
        "digits_saccade",
        (SIDE, SIDE, 2),
        samples,
        np.asarray(digits.target)[chosen],
        np.full(len(chosen), -1),
        CLASSES,
        synthetic=True,
        test=test,
    )


def split(
    labels: npt.NDArray[np.int64], limit: int | None, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Choose the digits and say which are for the test: every fifth, after shuffling within classes.

    Returns
    -------
    chosen, test
        Indices into ``labels`` in rising order, int64 ``[n]``; true where for the test, bool ``[n]``.
    """
    luck = Draws(seed, len(labels)).raw(len(labels))
    order = np.lexsort((luck, labels))
    if limit is not None:
        rank = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
        order = order[rank < limit]
    test = np.zeros(len(labels), dtype=np.bool_)
    test[order[::_TEST_EVERY]] = True
    chosen = np.sort(order)
    return chosen, test[chosen]


def gaze_path(options: DigitsOptions) -> Floats:
    """Return where the camera looks in each frame, pixels, ``[frames, 2]`` (x, y).

    A saccade starts and ends at rest: its way is a cubic ``3 s^2 - 2 s^3`` of its time.
    """
    steps = -(-3 * options.saccade_us // options.frame_us)
    times = np.minimum(np.arange(steps + 1) * options.frame_us, 3 * options.saccade_us)
    side = np.minimum(times // options.saccade_us, 2)
    part = (times - side * options.saccade_us) / options.saccade_us
    way = (part * part * (3.0 - 2.0 * part))[:, None]
    corners = np.array(_CORNERS)
    return np.asarray(options.span_px * (corners[side] * (1.0 - way) + corners[side + 1] * way))


def record(
    picture: Floats, options: DigitsOptions, sensor: Sensor, gaze: Floats, light: Frame, draws: Draws
) -> Events:
    """Record one picture, ink 0 to 1, ``[8, 8]`` along the gaze path, ``[frames, 2]``."""
    frames = render(picture, gaze, options.cell_px, light)
    recording = start(sensor, frames[0], draws)
    end_us = 3 * options.saccade_us
    _watch_all(recording, frames, options.frame_us, end_us)
    return develop(recording, end_us)


@numba.njit(nogil=True)
def render(picture: Floats, gaze: Floats, cell_px: float, light: Frame) -> npt.NDArray[np.int32]:
    """Draw the picture as seen from each gaze: log levels, int32 ``[frames, SIDE * SIDE]``.

    The ink between the cells' centres is a Catmull-Rom interpolation; a smooth step from a fifth to four
    fifths of full ink makes an edge of it again, as the cells are averages of a black and white scan.
    """
    frames = np.empty((len(gaze), SIDE * SIDE), dtype=np.int32)
    across = np.empty((SIDE, 8))
    down = np.empty((SIDE, 8))
    half = np.empty((8, SIDE))
    for k in range(len(gaze)):
        _weigh(across, gaze[k, 0], cell_px)
        _weigh(down, gaze[k, 1], cell_px)
        for row in range(8):
            for x in range(SIDE):
                total = 0.0
                for column in range(8):
                    total += across[x, column] * picture[row, column]
                half[row, x] = total
        for y in range(SIDE):
            for x in range(SIDE):
                ink = 0.0
                for row in range(8):
                    ink += down[y, row] * half[row, x]
                edge = min(max((ink - 0.2) / 0.6, 0.0), 1.0)
                step = edge * edge * (3.0 - 2.0 * edge)
                frames[k, y * SIDE + x] = light[int(step * (len(light) - 1) + 0.5)]
    return frames


@numba.njit(nogil=True)
def _weigh(weights: Floats, gaze_px: float, cell_px: float) -> None:
    """Fill the Catmull-Rom weights of the eight cells at each of the sensor's columns, or rows."""
    weights[:] = 0.0
    for pixel in range(SIDE):
        place = (pixel - (SIDE - 1) / 2 + gaze_px) / cell_px + 3.5
        first = math.floor(place) - 1
        for cell in range(max(first, 0), min(first + 4, 8)):
            far = abs(place - cell)
            if far < 1.0:
                weights[pixel, cell] = (1.5 * far - 2.5) * far * far + 1.0
            else:
                weights[pixel, cell] = ((-0.5 * far + 2.5) * far - 4.0) * far + 2.0


@numba.njit(nogil=True)
def _watch_all(recording: Recording, frames: Frame, frame_us: int, end_us: int) -> None:
    old = frames[0].copy()
    for k in range(1, len(frames)):
        to_us = min(k * frame_us, end_us)
        watch(recording, old, frames[k], (0, 0, SIDE, SIDE), (k - 1) * frame_us, to_us)
    finish(recording, old, end_us)


def _log_table(darkness: float) -> npt.NDArray[np.int32]:
    """Tabulate log light by ink, so that no CPU's own logarithm comes into the recording."""
    ink = range(2**_LIGHT_BITS + 1)
    levels = [math.log(darkness + (1.0 - darkness) * i / 2**_LIGHT_BITS) for i in ink]
    return np.asarray(np.rint(np.array(levels) * 2**LEVEL_BITS), dtype=np.int32)
