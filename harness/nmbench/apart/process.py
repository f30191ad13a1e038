"""A process under watch: what it says, how long it takes, how much memory it holds; it ends with all its kin.

Its kin are found in three ways: by process group, as descendants, and by a mark in the environment, which
outlives ``setsid`` and double forks. Not found is what cleans its environment on purpose, and work that was
handed to a service of the machine (a container daemon, say).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nmbench.apart.limits import Limits, size_text
from nmbench.apart.words import last_words

MARK = "NMBENCH_APART"
"""Variable of the environment that marks a process and its kin."""

LOOK_S = 0.1
"""How often memory is read."""

GRACE_S = 2.0
"""Between the request to end and the end."""

KEPT = 1 << 16
"""Last bytes of the output that are kept."""

LINE = 4096
"""Longest line of the other channel that is read."""

SWEEPS = 20
"""Times that kin are looked for until none is left: some may fork meanwhile."""

Hear = Callable[[bytes], None]
"""Hears a line that the process says on the other channel."""


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    reason
        In words, from ``ended by SIGSEGV`` to ``no end within 600 s``.
    said
        What its output tells of it; may be empty.
    """

    reason: str
    said: str


class Process:
    """A process in a session of its own.

    Parameters
    ----------
    command
        Its words; the descriptor of the other channel is ``channel``.
    """

    def __init__(self, command: Sequence[str]) -> None:
        reading, self.channel = os.pipe()
        self._mark = f"{MARK}={secrets.token_hex(16)}".encode()
        name, value = self._mark.decode().split("=")
        try:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=(self.channel,), start_new_session=True, env={**os.environ, name: value},
            )  # fmt: skip
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(self.channel)
        assert self._popen.stdin and self._popen.stdout
        self._stdin: IO[bytes] = self._popen.stdin
        self._out: IO[bytes] = self._popen.stdout
        self._output, self._lines = self._out.fileno(), reading
        self._ended = os.pidfd_open(self._popen.pid)
        for descriptor in (self._output, self._lines):
            os.set_blocking(descriptor, False)
        self._said, self._line = bytearray(), bytearray()

    def run(self, request: bytes, limits: Limits, hear: Hear) -> Ending:
        """Hand over the request and wait for the end, its own or by a limit; an interrupt ends it too."""
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended at once: its output says why
                self._stdin.write(request)
                self._stdin.close()
            over = self._watch(limits, hear)
            self._end(GRACE_S if over and "memory" not in over else 0.0)
            self._hear_output()
        except BaseException:
            self._end(GRACE_S)
            raise
        finally:
            self._out.close()
            for descriptor in (self._lines, self._ended):
                os.close(descriptor)
        return Ending(over or _own(self._popen.wait()), last_words(bytes(self._said)))

    def _watch(self, limits: Limits, hear: Hear) -> str | None:
        """Listen until the process ends, or return the limit that it is over."""
        until, next_look = time.monotonic() + limits.time_s, 0.0
        with selectors.DefaultSelector() as selector:
            hearers: Mapping[int, Callable[[], bool]] = {
                self._output: self._hear_output,
                self._lines: lambda: self._hear_lines(hear),
                self._ended: lambda: False,
            }
            for descriptor in hearers:
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(LOOK_S):
                    if key.fd == self._ended:
                        self._hear_lines(hear)
                        return None
                    if not hearers[key.fd]():
                        selector.unregister(key.fd)
                now = time.monotonic()
                if now >= until:
                    return f"no end within {limits.time_s:g} s"
                if now >= next_look:
                    next_look = now + LOOK_S
                    held = resident_bytes(self._popen.pid)
                    if held > limits.memory_bytes:
                        limit = size_text(limits.memory_bytes)
                        return f"over its memory limit of {limit} (reached {size_text(held)})"

    def _hear_output(self) -> bool:
        """Keep the last of what it says; False at the end."""
        while (some := _read(self._output)) is not None:
            if not some:
                return False
            self._said += some
            del self._said[:-KEPT]
        return True

    def _hear_lines(self, hear: Hear) -> bool:
        """Pass on whole lines; one that is too long is none."""
        while (some := _read(self._lines)) is not None:
            if not some:
                return False
            *whole, rest = (bytes(self._line) + some).split(b"\n")
            for line in whole:
                if len(line) <= LINE:
                    hear(line)
            self._line = bytearray(rest[: LINE + 1])
        return True

    def _end(self, grace_s: float) -> None:
        """End the process and its kin, and wait for it."""
        kin = [*descendants(self._popen.pid)]
        if grace_s:
            _signal_group(self._popen.pid, signal.SIGTERM)
            with selectors.DefaultSelector() as selector:
                selector.register(self._ended, selectors.EVENT_READ)
                selector.select(grace_s)
        # while the process is not waited for, its number and its group's are nobody else's
        _signal_group(self._popen.pid, signal.SIGKILL)
        for pid in kin:
            if self._is_kin(pid):
                _signal(pid, signal.SIGKILL)
        for _ in range(SWEEPS):
            found = [pid for pid in _all() if pid != self._popen.pid and self._is_kin(pid)]
            if not found:
                break
            for pid in found:
                _signal(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._popen.wait()

    def _is_kin(self, pid: int) -> bool:
        try:
            return self._mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False


def resident_bytes(pid: int) -> int:
    """Return the memory that a process and its descendants hold; what they share counts for each."""
    page, held = os.sysconf("SC_PAGE_SIZE"), 0
    for one in (pid, *descendants(pid)):
        try:
            held += int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) * page
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return held


def descendants(pid: int) -> list[int]:
    """List the children of a process, theirs, and so on."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                children = [int(word) for word in path.read_text(encoding="ascii").split()]
            except OSError:
                continue  # it ended meanwhile
            found += children
            waiting += children
    return found


def _all() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _read(descriptor: int) -> bytes | None:
    """Return what is there to read, nothing at the end of the pipe, None where it must be waited for."""
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return None


def _own(code: int) -> str:
    """Say how a process ended by itself, from the code that it was waited for with."""
    if code >= 0:
        return f"ended with code {code} before it wrote a record"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    note = " (which the kernel sends where memory is out)" if -code == signal.SIGKILL else ""
    return f"ended by {name}{note}"
