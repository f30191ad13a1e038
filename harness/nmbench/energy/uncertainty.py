r"""The 90 % interval of what a card predicts, and which constants it comes from.

Monte Carlo with a fixed seed: all constants are drawn at once, each log-normal to either side of its value
with its own 90 % interval (a Latin hypercube of `DRAWS` draws, the same ones every time), and the prediction
f is made anew with each draw. The spread up and down is the root mean square of the logarithm above and below
the central prediction, with tails drawn in to the 5 % and 95 % quantiles, relative to what a standard normal
distribution s has: every draw counts, and no tail rules. The equation's own error joins as an independent
factor:

.. math::
    \ln^2(hi / f) = \Big(z_{90} \frac{rms\,\max(0, \ln f_i / f)}{rms\,\max(0, s_i)}\Big)^2 + \ln^2 e_{model}

A constant's share of the variance is its squared coefficient in the linear regression of the logarithm on
the draws. Constants count as independent, though those of one fit are not; limits of the mapper count as
known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from nmbench.energy.card import Card
from nmbench.energy.cost import Cost
from nmbench.quantity import Boundary

EQUATION = "equation"
"""Share of what the equation leaves out, beside those of the constants."""

DRAWS, SEED = 128, 20261124
Z_90 = NormalDist().inv_cdf(0.95)
"""Standard deviations from the middle of a normal distribution to an end of its 90 % interval."""

Draws = npt.NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)
What = tuple[Literal["energy", "latency"], Boundary]
"""One of the totals of a `Cost`."""


@dataclass(frozen=True)
class Spread:
    """A prediction's 90 % interval as factors, and its causes.

    Attributes
    ----------
    lower, upper
        ``lo = value * lower``, ``hi = value * upper``; ``lower`` <= 1 <= ``upper``.
    shares
        Share of the variance (of the logarithm) by constant, and `EQUATION`'s; they add up to 1, the
        largest first; empty where nothing is uncertain.
    """

    lower: float
    upper: float
    shares: Mapping[str, float]

    @classmethod
    def by(cls, factor: float) -> Spread:
        """Return the spread of an equation whose constants are certain."""
        return cls(1 / factor, factor, {EQUATION: 1.0} if factor > 1 else {})


def cost_spreads(price: Callable[[Card], Cost], card: Card) -> dict[What, Spread]:
    """Return the spread of a cost's mean energy and latency at each boundary that it states."""

    def predict(varied: Card) -> dict[What, float]:
        cost = price(varied)
        energy: dict[What, float] = {("energy", b): float(cost.energy(b).mean()) for b in cost.energy_factor}
        return energy | {("latency", b): float(cost.latency(b).mean()) for b in cost.latency_factor}

    central = price(card)
    errors: dict[What, float] = {("energy", b): factor for b, factor in central.energy_factor.items()}
    errors |= {("latency", b): factor for b, factor in central.latency_factor.items()}
    return spreads(predict, card, errors)


def traffic_spreads(
    price: Callable[[Card], Cost], card: Card, each_s: float, batch: int = 1
) -> dict[What, Spread]:
    """Return the spread of the mean energy of samples of which one takes place every ``each_s`` seconds.

    What stands (`Cost.standing`) flows for that time, whatever the platform's speed; ``batch`` samples share
    a call that is priced.
    """

    def predict(varied: Card) -> dict[What, float]:
        cost, found = price(varied), dict[What, float]()
        for boundary in cost.energy_factor:
            standing = cost.standing(boundary)
            watts = batch * float(standing.sum() / cost.latency(boundary).sum())
            found["energy", boundary] = float((cost.energy(boundary) - standing).mean()) + watts * each_s
        return found

    factors = price(card).energy_factor
    return spreads(predict, card, {("energy", boundary): factors[boundary] for boundary in factors})


def spreads(
    predict: Callable[[Card], Mapping[Name, float]], card: Card, errors: Mapping[Name, float]
) -> dict[Name, Spread]:
    """Return the spread of each number that a card predicts.

    Parameters
    ----------
    predict
        Positive numbers by name (zeros stay zeros, without a spread), a pure function of the card.
    errors
        The equation's own 90 % factor for each of the names.
    """
    central = predict(card)
    uncertain = [name for name, own in card.constants.items() if own.lo < own.hi]
    drawn = [predict(_varied(card, uncertain, row)) for row in _normal(len(uncertain))]
    return {
        name: _spread(np.array([numbers[name] for numbers in drawn]), value, errors[name], uncertain)
        for name, value in central.items()
    }


@cache
def _normal(constants: int) -> Draws:
    """Return the draws, standard normal, ``[DRAWS, constants]``: each column has the same quantiles."""
    rng = np.random.default_rng(SEED)
    return np.array([rng.permutation(_quantiles()) for _ in range(constants)]).reshape(constants, DRAWS).T


@cache
def _regression(constants: int) -> Draws:
    """Return what takes centred numbers ``[DRAWS]`` to their slopes on the draws, ``[constants, DRAWS]``."""
    normal = _normal(constants)
    return np.linalg.pinv(normal - normal.mean(axis=0))


@cache
def _quantiles() -> Draws:
    """Return the quantiles of a standard normal distribution at equal steps of probability, ``[DRAWS]``."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / DRAWS) for i in range(DRAWS)])


def _varied(card: Card, names: Sequence[str], normal: Draws) -> Card:
    """Return the card with constants moved by so many standard deviations each."""
    constants = dict(card.constants)
    for name, z in zip(names, normal / Z_90, strict=True):
        own = constants[name]
        end = own.hi if z > 0 else own.lo
        if own.value and end:
            moved = own.value * (end / own.value) ** abs(z)
        else:  # nothing has no logarithm: from or to it in a straight line
            moved = max(0.0, own.value + (end - own.value) * abs(z))
        constants[name] = own.model_copy(update={"value": moved})
    return card.model_copy(update={"constants": constants})


def _spread(drawn: Draws, value: float, error: float, names: Sequence[str]) -> Spread:
    """Return the spread of one number from its draws ``[DRAWS]`` and its central value."""
    if value == 0:
        return Spread(1.0, 1.0, {})
    with np.errstate(divide="ignore"):
        moved = np.log(np.maximum(0.0, drawn / value))
    down, up = Z_90 * np.array(_sides(_clipped(moved))) / _standard_sides()
    own = math.log(error)
    known = moved if np.isfinite(moved).all() else drawn / value - 1  # nothing has no logarithm
    slopes = _regression(len(names)) @ (known - known.mean())
    variances = {name: float(slope**2) for name, slope in zip(names, slopes, strict=True)}
    variances[EQUATION] = (own / Z_90) ** 2
    total = sum(variances.values())
    shares = {name: v / total for name, v in sorted(variances.items(), key=lambda s: -s[1]) if v > 0}
    return Spread(math.exp(-math.hypot(own, down)), math.exp(math.hypot(own, up)), shares)


def _clipped(moved: Draws) -> Draws:
    """Return the draws with what lies beyond their 5 % and 95 % quantiles drawn in to these."""
    ordered = np.sort(moved)
    beyond = DRAWS // 20
    return np.clip(moved, ordered[beyond], ordered[-1 - beyond])


@cache
def _standard_sides() -> tuple[float, float]:
    return _sides(_clipped(_quantiles()))


def _sides(moved: Draws) -> tuple[float, float]:
    """Return the root mean squares of what lies below and above 0."""
    below, above = (float(np.sqrt(np.mean(side**2))) for side in (np.minimum(0, moved), np.maximum(0, moved)))
    return below, above
