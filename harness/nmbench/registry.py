"""Finds suites, workloads, platforms and cards: built in, by entry point, or from ``--plugin file.py``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nmbench.documents import read_document
from nmbench.energy.cardfile import Head, chain, heads, owners
from nmbench.errors import InputError, unknown
from nmbench.spec import Allowed, Suite, SuiteFile, Workload

if TYPE_CHECKING:
    from nmbench.energy.card import Card
    from nmbench.platforms.base import Platform

SUITES = Path(__file__).parent / "workloads"
"""Folder of the suites that nmbench ships: one folder a suite, one YAML file a workload."""

ENTRY_POINTS = "nmbench.platforms"
"""Group in which an installed package names functions that return a `Platform`."""

EXAMPLE = "dummy"
"""Family of the platform that answers by chance: an example, run where it is named."""

HOST = "host"
"""Equation of the card that prices wall times on this host: no platform of its own."""

MEASURED: Mapping[str, tuple[str, str]] = {
    # name: (family, module:factory); the module is imported when the platform is asked for
    "numba-event": ("cpu", "nmbench.platforms.numba_event:NumbaEvent"),
    "dummy": (EXAMPLE, "nmbench.platforms.dummy:Dummy"),
}
"""Built-in platforms that run for real; the others are made from cards."""

BY_DEFAULT = (
    "numba-event",
    "cpu-dense",
    "gpu-h100",
    "gpu-jetson",
    "loihi",
    "loihi2",
    "spinnaker",
    "spinnaker2",
    "akida",
    "memristor-rram",
    "memristor-pcm",
)
"""Built-in platforms that a run without ``--platform`` takes, in the table's order: each has a committed
record of every workload. Any other card is a platform that is run where it is named."""


@dataclass(frozen=True)
class Entry:
    """A platform that can be had: its name, its family, where it comes from, and how to make it.

    Attributes
    ----------
    files
        On which its numbers stand and that can change without a new version.
    by_default
        Run where no platform is named.
    aliases
        Other names that it answers to.
    """

    name: str
    family: str
    origin: str
    make: Callable[[], Platform]
    files: tuple[Path, ...] = ()
    by_default: bool = True
    aliases: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Hash where the platform comes from and the files that its numbers stand on."""
        digest = hashlib.sha256(self.origin.encode())
        for path in self.files:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def suite_names(root: Path = SUITES) -> list[str]:
    """List the suites in a folder."""
    return sorted(path.parent.name for path in root.glob("*/suite.yaml"))


def read_suite(name: str, root: Path = SUITES) -> Suite:
    """Read a suite with all its workloads, by name or by the path of a folder with a ``suite.yaml``.

    Raises
    ------
    InputError
        With all faults of all files, each with its path.
    """
    folder = root / name
    if name not in suite_names(root):
        folder = Path(name)
        if not (folder / "suite.yaml").is_file():
            raise InputError("--suite", [unknown("suite", name, suite_names(root))])
    file = read_document(folder / "suite.yaml", SuiteFile)
    workloads, found = [], []
    for workload_name in file.workloads:
        try:
            workloads.append(read_workload(folder / f"{workload_name}.yaml"))
        except InputError as error:
            found += [f"{error.subject}: {fault}" for fault in error.faults]
    if found:
        raise InputError(f"suite {name}", found)
    return Suite(file=file, folder=folder, workloads=tuple(workloads))


def read_workload(path: Path) -> Workload:
    """Read one workload; the names and files that it uses are checked too (`InputError` with all faults)."""
    from nmbench.datasets import transforms
    from nmbench.datasets.sources import SOURCES

    allowed = Allowed(SOURCES.keys(), transforms.faults, path.parent, path.stem)
    return read_document(path, Workload, {"allowed": allowed})


def platforms(plugins: Iterable[Path] = ()) -> dict[str, Entry]:
    """Return every platform that can be had, by name, without importing the built-in ones.

    Raises
    ------
    InputError
        If a plug-in cannot be read, or two platforms share a name.
    """
    entries = _built_in()
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        # not loaded before it is asked for: somebody's broken package must not stop everybody's run
        entries.append(Entry(point.name, point.name, f"entry point {point.value}", partial(_load, point)))
    for plugin in plugins:
        entries += [_entry(made, plugin) for made in read_plugin(plugin)]
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in found:
            raise InputError(
                entry.origin, [f"platform {entry.name!r} is there already ({found[entry.name].origin})"]
            )
        found[entry.name] = entry
    return found


