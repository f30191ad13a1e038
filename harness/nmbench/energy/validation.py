"""Validation: what the cards predict of published measurements, number by number, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nmbench.counts import EventCounts, join
from nmbench.energy.activity import expected_counts
from nmbench.energy.card import Card
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping as Placed
from nmbench.energy.mapping import Misfit
from nmbench.energy.measurements import Measurement, Quantity
from nmbench.energy.models import price
from nmbench.energy.quantities import Totals, error, stated, totals
from nmbench.energy.uncertainty import Spread, spreads
from nmbench.progress import Progress, Silence

NEAR = 0.4
"""A prediction is near where ``|log2(predicted / measured)|`` is at most this: a factor of 1.32."""

CELLS = 4_000_000
"""Most counts (steps times populations and projections) that are priced at once; longer runs are extended."""

SHORT = 256
"""Steps on which the interval of a longer run is sought: its ends lie as far from the middle in both."""

ALIKE = 0.02
"""Difference of a run that was extended from `SHORT` steps and the whole one, up to which that holds."""


@dataclass(frozen=True)
class Compared:
    """A measured number beside the predicted one.

    Attributes
    ----------
    value, lo, hi
        Predicted, with its 90 % interval; None where the model does not state it, and ``reason`` says why.
    causes
        Share of the interval's variance by constant, the largest first; ``equation`` is the equation's own.
    """

    row: Measurement
    quantity: Quantity
    measured: float
    value: float | None
    lo: float | None
    hi: float | None
    causes: Mapping[str, float]
    reason: str | None = None

    @property
    def ratio(self) -> float | None:
        """Predicted by measured."""
        return None if self.value is None else self.value / self.measured

    @property
    def log2(self) -> float | None:
        """Binary logarithm of the ratio; minus infinity where nothing at all is predicted."""
        if self.ratio is None:
            return None
        return math.log2(self.ratio) if self.ratio > 0 else -math.inf

    @property
    def near(self) -> bool:
        """Say whether the prediction is within `NEAR`."""
        return self.log2 is not None and abs(self.log2) <= NEAR

    @property
    def inside(self) -> bool:
        """Say whether the measured number lies in the 90 % interval."""
        return self.lo is not None and self.hi is not None and self.lo <= self.measured <= self.hi


def validate(rows: Sequence[Measurement], progress: Progress | None = None) -> list[Compared]:
    """Predict every measured number of the rows, in their order.

    Rows that differ in their activity alone are placed once and priced together; so are, with each draw of
    a card's constants, all rows of that card.
    """
    progress = progress or Silence()
    found: dict[int, list[Compared]] = {}
    for setups in _loads(_setups(rows, found)):
        predicted = _predict(setups)
        for setup, own in zip(setups, predicted, strict=True):
            found |= dict(zip(setup.at, own, strict=True))
        progress.step("predicting", len(found), len(rows))
    return [one for i in range(len(rows)) for one in found[i]]


@dataclass(frozen=True, eq=False)
class _Setup:
    """Rows of one card that one placement and one run of steps stand for, and their places in the file."""

    rows: Sequence[Measurement]
    at: Sequence[int]
    mapping: Placed

    @property
    def card(self) -> Card:
        return self.rows[0].card

    @property
    def longest(self) -> int:
        """Steps of a run that is not extended."""
        return max(SHORT, CELLS // _width(self.rows[0]))

    @property
    def cells(self) -> int:
        """Counts that its run is made of."""
        return min(self.rows[0].activity.steps, self.longest) * _width(self.rows[0]) * len(self.rows)


def _setups(rows: Sequence[Measurement], found: dict[int, list[Compared]]) -> Iterator[_Setup]:
    """Yield setups, card by card; rows whose network does not fit go to ``found`` at once."""
    groups: dict[int, dict[object, list[int]]] = {}
    for i, row in enumerate(rows):
        key = row.outline, row.conditions, row.activity.steps
        groups.setdefault(id(row.card), {}).setdefault(key, []).append(i)
    for together in (own for setups in groups.values() for own in setups.values()):
        first = rows[together[0]]
        mapping = place(first.outline, first.card, first.conditions)
        if isinstance(mapping, Misfit):
            reason = f"the network does not fit: {mapping.reason}"
            found |= {
                i: [_without(rows[i], quantity, reason) for quantity in rows[i].measured] for i in together
            }
            continue
        most = max(1, CELLS // _Setup([first], [0], mapping).cells)
        for start in range(0, len(together), most):
            at = together[start : start + most]
            yield _Setup([rows[i] for i in at], at, mapping)


def _loads(setups: Iterable[_Setup]) -> Iterator[list[_Setup]]:
    """Gather setups of one card so that no more than `CELLS` counts are held at once."""
    load: list[_Setup] = []
    cells = 0
    for setup in setups:
        if load and (load[0].card is not setup.card or cells + setup.cells > CELLS):
            yield load
            load, cells = [], 0
        load.append(setup)
        cells += setup.cells
    if load:
        yield load


def _without(row: Measurement, quantity: Quantity, reason: str) -> Compared:
    return Compared(row, quantity, row.measured[quantity], None, None, None, {}, reason)


def _predict(setups: Sequence[_Setup]) -> list[list[list[Compared]]]:
    """Compare the rows of one card's setups: the middle from whole runs, the intervals from short ones."""
    card = setups[0].card
    central = [_run(setup, setup.longest)(card) for setup in setups]
    runs = [_interval_run(setup, own) for setup, own in zip(setups, central, strict=True)]
    named = [
        (f"{s} {i} {quantity}", s, i, row, quantity)
        for s, setup in enumerate(setups)
        for i, row in enumerate(setup.rows)
        for quantity in row.measured
    ]

    def numbers(totals: Sequence[Sequence[Totals]]) -> dict[str, float | str]:
        return {
            name: stated(quantity, row, totals[s][i], setups[s].mapping)
            for name, s, i, row, quantity in named
        }

    middle = numbers(central)
    known = [name for name, value in middle.items() if isinstance(value, float)]
    errors = {name: error(quantity, central[s][i]) for name, s, i, _, quantity in named}

    def predict(varied: Card) -> dict[str, float]:
        found = numbers([run(varied) for run in runs])
        # what a draw makes vanish (no idle power, so no static part) is nothing, not unknown
        return {name: value if isinstance(value := found[name], float) else 0.0 for name in known}

    spread = spreads(predict, card, errors)
    compared: list[list[list[Compared]]] = [[[] for _ in setup.rows] for setup in setups]
    for name, s, i, row, quantity in named:
        compared[s][i].append(_compared(row, quantity, middle[name], spread.get(name)))
    return compared


