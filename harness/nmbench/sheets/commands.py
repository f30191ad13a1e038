"""``nmbench data sheet``: data sheets for humans and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmbench.errors import InputError, unknown

FOLDER = Path("docs/datasets")


def sheet(
    workload: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKLOAD]...", help="Only these; the index is of all.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = FOLDER,
    suite: Annotated[
        str, typer.Option(help="Suite of the workloads: its name, or a folder with a suite.yaml.")
    ] = "temporal",
    data_path: Annotated[
        Path | None, typer.Option(help="Folder of real data, or one archive (NMBENCH_DATA).")
    ] = None,
    kept: Annotated[
        bool,
        typer.Option("--kept", help="Take statistics and pictures from the folder; no data are looked at."),
    ] = False,
) -> None:
    """Write data sheets: Markdown, figures, Croissant, and the index of all.

    Data that are not on this machine are described from what was kept of them in the folder.
    """
    from nmbench import places, registry
    from nmbench.report.terminal import Terminal
    from nmbench.sheets import build

    read = registry.read_suite(suite)
    known = [w.name for w in read.workloads]
    faults = [unknown("workload", name, known) for name in workload or () if name not in known]
    if faults:
        raise InputError("nmbench data sheet", faults)
    where = build.Places(places.cache_root(), data_path or places.data_root(), out)
    with Terminal() as terminal:
        path = build.build(read, workload or known, where, terminal, kept=kept)
    print(path)
