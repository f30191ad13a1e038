"""What of a suite is run: workloads, sizes, data, scenarios, tier, read from a command's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

from nmbench.cell import How, Task
from nmbench.errors import InputError, unknown
from nmbench.power import choose
from nmbench.spec import Scenario, Suite, Tier, Workload

ALL = "all"
SCENARIOS: dict[str, Scenario] = {name.lower(): name for name in get_args(Scenario)}
"""By the name without capitals and hyphens, as commands take it."""


USUAL: Scenario = "SingleStream"
"""Of a run that names no scenario."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a suite.

    Attributes
    ----------
    workloads
        None: all that have what is asked for.
    scenarios
        None: `USUAL`, and of a workload that is named without having it, its first.
    """

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


@dataclass(frozen=True)
class Chosen:
    """The tasks of a run, and the workloads that it leaves out, each with the reason."""

    tasks: tuple[Task, ...]
    left_out: Mapping[str, str]


def tasks(suite: Suite, wanted: Wanted, faults: list[str]) -> Chosen:
    """Return what is run of a suite; what cannot be chosen is added to the faults.

    A workload that is not named, and has none of the scenarios, none of the sizes or not the data, is left
    out as long as another one has them.
    """
    known = {w.name: w for w in suite.workloads}
    faults += [unknown("workload", name, known) for name in wanted.workloads if name not in known]
    asked = [w for w in suite.workloads if not wanted.workloads or w.name in wanted.workloads]
    left_out: dict[str, str] = {}
    missing: list[str] = []
    fitting: list[tuple[Workload, str, list[Scenario]]] = []
    for workload in asked:
        reasons: list[str] = []
        key = _data(workload, wanted, reasons)
        scenarios = _scenarios(workload, wanted, reasons)
        there = workload.data[key].networks if key else dict.fromkeys(wanted.sizes, "")
        if not there.keys() & set(wanted.sizes):
            reasons += [f"data {key}: {unknown('size', size, there)}" for size in wanted.sizes]
        if reasons:
            left_out[workload.name] = "; ".join(reasons)
            missing += [f"workload {workload.name}: {reason}" for reason in reasons]
        else:
            fitting.append((workload, key, scenarios))
    if wanted.workloads or not fitting:
        faults += missing
    if fitting and set(wanted.scenarios) != set(SCENARIOS.values()):  # all: those that there are
        had = {s for _, _, scenarios in fitting for s in scenarios}
        names = ", ".join(w.name for w, _, _ in fitting)
        faults += [f"no scenario {s} in {names}" for s in wanted.scenarios if s not in had]
    if fitting:
        sizes = {size for workload, key, _ in fitting for size in workload.data[key].networks}
        faults += [unknown("size", size, sizes) for size in wanted.sizes if size not in sizes]
    chosen = [task for found in fitting for task in _tasks(suite, *found, wanted)]
    return Chosen(tuple(chosen), left_out)


def _data(workload: Workload, wanted: Wanted, reasons: list[str]) -> str:
    try:
        return workload.data_key(wanted.data)
    except InputError as error:
        reasons += error.faults
        return ""


def _scenarios(workload: Workload, wanted: Wanted, reasons: list[str]) -> list[Scenario]:
    """Return those that the workload has of the wanted ones."""
    asked = list(wanted.scenarios)
    if not asked:
        asked = [USUAL if USUAL in workload.scenarios or not wanted.workloads else workload.scenarios[0]]
    found = [s for s in asked if s in workload.scenarios]
    if not found:
        reasons += [unknown("scenario", s, workload.scenarios) for s in asked]
    return found


def _tasks(
    suite: Suite, workload: Workload, key: str, scenarios: Sequence[Scenario], wanted: Wanted
) -> list[Task]:
    return [
        Task(
            suite.name, suite.folder, workload, key, size, scenario, wanted.tier, wanted.seed,
            wanted.how if scenario == "Server" else replace(wanted.how, rate=None),
        )
        for size in wanted.sizes
        if size in workload.data[key].networks
        for scenario in scenarios
    ]  # fmt: skip
