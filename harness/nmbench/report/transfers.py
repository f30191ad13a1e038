"""What a transfer shows while it runs: bytes, rate and time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

PLAIN_INTERVAL_S = 10.0
"""Without a terminal a long transfer says how far it is this often."""


class Transfers:
    """A listener of `nmbench.progress.Progress` that counts bytes; a total of 0 is not known yet."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Transfers:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; what was printed above stays."""
        self._live.stop()
        if kind is KeyboardInterrupt:
            self.note("interrupted: the same command goes on where this one stopped")

    def step(self, task: str, done: int, total: int) -> None:
        """Move the task's bar; without a terminal print a line now and then."""
        over = total > 0 and done >= total
        if self._console.is_terminal:
            if task not in self._tasks:
                self._tasks[task] = self._live.add_task(escape(task), total=total or None)
            self._live.update(self._tasks[task], completed=done, total=total or None)
            if over:
                self._live.remove_task(self._tasks.pop(task))
            return
        now = time.monotonic()
        began, first = self._began.setdefault(task, (now, done))
        if now - self._told.setdefault(task, now) >= PLAIN_INTERVAL_S:
            self._told[task] = now
            print(_line(task, done, total, (done - first) / (now - began)), file=sys.stderr, flush=True)
        if over:
            del self._began[task], self._told[task]

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(f"[yellow]note[/] {escape(text)}", soft_wrap=True)


def _line(task: str, done: int, total: int, per_s: float) -> str:
    rate = f"{per_s / 1e6:.1f} MB/s"
    if not total:
        return f"{task}: {done / 1e6:,.1f} MB, {rate}"
    left = f", {(total - done) / per_s:.0f} s left" if per_s > 0 else ""
    return f"{task}: {done / 1e6:,.1f} of {total / 1e6:,.1f} MB, {rate}{left}"
