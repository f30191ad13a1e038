"""A live display on stderr, of which each kind of work draws its own columns; stdout is kept for results."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn

PLAIN_INTERVAL_S = 10.0
"""Without a terminal a long task says how far it is this often."""


class Live:
    """Bars in a terminal, a line now and then elsewhere.

    Parameters
    ----------
    columns
        What stands behind a task's name and bar.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; what was printed above stays."""
        self._live.stop()
        if kind is KeyboardInterrupt and self.resumable:
            self.note("interrupted: the same command takes up where this one stopped")

    @property
    def resumable(self) -> bool:
        """Whether the work is taken up by the same command."""
        return True

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._print(f"[yellow]note[/] {escape(text)}")

    def _move(self, task: str, done: int, total: int, said: str = "") -> None:
        """Move a task's bar, made where there is none; a total of 0 is not known yet."""
        if task not in self._tasks:
            self._tasks[task] = self._live.add_task(escape(task), total=total or None, said=said)
        self._live.update(self._tasks[task], completed=done, total=total or None, said=said)

    def _drop(self, task: str) -> None:
        """Take a task's bar away, if it has one."""
        if task in self._tasks:
            self._live.remove_task(self._tasks.pop(task))

    def _is_time(self, task: str) -> bool:
        """Say whether a line on this task is due; not at its first step: short tasks say nothing."""
        now = time.monotonic()
        due = now - self._told.setdefault(task, now) >= PLAIN_INTERVAL_S
        if due:
            self._told[task] = now
        return due

    def _print(self, markup: str) -> None:
        self._console.print(markup, soft_wrap=True)

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
