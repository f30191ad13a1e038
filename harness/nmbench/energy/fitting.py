r"""Constants that come out of measurements: ``python -m nmbench.energy.fitting`` prints them all.

Reads the rows that nmbench ships and takes those of the split ``fit`` alone. For each card the least squares
of the logarithms of predicted by measured, over every number of its rows:

.. math::
    \min_x \sum_i \ln^2 (f_i(c_0 e^x) / m_i)

by Gauss and Newton. One free factor may move several constants together. The 90 % interval of a constant is
:math:`\exp(\pm 1.645\,s \sqrt{(J^T J)^{-1}})`, s the residuals' standard deviation, at least `REPEATED`.
The equation's own error is that of the residuals, at least `Fit.least`.

What has no rows of its own is scaled from a card that has (`Scaled`): by memory bandwidth, by the share of
what lies between idle power and TDP, by cores and clock. The order of `STEPS` is that of the dependencies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.activity import expected_counts
from nmbench.energy.card import Card, load_card
from nmbench.energy.fits import STEPS, Fit, Scaled
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping as Placed
from nmbench.energy.mapping import Misfit
from nmbench.energy.measurements import SHIPPED, Measurement, Quantity, read_measurements
from nmbench.energy.models import price
from nmbench.energy.quantities import TIMES, stated, totals

DIGITS = 3
"""Significant digits of a constant in a card."""

REPEATED = math.log(1.1) / 1.645
"""Least standard deviation that a constant is fitted with: what repeating a measurement changes."""

ROUNDS, NUDGE, ENOUGH = 50, 1e-4, 1e-10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A constant with its 90 % interval, rounded as cards have it."""

    value: float
    lo: float
    hi: float


@dataclass(frozen=True)
class Fitting:
    """What the fit rows say.

    Attributes
    ----------
    constants
        By card and name.
    errors
        By cost equation and ``energy`` or ``latency``: the 90 % factor of the residuals, not below
        `Fit.least`.
    numbers, free
        By cost equation: measured numbers, and free constants fitted on them.
    """

    constants: Mapping[tuple[str, str], Found]
    errors: Mapping[tuple[str, str], float]
    numbers: Mapping[str, int]
    free: Mapping[str, int]


@dataclass(frozen=True)
class _Left:
    """A residual: of which cost equation, of what (``energy`` or ``latency``), and its logarithm."""

    model: str
    sort: str
    value: float


@dataclass(frozen=True)
class _Case:
    row: Measurement
    counts: EventCounts
    mapping: Placed

    def predict(self, card: Card) -> dict[Quantity, float]:
        """Return what the card says of the row's quantities, static power aside: that is measured."""
        own = totals(price(self.counts, self.mapping, card), self.row.boundary)[0]
        said = {q: stated(q, self.row, own, self.mapping) for q in self.row.measured}
        return {q: v for q, v in said.items() if isinstance(v, float) and q != "power_static_W"}


def fit_all(rows: Sequence[Measurement], steps: Iterable[Fit | Scaled] = STEPS) -> Fitting:
    """Fit and scale constants in the order of the steps.

    Parameters
    ----------
    rows
        Those of the split ``fit`` are used, no others.
    """
    cards: dict[str, Card] = {}
    found: dict[tuple[str, str], Found] = {}
    left: list[_Left] = []
    free: Counter[str] = Counter()
    least: dict[str, float] = {}

    def card(name: str) -> Card:
        return cards.setdefault(name, load_card(name))

    for step in steps:
        if isinstance(step, Scaled):
            constants = _scaled(step, card)
        else:
            own = [_case(row) for row in rows if row.split == "fit" and row.card.name == step.card]
            constants, residuals = _fitted(step, own, card)
            left += residuals
            model: str = card(step.card).model
            free[model] += len(step.free)
            least[model] = max(least.get(model, 1.0), step.least)
        found |= constants
        for (name, constant), one in constants.items():
            cards[name] = card(name).with_value(constant, one.value)
    numbers = Counter(one.model for one in left)
    errors = {
        (model, sort): _error([x for x in left if x.model == model], sort, free[model], least[model])
        for model, sort in sorted({(x.model, x.sort) for x in left})
    }
    return Fitting(found, errors, numbers, free)


