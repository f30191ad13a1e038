"""``nmbench simulate``: run a large recurrent network and show what it does and how fast it ran."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nmbench.network.sparse import SparseNetwork
    from nmbench.simulator.sparse.engine import SparseRun, SparseSimulator
    from nmbench.simulator.sparse.memory import Arithmetic
    from nmbench.spiketrains import PopulationStatistics

app = typer.Typer(no_args_is_help=True, help="Run a large recurrent network; draw its spikes and rates.")

RASTER_MS = 400.0
"""Time that a raster shows: the last of the run."""

Seconds = Annotated[float, typer.Option(min=0.001, help="Biological time to run and to show.")]
Warmup = Annotated[float, typer.Option(min=0, help="Biological seconds before, which are not shown.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads; they change nothing but the speed.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the connections and of the noise.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write (reports/local/<network>).")]
Double = Annotated[bool, typer.Option("--double", help="Double precision instead of fixed point.")]


@app.command()
def microcircuit(
    scale: Annotated[
        float, typer.Option(min=0.001, max=1, help="Share of the neurons, and of the synapses of each.")
    ] = 1.0,
    seconds: Seconds = 1.0,
    warmup: Warmup = 0.5,
    threads: Threads = 2,
    seed: Seed = 1,
    double: Double = False,
    out: Out = None,
) -> None:
    """Run the cortical microcircuit (Potjans & Diesmann 2014): 77,169 neurons, 0.3 billion synapses."""
    from nmbench.network import microcircuit as model

    parameters = model.read_microcircuit()
    network = model.microcircuit(parameters, scale, scale)
    reference = {p.name: p.rate_hz for p in parameters.populations}
    _run(network, _Options(seconds, warmup, threads, seed, double, out), reference)


@app.command()
def brunel(
    neurons: Annotated[int, typer.Option(min=10, help="Neurons, 80 % of them excitatory.")] = 10_000,
    current: Annotated[bool, typer.Option("--current", help="Constant current instead of Poisson.")] = False,
    seconds: Seconds = 1.0,
    warmup: Warmup = 0.1,
    threads: Threads = 2,
    seed: Seed = 1,
    double: Double = False,
    out: Out = None,
) -> None:
    """Run Brunel's network (2000) with delta synapses: 1,000 inputs a neuron."""
    from nmbench.network import brunel as model

    network = model.brunel(neurons, poisson=not current)
    _run(network, _Options(seconds, warmup, threads, seed, double, out), {})


@dataclass(frozen=True)
class _Options:
    seconds: float
    warmup_s: float
    threads: int
    seed: int
    double: bool
    out: Path | None


def _run(network: SparseNetwork, options: _Options, reference: dict[str, float]) -> None:
    """Run, show the table, write figures and numbers, and print where they are."""
    from nmbench.report.terminal import Terminal
    from nmbench.simulator.sparse.engine import compile_sparse
    from nmbench.spiketrains import population_statistics

    out = options.out or Path("reports/local") / network.name
    steps = [max(round(s * 1000 / network.dt_ms), least) for s, least in
             ((options.warmup_s, 0), (options.seconds, 1))]  # fmt: skip
    with Terminal() as terminal:
        arithmetic: Arithmetic = "double" if options.double else "fixed"
        simulator = compile_sparse(network, options.threads, seed=options.seed, arithmetic=arithmetic)
        simulator.warmup()
        load = os.getloadavg()[0]
        simulator.run(steps[0], record=False, progress=lambda n, of: terminal.step("warm-up", n, of))
        run = simulator.run(steps[1], progress=lambda n, of: terminal.step(network.name, n, of))
    sizes = [p.size for p in network.populations]
    times_ms = run.times_ms - run.begin * network.dt_ms
    statistics = population_statistics(times_ms, run.ids, sizes, 1000 * run.biological_s)
    _show(network, run, simulator, statistics, reference, load)
    out.mkdir(parents=True, exist_ok=True)
    _write(network, run, simulator, statistics, reference, load, out)
    print(out)