def _compared(row: Measurement, quantity: Quantity, value: float | str, spread: Spread | None) -> Compared:
    if isinstance(value, str) or spread is None:
        return _without(row, quantity, value if isinstance(value, str) else "nothing is predicted")
    lo, hi = value * spread.lower, value * spread.upper
    return Compared(row, quantity, row.measured[quantity], value, lo, hi, spread.shares)


def _interval_run(setup: _Setup, whole: Sequence[Totals]) -> Callable[[Card], list[Totals]]:
    """Return the run that intervals are sought on: a short one, where it comes near enough to the whole."""
    short = _run(setup, SHORT)
    if setup.rows[0].activity.steps <= SHORT or _agree(short(setup.card), whole):
        return short
    return _run(setup, setup.longest)


def _run(setup: _Setup, longest: int) -> Callable[[Card], list[Totals]]:
    """Return a function that prices the rows by a card; beyond so many steps along a line.

    Every equation is, in the steps of a steady activity, a line from some length on.
    """
    steps = setup.rows[0].activity.steps
    taken = min(steps, longest)
    counts = _counts(setup.rows, taken)
    half = _counts(setup.rows, taken // 2) if taken < steps else None

    def priced(card: Card) -> list[Totals]:
        found = _totals(setup, counts, card)
        if half is None:
            return found
        by = (steps - taken) / (taken - taken // 2)
        return [one.extended(two, by) for one, two in zip(found, _totals(setup, half, card), strict=True)]

    return priced


def _counts(rows: Sequence[Measurement], steps: int) -> EventCounts:
    made = [expected_counts(row.outline, row.activity, steps) for row in rows]
    return join(made) if len(made) > 1 else made[0]


def _totals(setup: _Setup, counts: EventCounts, card: Card) -> list[Totals]:
    cost = price(counts, setup.mapping, card)
    by_boundary = {boundary: totals(cost, boundary) for boundary in {row.boundary for row in setup.rows}}
    return [by_boundary[row.boundary][i] for i, row in enumerate(setup.rows)]


def _agree(some: Sequence[Totals], others: Sequence[Totals]) -> bool:
    """Say whether totals differ by no more than `ALIKE`."""
    pairs = [
        (a, b)
        for one, other in zip(some, others, strict=True)
        for a, b in (
            (one.energy_j, other.energy_j),
            (one.dynamic_j, other.dynamic_j),
            (one.latency_s, other.latency_s),
        )
        if a is not None and b is not None
    ]
    return all(abs(a - b) <= ALIKE * abs(b) for a, b in pairs)


def _width(row: Measurement) -> int:
    """Count the numbers that one step is made of."""
    return 2 * len(row.outline.groups) + len(row.outline.links)
