"""How well predictions and measurements agree: by group of platforms, fitted and unseen rows apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmbench.energy.card import Card
from nmbench.energy.measurements import Measurement, Split
from nmbench.energy.validation import Compared

GROUPS = {
    "loihi": "Loihi 1",
    "loihi2": "Loihi 2",
    "spinnaker": "SpiNNaker 1",
    "spinnaker2": "SpiNNaker 2",
    "akida": "Akida",
}
"""Group by the card's cost equation, where that alone decides."""


@dataclass(frozen=True)
class Agreement:
    """Of the numbers of a group that are stated.

    Attributes
    ----------
    platform
        The card, where the numbers are one platform's, of either split; None: the group's, of one split.
    numbers, unstated
        Measured numbers that the models state, and that they do not.
    geometric_mean, geometric_spread
        Of predicted by measured: ``exp(mean)`` and ``exp(standard deviation)`` of the logarithm; None
        where there is none (the spread: where there is but one).
    near, inside
        Shares within `NEAR`, and within their 90 % interval; None where there is no number.
    """

    group: str
    platform: str | None
    split: Split | None
    numbers: int
    unstated: int
    geometric_mean: float | None
    geometric_spread: float | None
    near: float | None
    inside: float | None


def group_of(row: Measurement) -> str:
    """Name the group of platforms that a row belongs to."""
    return _group(row.card, row.boundary)


def _group(card: Card, boundary: str) -> str:
    if card.family in ("gpu", "cpu"):
        return "GPU, CPU"
    if card.family == "memristor":
        sort = "PCM" if "pcm" in card.name or "hermes" in card.name else "RRAM"
        return f"{sort} {'macro' if boundary == 'chip_dynamic' else 'chip'}"
    return GROUPS.get(card.model, card.model)


def agreements(compared: Sequence[Compared]) -> list[Agreement]:
    """Sum up each group: its fit rows, its test rows, those of neither; then each of its platforms."""
    groups: dict[str, list[Compared]] = {}
    for one in compared:
        groups.setdefault(group_of(one.row), []).append(one)
    found = []
    for group, members in groups.items():
        for split in ("fit", "test", None):
            some = [one for one in members if one.row.split == split]
            found += [agreement(some, group, split=split)] * bool(some)
        platforms = dict.fromkeys(one.row.card.name for one in members)
        for name in platforms:
            found.append(agreement([one for one in members if one.row.card.name == name], group, name))
    return found


def agreement(
    compared: Sequence[Compared], group: str, platform: str | None = None, split: Split | None = None
) -> Agreement:
    """Sum up numbers."""
    stated = [one for one in compared if one.value is not None]
    logs = [math.log(one.ratio) for one in stated if one.ratio]
    mean = math.fsum(logs) / len(logs) if logs else None
    spread = None
    if mean is not None and len(logs) > 1:
        spread = math.exp(math.sqrt(math.fsum((x - mean) ** 2 for x in logs) / (len(logs) - 1)))
    return Agreement(
        group=group,
        platform=platform,
        split=split,
        numbers=len(stated),
        unstated=len(compared) - len(stated),
        geometric_mean=None if mean is None else math.exp(mean),
        geometric_spread=spread,
        near=sum(one.near for one in stated) / len(stated) if stated else None,
        inside=sum(one.inside for one in stated) / len(stated) if stated else None,
    )