def select(names: Iterable[str], known: Mapping[str, Entry]) -> list[Entry]:
    """Return the platforms of these names, aliases or families; for none, those that run by default.

    A family stands for its platforms that run by default.

    Raises
    ------
    InputError
        With every name that is none of them, and its near misses.
    """
    wanted = list(names)
    usual = [entry for entry in known.values() if entry.by_default]
    families = {entry.family for entry in usual}
    owners = {n: entry.name for entry in known.values() for n in (*entry.aliases, entry.name)}
    faults = [
        unknown("platform", n, {*owners, *families}) for n in wanted if n not in owners and n not in families
    ]
    if faults:
        raise InputError("--platform", faults)
    if not wanted:
        return usual
    # an exact name wins over the family of the same name
    exact = {owners[n] for n in wanted if n in owners}
    by_family = {n for n in wanted if n not in owners}
    return [e for e in known.values() if e.name in exact or (e.by_default and e.family in by_family)]


def card_of(name: str, plugins: Iterable[Path] = ()) -> Card:
    """Return a platform's card, by the platform's name or alias, or a card from its file (``.yaml``).

    Raises
    ------
    InputError
        If there is none of the name, with the near misses, if the platform states no card, or with all
        faults of the file.
    """
    from nmbench.energy.card import find_card

    known = platforms(plugins)
    if name in known and name not in heads():
        card = known[name].make().info.card
        if card is None:
            raise InputError(name, ["states neither energy nor a modelled latency: it has no card"])
        return card
    try:
        return find_card(name)
    except InputError as error:
        if error.subject != "card":
            raise
        raise InputError("nmbench platforms", [unknown("platform", name, {*known, *owners()})]) from error


def read_plugin(path: Path) -> list[Platform]:
    """Run a plug-in file and return the platforms in its ``PLATFORMS``.

    A plug-in is a program: it runs with the user's rights, like any script that is started by name.

    Raises
    ------
    InputError
        If the file is absent, raises on import, or has no list ``PLATFORMS`` of `Platform` objects.
    """
    from nmbench.platforms.base import Platform

    if not path.is_file():
        raise InputError(f"--plugin {path}", ["no such file"])
    name = f"nmbench_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"--plugin {path}", ["not a Python file (.py)"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"--plugin {path}", [f"{type(error).__name__} on import: {error}"]) from error
    found = getattr(module, "PLATFORMS", None)
    if not isinstance(found, list | tuple) or not found or not all(isinstance(p, Platform) for p in found):
        raise InputError(
            f"--plugin {path}", ["needs PLATFORMS = [...], a list of nmbench.platforms.base.Platform"]
        )
    return list(found)


def _built_in() -> list[Entry]:
    """Return the built-in platforms: those that run by default, then the example, then every other card's."""
    cards = {name: head for name, head in heads().items() if head.model != HOST}
    order = [*BY_DEFAULT, *(name for name in (*MEASURED, *cards) if name not in BY_DEFAULT)]
    return [_from_card(cards[name]) if name in cards else _from_module(name) for name in order]


def _from_module(name: str) -> Entry:
    family, target = MEASURED[name]
    module, factory = target.split(":")

    def make() -> Platform:
        made: Platform = getattr(importlib.import_module(module), factory)()
        return made

    return Entry(name, family, "built in", make, by_default=name in BY_DEFAULT)


def _from_card(head: Head) -> Entry:
    def make() -> Platform:
        from nmbench.platforms.modelled import modelled

        return modelled(head.name)

    return Entry(
        head.name, head.family, "built in", make, chain(head.name), head.name in BY_DEFAULT, head.aliases
    )


def _load(point: importlib.metadata.EntryPoint) -> Platform:
    made: Platform = point.load()()
    return made


def _entry(platform: Platform, plugin: Path) -> Entry:
    info = platform.info
    # the file's name alone: origins stand in records, and records travel
    return Entry(info.name, info.family, f"plug-in {plugin.name}", lambda: platform, (plugin,))
