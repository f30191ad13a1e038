r"""The 90 % interval of what a card predicts, and which constants it comes from.

Analytic, one constant at a time: a constant moved to either end of its own 90 % interval moves a prediction
f by the factor f(end) / f. Factors of independent causes add up as the squares of their logarithms, upward
and downward apart, together with the equation's own error:

.. math::
    \ln(hi / f) = \sqrt{\ln^2 e_{model} + \sum_k \max(0, \ln f(lo_k)/f, \ln f(hi_k)/f)^2}

A Monte Carlo draw of all constants at once agrees (`tests/energy/test_uncertainty.py`). Constants count as
independent, though those of one fit are not; limits of the mapper count as known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nmbench.energy.card import Card

EQUATION = "equation"
"""Share of what the equation leaves out, beside those of the constants."""

Numbers = Mapping[str, float]


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


def spreads(predict: Callable[[Card], Numbers], card: Card, errors: Numbers) -> dict[str, Spread]:
    """Return the spread of each number that a card predicts.

    Parameters
    ----------
    predict
        Positive numbers by name (zeros stay zeros, without a spread), a pure function of the card.
    errors
        The equation's own 90 % factor for each of the names.
    """
    central = predict(card)
    causes: dict[str, dict[str, tuple[float, float]]] = {
        name: {EQUATION: (-math.log(errors[name]), math.log(errors[name]))} for name in central
    }
    for constant, own in card.constants.items():
        if own.lo == own.hi:
            continue
        ends = [predict(card.with_value(constant, end)) for end in (own.lo, own.hi)]
        for name, value in central.items():
            moved = [_log_ratio(end[name], value) for end in ends]
            causes[name][constant] = (min(0.0, *moved), max(0.0, *moved))
    return {name: _joined(own) for name, own in causes.items()}


def _log_ratio(end: float, value: float) -> float:
    if end == value:
        return 0.0
    return math.log(end / value) if end > 0 and value > 0 else math.copysign(math.inf, end - value)


def _joined(causes: Mapping[str, tuple[float, float]]) -> Spread:
    down = math.sqrt(sum(low**2 for low, _ in causes.values()))
    up = math.sqrt(sum(high**2 for _, high in causes.values()))
    variances = {name: ((high - low) / 2) ** 2 for name, (low, high) in causes.items() if high > low}
    total = sum(variances.values())
    shares = {name: v / total for name, v in variances.items()} if math.isfinite(total) and total else {}
    return Spread(math.exp(-down), math.exp(up), dict(sorted(shares.items(), key=lambda s: -s[1])))
