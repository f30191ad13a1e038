"""What to say where a set is not on this machine: one command, or what to put where by hand."""

from __future__ import annotations

from pathlib import Path

from nmbench.datasets.holdings.catalogue import File, Holding, holding
from nmbench.datasets.holdings.state import State, state
from nmbench.errors import DataMissing

_STATES = {
    "absent": "is not on this machine",
    "begun": "is not on this machine yet: a download broke off",
    "incomplete": "is not complete on this machine",
    "packed": "is here, but not unpacked",
    "damaged?": "is not as it was when it was fetched",
}


def missing(name: str, root: Path) -> DataMissing:
    """Return the fault of a set that cannot be read, with all that is needed to get it.

    Parameters
    ----------
    name
        Name of the set.
    root
        The data folder.
    """
    known = holding(name)
    return DataMissing(advice(known, root.absolute(), state(known, root)))


def advice(known: Holding, root: Path, found: State) -> str:
    """Say how a set comes onto this machine."""
    folder = root / known.folder
    says = _STATES.get(found.what, "is here, but not where or how it is read")
    lines = [f"{known.title} ({known.name}) {says}{f' ({found.why})' if found.why else ''}: {folder}"]
    lines += [f"  to get it:  nmbench data fetch {known.name}", "  or by hand:"]
    for file in known.files:
        lines += [f"    {line}" for line in _by_hand(file, folder)]
    if known.present:
        lines.append("  after unpacking these must exist:")
        lines += [f"    {folder / present.pattern}{_least(present.at_least)}" for present in known.present]
    lines += [f"  note: {known.note}"] if known.note else []
    lines.append(f"  licence: {known.licence or known.licence_unknown}")
    lines.append("  (NMBENCH_DATA names another data folder)")
    return "\n".join(lines)


def _by_hand(file: File, folder: Path) -> list[str]:
    lines = [f"{file.mirrors[0]} ({file.size}, {file.digest})"]
    lines += [f"  or {mirror}" for mirror in file.mirrors[1:]]
    unpacked = "" if file.unpack == "none" else ", and unpack it there"
    lines.append(f"  -> {folder / file.name}{unpacked}")
    if file.instead:
        lines.append(f"  or, in its place, {folder / file.instead.name}")
    return lines


def _least(count: int) -> str:
    return "" if count == 1 else f" (at least {count:,})"
