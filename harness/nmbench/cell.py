"""A cell: workload x platform x size x scenario x seed, and its identity."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Literal

from nmbench import __version__
from nmbench.registry import Entry
from nmbench.spec import Data, Scenario, Tier, Workload


@dataclass(frozen=True)
class How:
    """How a task's traffic is made and its energy read, where that is not as usual.

    Attributes
    ----------
    generator
        ``loadgen``: MLCommons' own LoadGen in place of ours.
    clock
        ``skipping``: the wall clock of a measured platform leaves out the time in which all wait.
    rate
        Of Server, queries per second; None: the highest is sought.
    power
        Which meter reads the energy of this host (`nmbench.power.choose`).
    """

    generator: Literal["nmbench", "loadgen"] = "nmbench"
    clock: Literal["wall", "skipping"] = "wall"
    rate: float | None = None
    power: str = "auto"

    @property
    def stated(self) -> dict[str, object]:
        """What differs from the usual."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}


@dataclass(frozen=True, eq=False)
class Task:
    """What is run, before it is said on which platform.

    Attributes
    ----------
    folder
        Folder of the suite: networks are named relative to it.
    data
        Key of the source in the workload.
    """

    suite: str
    folder: Path
    workload: Workload
    data: str
    size: str
    scenario: Scenario
    tier: Tier
    seed: int
    how: How = How()

    @property
    def source(self) -> Data:
        """The workload's entry for the data."""
        return self.workload.data[self.data]

    @property
    def network_path(self) -> Path:
        """Path of the reference network of this size for these data."""
        return self.folder / self.source.networks[self.size]

    @cached_property
    def identity(self) -> dict[str, object]:
        """Return what the task is, by content: JSON values."""
        return {
            "nmbench": __version__,
            "suite": self.suite,
            "workload": self.workload.sha256,
            "data": self.data,
            "size": self.size,
            "network": hashlib.sha256(self.network_path.read_bytes()).hexdigest(),
            "scenario": self.scenario,
            "tier": self.tier,
            "seed": self.seed,
            **self.how.stated,
        }


@dataclass(frozen=True, eq=False)
class Cell:
    """One task on one platform: one result record."""

    task: Task
    platform: Entry

    @cached_property
    def sha256(self) -> str:
        """Hash of what the cell is: a run that was cut off is taken up where the same cells are missing."""
        identity = {
            **self.task.identity,
            "platform": self.platform.name,
            "state": self.platform.fingerprint(),
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    @property
    def label(self) -> str:
        """Name the cell for people."""
        task = self.task
        data = "" if task.data == "synthetic" else f" ({task.data})"
        return f"{task.workload.name}{data} {task.size}, {task.scenario}, on {self.platform.name}"
