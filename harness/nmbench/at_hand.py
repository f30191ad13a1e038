"""Tasks made ready whose data are on this machine; a run does without the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmbench.cell import Task
from nmbench.errors import DataMissing
from nmbench.prepare import Prepared, prepare
from nmbench.progress import Progress

ABSENT = "its data are not here"


@dataclass(frozen=True)
class AtHand:
    """The tasks that are ready, and the workloads that are left out, each with the reason."""

    prepared: tuple[Prepared, ...]
    left_out: dict[str, str]


def at_hand(
    tasks: Sequence[Task], named: Collection[str], cache: Path, root: Path, progress: Progress
) -> AtHand:
    """Make tasks ready; a workload without its data is told as a note and left out.

    Parameters
    ----------
    named
        Workloads that somebody asked for by name: a run does not do without them.
    cache, root
        As `prepare` takes them.

    Raises
    ------
    DataMissing
        If the data of a named workload are not there, or those of all.
    InputError
        If a file is faulty, or a network does not fit its workload.
    """
    by_workload: dict[str, list[Task]] = {}
    for task in tasks:
        by_workload.setdefault(task.workload.name, []).append(task)
    ready: list[Prepared] = []
    missing: dict[str, DataMissing] = {}
    for name, own in by_workload.items():
        try:
            ready += prepare(own, cache, root, progress)
        except DataMissing as error:
            if name in named:
                raise
            missing[name] = error
    if missing and not ready:
        raise next(iter(missing.values()))
    for name, why in missing.items():
        progress.note(f"{name} is left out, {ABSENT}: {' '.join(str(why).split())}")
    return AtHand(tuple(ready), dict.fromkeys(missing, ABSENT))
