"""Whether the sparse engine that is chosen is the faster one: an independent grid of networks.

    python benchmarks/selection.py [--cells 48] [--seed 7] [--threads 1 2] [--output FILE] [--figure FILE]

Cells are drawn log-uniformly: neurons, fan-out, rate, every third among busy ones; and by a coin: 1 or 2
threads, one delay or a spread of them, populations alike or with two time constants. Both engines run every
cell in turns, and the shortest of many short rounds counts.

What the engines do not have in common is fitted to the cells on one thread of one half of the grid, in
nanoseconds (`Costs`), and a rule that would choose by these costs is scored on the other half, beside the
choice that is made. *Regret* is the time that choices cost beyond the best ones.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from driven import Cell, cells, driven
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls

from nmbench.simulator.sparse.build import Layout
from nmbench.simulator.sparse.engine import SparseSimulator, compile_sparse
from nmbench.simulator.sparse.memory import DENSE, DENSE_UNLIKE
from nmbench.simulator.sparse.selection import Engine

ROUNDS = 30
ROUND_S = 0.003
"""About the length of a round: many short ones, of which the shortest counts, find quiet moments."""

ENGINES: tuple[Engine, Engine] = ("clock", "lazy")


class Costs(NamedTuple):
    """What the engines do not have in common.

    The lazy one saves something in a ``step``, and a look at each ``neuron``. It pays, where what arrives is
    summed first, for each neuron ``looked_at`` and each event (``crowded``: its membranes are twice as wide,
    and leave less of the nearest cache to the sums); elsewhere for each event that is added ``direct``-ly, or
    whose neuron's population is ``looked_up``.
    """

    step: float
    neuron: float
    looked_at: float
    crowded: float
    direct: float
    looked_up: float


@dataclass(frozen=True)
class Result:
    """What a cell took, microseconds a step, and what was chosen; ``events`` are synaptic ones, a step."""

    cell: Cell
    events: float
    clock_us: float
    lazy_us: float
    chosen: Engine

    @property
    def faster(self) -> Engine:
        return "lazy" if self.lazy_us < self.clock_us else "clock"

    @property
    def saved(self) -> Costs:
        """How often each cost falls due in a step: above 0 what the lazy engine saves, below what it pays."""
        neurons, events = self.cell.neurons, self.events
        if events > (DENSE if self.cell.alike else DENSE_UNLIKE) * neurons:
            return Costs(1, neurons, -neurons, -events, 0, 0)
        return Costs(1, neurons, 0, 0, *((-events, 0) if self.cell.alike else (0, -events)))

    @property
    def regret(self) -> float:
        """Time of the choice over the shorter time, less 1."""
        taken = self.lazy_us if self.chosen == "lazy" else self.clock_us
        return taken / min(self.lazy_us, self.clock_us) - 1


def measure(cell: Cell, lock: Path | None) -> Result:
    """Run both engines on a cell in turns."""
    network = driven(cell)
    chosen = compile_sparse(network, cell.threads)
    chosen.run(500, record=False)
    events = chosen.run(500, record=False).synaptic_events.sum() / 500
    with lock.open("w") if lock else nullcontext() as held:
        if held is not None:
            fcntl.flock(held, fcntl.LOCK_EX)
        best = _rounds(chosen.layout, cell.threads)
    return Result(cell, float(events), best["clock"], best["lazy"], chosen.engine)


def _rounds(layout: Layout, threads: int) -> dict[Engine, float]:
    """Return the microseconds a step of each engine, in its shortest round.

    On one thread it is the thread's own time that is taken, which other work on the machine stretches less.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    runners = {engine: SparseSimulator(layout, engine, "fixed", threads, 0.0) for engine in ENGINES}
    for simulator in runners.values():
        simulator.warmup()
        simulator.run(500, record=False)
    steps = {e: max(500, int(500 * ROUND_S / s.run(500, record=False).wall_s)) for e, s in runners.items()}
    best = dict.fromkeys(ENGINES, np.inf)
    for _ in range(ROUNDS):
        for engine, simulator in runners.items():
            begin = clock()
            simulator.run(steps[engine], record=False)
            best[engine] = min(best[engine], 1e6 * (clock() - begin) / steps[engine])
    return best


def fit(results: Sequence[Result]) -> Costs:
    """Fit the costs to what separates the engines on one thread: least squares, none below 0.

    Errors are relative to the clock-driven engine's time.
    """
    used = [r for r in results if r.cell.threads == 1]
    taken = 1000 * np.array([r.clock_us for r in used])
    apart = 1000 * np.array([r.clock_us - r.lazy_us for r in used])
    numbers = np.array([r.saved for r in used])
    return Costs(*nnls(numbers / taken[:, None], apart / taken)[0].round(3).tolist())


