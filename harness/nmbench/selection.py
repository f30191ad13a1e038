"""What of a suite is run: workloads, sizes, data, scenarios, tier, read from a command's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

from nmbench.cell import How, Task
from nmbench.errors import InputError, unknown
from nmbench.power import choose
from nmbench.spec import Scenario, Suite, Tier, Workload

ALL = "all"
SCENARIOS: dict[str, Scenario] = {name.lower(): name for name in get_args(Scenario)}
"""By the name without capitals and hyphens, as commands take it."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a suite; no workloads: all of them."""

    workloads: Sequence[str]
    sizes: Sequence[str]
    data: str
    scenarios: Sequence[Scenario]
    tier: Tier
    seed: int
    how: How


def scenarios(words: Iterable[str], faults: list[str]) -> list[Scenario]:
    """Return the scenarios that words name, joined by commas or not; faults are added to the list."""
    found: list[Scenario] = []
    for word in (part.strip() for joined in words for part in joined.split(",")):
        name = word.lower().replace("-", "").replace("_", "")
        if name == ALL:
            found += SCENARIOS.values()
        elif name in SCENARIOS:
            found.append(SCENARIOS[name])
        else:
            faults.append(unknown("scenario", word, [*SCENARIOS.values(), ALL]))
    return list(dict.fromkeys(found))


def tier(word: str, faults: list[str]) -> Tier:
    """Return the tier that a word names; faults are added to the list."""
    if word not in get_args(Tier):
        faults.append(unknown("tier", word, get_args(Tier)))
        return "quick"
    return cast(Tier, word)


def how(*, loadgen: bool, clock: str, rate: float | None, power: str, faults: list[str]) -> How:
    """Return how traffic is made and energy is read; faults are added to the list."""
    if clock not in ("wall", "skipping"):
        faults.append(unknown("clock", clock, ("wall", "skipping")))
        clock = "wall"
    if loadgen and clock != "wall":
        faults.append("LoadGen knows the wall clock alone")
    try:
        choose.parse(power)
    except InputError as error:
        faults += [f"{error.subject}: {fault}" for fault in error.faults]
    return How(
        "loadgen" if loadgen else "nmbench", "skipping" if clock == "skipping" else "wall", rate, power
    )


def tasks(suite: Suite, wanted: Wanted, faults: list[str]) -> list[Task]:
    """Return the tasks; what cannot be chosen is added to the faults."""
    known = {w.name: w for w in suite.workloads}
    faults += [unknown("workload", name, known) for name in wanted.workloads if name not in known]
    chosen: list[Task] = []
    for workload in (w for w in known.values() if not wanted.workloads or w.name in wanted.workloads):
        chosen += _of_workload(suite, workload, wanted, faults)
    return chosen


def _of_workload(suite: Suite, workload: Workload, wanted: Wanted, faults: list[str]) -> list[Task]:
    try:
        key = workload.data_key(wanted.data)
    except InputError as error:
        faults += [f"{error.subject}: {fault}" for fault in error.faults]
        return []
    faults += [
        f"workload {workload.name}: {unknown('scenario', s, workload.scenarios)}"
        for s in wanted.scenarios
        if s not in workload.scenarios
    ]
    found = []
    for size in wanted.sizes:
        if size not in workload.data[key].networks:
            there = unknown("size", size, workload.data[key].networks)
            faults.append(f"workload {workload.name}, data {key}: {there}")
            continue
        for scenario in wanted.scenarios:
            how = wanted.how if scenario == "Server" else replace(wanted.how, rate=None)
            found.append(
                Task(suite.name, suite.folder, workload, key, size, scenario, wanted.tier, wanted.seed, how)
            )
    return found
