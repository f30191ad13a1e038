"""One card in a terminal: every constant with its interval, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.constant import Constant
from nmbench.energy.models import MODELS
from nmbench.report.engineering import RANGE, engineering, interval
from nmbench.report.escape import inert
from nmbench.report.sections import BOUNDARY_WORDS

WIDE = 130
"""Columns from which conditions and source stand in columns of their own."""

WHAT_IF = "What-if: no such chip was measured, every value is an estimate, and no result is ever ranked."
EXACT = "exact"
UNITS: Mapping[str, str] = {"1": "", "bytes": "B", "1/s": "/s", "bytes/s": "B/s"}
"""Shorter words for a card's units."""

COUNTED = 1e9
"""Below this, whole numbers of things and bytes are written out."""


@dataclass(frozen=True)
class CardSheet:
    """A card that rich renders to the width at hand."""

    card: Card

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what it is, its boundaries, constants and limits, then what to know of it."""
        card, wide = self.card, options.max_width >= WIDE
        yield Text.assemble((inert(card.name), "bold"), "  ", inert(card.title))
        if card.status == "what-if":
            yield Text(WHAT_IF, style="yellow")
        yield _pairs(_facts(card))
        yield _heading("boundaries, and the 90 % error that the equation leaves when every constant is right")
        yield _boundaries(card)
        yield Text.assemble("error: ", inert(card.model_error.source, None), style="dim")
        for title, constants in (("constants", card.constants), ("limits of the mapper", card.limits)):
            if constants:
                yield _heading(f"{title}, with 90 % intervals")
                yield (_in_columns if wide else _stacked)(constants)
        for title, texts in (("notes", card.notes), ("sources", card.sources)):
            if texts:
                yield _heading(title)
                yield from _items(texts)


def value_text(constant: Constant) -> str:
    """Return a constant's value with prefix and unit: `72.8 pJ`, `196,608 B`, `300 M/s`."""
    return _number(constant.value, constant.unit)


def interval_text(constant: Constant) -> str:
    """Return a constant's interval; `EXACT` where it has no width."""
    if constant.lo == constant.hi:
        return EXACT
    unit = UNITS.get(constant.unit, constant.unit)
    if _is_counted(constant.unit, constant.hi):
        ends = (_number(end, constant.unit).removesuffix(f" {unit}") for end in (constant.lo, constant.hi))
        return f"{RANGE.join(ends)} {unit}".strip()
    return interval(constant.lo, constant.hi, unit)


def _number(value: float, unit: str) -> str:
    short = UNITS.get(unit, unit)
    if _is_counted(unit, value):
        return f"{value:,.10g} {short}".strip()
    return engineering(value, short)


def _is_counted(unit: str, most: float) -> bool:
    return unit in ("1", "bytes") and most < COUNTED


def _facts(card: Card) -> dict[str, str]:
    heeds = sorted(MODELS[card.model].heeds) if card.model in MODELS else []
    facts = {
        "summary": card.summary,
        "version": f"{card.version}, {card.status}, {card.sha256[:12]}",
        "variant of": _variant(card),
        "also called": ", ".join(card.aliases),
        "family": card.family,
        "equation": card.model + (f", heeds {', '.join(heeds)}" if heeds else ""),
        "answers": card.answers or "",
    }
    return {name: text for name, text in facts.items() if text}


def _variant(card: Card) -> str:
    """Name a variant's base, and what differs from it where nmbench ships it."""
    if card.base is None or card.base not in card_names():
        return card.base or ""
    base = load_card(card.base)
    mine, its = ({n: c.value for n, c in {**x.constants, **x.limits}.items()} for x in (card, base))
    names = [name for name in {**its, **mine} if mine.get(name) != its.get(name)]
    differs = [name if name in mine else f"no {name}" for name in names]
    return f"{card.base}, differs in {', '.join(differs)}" if differs else card.base


def _boundaries(card: Card) -> Table:
    table = _table("boundary", "energy", "latency", "includes")
    for boundary, words in card.boundaries.items():
        factors = (card.model_error.energy.get(boundary), card.model_error.latency.get(boundary))
        errors = (Text(f"x {factor:g}" if factor else "not stated") for factor in factors)
        table.add_row(Text(BOUNDARY_WORDS[boundary]), *errors, Text(inert(words, None)))
    return table


def _in_columns(constants: Mapping[str, Constant]) -> Table:
    table = _table("name", "value", "interval", "kind", "read", "conditions", "source")
    for name, c in constants.items():
        cells = (inert(name), value_text(c), interval_text(c), c.kind, c.evidence, inert(c.conditions, None))
        table.add_row(*map(Text, cells), Text(inert(c.source, None), style="dim"))
    return table


def _stacked(constants: Mapping[str, Constant]) -> Table:
    table = _table("name", "value, interval", "kind (what was read): conditions; source")
    for name, c in constants.items():
        told = Text.assemble(
            f"{c.kind} ({c.evidence}): {inert(c.conditions, None)}; ", (inert(c.source, None), "dim")
        )
        table.add_row(Text(inert(name)), Text(f"{value_text(c)}\n{interval_text(c)}"), told)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("name", "value", "interval", "boundary"))
    return table


def _pairs(pairs: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(Text(name), Text(inert(value, None)))
    return table


def _items(texts: Sequence[str]) -> Iterable[Table]:
    for text in texts:
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_row(Text("-"), Text(inert(text, None)))
        yield table


def _heading(text: str) -> Padding:
    return Padding(Text(text, style="bold"), (1, 0, 0, 0))
