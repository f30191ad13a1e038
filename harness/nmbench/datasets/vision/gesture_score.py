"""What the figure of `gesture` does and when: two strokes, one after the other, one of them twice as fast.

A stroke goes out and comes back the same way to the same rest. A class is an ordered pair of different
strokes, and which of the two is the quick one. So every stroke stands first and second, quick and slow, in
as many classes: who sees one of them perfectly, its place and its speed, is left with two classes of equal
chance, and who counts the events of both, which tell neither order nor speed, with four. Between the two is
a pause that a window of 250 ms does not bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from nmbench.datasets.reproducible import Draws, Floats, cosine, sine
from nmbench.datasets.vision.gesture_motion import Arms

STROKES = ("right", "left", "clap")
"""Raise the right arm aside and let it down; the same with the left arm; bring both hands together."""

TEMPOS = ("quickening", "slowing")
"""The second stroke is the quick one; the first is."""

CLASSES = tuple(f"{a}_then_{b}_{tempo}" for a, b in permutations(STROKES, 2) for tempo in TEMPOS)

QUICK_S, SLOW_S = (0.36, 0.44), (0.74, 0.90)
"""Length of a stroke, seconds."""
PAUSE_S = (0.34, 0.62)
"""From the end of the first stroke to the start of the second, seconds."""
LONGEST_S = QUICK_S[1] + PAUSE_S[1] + SLOW_S[1]
"""From the start of the first stroke to the end of the second at most, seconds."""
MARGIN_S = 0.06
"""Rest before the first stroke and after the second at least, seconds."""

_BEND = -0.6


@dataclass(frozen=True)
class Stroke:
    """One of `STROKES`, from ``start_s`` for ``length_s`` seconds."""

    name: str
    start_s: float
    length_s: float

    @property
    def end_s(self) -> float:
        """When the hands are at rest again, seconds."""
        return self.start_s + self.length_s

    def way(self, time_s: Floats) -> Floats:
        """Return how far out the hands are, 0 (at rest) to 1, ``[frames]``."""
        done = np.clip((time_s - self.start_s) / self.length_s, 0.0, 1.0)
        return np.asarray(0.5 - 0.5 * cosine(done))


@dataclass(frozen=True)
class Score:
    """Both strokes of a sample, and how somebody does them.

    Attributes
    ----------
    first, second
        In order of time, apart by a pause.
    rest
        Angle of a hanging arm from the vertical, turns.
    high
        Angle of a raised arm from hanging down, turns.
    fold
        How high the hands meet below the shoulders, arm lengths.
    swing
        Phase of the small swing of hanging arms, turns.
    """

    first: Stroke
    second: Stroke
    rest: float
    high: float
    fold: float
    swing: float

    def arms(self, time_s: Floats) -> Arms:
        """Return the ways of the hands at these times, seconds, ``[frames]``."""
        far = {name: np.zeros_like(time_s) for name in STROKES}
        for stroke in (self.first, self.second):
            far[stroke.name] = stroke.way(time_s)
        hands = []
        for side, name in enumerate(("right", "left")):
            hanging = self.rest + 0.004 * sine(0.6 * time_s + self.swing + 0.3 * side)
            angle = hanging + far[name] * (self.high - self.rest)
            out, up = 0.93 * sine(angle), -0.93 * cosine(angle)
            meet = far["clap"]
            out = out + meet * (-0.34 - out)
            up = up + meet * (self.fold - up)
            hands.append(np.stack([out, up], axis=1))
        return Arms(hands[0], hands[1], (_BEND, _BEND))


def draw_score(label: int, habit: Draws, trial: Draws, duration_s: float) -> Score:
    """Draw how ``CLASSES[label]`` is done this time: all that is drawn is the same for every class.

    Raises
    ------
    ValueError
        If the longest score does not fit into the duration.
    """
    if duration_s < LONGEST_S + 2 * MARGIN_S:
        raise ValueError(f"{duration_s} s are shorter than the longest score ({LONGEST_S + 2 * MARGIN_S} s)")
    first, _, second, tempo = CLASSES[label].split("_")
    quick, slow, pause = trial.uniform(*QUICK_S), trial.uniform(*SLOW_S), trial.uniform(*PAUSE_S)
    lengths = (slow, quick) if tempo == "quickening" else (quick, slow)
    begin = trial.uniform(MARGIN_S, duration_s - MARGIN_S - quick - pause - slow)
    return Score(
        first=Stroke(first, begin, lengths[0]),
        second=Stroke(second, begin + lengths[0] + pause, lengths[1]),
        rest=habit.uniform(0.015, 0.035),
        high=habit.uniform(0.33, 0.40) + trial.uniform(-0.02, 0.02),
        fold=habit.uniform(-0.36, -0.16) + trial.uniform(-0.04, 0.04),
        swing=trial.uniform(0.0, 1.0),
    )
