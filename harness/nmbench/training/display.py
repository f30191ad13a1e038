"""What a training shows: a live bar in a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import TextColumn
from rich.table import Table

from nmbench.live import Live
from nmbench.training.compare import Comparison
from nmbench.training.fit import Listener, Moment
from nmbench.training.provenance import Provenance

WIDTH = 100
"""Columns of the table where it is printed to no terminal."""


class Display(Live):
    """A listener of data that are loaded and of networks that are trained."""

    def __init__(self) -> None:
        super().__init__(TextColumn("{task.fields[said]}"))

    def step(self, task: str, done: int, total: int) -> None:
        """Show how far a data set is; without a terminal print a line now and then."""
        if self._console.is_terminal:
            self._move(task, done, total, f"{done}/{total}")
        elif self._is_time(task):
            self._line(f"{task}: {done}/{total}")

    def training(self, name: str) -> Listener:
        """Return a listener of one training."""

        def listen(moment: Moment) -> None:
            said = sentence(moment)
            if self._console.is_terminal:
                done = (moment.epoch - 1) * moment.batches + moment.batch
                self._move(name, done, moment.epochs * moment.batches, said)
            elif moment.batch == moment.batches:
                self._line(f"{name}: {said}")

        return listen

    def finished(self, made: Provenance) -> None:
        """Print what came of a network."""
        for task in list(self._tasks):
            self._drop(task)
        seeds = made.seeds
        self._print(
            f"[green]done[/] {escape(made.network)}: {_percent(made.accuracy.value)}"
            f" (mean of {len(seeds.runs)} seeds {_percent(seeds.mean)}, float {_percent(seeds.mean_float)},"
            f" int4 {_percent(seeds.mean_int4)}; counts alone {_percent(made.counts_only.accuracy)})",
        )


def sentence(moment: Moment) -> str:
    """Say how training stands in one line."""
    held = "" if moment.held_out is None else f", held out {_percent(moment.held_out)}"
    minutes, seconds = divmod(round(moment.left_s), 60)
    return (
        f"epoch {moment.epoch}/{moment.epochs}, loss {moment.loss:.3f}, accuracy {_percent(moment.accuracy)}"
        f"{held}, rate {moment.rate:.3f}, {minutes}:{seconds:02d} left"
    )


def show(rows: list[Comparison]) -> None:
    """Print the comparison with the shipped networks on stdout."""
    table = Table(box=None, pad_edge=False)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    table.add_column("Network")
    for heading in ("Shipped", "Retrained", "Difference", "Margin", "Within the seeds", "CPU minutes"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            _percent(row.shipped),
            _percent(row.retrained),
            "" if row.difference is None else f"{100 * row.difference:+.2f}",
            "" if row.margin is None else f"{100 * row.margin:.2f}",
            _within(row),
            f"{row.cpu_s / 60:.1f}",
        )
    console.print(table)


def _within(row: Comparison) -> str:
    if row.within_seeds is None:
        return "nothing shipped"
    if row.same_bytes:
        return "the same bytes"
    if row.fell_short:
        return "[red]no: too low[/]"
    return "yes" if row.within_seeds else "no"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"
