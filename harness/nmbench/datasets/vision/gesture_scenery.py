"""Where the figure of `gesture` stands: a ground with things on it, a camera that is not held still.

The ground is painted once, wider than the picture, and looked at through a window that moves with the camera;
between the grid's places its levels are joined by straight lines. All light is in levels (integers), so every
machine films the same events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.reproducible import Draws, Floats, sine
from nmbench.datasets.vision.event_camera import LEVEL_BITS, Frame, Recording, finish, watch
from nmbench.datasets.vision.gesture_figure import SIDE, paint

MARGIN = 26
"""Pixels of ground beyond each edge of the picture; camera and ground together move less."""

CANVAS = SIDE + 2 * MARGIN
_PLACE = 256


@dataclass(frozen=True, eq=False)
class Things:
    """Capsules of one colour each, on their ways.

    Attributes
    ----------
    capsules
        Ends of the axes, pixels of the picture, ``[frames, parts, 4]``.
    radii
        Pixels, ``[parts]``.
    levels
        Log contrast, int32 ``[parts]``.
    """

    capsules: Floats
    radii: Floats
    levels: npt.NDArray[np.int32]

    def behind(self, other: Things) -> Things:
        """Return both, the other ones painted over these."""
        return Things(
            np.concatenate([self.capsules, other.capsules], axis=1),
            np.concatenate([self.radii, other.radii]),
            np.concatenate([self.levels, other.levels]),
        )


def draw_ground(draws: Draws, contrast: float) -> Frame:
    """Draw a ground with posts, boards and balls on it, levels, int32 ``[CANVAS * CANVAS]``.

    Parameters
    ----------
    contrast
        Factor on the contrast of all things.
    """
    ground: Frame = np.zeros(CANVAS * CANVAS, dtype=np.int32)
    capsules, radii, levels = [], [], []
    for _ in range(12):
        x, y = draws.uniform(0.0, CANVAS), draws.uniform(0.0, CANVAS)
        angle, half = draws.uniform(0.0, 0.5), draws.uniform(0.0, 30.0)
        dx, dy = half * float(sine(angle + 0.25)), half * float(sine(angle))
        capsules.append([x - dx, y - dy, x + dx, y + dy])
        radii.append(draws.uniform(1.2, 11.0))
        levels.append(draws.sign() * draws.uniform(0.12, 0.5))
    x, y, step = draws.uniform(0.0, CANVAS), draws.uniform(0.0, CANVAS), draws.uniform(6.0, 10.0)
    for bar in range(5):  # a fence: what has a texture
        capsules.append([x + bar * step, y, x + bar * step, y + 34.0])
        radii.append(1.5)
        levels.append(0.35)
    contrasts = np.rint(np.array(levels) * (contrast * 2**LEVEL_BITS)).astype(np.int32)
    paint(ground, np.array(capsules), np.array(radii), contrasts, CANVAS)
    return ground


def draw_shake(draws: Draws, time_s: Floats, strength: float) -> Floats:
    """Draw how far the camera moves the picture, pixels, ``[frames, 2]``: a pan, a sway and a tremor.

    Never further than 13 pixels from the middle within 2.6 s.
    """
    ways = []
    for most in (1.0, 0.6):
        pan = draws.uniform(-6.0, 6.0) * (time_s - time_s[-1] / 2)
        sway = draws.uniform(1.0, 4.0) * sine(draws.uniform(0.3, 0.7) * time_s + draws.uniform(0.0, 1.0))
        tremor = draws.uniform(0.2, 0.7) * sine(draws.uniform(2.0, 4.5) * time_s + draws.uniform(0.0, 1.0))
        ways.append(strength * most * (pan + sway + tremor))
    return np.stack(ways, axis=1)


def draw_passers(draws: Draws, time_s: Floats, contrast: float) -> Things:
    """Draw two things that cross the picture behind the figure."""
    capsules, radii, levels = [], [], []
    for _ in range(2):
        direction = draws.sign()
        start, speed = draws.uniform(-10.0, SIDE + 10.0), direction * draws.uniform(15.0, 45.0)
        x = start + speed * time_s
        y = draws.uniform(10.0, SIDE - 10.0) + draws.uniform(-8.0, 8.0) * time_s
        tall = draws.uniform(0.0, 12.0)
        capsules.append(np.stack([x, y - tall, x, y + tall], axis=1))
        radii.append(draws.uniform(2.0, 6.0))
        levels.append(draws.sign() * draws.uniform(0.2, 0.5))
    contrasts = np.rint(np.array(levels) * (contrast * 2**LEVEL_BITS)).astype(np.int32)
    grid = np.rint(np.stack(capsules, axis=1) * 1024.0) / 1024.0
    return Things(grid, np.array(radii), contrasts)


def places(shift: Floats) -> npt.NDArray[np.int64]:
    """Round shifts in pixels to the grid on which the ground is looked up, int64."""
    return np.asarray(np.rint(shift * _PLACE), dtype=np.int64)


@numba.njit(nogil=True)
def look(ground: Frame, place: npt.NDArray[np.int64], frame: Frame) -> None:
    """Fill a frame with the ground, moved right and down by ``place`` (`places` of a shift, ``[2]``)."""
    right, down = MARGIN * _PLACE - place[0], MARGIN * _PLACE - place[1]
    column, row = right // _PLACE, down // _PLACE
    part_x, part_y = right % _PLACE, down % _PLACE
    for y in range(SIDE):
        above = (row + y) * CANVAS + column
        for x in range(SIDE):
            at = above + x
            high = ground[at] * (_PLACE - part_x) + ground[at + 1] * part_x
            low = ground[at + CANVAS] * (_PLACE - part_x) + ground[at + CANVAS + 1] * part_x
            frame[y * SIDE + x] = (high * (_PLACE - part_y) + low * part_y) >> 16


@numba.njit(nogil=True)
def film_scene(
    recording: Recording, ground: Frame, place: npt.NDArray[np.int64], capsules: Floats, radii: Floats,
    levels: npt.NDArray[np.int32], old: Frame, frame_us: int, end_us: int,
) -> None:  # fmt: skip
    """Show the frames to the camera, one each ``frame_us``; ``old`` is the first, painted already."""
    new = old.copy()
    for k in range(1, len(capsules)):
        look(ground, place[k], new)
        paint(new, capsules[k], radii, levels)
        watch(recording, old, new, (0, 0, SIDE, SIDE), (k - 1) * frame_us, min(k * frame_us, end_us))
    finish(recording, old, end_us)
