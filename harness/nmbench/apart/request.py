"""What the harness asks of a cell's own process: one JSON document, and how both sides speak meanwhile."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from nmbench import registry
from nmbench.cell import Cell, How, Task
from nmbench.spec import Scenario, Tier


class Places(BaseModel):
    """Where a cell finds what it needs on this machine; none of it stands in a record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cache: Path
    data: Path
    plugins: tuple[Path, ...] = ()


class Request(BaseModel):
    """A cell by the names that its own process finds it by.

    Attributes
    ----------
    suite
        Folder of the suite.
    places
        Caches, data and plug-in files.
    folder
        Where the record is to be left.
    progress
        File descriptor that takes lines of JSON: ``["step", done, total]``, ``["note", text]``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: Path
    workload: str
    data: str
    size: str
    scenario: Scenario
    tier: Tier
    seed: int
    how: How
    platform: str
    run: str
    places: Places
    folder: Path
    progress: int

    @classmethod
    def of(cls, cell: Cell, run: str, places: Places, folder: Path, progress: int) -> Request:
        """Ask for a cell."""
        task = cell.task
        return cls(
            suite=task.folder.absolute(),
            workload=task.workload.name,
            data=task.data,
            size=task.size,
            scenario=task.scenario,
            tier=task.tier,
            seed=task.seed,
            how=task.how,
            platform=cell.platform.name,
            run=run,
            places=places,
            folder=folder,
            progress=progress,
        )

    def cell(self) -> Cell:
        """Find the cell.

        Raises
        ------
        InputError
            If a file is faulty, or a name is not there.
        """
        suite = registry.read_suite(str(self.suite))
        task = Task(
            suite.name, suite.folder, suite.workload(self.workload), self.data, self.size, self.scenario,
            self.tier, self.seed, self.how,
        )  # fmt: skip
        (platform,) = registry.select([self.platform], registry.platforms(self.places.plugins))
        return Cell(task, platform)
