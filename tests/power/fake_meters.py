"""Stand-ins: a clock that only sleeping moves, powercap's tree, NVML, and a meter that knows the truth."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from nmbench.power.meter import Clock, Mark, Meter, MeterInfo

AMD_RANGE_UJ = 65_532_610_987
INTEL_RANGE_UJ = 262_143_328_850


class FakeClock(Clock):
    """Starts at 0; the wall is `since` seconds ahead."""

    def __init__(self, since: float = 1_700_000_000.0) -> None:
        self.t, self.since = 0.0, since

    def now(self) -> float:
        return self.t

    def wall(self) -> float:
        return self.since + self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds


class Powercap:
    """A powercap tree on disk, laid out as the kernel does; counters follow from the clock."""

    def __init__(self, sysfs: Path, clock: FakeClock) -> None:
        self.sysfs, self.clock = sysfs, clock
        self.watts: dict[str, Callable[[float], float]] = {}
        self.ranges: dict[str, int] = {}
        self.denied = False
        (sysfs / "class" / "powercap").mkdir(parents=True)

    def add(
        self,
        zone: str,
        name: str,
        watts: float | Callable[[float], float] = 10.0,
        start_uj: int = 1_000_000,
        range_uj: int = AMD_RANGE_UJ,
    ) -> None:
        """Add ``intel-rapl:0:1``; ``watts`` is a constant, or the energy in J since time 0."""
        control = zone.partition(":")[0]
        folder = self.sysfs / "devices" / "virtual" / "powercap" / control / zone
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
        (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
        (folder / "energy_uj").write_text("0\n")
        (self.sysfs / "class" / "powercap" / zone).symlink_to(folder)
        joules = watts if callable(watts) else lambda t: watts * t
        self.watts[zone] = lambda t: start_uj + round(joules(t) * 1e6)
        self.ranges[zone] = range_uj

    def read(self, path: Path) -> str:
        if path.name in ("energy_uj", "max_energy_range_uj") and self.denied:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        if path.name != "energy_uj":
            return path.read_text().strip()
        zone = path.parent.name
        return str(self.watts[zone](self.clock.now()) % (self.ranges[zone] + 1))


class NvmlError(Exception):
    """What NVML raises; the code stands in ``value``."""

    def __init__(self, value: int, text: str) -> None:
        self.value = value
        super().__init__(text)


NOT_SUPPORTED = NvmlError(3, "Not Supported")
LOST = NvmlError(15, "GPU is lost")


class FakeNvml:
    """NVML of a few boards; a value that is an exception is raised."""

    NVMLError = NvmlError
    FUNCTIONS: ClassVar[dict[str, str]] = {
        "nvmlInit": "start",
        "nvmlShutdown": "end",
        "nvmlDeviceGetCount": "count",
        "nvmlDeviceGetHandleByIndex": "by_index",
        "nvmlDeviceGetHandleByUUID": "by_uuid",
        "nvmlDeviceGetName": "name",
        "nvmlDeviceGetTotalEnergyConsumption": "energy",
        "nvmlDeviceGetPowerUsage": "power",
    }

    def __getattr__(self, name: str) -> Any:
        if name not in self.FUNCTIONS:
            raise AttributeError(name)
        return getattr(self, self.FUNCTIONS[name])

    def __init__(self, boards: int = 1, **answers: Any) -> None:
        self.boards, self.answers = boards, answers
        self.starts = 0
        self.asked: list[Any] = []
        self.lock = threading.Lock()

    def _answer(self, name: str, default: Any) -> Any:
        with self.lock:
            answer = self.answers.get(name, default)
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def start(self) -> None:
        self._answer("init", None)
        self.starts += 1

    def end(self) -> None:
        if not self.starts:
            raise NvmlError(1, "Uninitialized")
        self.starts -= 1

    def count(self) -> int:
        return self.boards

    def by_index(self, index: int) -> Any:
        self.asked.append(index)
        return index

    def by_uuid(self, uuid: str) -> Any:
        self.asked.append(uuid)
        return self._answer("uuid", uuid)

    def name(self, handle: Any) -> str:
        return "NVIDIA Test 1000"

    def energy(self, handle: Any) -> int:
        return int(self._answer("energy", 1000))

    def power(self, handle: Any) -> int:
        return int(self._answer("power", 30_000))


CHIP = MeterInfo("rapl", "chip_total", "a fake", 1e-3, 60.0)


class TrueMeter(Meter):
    """Knows the energy at every moment."""

    def __init__(
        self,
        clock: FakeClock,
        energy: Callable[[float], float],
        info: MeterInfo = CHIP,
        beside: Mapping[str, Callable[[float], float]] | None = None,
    ) -> None:
        self.info, self._clock, self._energy = info, clock, energy
        self._beside = beside or {}

    def mark(self) -> Mark:
        return Mark(self._clock.now(), self._clock.wall())

    def joules(self, since: Mark, until: Mark) -> float:
        return self._energy(until.time_s) - self._energy(since.time_s)

    def beside(self, since: Mark, until: Mark) -> Mapping[str, float]:
        return {name: e(until.time_s) - e(since.time_s) for name, e in self._beside.items()}

    def close(self) -> None:
        pass