def _measures(run: SparseRun, simulator: SparseSimulator, load: float) -> dict[str, float | int | str]:
    """Return what is said of the run as a whole, by name and unit."""
    layout = simulator.layout
    return {
        "neurons": run.network.size,
        "synapses": layout.synapses,
        "biological_s": run.biological_s,
        "wall_s": run.wall_s,
        "real_time_factor": run.real_time_factor,
        "threads": run.threads,
        "core_s_per_biological_s": run.real_time_factor * run.threads,
        "build_s": simulator.build_s,
        "bytes_per_synapse": layout.bytes_per_synapse,
        "spikes": int(run.spikes.sum()),
        "synaptic_events": int(run.synaptic_events.sum()),
        "neuron_updates": int(run.neuron_updates.sum()),
        "arithmetic": run.arithmetic,
        "seed": layout.seed,
        "load_before": load,
    }


def _mean(values: object) -> float | None:
    """Return the mean of an array, or None where it is empty."""
    import numpy as np

    array = np.asarray(values)
    return float(array.mean()) if array.size else None


def _rows(
    network: SparseNetwork, statistics: list[PopulationStatistics], reference: dict[str, float]
) -> list[dict[str, float | int | str | None]]:
    return [
        {
            "population": p.name,
            "neurons": p.size,
            "rate_hz": _mean(own.rates_hz),
            "reference_hz": reference.get(p.name),
            "cv_isi": _mean(own.cvs),
            "correlation": _mean(own.correlations),
        }
        for p, own in zip(network.populations, statistics, strict=True)
    ]


def _show(
    network: SparseNetwork,
    run: SparseRun,
    simulator: SparseSimulator,
    statistics: list[PopulationStatistics],
    reference: dict[str, float],
    load: float,
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, title_justify="left")
    for heading in ("Population", "Neurons", "Rate, Hz", "Reference, Hz", "CV of ISI", "Correlation"):
        table.add_column(heading, justify="left" if heading == "Population" else "right")
    for row in _rows(network, statistics, reference):
        table.add_row(
            str(row["population"]), f"{row['neurons']:,}", _said(row["rate_hz"]), _said(row["reference_hz"]),
            _said(row["cv_isi"]), _said(row["correlation"], 4),
        )  # fmt: skip
    console.print(table)
    said = _measures(run, simulator, load)
    console.print(
        f"{said['synapses']:,} synapses at {said['bytes_per_synapse']:.2f} bytes, built in "
        f"{said['build_s']:.1f} s\n"
        f"{said['biological_s']:g} s of biology in {said['wall_s']:.2f} s: real-time factor "
        f"{said['real_time_factor']:.2f}, {said['core_s_per_biological_s']:.2f} core-seconds a second "
        f"({said['threads']} threads, {said['arithmetic']} arithmetic, load {load:.1f} before)\n"
        f"{said['spikes']:,} spikes, {said['synaptic_events']:,} synaptic events",
        soft_wrap=True,
    )


def _said(value: object, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if isinstance(value, float) else "-"


def _write(
    network: SparseNetwork,
    run: SparseRun,
    simulator: SparseSimulator,
    statistics: list[PopulationStatistics],
    reference: dict[str, float],
    load: float,
    out: Path,
) -> None:
    """Write ``raster`` and ``rates`` (svg, png, pdf, csv) and ``run.json``."""
    from nmbench.report import raster
    from nmbench.report.style import save

    names = tuple(p.name for p in network.populations)
    inhibitory = tuple(name.endswith("I") for name in names)
    sizes = tuple(p.size for p in network.populations)
    activity = raster.Activity(names, sizes, inhibitory, run.times_ms, run.ids)
    end_ms = run.end * network.dt_ms
    begin_ms = max(run.begin * network.dt_ms, end_ms - RASTER_MS)
    save(raster.raster(activity, begin_ms, end_ms), out / "raster")
    chosen = raster.drawn(activity, begin_ms, end_ms)
    _csv(
        out / "raster.csv",
        ["time_ms", "neuron"],
        [[f"{t:.10g}", int(n)] for t, n in zip(run.times_ms[chosen], run.ids[chosen], strict=True)],
    )
    rows = _rows(network, statistics, reference)
    shown = [
        raster.RateRow(name, kind, own.rates_hz, reference.get(name))
        for name, kind, own in zip(names, inhibitory, statistics, strict=True)
    ]
    save(raster.rates(shown), out / "rates")
    _csv(out / "rates.csv", list(rows[0]), [list(row.values()) for row in rows])
    text = json.dumps({"network": network.name, **_measures(run, simulator, load)}, indent=1)
    (out / "run.json").write_text(text + "\n", encoding="utf-8")


def _csv(path: Path, header: list[str], rows: list[list[float | int | str | None]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
