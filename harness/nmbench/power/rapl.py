"""RAPL: the energy counters of the processor packages, through powercap's sysfs.

Package counters are updated about every millisecond (Intel SDM vol. 3B, 15.10.3; AMD: Linux
Documentation/hwmon/amd_energy) and wrap after 65 kJ (AMD) or 262 kJ (Intel, mostly). They include whatever
else runs on the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nmbench.power.meter import Clock, Mark, Meter, MeterError, MeterInfo, NoMeter, seconds_between
from nmbench.power.zones import CEILING_W, Part, Read, Zone, find_zones, read_text

UPDATE_S = 1e-3

WAKE_S = 0.1
"""A counter that has not moved for so long stands still."""

LOOK_S = 5e-3

MIRROR_UJ = 1_000_000
"""Two dies whose counters agree to 1 J, out of 65 kJ or more, show one and the same counter."""


class Rapl(Meter):
    """The packages of this host, summed; its memory and its platform beside, where they are counted."""

    def __init__(self, zones: Sequence[Zone], read: Read, clock: Clock) -> None:
        self._zones = tuple(zones)
        self._read = read
        self._clock = clock
        packages = ", ".join(zone.name for zone in zones if zone.part == "package")
        self.info = MeterInfo(
            name="rapl",
            boundary="chip_total",
            covers=f"RAPL {packages}: all that the processor draws, whoever uses it; no memory",
            update_s=UPDATE_S,
            longest_s=min(zone.longest_s for zone in zones),
        )

    def mark(self) -> Mark:
        """Read every counter once; the mark's time is that before the first."""
        now, wall = self._clock.now(), self._clock.wall()
        return Mark(now, wall, tuple(zone.read(self._read) for zone in self._zones))

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def joules(self, since: Mark, until: Mark) -> float:
        """Return the packages' energy; see `Meter.joules`."""
        return self._energies(since, until)["package"]

    def beside(self, since: Mark, until: Mark) -> Mapping[str, float]:
        """Return the memory's (``dram``) and the platform's (``psys``) energy, where they are counted."""
        return {part: j for part, j in self._energies(since, until).items() if part != "package"}

    def _energies(self, since: Mark, until: Mark) -> dict[Part, float]:
        seconds = seconds_between(since, until)
        self.info.refuse_long(seconds)
        energies: dict[Part, float] = {}
        for zone, before, after in zip(self._zones, since.counters, until.counters, strict=True):
            joules = zone.uj_between(before, after) * 1e-6
            if joules > CEILING_W[zone.part] * (seconds + LOOK_S):
                raise MeterError(
                    f"RAPL {zone.name}: {joules:.4g} J in {seconds:.3g} s: its counter was set back"
                )
            if joules == 0 and seconds > self.info.shortest_s:
                raise MeterError(f"RAPL {zone.name}: its counter stood still for {seconds:.3g} s")
            energies[zone.part] = energies.get(zone.part, 0.0) + joules
        return energies


def open_rapl(
    sysfs: Path = Path("/sys"), read: Read = read_text, clock: Clock | None = None
) -> Rapl | NoMeter:
    """Return the meter of this host's packages, or why there is none.

    Parameters
    ----------
    sysfs
        Where sysfs is mounted.
    read
        Reads one of its files.
    """
    clock = clock or Clock()
    try:
        zones = _without_mirrors(find_zones(sysfs, read), read)
        moving = _moving(zones, read, clock)
    except MeterError as error:
        return NoMeter(str(error))
    still = [zone.name for zone in zones if zone.part == "package" and zone not in moving]
    if still:
        return NoMeter(
            f"RAPL's counters stand still ({', '.join(still)}), as some virtual machines show them"
        )
    return Rapl(_without_doubtful(moving), read, clock)


def _without_mirrors(zones: Sequence[Zone], read: Read) -> list[Zone]:
    """Leave out dies that show their socket's counter once more: AMD's Zen 1 and 2 list one zone a die."""
    kept: list[Zone] = []
    for zone in zones:
        others = (other for other in kept if zone.part == "package" and other.socket == zone.socket)
        if not any(_mirrors(other, zone, read) for other in others):
            kept.append(zone)
    return kept


def _mirrors(first: Zone, other: Zone, read: Read) -> bool:
    """Tell whether two zones of a socket are one counter, read before and after the other."""
    if first.part != "package" or first.range_uj != other.range_uj:
        return False
    before, value, after = first.read(read), other.read(read), first.read(read)
    return first.uj_between(before - MIRROR_UJ, value) <= first.uj_between(before, after) + 2 * MIRROR_UJ


def _moving(zones: Sequence[Zone], read: Read, clock: Clock) -> list[Zone]:
    """Return the zones whose counter moves within `WAKE_S`; memory often has one that never does."""
    start, first = clock.now(), [zone.read(read) for zone in zones]
    moved: set[int] = set()
    while len(moved) < len(zones) and clock.now() - start < WAKE_S:
        clock.sleep(LOOK_S)
        moved |= {i for i, zone in enumerate(zones) if zone.read(read) != first[i]}
    return [zone for i, zone in enumerate(zones) if i in moved]


def _without_doubtful(zones: Sequence[Zone]) -> list[Zone]:
    """Leave out the platform's zones where there are several: whether they overlap is the maker's secret."""
    several = sum(zone.part == "psys" for zone in zones) > 1
    return [zone for zone in zones if not (several and zone.part == "psys")]
