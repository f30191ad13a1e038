"""A command as a meter: it is started once and prints its readings, one power in W a line.

A stream and not a call a reading: starting a process ten times a second would draw power on the host that is
measured.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from nmbench.errors import InputError
from nmbench.power.curve import Readings
from nmbench.power.meter import Clock, Mark, Meter, MeterError, MeterInfo, seconds_between
from nmbench.power.reading import watts
from nmbench.quantity import Boundary

START_S = 20.0
"""So long the first readings may take."""

FIRST = 4
"""Readings that the meter's pace is taken from."""

LEAST_GAP_S = 0.5
GAP_UPDATES = 5
LONGEST_LINE = 256
MOST_A_SECOND = 20_000
STOP_S = 1.0
LOOK_S = 0.2

MOST_LEFT = 16
"""Blocks that are read of what a command left behind."""


class CommandMeter(Meter):
    """Reads a process's output in a thread; a reading's time is that of its arrival.

    Lines that arrive together are one reading, their mean.
    """

    def __init__(self, arguments: Sequence[str], boundary: Boundary, clock: Clock | None = None) -> None:
        self._clock, self._readings, self._closed = clock or Clock(), Readings(), threading.Event()
        self._said: deque[str] = deque(maxlen=5)
        self._process = _start(arguments)
        self._threads = [
            threading.Thread(target=self._follow, daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        try:
            update_s = self._readings.period_s(FIRST, START_S)
        except BaseException as error:
            self.close()
            if not isinstance(error, MeterError):
                raise
            raise InputError(f"command {arguments[0]}", [str(error), *self._said]) from error
        self._gap_s = max(GAP_UPDATES * update_s, LEAST_GAP_S)
        self.info = MeterInfo("command", boundary, "an external meter, read through a command", update_s)

    def mark(self) -> Mark:
        """Take the time."""
        return Mark(self._clock.now(), self._clock.wall())

    def joules(self, since: Mark, until: Mark) -> float:
        """Return the energy by the readings; see `Meter.joules`."""
        seconds_between(since, until)
        try:
            return self._readings.joules(since.time_s, until.time_s, self._gap_s, 4 * self._gap_s)
        except MeterError as error:
            raise MeterError(str(error), detail="; ".join(self._said)) from error

    def close(self) -> None:
        """Kill the command with every process that it started."""
        if self._closed.is_set():
            return
        self._closed.set()
        _signal_group(self._process.pid, signal.SIGTERM)
        _wait(lambda: _ended(self._process.pid) is not None, STOP_S)
        _signal_group(self._process.pid, signal.SIGKILL)
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdout, self._process.stderr):
            _pipe(stream).close()
        # A command of another user (sudo) cannot be signalled; it ends where its next reading finds no pipe.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)

    def _follow(self) -> None:
        try:
            self._read_lines(_pipe(self._process.stdout))
        except MeterError as error:
            self._readings.fail(error)
            _signal_group(self._process.pid, signal.SIGKILL)

    def _read_lines(self, stream: IO[bytes]) -> None:
        rest, lines, start = b"", 0, self._clock.now()
        for chunk in _chunks(stream, self._closed):
            now = self._clock.now()
            *full, rest = (rest + chunk).split(b"\n")
            if max(map(len, [*full, rest])) > LONGEST_LINE:
                raise MeterError(f"the meter's command printed a line of more than {LONGEST_LINE} characters")
            lines += len(full)
            if lines > MOST_A_SECOND * (1 + now - start):
                raise MeterError(f"the meter's command printed more than {MOST_A_SECOND} lines a second")
            if full:
                self._readings.add(now, _mean(full))
        if not self._closed.is_set():
            raise MeterError(f"the meter's command ended: {_exit(self._process.pid)}")

    def _listen(self) -> None:
        """Keep the last lines of what the command says of its errors."""
        for chunk in _chunks(_pipe(self._process.stderr), self._closed):
            lines = chunk.decode("utf-8", errors="replace").splitlines()
            self._said.extend(line[:200] for line in lines if line.strip())


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    if shutil.which(arguments[0]) is None:
        raise InputError(f"command {arguments[0]}", ["there is no such program, or it may not be run"])
    try:
        return subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"command {arguments[0]}", [error.strerror or str(error)]) from error


def _mean(lines: Sequence[bytes]) -> float:
    try:
        powers = [watts(line.decode("utf-8", errors="replace")) for line in lines]
    except ValueError as error:
        raise MeterError(f"the meter's command: {error}") from error
    return sum(powers) / len(powers)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def _chunks(stream: IO[bytes], over: threading.Event) -> Iterator[bytes]:
    """Yield what comes until the stream ends or nobody wants more; then what has come already."""
    left = MOST_LEFT
    while left:
        last = over.is_set()
        if select.select([stream], [], [], 0 if last else LOOK_S)[0]:
            chunk = os.read(stream.fileno(), 1 << 16)
            if not chunk:
                return
            yield chunk
        elif last:
            return
        left -= last


def _signal_group(group: int, which: signal.Signals) -> None:
    """Signal every process of a group; its leader is not reaped yet, so that the number is its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, which)


def _ended(pid: int) -> str | None:
    """Say how a child ended, without reaping it; None where it has not."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is None:
        return None
    return f"{'exit code' if ended.si_code == os.CLD_EXITED else 'signal'} {ended.si_status}"


def _exit(pid: int) -> str:
    _wait(lambda: _ended(pid) is not None, STOP_S)
    return _ended(pid) or "it closed its output and still runs"


def _wait(ready: Callable[[], bool], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not ready() and time.monotonic() < deadline:
        time.sleep(0.01)
