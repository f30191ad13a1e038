"""Build sheets: read, count, draw, write; kept statistics stand in for data that are not here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from nmbench.datasets import sources
from nmbench.datasets.events import EventSet
from nmbench.errors import DataMissing, InputError
from nmbench.progress import Progress
from nmbench.report.style import save
from nmbench.sheets.baseline import read_networks
from nmbench.sheets.croissant import croissant_text
from nmbench.sheets.figures import baseline_figure, index_figure, statistics_figure
from nmbench.sheets.index import Entry, index_text
from nmbench.sheets.names import INDEX, INDEX_PICTURE, Names
from nmbench.sheets.pictures import sample_picture
from nmbench.sheets.prose import read_sheet
from nmbench.sheets.samples import marks_csv, samples_csv
from nmbench.sheets.statistics import Statistics, count, read_statistics, statistics_text
from nmbench.sheets.text import sheet_text
from nmbench.spec import Data, Suite, Workload

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Places:
    """Where things lie: caches of built sets, real data, and the folder of the sheets."""

    cache: Path
    data: Path
    out: Path


def build(
    suite: Suite, wanted: Collection[str], places: Places, progress: Progress, *, kept: bool = False
) -> Path:
    """Write the sheets of a suite's workloads, and the index of all.

    Parameters
    ----------
    wanted
        Names of workloads; the index takes the others as they were kept.
    kept
        Take statistics and pictures of samples from the folder, without a look at the data.

    Returns
    -------
    Path
        The index.

    Raises
    ------
    InputError
        With the faults of all workloads: a faulty sheet, data that are not the published ones, data that are
        not here while nothing was kept.
    """
    places.out.mkdir(parents=True, exist_ok=True)
    entries, faults = [], []
    for done, workload in enumerate(suite.workloads):
        progress.step("sheets", done, len(suite.workloads))
        asked = workload.name in wanted
        if not asked and not (places.out / Names(workload.name).stats).exists():
            continue
        try:
            entry = _entry(suite, workload, places, progress, kept=kept or not asked)
            entries.append(entry)
            if asked:
                _write(suite, entry, places.out)
        except (InputError, DataMissing) as error:
            faults.append(str(error))
    progress.step("sheets", len(suite.workloads), len(suite.workloads))
    if faults:
        raise InputError("nmbench data sheet", faults)
    shown = {e.workload.name: base for e in entries if (base := e.networks.base)}
    if shown:
        save(index_figure(shown), places.out / Path(INDEX_PICTURE).stem, ("svg",))
    return put(places.out / INDEX, index_text(suite, entries))


def put(path: Path, text: str) -> Path:
    """Write a text in one move: a reader sees the old one or the new one."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return path


def file_sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _entry(suite: Suite, workload: Workload, places: Places, progress: Progress, *, kept: bool) -> Entry:
    sheet = read_sheet(suite.folder, workload)
    data = workload.data[sheet.data]
    networks = read_networks(suite.folder, workload, data, progress)
    found = None if kept else _counted(workload, data, places, progress)
    if found is None:
        found = _kept(workload, data, places.out)
    return Entry(workload, sheet, found, networks)


def _counted(workload: Workload, data: Data, places: Places, progress: Progress) -> Statistics | None:
    """Count and draw the data; None where they are not here but were counted before."""
    try:
        splits = sources.load(data, SPLITS, places.cache, places.data, progress)
    except DataMissing:
        if not (places.out / Names(workload.name).stats).exists():
            raise
        progress.note(f"{workload.name}: its data are not here; its sheet is built from what was kept")
        return None
    sha256 = splits["test"].sha256()
    if data.sha256 and sha256 != data.sha256:
        fault = (
            f"the test split here is {sha256}, the published one {data.sha256}: a sheet is of published data"
        )
        raise InputError(f"workload {workload.name}", [fault])
    return _keep(workload, data, splits, places.out)


def _keep(workload: Workload, data: Data, splits: Mapping[str, EventSet], out: Path) -> Statistics:
    """Write what needs the events: statistics, the table of samples, pictures of samples."""
    names = Names(workload.name)
    found = count(workload, data.source, splits)
    written = [put(out / names.samples, samples_csv(splits))]
    marks = marks_csv(splits)
    if marks is not None:
        written.append(put(out / names.marks, marks))
    written += save(sample_picture(splits["test"], workload), out / Path(names.sample).stem, ("svg",))
    files = {path.name: file_sha256(path) for path in written}
    found = found.model_copy(update={"files": files})
    put(out / names.stats, statistics_text(found))
    return found


def _kept(workload: Workload, data: Data, out: Path) -> Statistics:
    """Read what was kept, and check that it is of this workload and whole."""
    path = out / Names(workload.name).stats
    found = read_statistics(path)
    faults = []
    if (found.workload, found.version, found.source) != (workload.name, workload.version, data.source):
        faults.append(
            f"of {found.workload} version {found.version}, source {found.source}; the workload is "
            f"{workload.name} version {workload.version}, source {data.source}: build it where the data are"
        )
    if data.sha256 and found.splits["test"].sha256 != data.sha256:
        faults.append("of another test split than the published one: build it where the data are")
    for name, sha256 in found.files.items():
        if Path(name).name != name:
            faults.append(f"files: {name!r} is no name of a file beside")
        elif not (out / name).is_file() or file_sha256(out / name) != sha256:
            faults.append(f"{name} beside it is absent or changed: build it where the data are")
    if faults:
        raise InputError(str(path), faults)
    return found


def _write(suite: Suite, entry: Entry, out: Path) -> None:
    names = Names(entry.workload.name)
    save(statistics_figure(entry.found), out / Path(names.statistics).stem, ("svg",))
    if entry.networks.classifiers:
        save(baseline_figure(entry.networks.classifiers), out / Path(names.baseline).stem, ("svg",))
    put(out / names.page, sheet_text(entry.workload, entry.sheet, entry.found, entry.networks))
    tables = {
        name: (out / name).read_bytes()
        for name in (names.samples, *((names.marks,) if entry.found.marked else ()))
    }
    put(out / names.croissant, croissant_text(entry.workload, entry.sheet, entry.found, tables))
