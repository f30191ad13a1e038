"""What a transfer shows while it runs: bytes, rate and time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

from nmbench.live import Live


class Transfers(Live):
    """A listener of `nmbench.progress.Progress` that counts bytes; a total of 0 is not known yet."""

    def __init__(self) -> None:
        super().__init__(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._began: dict[str, tuple[float, int]] = {}

    def step(self, task: str, done: int, total: int) -> None:
        """Move the task's bar; without a terminal print a line now and then."""
        over = total > 0 and done >= total
        if self._console.is_terminal:
            self._move(task, done, total)
            if over:
                self._drop(task)
            return
        began, first = self._began.setdefault(task, (time.monotonic(), done))
        if self._is_time(task):
            self._line(_sentence(task, done, total, (done - first) / (time.monotonic() - began)))
        if over:
            del self._began[task], self._told[task]


def _sentence(task: str, done: int, total: int, per_s: float) -> str:
    rate = f"{per_s / 1e6:.1f} MB/s"
    if not total:
        return f"{task}: {done / 1e6:,.1f} MB, {rate}"
    left = f", {(total - done) / per_s:.0f} s left" if per_s > 0 else ""
    return f"{task}: {done / 1e6:,.1f} of {total / 1e6:,.1f} MB, {rate}{left}"
