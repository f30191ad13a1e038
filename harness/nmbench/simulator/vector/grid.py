"""Weights as whole numbers on a power-of-two grid, and the proof that their sums fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmbench.network.network import Floats, Network, Projection

Width = Literal["float32", "int16", "int8"]

LARGEST = {"int16": 2**15 - 1, "int8": 2**7 - 1}
AT_ONCE = 4
"""Rows that an int16 sum must hold whatever they are: below, sums would go to memory after every few rows."""

MOST_DISTINCT = 1024
"""Rows up to which is proven that int16 sums hold them: past these it no longer matters."""

INT32 = 2**31 - 1
INT16 = 2**15 - 1


@dataclass(frozen=True)
class Unit:
    """What a projection's whole numbers are worth, and how many spikes its sums are proven for.

    Attributes
    ----------
    exponent
        Weight = whole number times 2 to it.
    shift
        Places from this unit to the target's.
    at_once
        Rows whose sum fits int16, whichever they are.
    distinct
        Rows whose sum fits int16 if no two are the same.
    limit
        Input spikes in a step that the target's sums hold, whichever they are.
    most
        Where a convolution's input has more: times that one input neuron may spike in a step.
    """

    exponent: int
    shift: int
    at_once: int
    distinct: int
    limit: int
    most: int


def exponent(weight: Floats) -> int:
    """Return the largest e so that every weight is a whole number times 2**e; 0 where all are 0."""
    mantissa, power = np.frexp(weight[weight != 0])
    if not len(mantissa):
        return 0
    whole = (mantissa * 2.0**24).astype(np.int64)
    lowest = np.log2(whole & -whole).astype(np.int64)
    return int((power - 24 + lowest).min())


def units(network: Network, width: Width) -> list[Unit] | str:
    """Return each projection's unit in whole numbers of that width, or why they cannot be had."""
    found: dict[int, Unit] = {}
    for target in range(1, len(network.populations)):
        incoming = [r for r, q in enumerate(network.projections) if q.target == target]
        made = _units(network, incoming, width)
        if isinstance(made, str):
            return made
        found |= dict(zip(incoming, made, strict=True))
    return [found[r] for r in range(len(network.projections))]


def _units(network: Network, incoming: list[int], width: Width) -> list[Unit] | str:
    """Return the units of the projections of one target, or why they have none."""
    projections = [network.projections[r] for r in incoming]
    kinds = {q.kind for q in projections}
    if len(kinds) > 1:
        return f"{_names(projections)}: rows and blocks add to the same sums"
    own = [exponent(q.weight) for q in projections]
    finest = min(own, default=0)
    if not -100 <= finest <= 100 or max(own, default=0) - finest > 16:
        return f"{_names(projections)}: weights are whole numbers times 2**{finest} to 2**{max(own)}"
    blocks = "conv2d" in kinds
    exponents = [finest] * len(own) if blocks else own
    largest = []
    for projection, e in zip(projections, exponents, strict=True):
        most = int(np.abs(projection.weight).max(initial=0) * 2.0**-e)
        if most > LARGEST[width]:
            return f"{projection.name}: weights up to {most} times 2**{e}, {width} holds {LARGEST[width]}"
        largest.append(max(most, 1))
    limits = _block_limits if blocks else _row_limits
    return limits(network, projections, exponents, largest)


def _names(projections: list[Projection]) -> str:
    return ", ".join(q.name for q in projections)


def _row_limits(
    network: Network, projections: list[Projection], exponents: list[int], largest: list[int]
) -> list[Unit] | str:
    """Bound int16 sums of a few rows, and int32 sums of all that arrives in a step."""
    finest, room, outer = min(exponents, default=0), INT32, 0
    for projection, e, most in zip(projections, exponents, largest, strict=True):
        if most * AT_ONCE > INT16:
            return f"{projection.name}: weights up to {most} units, {AT_ONCE} rows overflow int16"
        if projection.source == 0:
            outer += most << (e - finest)
        else:
            room -= (most << (e - finest)) * network.populations[projection.source].size
    limit = room // max(outer, 1)
    if limit < network.populations[0].size:
        return f"{_names(projections)}: what arrives in a step may overflow int32"
    return [
        Unit(e, e - finest, INT16 // most, distinct_rows(q.weight, e), limit, 0)
        for q, e, most in zip(projections, exponents, largest, strict=True)
    ]


def distinct_rows(weight: Floats, exponent: int) -> int:
    """Return how many rows of weights int16 sums hold in every column, whichever they are but each once.

    As many as the largest of a column's weights above 0, and of those below, add up to: two or three times
    as many as what the largest weight of all allows, where weights are normally distributed.
    """
    whole = (weight.T.astype(np.float64) * 2.0**-exponent).astype(np.int16)
    held = min(len(weight), MOST_DISTINCT)
    for signed in (whole, -whole):
        largest = np.sort(signed, axis=1)[:, ::-1][:, :held].clip(0)
        held = int((largest.cumsum(axis=1, dtype=np.int64) <= INT16).sum(axis=1).min(initial=held))
    return max(held, 1)


def _block_limits(
    network: Network, projections: list[Projection], exponents: list[int], largest: list[int]
) -> list[Unit] | str:
    """Bound int16 sums of all that arrives at one neuron in a step by the sums of a kernel's weights."""
    room, outer, once = INT16, 0, 0
    for projection, e, most in zip(projections, exponents, largest, strict=True):
        field = int((np.abs(projection.weight.astype(np.float64)).sum(axis=(1, 2, 3)) * 2.0**-e).max())
        if projection.source == 0:
            outer, once = outer + most, once + field
        else:
            room -= field
    if room < once:
        return (
            f"{_names(projections)}: a kernel's weights sum to {INT16 - room + once} units, int16 overflows"
        )
    limit, most_times = room // max(outer, 1), room // max(once, 1)
    return [Unit(e, 0, 1, 1, limit, most_times) for e in exponents]
