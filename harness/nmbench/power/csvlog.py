"""The log of an external meter: a CSV file that another program writes while nmbench measures.

Its first line names the columns; ``time`` (seconds since 1970, or ISO 8601 with its offset from UTC) and
``power_w`` must be among them, in any order, others are left alone. Comma-separated UTF-8, one reading a
line. The logger's clock must be this host's.
"""

from __future__ import annotations

import csv
import stat
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nmbench.errors import InputError, unknown
from nmbench.power.curve import MOST_READINGS, integrate
from nmbench.power.meter import Clock, Mark, Meter, MeterError, MeterInfo, seconds_between
from nmbench.power.reading import refuse_clock_change, unix_s, watts
from nmbench.quantity import Boundary

COLUMNS = ("time", "power_w")

MOST_BYTES = 256 << 20
LONGEST_LINE = 4096
BLOCK = 1 << 20
MOST_FAULTS = 20
"""Faults that are told one by one."""

FIRST = 3
"""Readings that the meter's pace is taken from."""

GAP_UPDATES = 5
PATIENCE_S = 10.0
LOOK_S = 0.1


class Log:
    """A CSV file that grows; each line is read once.

    Attributes
    ----------
    times_s, watts
        All readings so far, in the order of time.
    """

    def __init__(self, path: Path) -> None:
        self.times_s, self.watts = array("d"), array("d")
        self._path, self._offset, self._line = path, 0, 0
        self._places: dict[str, int] = {}
        self._width = 0
        self._faults: list[str] = []
        self._faulty = 0

    def read_on(self) -> None:
        """Read the lines that were added; one that is not ended yet waits.

        Raises
        ------
        InputError
            With all faults of the new lines.
        """
        self._faults, self._faulty = [], 0
        while lines := self._added():
            for line in lines:
                self._line += 1
                self._take(line.rstrip("\r"))
        if self._faulty:
            more = self._faulty - len(self._faults)
            raise InputError(str(self._path), [*self._faults, *([f"and {more} more"] if more else [])])

    def _added(self) -> list[str]:
        """Return some lines that are new and whole."""
        content = self._read()
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and len(content) > LONGEST_LINE:
            raise InputError(str(self._path), [f"a line of more than {LONGEST_LINE} bytes"])
        self._offset += len(whole)
        try:
            text = whole.decode("utf-8-sig" if self._line == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(str(self._path), [f"not UTF-8 text: {error.reason}"]) from error
        return text.split("\n")[:-1]

    def _read(self) -> bytes:
        try:
            state = self._path.stat()
            if not stat.S_ISREG(state.st_mode):
                raise InputError(str(self._path), ["not a file"])
            if state.st_size > MOST_BYTES:
                raise InputError(str(self._path), [f"{state.st_size} bytes; at most {MOST_BYTES} are read"])
            if state.st_size < self._offset:
                raise InputError(str(self._path), ["it has become shorter: begun anew while it was read"])
            with self._path.open("rb") as file:
                file.seek(self._offset)
                return file.read(BLOCK)
        except OSError as error:
            raise InputError(str(self._path), [error.strerror or str(error)]) from error

    def _take(self, line: str) -> None:
        if len(line) > LONGEST_LINE:
            self._fault(f"more than {LONGEST_LINE} characters")
        elif line.strip():
            try:
                cells = next(csv.reader([line], strict=True))
            except csv.Error as error:
                return self._fault(str(error))
            (self._reading if self._places else self._head)(cells)
        return None

    def _head(self, names: Sequence[str]) -> None:
        names = [name.strip() for name in names]
        for column in COLUMNS:
            if names.count(column) == 1:
                self._places[column] = names.index(column)
            elif column in names:
                self._fault(f"column {column!r} stands twice")
            else:
                self._fault(f"no column {column!r}")
        if len(self._places) < len(COLUMNS):
            for name in names[:MOST_FAULTS]:
                if name not in COLUMNS:
                    self._fault(unknown("column", name[:40], COLUMNS))
            raise InputError(str(self._path), self._faults)
        self._width = len(names)

    def _reading(self, cells: Sequence[str]) -> None:
        if len(cells) != self._width:
            return self._fault(f"{len(cells)} cells, not {self._width}")
        found = []
        for column, parse in zip(COLUMNS, (unix_s, watts), strict=True):
            try:
                found.append(parse(cells[self._places[column]]))
            except ValueError as error:
                self._fault(str(error))
        if len(found) < len(COLUMNS):
            return None
        if self.times_s and found[0] <= self.times_s[-1]:
            return self._fault("not later than the reading before it")
        if len(self.times_s) == MOST_READINGS:
            raise InputError(str(self._path), [f"more than {MOST_READINGS} readings"])
        self.times_s.append(found[0])
        self.watts.append(found[1])
        return None

    def _fault(self, what: str) -> None:
        self._faulty += 1
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(f"line {self._line}: {what}")


class CsvMeter(Meter):
    """Reads a log when a window is over, and waits a while until the log covers it."""

    def __init__(
        self,
        path: Path,
        boundary: Boundary,
        clock: Clock | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._log, self._clock, self._patience_s = Log(path), clock or Clock(), patience_s
        self._log.read_on()
        if len(self._log.times_s) < FIRST:
            few = f"{len(self._log.times_s)} readings; start the logger first: {FIRST} tell its pace"
            raise InputError(str(path), [few])
        update_s = float(np.median(np.diff(np.frombuffer(self._log.times_s))))
        self.info = MeterInfo("csv", boundary, "an external meter, read from its log", update_s)

    def mark(self) -> Mark:
        """Take the time."""
        return Mark(self._clock.now(), self._clock.wall())

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def joules(self, since: Mark, until: Mark) -> float:
        """Return the energy by the log; see `Meter.joules`."""
        refuse_clock_change(seconds_between(since, until), until.wall_s - since.wall_s)
        deadline = self._clock.now() + self._patience_s
        while True:
            try:
                self._log.read_on()
            except InputError as error:
                raise MeterError("the external meter's log has faults", detail=str(error)) from error
            if self._log.times_s[-1] >= until.wall_s or self._clock.now() >= deadline:
                break
            self._clock.sleep(LOOK_S)
        times, powers = np.array(self._log.times_s), np.array(self._log.watts)
        return integrate(times, powers, since.wall_s, until.wall_s, GAP_UPDATES * self.info.update_s)
