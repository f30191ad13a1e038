"""Card files: a variant holds only what differs from its base; heads tell what there is without reading all.

A variant says ``base: NAME`` and its own ``name``, ``version``, ``title`` and ``summary``. Its constants and
limits replace those of the base one by one, each whole, so that a value never stands beside another's
source; ``null`` takes one away. Its sources stand behind the base's, on which the rest still rests. Any
other field replaces the base's.

A what-if variant of a published card has its base's values as estimates: they were seen on another chip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from nmbench.documents import read_document
from nmbench.errors import InputError, unknown

CARDS = Path(__file__).parents[1] / "platforms" / "cards"
"""Folder of the cards that nmbench ships, one YAML file a card."""

OWN = ("name", "version", "title", "summary", "aliases")
"""What a variant never has from its base."""

WIDENED = 2.0
"""Factor by which an inherited constant's interval grows at either end where it becomes an estimate."""

_HEAD = re.compile(r"^(name|base|family|model|status|aliases|summary): *(.*?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Head:
    """What a card's first lines say."""

    name: str
    path: Path
    base: str | None = None
    family: str = ""
    model: str = ""
    status: str = ""
    summary: str = ""
    aliases: tuple[str, ...] = ()


class _Content(BaseModel):
    model_config = ConfigDict(extra="allow")


@cache
def heads() -> Mapping[str, Head]:
    """Return the heads of the shipped cards by name, in a few milliseconds: no YAML is parsed.

    A shipped card keeps each of these fields on one line (a test compares them with the parsed file).
    """
    found = {path.stem: _head(path) for path in sorted(CARDS.glob("*.yaml"), key=lambda path: path.stem)}
    return {name: _inherited(head, found) for name, head in found.items()}


@cache
def owners() -> Mapping[str, str]:
    """Return the shipped card of each name and alias."""
    return {n: n for n in heads()} | {a: head.name for head in heads().values() for a in head.aliases}


def owner(name: str) -> str | None:
    """Return the shipped card of a name or alias, whatever its case, spaces and hyphens; None without one."""
    exact = owners().get(name)
    return exact or {bare(known): card for known, card in owners().items()}.get(bare(name))


def bare(name: str) -> str:
    """Return a name's letters and digits, in lower case."""
    return "".join(c for c in name.lower() if c.isalnum())


def chain(name: str) -> tuple[Path, ...]:
    """Return the files that a shipped card is made from: its own and its bases'."""
    found: list[Path] = []
    head = heads().get(name)
    while head is not None and head.path not in found:
        found.append(head.path)
        head = heads().get(head.base or "")
    return tuple(found)


def merged(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return a card file's content with what it has from its base, and the faults on the way.

    Raises
    ------
    InputError
        If the file itself cannot be read.
    """
    return _merged(path, (path.stem,))


def _merged(path: Path, way: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    own = _read(path)
    if own.get("base") is None:
        return own, []
    base = own["base"]
    if not isinstance(base, str):
        return own, []  # the schema says so
    if base in way:
        return own, [f"base: {' -> '.join([*way, base])} goes round in a circle"]
    file = _file(base, path.parent)
    if file is None:
        return own, [f"base: {unknown('card', base, {*heads(), *_names(path.parent)} - {path.stem})}"]
    try:
        under, faults = _merged(file, (*way, base))
    except InputError as error:
        return own, [f"base: {error.subject}: {fault}" for fault in error.faults]
    if own.get("status") == "what-if" and under.get("status") != "what-if":
        under = {**under, **{group: _estimates(under.get(group), base) for group in ("constants", "limits")}}
    content, more = _over(under, own)
    return content, faults + more


def _estimates(values: Any, base: str) -> Any:
    """Return a base's constants or limits as what they are for a chip that does not exist."""
    if not isinstance(values, dict):
        return values
    return {
        name: _estimate(fields, base) if isinstance(fields, dict) else fields
        for name, fields in values.items()
    }


def _estimate(fields: Mapping[str, Any], base: str) -> dict[str, Any]:
    lo, hi = fields.get("lo"), fields.get("hi")
    ends: dict[str, Any] = {}
    if isinstance(lo, int | float) and isinstance(hi, int | float):
        ends = {"lo": lo / WIDENED, "hi": hi * WIDENED}
    told = {"kind": "estimated", "evidence": "none", "source": f"as {base}: {fields.get('source')}"}
    return {**fields, **ends, **told}


def _over(under: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Lay a variant's content over its base's."""
    faults: list[str] = []
    content = {key: value for key, value in under.items() if key not in OWN} | dict(own)
    for group in ("constants", "limits"):
        below, above = under.get(group), own.get(group)
        if not isinstance(below, dict) or not isinstance(above, dict):
            content[group] = own.get(group, below)
            continue
        gone = [name for name, fields in above.items() if fields is None]
        faults += [f"{group}.{n}: null, but {unknown(group[:-1], n, below)}" for n in gone if n not in below]
        content[group] = {n: fields for n, fields in {**below, **above}.items() if n not in gone}
    if isinstance(under.get("sources"), list) and isinstance(own.get("sources"), list):
        content["sources"] = [*under["sources"], *own["sources"]]
    return content, faults


def _read(path: Path) -> dict[str, Any]:
    return dict(read_document(path, _Content).model_extra or {})


def _file(name: str, folder: Path) -> Path | None:
    """Return the file of a base: beside its variant, or among the shipped ones."""
    return next((f for f in (folder / f"{name}.yaml", CARDS / f"{name}.yaml") if f.is_file()), None)


def _names(folder: Path) -> Iterable[str]:
    return [path.stem for path in folder.glob("*.yaml")]


def _head(path: Path) -> Head:
    lines = {key: value.strip("\"'") for key, value in _HEAD.findall(path.read_text(encoding="utf-8"))}
    aliases = tuple(a.strip(" \"'") for a in lines.get("aliases", "").strip("[]").split(",") if a.strip())
    return Head(
        name=path.stem,
        path=path,
        base=lines.get("base"),
        family=lines.get("family", ""),
        model=lines.get("model", ""),
        status=lines.get("status", ""),
        summary=lines.get("summary", ""),
        aliases=aliases,
    )


def _inherited(head: Head, found: Mapping[str, Head]) -> Head:
    """Fill in what a variant's head leaves to its base."""
    seen, under = {head.name}, found.get(head.base or "")
    while under is not None and under.name not in seen:
        head = replace(
            head,
            family=head.family or under.family,
            model=head.model or under.model,
            status=head.status or under.status,
        )
        seen.add(under.name)
        under = found.get(under.base or "")
    return head
