"""``nmbench data``: real data sets, fetched, verified and found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmbench.errors import DataMissing, InputError
from nmbench.sheets import commands as sheet_commands

if TYPE_CHECKING:
    from rich.table import Table

    from nmbench.datasets.holdings.catalogue import Holding
    from nmbench.datasets.holdings.state import State

FOUND_FAULTS = 1
ADVICE_SETS_MAX = 2

app = typer.Typer(no_args_is_help=True, help="List, fetch, verify and find the real data sets.")

Names = Annotated[list[str], typer.Argument(metavar="NAME...|all", help="Data sets, by name; or all.")]

COLOURS = {"ready": "green", "by hand": "green", "absent": "dim", "damaged?": "red"}
LEGEND = {
    "absent": "`nmbench data fetch NAME` gets it",
    "begun": "a download broke off: `nmbench data fetch NAME` goes on with it",
    "incomplete": "something is missing: `nmbench data fetch NAME` gets it",
    "packed": "the archives are here, what is in them is not: `nmbench data fetch NAME` unpacks them",
    "ready": "whole, by the sizes in its receipt: `nmbench data verify NAME` hashes every file",
    "by hand": "whole, placed by hand, without a receipt: `nmbench data verify NAME --adopt` makes one",
    "damaged?": "not as its receipt says: `nmbench data verify NAME` names every file",
}
SIZES = "sizes: ~ rounded, + some part of it is stated nowhere, ? stated nowhere"


@app.command("list")
def list_() -> None:
    """List the real data sets: size, licence, and what of them is on this machine."""
    from nmbench import places
    from nmbench.datasets.holdings.catalogue import catalogue
    from nmbench.datasets.holdings.state import state
    from nmbench.report.tables import terminal

    root = places.data_root()
    console = terminal()
    states = {holding.name: state(holding, root) for holding in catalogue().holdings}
    console.print(_table(states))
    for name, found in states.items():
        if found.why and found.what != "packed":
            console.print(f"{name}: {found.what}: {found.why}", soft_wrap=True)
    for what, meaning in LEGEND.items():
        if any(found.what == what for found in states.values()):
            console.print(f"{what:<10} {meaning}", soft_wrap=True)
    console.print(SIZES, soft_wrap=True)
    console.print(f"data folder (NMBENCH_DATA): {root}", soft_wrap=True)


@app.command()
def fetch(name: Names) -> None:
    """Fetch sets and unpack them; goes on where an earlier fetch broke off, believes only known digests."""
    from nmbench import places
    from nmbench.datasets.holdings.catalogue import chosen
    from nmbench.datasets.holdings.download import Patience
    from nmbench.datasets.holdings.fetch import fetch as fetch_all
    from nmbench.report.transfers import Transfers

    wanted = chosen(name)
    root = places.data_root()
    with Transfers() as transfers:
        for holding in wanted:
            transfers.note(f"{holding.name}: licence {holding.licence or holding.licence_unknown}")
            if holding.note:
                transfers.note(f"{holding.name}: {holding.note}")
        try:
            fetched = fetch_all(wanted, root, transfers, Patience())
        except InputError as error:
            raise _faults(error, _by_hand(wanted, root)) from error
    for holding in fetched:
        print(f"{holding.name}: ready in {root / holding.folder}")


@app.command()
def verify(
    name: Names,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="Make a receipt of files that were placed by hand, as they are now: later changes are "
            "found, not whether they were right today (archives of a known digest are checked).",
        ),
    ] = False,
) -> None:
    """Hash every file of sets again; a flipped bit, a missing or a foreign file is named."""
    from nmbench import places
    from nmbench.datasets.holdings import verify as verifying
    from nmbench.datasets.holdings.catalogue import chosen
    from nmbench.report.transfers import Transfers

    wanted, root = chosen(name), places.data_root()
    faults: list[str] = []
    with Transfers() as transfers:
        for holding in wanted:
            try:
                if adopt:
                    receipt = verifying.adopt(holding, root, transfers)
                    count = len(receipt.fetched) + len(receipt.unpacked)
                    print(f"{holding.name}: {count:,} files adopted as they are now")
                    continue
                verdict = verifying.verify(holding, root, transfers)
            except DataMissing as error:
                if "all" not in name:
                    faults.append(str(error))
                else:
                    print(f"{holding.name}: absent, nothing to verify")
                continue
            except InputError as error:
                faults += [f"{holding.name}: {fault}" for fault in error.faults]
                continue
            for note in verdict.notes:
                transfers.note(f"{holding.name}: {note}")
            faults += [f"{holding.name}: {fault}" for fault in verdict.faults]
            if not verdict.faults:
                print(f"{holding.name}: verified, {verdict.checked:,} files")
    if faults:
        raise _faults(InputError("nmbench data verify", faults))


@app.command()
def path(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A data set; else the data folder.")
    ] = None,
) -> None:
    """Print the folder of a set, or the data folder, for scripts."""
    from nmbench import places
    from nmbench.datasets.holdings.catalogue import folder

    root = places.data_root()
    print(folder(name, root) if name else root)


app.command()(sheet_commands.sheet)


def _table(states: dict[str, State]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from nmbench.datasets.holdings.catalogue import holding

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("name", "title", "of", "size", "licence", "here"):
        table.add_column(column, overflow="fold", justify="right" if column == "size" else "left")
    for name, found in states.items():
        known = holding(name)
        here = Text(found.what, style=COLOURS.get(found.what, "yellow"))
        licence = known.licence or "none stated"
        table.add_row(*map(Text, (name, known.title, known.modality, known.size, licence)), here)
    return table


def _by_hand(wanted: Sequence[Holding], root: Path) -> str:
    """Say how sets come here by hand that could not be fetched, if that is not too much to read."""
    from nmbench.datasets.holdings.advice import advice
    from nmbench.datasets.holdings.state import state

    if len(wanted) > ADVICE_SETS_MAX:
        return "by hand: `nmbench data fetch NAME` of one set says what goes where"
    found = [(holding, state(holding, root)) for holding in wanted]
    return "\n".join(advice(holding, root, at) for holding, at in found if at.what != "ready")


def _faults(error: InputError, more: str = "") -> typer.Exit:
    """Print all faults at once; the command ends with code 1."""
    import sys

    print(f"nmbench: {error}", file=sys.stderr)
    if more:
        print(more, file=sys.stderr)
    return typer.Exit(FOUND_FAULTS)
