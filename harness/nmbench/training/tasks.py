"""What is to be trained: a workload's data, a network's name and its recipe, read from any suite's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from nmbench.datasets import transforms
from nmbench.datasets.sources import SOURCES
from nmbench.documents import read_document
from nmbench.errors import InputError, unknown
from nmbench.registry import SUITES, suite_names
from nmbench.spec import Data, SuiteFile, Workload
from nmbench.training.recipe import Recipe, parse_recipe

EVERYTHING = "all"


@dataclass(frozen=True)
class Task:
    """One network to train.

    Attributes
    ----------
    key
        Of the workload's data.
    name
        Of the files that are written.
    shipped
        Where the suite's own network lies, or will lie.
    """

    workload: Workload
    key: str
    size: str
    name: str
    recipe: Recipe
    shipped: Path

    @property
    def data(self) -> Data:
        """The workload's entry."""
        return self.workload.data[self.key]

    @property
    def recipe_sha256(self) -> str:
        """Hash of the recipe as it is trained: comments and order do not count."""
        return hashlib.sha256(
            json.dumps(self.recipe.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()


def suite_folder(suite: str) -> Path:
    """Return the folder of a suite, by name or by path."""
    folder = SUITES / suite if suite in suite_names() else Path(suite)
    if not folder.is_dir():
        raise InputError("--suite", [unknown("suite", suite, suite_names())])
    return folder


def tasks(suite: str, workload: str, size: str, data: str | None) -> list[Task]:
    """List the networks to train.

    Parameters
    ----------
    suite
        Name, or a folder of workload files; the networks need not be there yet.
    workload
        Name, or ``all``.
    size
        A size of the workload's networks, or ``all``.
    data
        Key of the workload's data or a source's name; None for its first choice.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    folder = suite_folder(suite)
    known = sorted(p.stem for p in folder.glob("*.yaml") if p.name != "suite.yaml")
    if workload == EVERYTHING:
        names: Sequence[str] = read_document(folder / "suite.yaml", SuiteFile).workloads
    elif workload in known:
        names = [workload]
    else:
        raise InputError(f"suite {suite}", [unknown("workload", workload, [*known, EVERYTHING])])
    found: list[Task] = []
    faults: list[str] = []
    for name in names:
        try:
            read = read_workload(folder / f"{name}.yaml")
            if workload == EVERYTHING and read.spotting is not None:
                continue  # `trained_apart` names them
            found += _of_workload(folder, read, size, data)
        except InputError as error:
            faults += [f"{error.subject}: {fault}" for fault in error.faults]
    if faults:
        raise InputError("nmbench train", faults)
    return found


def trained_apart(suite: str) -> list[str]:
    """Name the workloads of a suite that spot words: `nmbench.training.spotting` trains them."""
    folder = suite_folder(suite)
    names = read_document(folder / "suite.yaml", SuiteFile).workloads
    return [name for name in names if read_workload(folder / f"{name}.yaml").spotting is not None]


def read_workload(path: Path) -> Workload:
    """Read a workload whose networks may not be there yet; sources and transforms are checked."""
    workload = read_document(path, Workload)
    faults = [
        f"data.{key}: {unknown('source', entry.source, SOURCES)}"
        for key, entry in workload.data.items()
        if entry.source not in SOURCES
    ]
    for step in workload.transforms:
        faults += transforms.faults(step.name, step.options)
    if workload.name != path.stem:
        faults.append(f"name: {workload.name!r} is not the file's name {path.stem!r}")
    if faults:
        raise InputError(str(path), faults)
    return workload


def _of_workload(folder: Path, workload: Workload, size: str, data: str | None) -> list[Task]:
    key = workload.data_key(data) if data else next(k for k in ("synthetic", "real") if k in workload.data)
    networks = workload.data[key].networks
    if size != EVERYTHING and size not in networks:
        raise InputError(f"workload {workload.name}", [unknown("size", size, [*networks, EVERYTHING])])
    sizes = list(networks) if size == EVERYTHING else [size]
    faults: list[str] = []
    found = []
    for one in sizes:
        stem = PurePosixPath(networks[one]).stem
        try:
            recipe = read_recipe(folder / "recipes" / f"{stem}.yaml", workload)
        except InputError as error:
            faults += [f"{error.subject}: {fault}" for fault in error.faults]
            continue
        owner = next(k for k, d in workload.data.items() if networks[one] in d.networks.values())
        # networks that several data share are those of the first: another one's are called after it
        name = stem if key == owner else f"{stem}-{key}"
        found.append(Task(workload, key, one, name, recipe, folder / networks[one]))
    if faults:
        raise InputError(f"workload {workload.name}", faults)
    return found


def read_recipe(path: Path, workload: Workload) -> Recipe:
    """Read a recipe for a workload, which says steps, their duration and the transforms.

    Raises
    ------
    InputError
        If the file is absent or faulty, or states another window than the workload's: all faults at once.
    """
    if not path.is_file():
        known = [p.stem for p in path.parent.glob("*.yaml")]
        raise InputError(str(path.parent), [unknown("recipe", path.stem, known)])
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(str(path), [f"not YAML: {error}"]) from error
    if not isinstance(stated, Mapping):
        raise InputError(str(path), ["a recipe is a mapping"])
    given: dict[str, object] = {
        "dt_s": workload.dialect.dt,
        "transforms": [[t.name, dict(t.options)] for t in workload.transforms],
    }
    if "steps" not in stated:
        given["steps"] = workload.window.steps
    faults = [
        f"{name}: {stated[name]!r}, the workload says {value!r}"
        for name, value in given.items()
        if name in stated and stated[name] != value
    ]
    if faults:
        raise InputError(str(path), faults)
    return parse_recipe({**given, **stated}, str(path))
