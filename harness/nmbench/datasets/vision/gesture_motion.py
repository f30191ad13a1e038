"""What two arms do in each gesture: the ways of both hands in time.

A motion is a function of time and manner, so a harder set can put motions after one another, or play one
at another tempo, without new ways. Circles have a uniformly random phase and are the same way in either
direction: played backwards, a clockwise one is a counter-clockwise one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nmbench.datasets.reproducible import Draws, Floats, cosine, sine


@dataclass(frozen=True, eq=False)
class Arms:
    """The ways of the hands, seen from the front.

    Attributes
    ----------
    right, left
        The hand's place in each frame from its own shoulder, in arm lengths, float64 ``[frames, 2]``:
        outwards (away from the body) and up.
    bend
        How far the right and the left elbow stands off the line from shoulder to hand, seen from the front,
        as a part of what its arm's lengths allow; positive outwards and down for a raised arm.
    """

    right: Floats
    left: Floats
    bend: tuple[float, float]


@dataclass(frozen=True)
class Manner:
    """How somebody does a gesture this time.

    Attributes
    ----------
    tempo, size
        Factors on the rate and on the extent of a motion.
    out, up
        Where the motion is, off its usual place, arm lengths.
    aspect
        Height of a circle as a part of its width.
    start
        Phase at time 0, turns.
    wobble
        Phase of the slow swing of the tempo, turns.
    choice
        Which of several forms of a gesture, uniform in [0, 1).
    """

    tempo: float
    size: float
    out: float
    up: float
    aspect: float
    start: float
    wobble: float
    choice: float

    def turns(self, time_s: Floats, rate_hz: float) -> Floats:
        """Return the phase of a periodic motion, turns; its rate swings by a tenth or so."""
        return rate_hz * self.tempo * time_s + self.start + 0.025 * sine(0.8 * time_s + self.wobble)


Motion = Callable[[Floats, Manner], Arms]
"""Times in s, ``[frames]``, and a manner give the ways of the hands."""

_RAISED, _LOWERED = 0.8, -0.8
_RESTING = -0.3


def draw_manner(habit: Draws, trial: Draws) -> Manner:
    """Draw a manner: what a subject always does (``habit``) and what is of this trial only."""
    return Manner(
        tempo=habit.uniform(0.85, 1.2) * trial.uniform(0.92, 1.08),
        size=habit.uniform(0.88, 1.15) * trial.uniform(0.93, 1.07),
        out=habit.uniform(-0.04, 0.04) + trial.uniform(-0.02, 0.02),
        up=habit.uniform(-0.05, 0.05) + trial.uniform(-0.02, 0.02),
        aspect=habit.uniform(0.85, 1.15),
        start=trial.uniform(0.0, 1.0),
        wobble=trial.uniform(0.0, 1.0),
        choice=trial.uniform(0.0, 1.0),
    )


def _way(out: Floats | float, up: Floats | float, time_s: Floats) -> Floats:
    return np.stack([np.broadcast_to(out, time_s.shape), np.broadcast_to(up, time_s.shape)], axis=1)


def _rest(time_s: Floats, manner: Manner) -> Floats:
    """Let an arm hang; it swings a little."""
    swing = sine(0.6 * manner.tempo * time_s + manner.wobble)
    return _way(0.12 + 0.012 * swing, -0.93, time_s)


def _circle(time_s: Floats, manner: Manner, direction: int) -> Floats:
    turns = direction * manner.turns(time_s, 1.3)
    radius = 0.33 * manner.size
    out = 0.58 + manner.out + radius * cosine(turns)
    return _way(out, 0.12 + manner.up + radius * manner.aspect * sine(turns), time_s)


def _wave(time_s: Floats, manner: Manner) -> Floats:
    swing = sine(manner.turns(time_s, 2.2))
    out = 0.32 + manner.out + 0.24 * manner.size * swing
    return _way(out, 0.66 + manner.up - 0.10 * swing * swing, time_s)


def clap(time_s: Floats, manner: Manner) -> Arms:
    """Bring both hands together before the chest and apart again."""
    apart = 0.5 - 0.5 * cosine(manner.turns(time_s, 2.4))
    hand = _way(-0.30 + 0.36 * manner.size * apart, -0.30 + manner.up, time_s)
    return Arms(hand, hand, (_LOWERED, _LOWERED))


def wave_right(time_s: Floats, manner: Manner) -> Arms:
    """Wave the right hand beside the head."""
    return Arms(_wave(time_s, manner), _rest(time_s, manner), (_RAISED, _RESTING))


def wave_left(time_s: Floats, manner: Manner) -> Arms:
    """Wave the left hand beside the head."""
    return Arms(_rest(time_s, manner), _wave(time_s, manner), (_RESTING, _RAISED))


def circle_right(direction: int) -> Motion:
    """Turn the right arm round: clockwise for who looks on (1) or counter-clockwise (-1)."""

    def motion(time_s: Floats, manner: Manner) -> Arms:
        # the right arm is on the viewer's left: its outward axis is the picture's x turned round
        return Arms(_circle(time_s, manner, direction), _rest(time_s, manner), (_RAISED, _RESTING))

    return motion


def circle_left(direction: int) -> Motion:
    """Turn the left arm round: clockwise for who looks on (1) or counter-clockwise (-1)."""

    def motion(time_s: Floats, manner: Manner) -> Arms:
        return Arms(_rest(time_s, manner), _circle(time_s, manner, -direction), (_RESTING, _RAISED))

    return motion


def roll(time_s: Floats, manner: Manner) -> Arms:
    """Turn the forearms, which lie across the chest, round one another."""
    turns = (1.0 if manner.choice < 0.5 else -1.0) * manner.turns(time_s, 1.7)
    high, deep = 0.17 * manner.size * sine(turns), 0.06 * cosine(turns)
    right = _way(-0.34 + deep, -0.38 + manner.up + high, time_s)
    left = _way(-0.34 - deep, -0.38 + manner.up - high, time_s)
    return Arms(right, left, (-1.0, -1.0))


def drums(time_s: Floats, manner: Manner) -> Arms:
    """Beat with both hands by turns beside the belly, faster down than up."""
    turns = manner.turns(time_s, 2.1)
    stroke, other = (cosine(t + 0.06 * sine(t)) for t in (turns, turns + 0.5))
    right = _way(0.12 + manner.out, -0.36 + manner.up + 0.21 * manner.size * stroke, time_s)
    left = _way(0.12 + manner.out, -0.36 + manner.up + 0.21 * manner.size * other, time_s)
    return Arms(right, left, (_LOWERED, _LOWERED))


def guitar(time_s: Floats, manner: Manner) -> Arms:
    """Strum with the right hand before the belly; the left one slides along a neck held aside."""
    strum = sine(manner.turns(time_s, 2.8))
    slide = sine(0.7 * manner.tempo * time_s + manner.wobble)
    right = _way(-0.16 - 0.05 * strum, -0.62 + manner.up + 0.15 * manner.size * strum, time_s)
    left = _way(0.62 + manner.out + 0.06 * slide, 0.02 + manner.up + 0.03 * slide, time_s)
    return Arms(right, left, (_LOWERED, _RAISED))


def flap(time_s: Floats, manner: Manner) -> Arms:
    """Stretch both arms aside and move them up and down like wings."""
    swing = 0.11 * manner.size * sine(manner.turns(time_s, 1.4))
    reach = 0.88
    hand = _way(reach * cosine(swing), reach * sine(swing) + manner.up, time_s)
    return Arms(hand, hand, (0.5, 0.5))


def cheer(time_s: Floats, manner: Manner) -> Arms:
    """Swing both hands from side to side over the head."""
    swing = 0.22 * manner.size * sine(manner.turns(time_s, 1.5))
    right = _way(-0.05 - swing, 0.86 + manner.up - 2.0 * swing * swing, time_s)
    left = _way(-0.05 + swing, 0.86 + manner.up - 2.0 * swing * swing, time_s)
    return Arms(right, left, (0.6, 0.6))


def punch(time_s: Floats, manner: Manner) -> Arms:
    """Thrust both fists out and back by turns at the height of the shoulders."""
    thrust = sine(manner.turns(time_s, 1.8))
    right = _way(0.42 + 0.34 * manner.size * thrust, 0.05 + manner.up, time_s)
    left = _way(0.42 - 0.34 * manner.size * thrust, 0.05 + manner.up, time_s)
    return Arms(right, left, (_RAISED, _RAISED))


_OTHERS: tuple[Motion, ...] = (flap, cheer, punch)


def other(time_s: Floats, manner: Manner) -> Arms:
    """Do something else: flap, cheer or punch."""
    return _OTHERS[int(manner.choice * len(_OTHERS))](time_s, manner)


MOTIONS: dict[str, Motion] = {
    "hand_clapping": clap,
    "right_hand_wave": wave_right,
    "left_hand_wave": wave_left,
    "right_arm_clockwise": circle_right(1),
    "right_arm_counter_clockwise": circle_right(-1),
    "left_arm_clockwise": circle_left(1),
    "left_arm_counter_clockwise": circle_left(-1),
    "arm_roll": roll,
    "air_drums": drums,
    "air_guitar": guitar,
    "other_gestures": other,
}
"""The classes of DVS128 Gesture, in its order (Amir et al., CVPR 2017, section 4), and their motions."""
