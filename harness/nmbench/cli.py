"""The commands: parse, call, print. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmbench import __version__, cost_commands, data_commands, platform_commands, simulate, train_commands
from nmbench.arguments import Plugins, ResultsFolder
from nmbench.errors import DataMissing, InputError, unknown

if TYPE_CHECKING:
    from nmbench.apart.limits import Limits
    from nmbench.apart.request import Places
    from nmbench.record import Result
    from nmbench.registry import Entry
    from nmbench.selection import Chosen
    from nmbench.store import Store

OK, CELL_FAILED, BAD_INPUT = 0, 1, 2

app = typer.Typer(
    name="nmbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Benchmarks for neuromorphic hardware and simulators: energy per inference, latency and accuracy, "
    "side by side with conventional platforms.",
)

app.add_typer(simulate.app, name="simulate")
app.add_typer(platform_commands.app, name="platforms")
app.add_typer(data_commands.app, name="data")
for command in (cost_commands.validate, cost_commands.reprice, cost_commands.compare, train_commands.train):
    app.command()(command)


def main() -> None:
    """Run the command line; bad input ends with one message and code 2."""
    try:
        app()
    except (InputError, DataMissing) as error:
        print(f"nmbench: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """Print the version where it is asked for."""
    if show:
        print(f"nmbench {__version__}")
        raise typer.Exit


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(metavar="suites|workloads|platforms|metrics")],
    plugin: Plugins = [],
) -> None:
    """List what there is to run, and on what."""
    from nmbench.report import listing

    listing.show(what, plugin)


@app.command()
def run(
    suite: Annotated[
        str, typer.Option(help="Suite to run: its name, or a folder with a suite.yaml.")
    ] = "temporal",
    workload: Annotated[list[str], typer.Option(help="Only these workloads.")] = [],
    platform: Annotated[list[str], typer.Option(help="Only these platforms, or families of platforms.")] = [],
    size: Annotated[list[str], typer.Option(help="Sizes of the reference network.")] = ["base"],
    data: Annotated[
        str,
        typer.Option(
            help="'synthetic' (needs no download; a workload without has its real data), 'real', or a source."
        ),
    ] = "synthetic",
    data_path: Annotated[
        Path | None, typer.Option(help="Folder of real data, or one archive (NMBENCH_DATA).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the order of queries and of their moments.")] = 0,
    scenario: Annotated[
        list[str],
        typer.Option(
            help="SingleStream, MultiStream, Server, Offline, Streaming (joined by commas), or all; "
            "SingleStream where none is named."
        ),
    ] = [],
    tier: Annotated[
        str, typer.Option(help="'quick' (seconds) or 'official' (600 s a cell at least).")
    ] = "quick",
    rate: Annotated[
        float | None, typer.Option(min=1e-6, help="Server: queries per second, in place of a search.")
    ] = None,
    clock: Annotated[
        str, typer.Option(help="Of measured platforms: 'wall', or 'skipping' (idle waiting is left out).")
    ] = "wall",
    power: Annotated[
        str, typer.Option(help="Meter: auto, none, rapl, nvml[:N], command:CMD or csv:FILE (docs/power.md).")
    ] = "auto",
    loadgen: Annotated[
        bool, typer.Option("--loadgen", help="MLCommons' LoadGen makes the traffic (extra 'loadgen').")
    ] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Each cell in a process of its own, with limits; --loadgen too.")
    ] = False,
    time_limit: Annotated[
        float | None, typer.Option(help="Of a cell's own process, seconds (600; official: 6 h).")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(help="Of a cell's own process, as 4G or 512M (3/4 of the memory).")
    ] = None,
    plugin: Plugins = [],
    results: ResultsFolder = None,
    fresh: Annotated[bool, typer.Option(help="Begin anew, also where a run was cut off.")] = False,
) -> None:
    """Run workloads on platforms; a run that was cut off is taken up where it stopped."""
    from nmbench import places, registry, selection
    from nmbench.apart import limits as apart
    from nmbench.scenario import refusal

    known = registry.platforms(plugin)
    read = registry.read_suite(suite)
    faults: list[str] = []
    how = selection.how(loadgen=loadgen, clock=clock, rate=rate, power=power, faults=faults)
    chosen_tier = selection.tier(tier, faults)
    allowed = apart.limits(chosen_tier, time_limit, memory_limit, faults)
    if (time_limit or memory_limit) and not (isolate or loadgen):
        faults.append("--time-limit and --memory-limit are those of --isolate")
    if loadgen and (reason := refusal.missing()):
        faults.append(reason)
    wanted = selection.Wanted(
        workload, size, data, selection.scenarios(scenario, faults), chosen_tier, seed, how
    )
    chosen = selection.tasks(read, wanted, faults)
    entries = []
    try:
        entries = registry.select(platform, known)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError("nmbench run", faults)

    from nmbench.apart.request import Places
    from nmbench.report import tables
    from nmbench.store import Store

    where = Places(cache=places.cache_root(), data=data_path or places.data_root(), plugins=tuple(plugin))
    store = Store(results or places.results_root())
    mine, path = _sweep(
        store, chosen, workload, entries, where, allowed if isolate or loadgen else None, fresh=fresh
    )
    tables.show(mine)
    print(path)
    raise typer.Exit(_code(mine))


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A run or a result, or the beginning of its id; 'last'.")
    ] = "last",
    results: ResultsFolder = None,
) -> None:
    """Show a run as a leaderboard, or a result with all its numbers."""
    from nmbench.report import tables

    found = _found(name, results)
    if len(found) == 1 and found[0].run != name:
        tables.show_result(found[0])
    else:
        tables.show(found)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="A run, or the beginning of its id; 'last' or 'all'.")] = "last",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write (reports/local/<run>).")
    ] = None,
    results: ResultsFolder = None,
) -> None:
    """Write the report of a run: tables (Markdown, CSV) and figures."""
    from nmbench import places
    from nmbench.report import build
    from nmbench.report.terminal import Terminal
    from nmbench.store import Store
    from nmbench.sweep import left_out

    found = _found(name, results)
    folder = out or Path("reports/local") / ("all" if name == "all" else found[0].run)
    without = left_out(Store(results or places.results_root()), {r.run for r in found})
    with Terminal() as terminal:
        path = build.build(found, folder, terminal, without)
    print(path)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(metavar="result|system|run|workload|suite")] = "result",
) -> None:
    """Print the JSON schema of a document."""
    import json

    from pydantic import BaseModel

    from nmbench.record import Result, System
    from nmbench.spec import SuiteFile, Workload
    from nmbench.sweep import Run

    models: dict[str, type[BaseModel]] = {
        "result": Result,
        "system": System,
        "run": Run,
        "workload": Workload,
        "suite": SuiteFile,
    }
    if what not in models:
        raise InputError("nmbench schema", [unknown("document", what, models)])
    print(json.dumps(models[what].model_json_schema(by_alias=True), indent=1))


def _sweep(
    store: Store,
    chosen: Chosen,
    named: Sequence[str],
    entries: Sequence[Entry],
    where: Places,
    limits: Limits | None,
    *,
    fresh: bool,
) -> tuple[list[Result], Path]:
    """Run the cells that are missing; each in a process of its own where limits are given."""
    from nmbench.apart.run import run_apart
    from nmbench.at_hand import at_hand
    from nmbench.cell import Cell
    from nmbench.report.terminal import Terminal
    from nmbench.runner import run_cell
    from nmbench.store import RUNS
    from nmbench.sweep import finish, open_run
    from nmbench.system import system

    with Terminal() as terminal:
        for name, reason in chosen.left_out.items():
            terminal.note(f"{name} is left out: {reason}")
        there = at_hand(chosen.tasks, named, where.cache, where.data, terminal)
        prepared = {p.task: p for p in there.prepared}
        cells = [Cell(task, entry) for task in prepared for entry in entries]
        left_out = {**chosen.left_out, **there.left_out}
        with open_run(store, cells, terminal.note, left_out, fresh=fresh) as opened:
            if opened.resumed:
                terminal.note(
                    f"taking up run {opened.run.id}: {len(opened.there)} of {len(cells)} cells are there"
                )
            store.add_system(system())
            terminal.start(len(cells), len(opened.there))
            run_one = partial(run_cell, run=opened.run.id, progress=terminal)
            if limits:
                run_one = partial(
                    run_apart, run=opened.run.id, progress=terminal, limits=limits, places=where
                )
            for cell, result in finish(opened, cells, lambda c: run_one(c, prepared[c.task]), store):
                terminal.cell(cell.label, result)
            mine = list(store.results(terminal.note, opened.run.id))
    return mine, store.local / RUNS / f"{opened.run.id}.json"


def _found(name: str, results: Path | None) -> list[Result]:
    from nmbench import places
    from nmbench.store import Store

    return Store(results or places.results_root()).find(name, cost_commands.tell)


def _code(results: list[Result]) -> int:
    return CELL_FAILED if any(r.status == "failed" for r in results) else OK
