"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Plugins = Annotated[
    list[Path], typer.Option("--plugin", help="Python file with PLATFORMS = [...]; it is run as a program.")
]
ResultsFolder = Annotated[
    Path | None, typer.Option("--results", help="Folder of results (NMBENCH_RESULTS; ./results).")
]