def _error(left: Sequence[_Left], sort: str, free: int, least: float) -> float:
    """Return the 90 % factor of a cost equation's residuals of one sort; free constants made them smaller."""
    squares = [x.value**2 for x in left if x.sort == sort]
    spare = max(len(left) - free, 1) / len(left)
    deviation = math.sqrt(sum(squares) / len(squares) / spare)
    return rounded(math.exp(1.645 * max(deviation, _deviation(least))))


def _case(row: Measurement) -> _Case:
    mapping = place(row.outline, row.card, row.conditions)
    if isinstance(mapping, Misfit):
        raise ValueError(f"{row.id}: the network does not fit: {mapping.reason}")
    return _Case(row, expected_counts(row.outline, row.activity, row.activity.steps), mapping)


def _fitted(
    step: Fit, cases: Sequence[_Case], card: Callable[[str], Card]
) -> tuple[dict[tuple[str, str], Found], list[_Left]]:
    """Return a card's constants, and what is left of their rows."""
    start = card(step.card)
    for group in step.free:
        for constant in group.constants:
            value = card(group.like).value(constant) if group.like else start.value(group.constants[0])
            start = start.with_value(constant, value)
    sorts = [
        "latency" if q in TIMES else "energy" for case in cases for q in case.predict(start) if step.takes(q)
    ]

    def moved(x: Floats) -> Card:
        varied = start
        for group, by in zip(step.free, x, strict=True):
            for constant in group.constants:
                varied = varied.with_value(constant, start.value(constant) * math.exp(by))
        return varied

    def residual(x: Floats) -> Floats:
        varied = moved(x)
        return np.array(
            [
                math.log(value / case.row.measured[q])
                for case in cases
                for q, value in case.predict(varied).items()
                if step.takes(q)
            ]
        )

    x, left, slopes = _least_squares(residual, len(step.free), step.card)
    spare = len(left) - len(x)
    deviation = max(REPEATED, math.sqrt(float(left @ left) / spare) if spare else 0.0)
    spread = 1.645 * deviation * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    best = moved(x)
    found = {}
    for group, width in zip(step.free, spread, strict=True):
        for constant in group.constants:
            found[step.card, constant] = _found(best.value(constant), math.exp(float(width)))
    return found, [_Left(start.model, sort, x) for sort, x in zip(sorts, left.tolist(), strict=True)]


def _deviation(factor: float) -> float:
    """Return the standard deviation of the logarithm that a 90 % factor stands for."""
    return math.log(factor) / 1.645


def _least_squares(
    residual: Callable[[Floats], Floats], free: int, name: str
) -> tuple[Floats, Floats, Floats]:
    """Return the best point, the residuals there and their slopes.

    Raises
    ------
    ValueError
        If the rows do not determine the constants, or no point is reached.
    """
    x = np.zeros(free)
    for _ in range(ROUNDS):
        here = residual(x)
        slopes = np.stack([(residual(x + NUDGE * unit) - here) / NUDGE for unit in np.eye(free)], axis=1)
        if len(here) < free or np.linalg.matrix_rank(slopes, tol=1e-3) < free:
            raise ValueError(f"{name}: {len(here)} numbers do not determine {free} constants")
        move = np.clip(-np.linalg.lstsq(slopes, here, rcond=None)[0], -1, 1)
        x = x + move
        if float(np.abs(move).max()) < ENOUGH:
            return x, residual(x), slopes
    raise ValueError(f"{name}: no least squares in {ROUNDS} rounds")


def _scaled(step: Scaled, card: Callable[[str], Card]) -> dict[tuple[str, str], Found]:
    of, to = card(step.base), card(step.card)
    return {
        (step.card, constant): _found(step.rule(of, to, constant), step.factor) for constant in step.constants
    }


def _found(value: float, factor: float) -> Found:
    return Found(rounded(value), rounded(value / factor), rounded(value * factor))


def rounded(value: float) -> float:
    """Round to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def main() -> None:
    """Print the constants as cards have them, then the equations' own errors."""
    fitting = fit_all(read_measurements(SHIPPED).rows)
    last = ""
    for (card, constant), one in sorted(fitting.constants.items()):
        if card != last:
            print(card)
            last = card
        print(f"  {constant}: {{value: {one.value:g}, lo: {one.lo:g}, hi: {one.hi:g}}}")
    for (model, sort), factor in sorted(fitting.errors.items()):
        of = f"{fitting.free[model]} constants on {fitting.numbers[model]} numbers"
        print(f"model_error of {model}: {sort} {factor:g} ({of})")


if __name__ == "__main__":
    main()