def score(results: Sequence[Result], costs: Costs | None = None) -> str:
    """Say how many choices are right and what the wrong ones cost."""
    if costs is not None:
        results = [
            dataclasses.replace(r, chosen="lazy" if np.dot(costs, r.saved) > 0 else "clock") for r in results
        ]
    right = sum(r.chosen == r.faster for r in results)
    chosen = sum(r.lazy_us if r.chosen == "lazy" else r.clock_us for r in results)
    best = sum(min(r.lazy_us, r.clock_us) for r in results)
    return (
        f"{right} of {len(results)} right; regret: {np.mean([r.regret for r in results]):.2%} in the mean of "
        f"cells, {chosen / best - 1:.2%} of the total time, {max(r.regret for r in results):.1%} at most"
    )


def table(results: Sequence[Result]) -> Table:
    """Return the table of all cells."""
    shown = Table(title="Which engine is faster, us a step")
    for name in ("neurons", "fan-out", "rate, Hz", "threads", "delays", "alike", "events/neuron-step"):
        shown.add_column(name, justify="right")
    for name in ("clock", "lazy", "clock/lazy", "chosen", ""):
        shown.add_column(name, justify="right")
    for r in sorted(results, key=lambda r: r.events / r.cell.neurons):
        c = r.cell
        shown.add_row(
            f"{c.neurons:,}",
            f"{c.fan_out:,}",
            f"{c.rate_hz:g}",
            str(c.threads),
            "spread" if c.spread else "one",
            "yes" if c.alike else "no",
            f"{r.events / r.cell.neurons:.2g}",
            f"{r.clock_us:.3f}",
            f"{r.lazy_us:.3f}",
            f"{r.clock_us / r.lazy_us:.2f}",
            r.chosen,
            "" if r.chosen == r.faster else f"wrong, {r.regret:.1%}",
        )
    return shown


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw rate by fan-out: marker by winner, colour by ratio, a ring where the choice was wrong."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 5), layout="constrained")
    ratio = {id(r): np.log2(r.clock_us / r.lazy_us) for r in results}
    most = max(abs(x) for x in ratio.values())
    for engine, marker in (("lazy", "o"), ("clock", "s")):
        own = [r for r in results if r.faster == engine]
        points: Any = axes.scatter(
            [r.cell.fan_out for r in own],
            [r.cell.rate_hz for r in own],
            c=[ratio[id(r)] for r in own],
            s=[12 + 25 * np.log10(r.cell.neurons / 300) for r in own],
            vmin=-most,
            vmax=most,
            cmap="PuOr",
            marker=marker,
            edgecolors="0.3",
            linewidths=0.5,
            label=f"{engine} is faster",
        )
    wrong = [r for r in results if r.chosen != r.faster]
    axes.scatter(
        [r.cell.fan_out for r in wrong],
        [r.cell.rate_hz for r in wrong],
        s=160,
        facecolors="none",
        edgecolors="crimson",
        label="the other one was chosen",
    )
    axes.axhline(4, color="0.6", linestyle=":")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="Fan-out (synapses per neuron)",
        ylabel="Rate (Hz)",
        title=f"{len(results) - len(wrong)} of {len(results)} choices right; size: 1k to 100k neurons",
    )
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    bar = figure.colorbar(points, label="time of the clock-driven engine over that of the lazy one")
    ticks = np.arange(-int(most), int(most) + 1)
    bar.set_ticks(ticks, labels=[f"{2.0**t:g}" for t in ticks])
    figure.savefig(path, dpi=150)


def write(results: Sequence[Result], path: Path) -> None:
    """Write all cells as CSV."""
    rows = [
        asdict(r.cell)
        | {"events_a_step": round(r.events, 4)}
        | {"clock_us": round(r.clock_us, 4), "lazy_us": round(r.lazy_us, 4), "chosen": r.chosen}
        for r in results
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", type=int, default=48)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, help="CSV of all cells")
    parser.add_argument("--figure", type=Path, help="PNG or SVG")
    parser.add_argument("--lock", type=Path, help="file that is locked round every timing")
    chosen = parser.parse_args()
    console, load = Console(width=140), os.getloadavg()[0]
    results = [measure(cell, chosen.lock) for cell in cells(chosen.cells, chosen.seed, chosen.threads)]
    console.print(table(results))
    fit_half, test_half = results[::2], results[1::2]
    console.print(f"as chosen: all: {score(results)}\n  the other half: {score(test_half)}")
    if any(r.cell.threads == 1 for r in fit_half):
        fitted = fit(fit_half)
        console.print(f"ns that separate the engines, fitted to one half: {fitted}")
        console.print(f"by those costs: the other half: {score(test_half, fitted)}")
    for engine in ENGINES:
        always = [dataclasses.replace(r, chosen=engine) for r in results]
        console.print(f"always {engine}: {score(always)}")
    console.print(f"load of the machine before {load:.2f}, after {os.getloadavg()[0]:.2f}")
    if chosen.output:
        write(results, chosen.output)
    if chosen.figure:
        draw(results, chosen.figure)


if __name__ == "__main__":
    main()
