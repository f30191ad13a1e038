"""Commands about what inferences cost: ``nmbench validate``, ``reprice``, ``compare``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nmbench.arguments import Plugins, ResultsFolder
from nmbench.errors import InputError


def tell(fault: str) -> None:
    """Say on stderr what is wrong with a file that is passed over."""
    print(f"nmbench: {fault}", file=sys.stderr)


def reprice(
    name: Annotated[str, typer.Argument(help="A run, or the beginning of its id; 'last' or 'all'.")] = "last",
    card: Annotated[list[Path], typer.Option(help="Card file that replaces the card of its name.")] = [],
    plugin: Plugins = [],
    results: ResultsFolder = None,
) -> None:
    """Price stored results again, by today's cards, from their counts: nothing is run."""
    from nmbench import places, registry
    from nmbench.energy.card import read_card
    from nmbench.report import repriced
    from nmbench.report.terminal import Terminal
    from nmbench.reprice import Repricer, made
    from nmbench.store import Store
    from nmbench.sweep import add_whole, new_run

    store = Store(results or places.results_root())
    entries = {e.name: e.make for e in registry.platforms(plugin).values()}
    repricer = Repricer(made(entries, map(read_card, card)), store.counts, store.log)
    found = store.find(name, tell)
    reasons = {r.id: reason for r in found if (reason := repricer.reason_not(r))}
    old = [r for r in found if r.id not in reasons]
    if not old:
        raise InputError("nmbench reprice", [f"{name}: {reason}" for name, reason in reasons.items()])
    run, new = new_run([r.cell for r in old]), []
    with Terminal() as terminal:
        for id_, reason in reasons.items():
            terminal.note(f"not priced again: {id_}: {reason}")
        for result in repricer.reprice(old, run.id):
            new.append(result)
            terminal.step("pricing", len(new), len(old))
        path = add_whole(store, run, new)
    repriced.show(old, new)
    print(path)


def validate(
    file: Annotated[
        Path | None,
        typer.Argument(help="Published measurements (YAML or JSON); else those that nmbench ships."),
    ] = None,
    platform: Annotated[list[str], typer.Option(help="Only rows of these cards.")] = [],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    figure: Annotated[
        Path | None, typer.Option(help="Draw predicted against measured; .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Compare what the cards predict with published measurements."""
    import json

    from nmbench.energy.measurements import SHIPPED, chosen, read_measurements
    from nmbench.energy.validation import validate as predict
    from nmbench.report import validation, validation_data
    from nmbench.report.terminal import Terminal

    if figure:
        validation.check_format(figure)
    read = read_measurements(file or SHIPPED)
    with Terminal() as terminal:
        compared = predict(chosen(read.rows, platform), terminal)
    if as_json:
        content = validation_data.content(compared, read.left_out, file or SHIPPED)
        print(json.dumps(content, indent=1, allow_nan=False))
    else:
        validation.show(compared, read.left_out)
    if figure:
        from nmbench.report import validation_figure

        for path in validation_figure.write(compared, figure):
            print(path, file=sys.stderr if as_json else sys.stdout)


def compare(
    one: Annotated[str, typer.Argument(metavar="A", help="A result or a run, or the beginning of its id.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    boundary: Annotated[
        str | None, typer.Option(help="Compare at this boundary alone, e.g. chip_total.")
    ] = None,
    starts: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Relative standard deviation between two starts of one program; else from the store's "
            "repeated cells, else 0.035.",
        ),
    ] = None,
    results: ResultsFolder = None,
) -> None:
    """Say how two results, or the like results of two runs, differ, and whether the difference is real."""
    from nmbench import places
    from nmbench.comparison import pairs
    from nmbench.report import compared
    from nmbench.starts import ASSUMED, Starts, starts_of
    from nmbench.store import Store

    store = Store(results or places.results_root())
    found = store.find(one, tell), store.find(other, tell)
    spread = Starts(starts, "as given") if starts is not None else None
    compared.show(pairs(*found, boundary, spread or starts_of(store.results(tell)) or ASSUMED))
