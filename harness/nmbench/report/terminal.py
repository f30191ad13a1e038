"""What a run shows while it runs: a live line per task in a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.markup import escape
from rich.progress import MofNCompleteColumn, TaskID, TimeElapsedColumn

from nmbench.live import Live
from nmbench.record import Result
from nmbench.report.engineering import engineering
from nmbench.report.headline import headline
from nmbench.report.scoring import scoring_of

MARKS = {"ok": "[green]ok[/]", "failed": "[red]failed[/]", "unsupported": "[yellow]unsupported[/]"}


class Terminal(Live):
    """A listener of `nmbench.progress.Progress` and of a run's cells."""

    def __init__(self) -> None:
        super().__init__(MofNCompleteColumn(), TimeElapsedColumn())
        self._total: TaskID | None = None
        self._cells = (0, 0)

    @property
    def resumable(self) -> bool:
        """Whether there are cells, which a run takes up again."""
        return self._cells[1] > 0

    def step(self, task: str, done: int, total: int) -> None:
        """Move the task's bar; without a terminal print a line now and then."""
        if self._console.is_terminal:
            self._move(task, done, total)
            if done >= total:
                self._drop(task)
        elif self._is_time(task):
            self._line(f"{task}: {done}/{total}")

    def start(self, cells: int, there: int) -> None:
        """Say how many cells the run has and how many of them are there already."""
        self._cells = (there, cells)
        if self._console.is_terminal:
            self._total = self._live.add_task("cells", total=cells, completed=there)

    def cell(self, label: str, result: Result) -> None:
        """Print a finished cell on a line of its own."""
        done, total = self._cells
        self._cells = (done + 1, total)
        self._drop(label)
        if self._total is not None:
            self._live.advance(self._total)
        said = f" {escape(result.error)}" if result.error else _headline(result)
        width = len(str(total))
        self._print(f"{done + 1:>{width}}/{total} {MARKS[result.status]} {escape(label)}{said}")


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
