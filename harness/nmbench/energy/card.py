"""Card: the constants of a platform, each with unit, interval, kind, source and evidence."""

from __future__ import annotations

import hashlib
import json
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from nmbench.documents import read_document
from nmbench.errors import InputError, unknown
from nmbench.quantity import Boundary

CARDS = Path(__file__).parents[1] / "platforms" / "cards"
"""Folder of the cards that nmbench ships, one YAML file a card."""

Unit = Literal["J", "s", "W", "bytes", "1", "1/s", "bytes/s"]
Evidence = Literal["primary", "secondary", "abstract", "memory", "derived", "none"]
"""What was read: the source itself, one that cites it, its abstract, nothing (memory), or a calculation."""

Factor = Annotated[FiniteFloat, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]

_READ: dict[str, tuple[str, ...]] = {
    "measured": ("primary",),
    "fitted": ("primary",),
    "simulated": ("primary",),
    "derived": ("primary", "derived"),
}
"""Evidence that a kind asks for: a constant without a primary source is estimated, or the vendor's word."""

WIDE = 2.0
"""Least ``hi / lo`` of a constant that rests on no primary source."""


class Constant(BaseModel):
    """One constant: a value with its 90 % interval, and where both come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    value: FiniteFloat = Field(ge=0)
    unit: Unit
    lo: FiniteFloat = Field(ge=0)
    hi: FiniteFloat
    kind: Literal["measured", "fitted", "vendor", "simulated", "estimated", "derived"]
    conditions: str = ""
    source: Text
    evidence: Evidence

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.lo <= self.value <= self.hi:
            raise ValueError(f"value {self.value:g} lies outside its interval [{self.lo:g}, {self.hi:g}]")
        allowed = _READ.get(self.kind)
        if allowed and self.evidence not in allowed:
            raise ValueError(
                f"kind {self.kind} asks for evidence {' or '.join(allowed)}, not {self.evidence}: "
                "without it a constant is 'estimated' (or 'vendor')"
            )
        return self

    @property
    def is_wide(self) -> bool:
        """Say whether the interval spans at least the factor `WIDE`."""
        return self.hi >= WIDE * self.lo


class Factors(BaseModel):
    """Multiplicative 90 % errors by boundary, and where they come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    energy: dict[Boundary, Factor]
    latency: dict[Boundary, Factor]
    source: Text


class Card(BaseModel):
    """What a modelled platform stands on.

    Attributes
    ----------
    model
        The cost equation, by its name in `nmbench.energy.models`; ``host``: a wall time by a power.
    summary
        One line for ``nmbench list platforms``.
    status
        ``published``: silicon that was measured or whose constants were; ``what-if``: never ranked.
    constants, limits
        Of the cost equations, and of the mapper, by name.
    model_error
        By boundary, the 90 % factor that is left of a prediction's error when every constant is right: what
        the equation leaves out. The boundaries named here are those that the card states.
    boundaries
        What each stated boundary includes, in words.
    answers
        What of the answers is not the platform's own, where that is more than rounding: stands beside every
        accuracy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[int, Field(ge=1, strict=True)]
    title: Text
    summary: Text
    model: Literal["loihi", "loihi2", "spinnaker", "spinnaker2", "akida", "crossbar", "dense", "host"]
    family: Literal["loihi", "spinnaker", "akida", "memristor", "gpu", "cpu"]
    status: Literal["published", "what-if"]
    sources: tuple[Text, ...] = Field(min_length=1)
    constants: dict[str, Constant] = Field(min_length=1)
    limits: dict[str, Constant]
    model_error: Factors
    boundaries: dict[Boundary, Text] = Field(min_length=1)
    answers: Text | None = None
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        faults = [
            f"constants.{name}: {c.kind} on evidence {c.evidence} needs a wide interval (hi >= {WIDE:g} lo)"
            for name, c in self.constants.items()
            if c.kind in ("estimated", "vendor") and c.evidence != "primary" and not c.is_wide
        ]
        both = self.constants.keys() & self.limits.keys()
        faults += [f"{name}: stands among both constants and limits" for name in sorted(both)]
        for quantity, factors in (("energy", self.model_error.energy), ("latency", self.model_error.latency)):
            loose = sorted(factors.keys() - self.boundaries.keys())
            faults += [f"model_error.{quantity}.{b}: not among the boundaries" for b in loose]
        stated = self.model_error.energy.keys() | self.model_error.latency.keys()
        faults += [f"boundaries.{b}: no model_error" for b in self.boundaries if b not in stated]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def value(self, name: str) -> float:
        """Return a constant's or a limit's value, in its SI unit.

        Raises
        ------
        KeyError
            That names the card and the near misses.
        """
        found = self.constants.get(name) or self.limits.get(name)
        if found is None:
            raise KeyError(f"card {self.name}: {unknown('constant', name, [*self.constants, *self.limits])}")
        return found.value

    def limit(self, name: str) -> float | None:
        """Return a limit's value; None where this platform has no such limit."""
        return self.limits[name].value if name in self.limits else None

    def with_value(self, name: str, value: float) -> Card:
        """Return the same card with another value of a constant; its interval goes along where it must."""
        own = self.constants[name]
        moved = own.model_copy(update={"value": value, "lo": min(own.lo, value), "hi": max(own.hi, value)})
        return self.model_copy(update={"constants": {**self.constants, name: moved}})

    @cached_property
    def sha256(self) -> str:
        """Hash the content: the same for two files that say the same."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def card_names() -> list[str]:
    """List the cards that nmbench ships."""
    return sorted(path.stem for path in CARDS.glob("*.yaml"))


@cache
def load_card(name: str) -> Card:
    """Read a card that nmbench ships.

    Raises
    ------
    InputError
        If there is none of that name, or with all its faults.
    """
    if name not in card_names():
        raise InputError("card", [unknown("card", name, card_names())])
    return read_card(CARDS / f"{name}.yaml")


def read_card(path: Path) -> Card:
    """Read a card from a file.

    Raises
    ------
    InputError
        With every fault, the file and the place inside it.
    """
    card = read_document(path, Card)
    if card.name != path.stem:
        raise InputError(str(path), [f"name: {card.name!r} is not the file's name, {path.stem!r}"])
    return card
