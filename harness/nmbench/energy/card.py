"""Card: the constants of a platform, each with unit, interval, kind, source and evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nmbench.documents import faults as field_faults
from nmbench.energy import cardfile
from nmbench.energy.cardfile import CARDS, Head
from nmbench.energy.constant import WIDE, Constant, Evidence, Factors, Text, contradictions, looseness
from nmbench.errors import InputError, unknown
from nmbench.quantity import Boundary

__all__ = [
    "CARDS",
    "WIDE",
    "Card",
    "Constant",
    "Evidence",
    "Factors",
    "card_names",
    "find_card",
    "load_card",
    "read_card",
]

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Card(BaseModel):
    """What a modelled platform stands on.

    Attributes
    ----------
    base
        The card that this one is a variant of: what its file did not say is that card's (`cardfile`).
    aliases
        Other names for it, of papers and measurements.
    model
        The cost equation, by its name in `nmbench.energy.models`; ``host``: a wall time by a power.
    summary
        One line for ``nmbench platforms list``.
    status
        ``published``: silicon that was measured or whose constants were; ``what-if``: every value is an
        estimate, and no result is ever ranked.
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

    name: Name
    version: Annotated[int, Field(ge=1, strict=True)]
    base: Name | None = None
    aliases: tuple[Name, ...] = ()
    title: Text
    summary: Text
    model: Literal[
        "loihi", "loihi2", "spinnaker", "spinnaker2", "akida", "crossbar", "dense", "events", "either", "host"
    ]
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
        if found := _cross_faults(self.model_dump()):
            raise ValueError("; ".join(found))
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
        return self._with("constants", name, value)

    def with_limit(self, name: str, value: float) -> Card:
        """Return the same card with another value of a limit."""
        return self._with("limits", name, value)

    def _with(self, group: Literal["constants", "limits"], name: str, value: float) -> Card:
        there: dict[str, Constant] = getattr(self, group)
        own = there[name]
        moved = own.model_copy(update={"value": value, "lo": min(own.lo, value), "hi": max(own.hi, value)})
        return self.model_copy(update={group: {**there, name: moved}})

    @property
    def sha256(self) -> str:
        """Hash the content, a variant's together with what it has from its base."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def card_names() -> list[str]:
    """List the cards that nmbench ships, without reading their constants."""
    return sorted(cardfile.heads())


@cache
def load_card(name: str) -> Card:
    """Read a card that nmbench ships.

    Raises
    ------
    InputError
        If there is none of that name, or with all its faults.
    """
    if name not in cardfile.heads():
        raise InputError("card", [unknown("card", name, card_names())])
    return read_card(CARDS / f"{name}.yaml")


def find_card(name: str) -> Card:
    """Return the card of a name or alias (``V100``, ``SpiNN-5``, ``Loihi 2``), or of a file (``my.yaml``).

    Case, spaces and hyphens of a name do not matter.

    Raises
    ------
    InputError
        If there is none, with the near misses, or with all faults of the file.
    """
    if name.endswith((".yaml", ".yml")):
        return read_card(Path(name))
    owner = cardfile.owner(name)
    if owner is None:
        raise InputError("card", [unknown("card", name, cardfile.owners())])
    return load_card(owner)


def read_card(path: Path) -> Card:
    """Read a card from a file, a variant together with its base.

    Raises
    ------
    InputError
        With every fault, the file and the place inside it.
    """
    content, faults = cardfile.merged(path)
    card = None
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        faults += [fault for fault in field_faults(error, Card) if fault not in _joined(error)]
        faults += _hidden_faults(error, content) + _cross_faults(content)
    faults += _name_faults(path, content)
    if card is None or faults:
        raise InputError(str(path), faults)
    return card


def _joined(error: ValidationError) -> list[str]:
    """Return the message of `Card._complete`, whose faults are listed one by one instead."""
    return [str(e["ctx"]["error"]) for e in error.errors() if not e["loc"] and "ctx" in e]


def _hidden_faults(error: ValidationError, content: Mapping[str, Any]) -> list[str]:
    """List contradictions within constants that also have faulty fields: pydantic stops at those."""
    places = {e["loc"][:2] for e in error.errors() if len(e["loc"]) > 2}
    return [
        f"{group}.{name}: {fault}"
        for group, name, fields in _constants(content)
        if (group, name) in places
        for fault in contradictions(fields)
    ]


def _cross_faults(content: Mapping[str, Any]) -> list[str]:
    """List what contradicts itself across a card's fields; a part that is no mapping is left out."""
    constants, limits, boundaries, errors = (
        _mapping(content.get(name)) for name in ("constants", "limits", "boundaries", "model_error")
    )
    faults = [
        f"constants.{name}: {fault}"
        for group, name, fields in _constants(content)
        if group == "constants"
        for fault in looseness(fields)
    ]
    if content.get("status") == "what-if":
        faults += [
            f"{group}.{name}: {fields.get('kind')}, but every value of a what-if card is estimated"
            for group, name, fields in _constants(content)
            if fields.get("kind") != "estimated"
        ]
    faults += [
        f"{n}: stands among both constants and limits" for n in sorted(constants.keys() & limits.keys())
    ]
    stated = {name: _mapping(errors.get(name)) for name in ("energy", "latency")}
    for quantity, factors in stated.items():
        loose = sorted(factors.keys() - boundaries.keys())
        faults += [f"model_error.{quantity}.{b}: not among the boundaries" for b in loose]
    named = stated["energy"].keys() | stated["latency"].keys()
    return faults + [f"boundaries.{b}: no model_error" for b in boundaries if b not in named]


def _constants(content: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (group, name, fields)
        for group in ("constants", "limits")
        for name, fields in _mapping(content.get(group)).items()
        if isinstance(fields, Mapping)
    ]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name_faults(path: Path, content: Mapping[str, Any]) -> list[str]:
    """List clashes of a card's names with its file's and with those of other cards."""
    name, aliases = content.get("name"), content.get("aliases")
    faults = []
    if isinstance(name, str) and name != path.stem:
        faults.append(f"name: {name!r} is not the file's name, {path.stem!r}")
    others: dict[str, Head] = {n: head for n, head in cardfile.heads().items() if n != name}
    taken = {n: n for n in others} | {a: n for n, head in others.items() for a in head.aliases}
    mine = [("name", name), *(("aliases", a) for a in (aliases if isinstance(aliases, list) else []))]
    faults += [
        f"{field}: {own!r} is already {'' if taken[own] == own else 'another name of '}card {taken[own]!r}"
        for field, own in mine
        if isinstance(own, str) and own in taken
    ]
    words = [own for _, own in mine if isinstance(own, str)]
    return faults + [f"aliases: {own!r} stands twice" for own in sorted(set(words)) if words.count(own) > 1]
