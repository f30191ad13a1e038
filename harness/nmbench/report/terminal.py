"""What a run shows while it runs: a live line per task in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from nmbench.record import Result
from nmbench.report.engineering import engineering
from nmbench.report.headline import headline
from nmbench.report.scoring import scoring_of

PLAIN_INTERVAL_S = 10.0
"""Without a terminal a long task says how far it is this often."""

MARKS = {"ok": "[green]ok[/]", "failed": "[red]failed[/]", "unsupported": "[yellow]unsupported[/]"}


class Terminal:
    """A listener of `nmbench.progress.Progress` on stderr; stdout is kept for results."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}
        self._total: TaskID | None = None
        self._cells = (0, 0)

    def __enter__(self) -> Terminal:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; what was printed above stays."""
        self._live.stop()
        if kind is KeyboardInterrupt and self._cells[1]:
            self.note("interrupted: the same command takes up where this one stopped")

    def step(self, task: str, done: int, total: int) -> None:
        """Move the task's bar; without a terminal print a line now and then."""
        if self._console.is_terminal:
            if task not in self._tasks:
                self._tasks[task] = self._live.add_task(escape(task), total=total)
            self._live.update(self._tasks[task], completed=done, total=total)
            if done >= total:
                self._live.remove_task(self._tasks.pop(task))
            return
        now = time.monotonic()
        if now - self._told.setdefault(task, now) >= PLAIN_INTERVAL_S:
            self._told[task] = now
            self._line(f"{task}: {done}/{total}")

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._print(f"[yellow]note[/] {escape(text)}")

    def start(self, cells: int, there: int) -> None:
        """Say how many cells the run has and how many of them are there already."""
        self._cells = (there, cells)
        if self._console.is_terminal:
            self._total = self._live.add_task("cells", total=cells, completed=there)

    def cell(self, label: str, result: Result) -> None:
        """Print a finished cell on a line of its own."""
        done, total = self._cells
        self._cells = (done + 1, total)
        for task in [t for t in self._tasks if t == label]:
            self._live.remove_task(self._tasks.pop(task))
        if self._total is not None:
            self._live.advance(self._total)
        said = f" {escape(result.error)}" if result.error else _headline(result)
        width = len(str(total))
        self._print(f"{done + 1:>{width}}/{total} {MARKS[result.status]} {escape(label)}{said}")

    def _print(self, markup: str) -> None:
        self._console.print(markup, soft_wrap=True)

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _headline(result: Result) -> str:
    scoring = scoring_of(result.scenario, {m.name for m in result.metrics})
    quality = result.find(scoring.quality.metric)
    parts = []
    if quality is not None and quality.value is not None:
        parts.append(f"{scoring.quality.noun} {100 * quality.value:.1f} %")
    score = headline(result, scoring.score.metric)
    if score:
        value = "no value" if score.value is None else engineering(score.value, score.unit)
        parts.append(f"{scoring.score.noun} {value}")
    if result.quality and not result.quality.reached:
        parts.append(f"[yellow]below its target of {100 * result.quality.target:.1f} %[/]")
    return f" {', '.join(parts)} [dim]({result.wall_s:.1f} s)[/]"
