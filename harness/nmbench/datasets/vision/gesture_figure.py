"""A figure with two arms, made of capsules, and its film for the event camera.

Brightness is painted as log contrast against the ground, and a capsule's edge is equally soft all round.
So a limb that goes back the same way gives every pixel the same rises and falls in the other order, and the
counts of its ON and OFF events do not tell the direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from nmbench.datasets.reproducible import Draws, Floats, cosine, sine
from nmbench.datasets.vision.event_camera import LEVEL_BITS, Frame, Recording, finish, watch
from nmbench.datasets.vision.gesture_motion import Arms

SIDE = 128
"""Rows and columns of the sensor."""

_EDGE_PX = 1.5
_GRID = 2.0**10


@dataclass(frozen=True)
class Body:
    """A subject's proportions in pixels, and clothes as log contrast against the ground.

    Attributes
    ----------
    shoulder
        From the middle to a shoulder joint, pixels.
    upper, fore, hand
        Lengths of upper arm, forearm and hand, pixels.
    thick
        Radius of the upper arm, pixels; forearm and hand follow from it.
    waist
        Half the width of the trunk, pixels.
    head
        Radius of the head, pixels.
    skin, sleeve, shirt, hair
        Contrasts, natural-log units, positive for lighter than the ground; a forearm is bare or sleeved.
    bare
        Whether the forearms are bare.
    """

    shoulder: float
    upper: float
    fore: float
    hand: float
    thick: float
    waist: float
    head: float
    skin: float
    sleeve: float
    shirt: float
    hair: float
    bare: bool

    @property
    def reach(self) -> float:
        """Length from shoulder to the middle of the hand, pixels."""
        return self.upper + self.fore + self.hand / 2

    @property
    def radii(self) -> Floats:
        """Radius of each capsule, pixels, in the order in which they are painted, ``[parts]``."""
        arm = [self.thick, 0.82 * self.thick, 0.92 * self.thick]
        trunk = 0.55 * self.waist
        return np.array([trunk, trunk, 0.33 * self.waist, 0.4 * self.head, self.head, *arm, *arm])

    def levels(self, light: float) -> npt.NDArray[np.int32]:
        """Contrast of each capsule in levels, times a factor for the light, int32 ``[parts]``."""
        fore = self.skin if self.bare else self.sleeve
        arm = [self.sleeve, fore, self.skin]
        parts = [self.shirt, self.shirt, self.shirt, self.skin, self.hair, *arm, *arm]
        return np.asarray(np.rint(np.array(parts) * (light * 2**LEVEL_BITS)), dtype=np.int32)


def draw_body(draws: Draws) -> Body:
    """Draw a subject; no arm is fainter than 0.65 natural-log units against the ground."""
    size = draws.uniform(0.88, 1.08)
    sleeve = draws.sign() * draws.uniform(0.65, 1.0)
    return Body(
        shoulder=size * draws.uniform(15.0, 18.5),
        upper=size * draws.uniform(20.0, 23.0),
        fore=size * draws.uniform(17.0, 20.0),
        hand=size * draws.uniform(5.0, 7.0),
        thick=size * draws.uniform(3.7, 4.9),
        waist=size * draws.uniform(12.0, 16.0),
        head=size * draws.uniform(7.5, 9.0),
        skin=draws.sign() * draws.uniform(0.65, 0.95),
        sleeve=sleeve,
        shirt=sleeve * draws.uniform(0.35, 0.6),
        hair=draws.sign() * draws.uniform(0.3, 0.8),
        bare=draws.sign() > 0.0,
    )


def draw_sway(draws: Draws, time_s: Floats) -> Floats:
    """Draw how the body stands and sways: the middle of the shoulders, pixels, ``[frames, 2]`` (x, y)."""
    x = SIDE / 2 + draws.uniform(-5.0, 5.0)
    y = 0.42 * SIDE + draws.uniform(-4.0, 4.0)
    width, height = draws.uniform(0.4, 1.6), draws.uniform(0.1, 0.5)
    slow = sine(draws.uniform(0.3, 0.7) * time_s + draws.uniform(0.0, 1.0))
    quick = sine(draws.uniform(0.6, 1.2) * time_s + draws.uniform(0.0, 1.0))
    return np.stack([x + width * slow, y + height * quick], axis=1)


def pose(body: Body, middle: Floats, arms: Arms) -> Floats:
    """Place the capsules of a body whose shoulders' middle and hands go these ways.

    Returns
    -------
    capsules
        Ends of each capsule's axis on a grid of 2^-10 pixels, ``[frames, parts, 4]`` (x, y, x, y), in the
        order of `Body.radii`.
    """
    side, head = 0.45 * body.waist, body.head

    def bone(dx: float, dy: float, to_dx: float, to_dy: float) -> Floats:
        return np.concatenate([middle + np.array([dx, dy]), middle + np.array([to_dx, to_dy])], axis=1)

    bones = [
        bone(-side, 0.5 * side, -0.8 * side, SIDE),
        bone(side, 0.5 * side, 0.8 * side, SIDE),
        bone(-body.shoulder + 2.0, 2.0, body.shoulder - 2.0, 2.0),
        bone(0.0, 0.0, 0.0, -head),
        bone(0.0, -1.75 * head, 0.0, -2.15 * head),
        *_arm(body, middle, arms.right, arms.bend[0], -1.0),
        *_arm(body, middle, arms.left, arms.bend[1], 1.0),
    ]
    return np.asarray(np.rint(np.stack(bones, axis=1) * _GRID) / _GRID)


@dataclass(frozen=True, eq=False)
class Stance:
    """How a figure stands before the camera, in each frame.

    Attributes
    ----------
    lean
        Angle in the picture's plane by which the body leans, clockwise, turns, ``[frames]``.
    turn
        Angle about the vertical axis by which it has turned away from the camera, turns, ``[frames]``.
    scale
        Its size as a part of the body's own: it stands further away.
    """

    lean: Floats
    turn: Floats
    scale: float


def stand(capsules: Floats, middle: Floats, stance: Stance) -> Floats:
    """Scale capsules ``[frames, parts, 4]`` about the middle, foreshorten and lean them."""
    sin, cos, narrow = sine(stance.lean)[:, None], cosine(stance.lean)[:, None], cosine(stance.turn)[:, None]
    placed = np.empty_like(capsules)
    for end in (0, 2):
        across = (capsules[:, :, end] - middle[:, None, 0]) * stance.scale * narrow
        down = (capsules[:, :, end + 1] - middle[:, None, 1]) * stance.scale
        placed[:, :, end] = middle[:, None, 0] + cos * across - sin * down
        placed[:, :, end + 1] = middle[:, None, 1] + sin * across + cos * down
    return np.asarray(np.rint(placed * _GRID) / _GRID)


def _arm(body: Body, middle: Floats, way: Floats, bend: float, outward: float) -> list[Floats]:
    """Find the elbow from shoulder and hand (a triangle of known sides); return the three bones."""
    shoulder = middle + np.array([outward * body.shoulder, 2.0])
    upper, lower = body.upper, body.fore + body.hand / 2
    far = np.sqrt(way[:, 0] ** 2 + way[:, 1] ** 2)
    axis = way / far[:, None]
    length = np.clip(far * body.reach, abs(upper - lower) + 0.5, upper + lower - 0.01)
    along = (upper * upper - lower * lower + length * length) / (2.0 * length)
    beside = bend * np.sqrt(np.maximum(upper * upper - along * along, 0.0))
    across = np.stack([axis[:, 1], -axis[:, 0]], axis=1)
    flip = np.array([outward, -1.0])  # outward and up, to the picture's x and y
    elbow = shoulder + flip * (along[:, None] * axis + beside[:, None] * across)
    hand = shoulder + flip * (length[:, None] * axis)
    tip = hand - elbow
    tip = tip / np.sqrt(tip[:, 0] ** 2 + tip[:, 1] ** 2)[:, None] * (body.hand / 2)
    wrist = hand - tip
    return [np.concatenate(ends, axis=1) for ends in ((shoulder, elbow), (elbow, wrist), (wrist, hand + tip))]


@numba.njit(nogil=True)
def paint(
    frame: Frame, capsules: Floats, radii: Floats, levels: npt.NDArray[np.int32], side: int = SIDE
) -> None:
    """Paint capsules, ``[parts, 4]``, one over the other, onto a frame of levels, int32 ``[side * side]``."""
    for part in range(len(capsules)):
        x0, y0, x1, y1 = capsules[part]
        inner, outer = radii[part] - _EDGE_PX / 2, radii[part] + _EDGE_PX / 2
        dx, dy = x1 - x0, y1 - y0
        square = max(dx * dx + dy * dy, 1e-6)
        left, top, right, bottom = _box(x0, y0, x1, y1, outer, side)
        for y in range(top, bottom):
            for x in range(left, right):
                along = min(max(((x - x0) * dx + (y - y0) * dy) / square, 0.0), 1.0)
                off_x, off_y = x - x0 - along * dx, y - y0 - along * dy
                distance = off_x * off_x + off_y * off_y
                if distance < inner * inner:
                    frame[y * side + x] = levels[part]
                elif distance < outer * outer:
                    cover = int((outer - math.sqrt(distance)) * (4096 / _EDGE_PX))
                    old = np.int64(frame[y * side + x])
                    frame[y * side + x] = old + (((levels[part] - old) * cover) >> 12)


@numba.njit(nogil=True)
def film(
    recording: Recording, capsules: Floats, radii: Floats,
    levels: npt.NDArray[np.int32], old: Frame, frame_us: int, end_us: int,
) -> None:  # fmt: skip
    """Show the frames to the camera, one each ``frame_us``; ``old`` is the first, painted already."""
    new = old.copy()
    before = _bounds(capsules[0], radii)
    for k in range(1, len(capsules)):
        after = _bounds(capsules[k], radii)
        box = (
            min(before[0], after[0]), min(before[1], after[1]),
            max(before[2], after[2]), max(before[3], after[3]),
        )  # fmt: skip
        for y in range(box[1], box[3]):
            new[y * SIDE + box[0] : y * SIDE + box[2]] = 0
        paint(new, capsules[k], radii, levels)
        watch(recording, old, new, box, (k - 1) * frame_us, min(k * frame_us, end_us))
        before = after
    finish(recording, old, end_us)


@numba.njit(nogil=True)
def _bounds(capsules: Floats, radii: Floats) -> tuple[int, int, int, int]:
    left, top, right, bottom = SIDE, SIDE, 0, 0
    for part in range(len(capsules)):
        x0, y0, x1, y1 = capsules[part]
        box = _box(x0, y0, x1, y1, radii[part] + _EDGE_PX / 2, SIDE)
        left, top = min(left, box[0]), min(top, box[1])
        right, bottom = max(right, box[2]), max(bottom, box[3])
    return left, top, right, bottom


@numba.njit(nogil=True)
def _box(x0: float, y0: float, x1: float, y1: float, margin: float, side: int) -> tuple[int, int, int, int]:
    left = max(math.floor(min(x0, x1) - margin), 0)
    top = max(math.floor(min(y0, y1) - margin), 0)
    right = min(math.ceil(max(x0, x1) + margin) + 1, side)
    bottom = min(math.ceil(max(y0, y1) + margin) + 1, side)
    return left, top, right, bottom
