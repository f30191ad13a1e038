"""``nmbench train``: train reference networks, and say how near they came to the shipped ones."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmbench.errors import DataMissing, InputError

if TYPE_CHECKING:
    from nmbench.training.tasks import Task

WITHOUT_TORCH = (
    "torch is not installed: pip install nmbench[train]. The shipped networks were trained with torch==2.13.0"
    " for the CPU; other versions train as well, to other bytes"
)
FELL_SHORT = 1


def train(
    workload: Annotated[str, typer.Argument(help="A workload of the suite, or all.")],
    size: Annotated[str, typer.Option(help="A size of the network (small, base, large), or all.")] = "base",
    data: Annotated[
        str | None, typer.Option(help="'synthetic', 'real' or a source; the workload's first choice.")
    ] = None,
    data_path: Annotated[
        Path | None, typer.Option(help="Folder of real data, or one archive (NMBENCH_DATA).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed: of the network that is written.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many seeds, counted up.")] = 1,
    suite: Annotated[str, typer.Option(help="A suite's name, or a folder with workload files.")] = "temporal",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the .nir and .json files.")] = Path(
        "trained"
    ),
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.")] = "cpu",
    fresh: Annotated[bool, typer.Option(help="Train again what is finished in the folder.")] = False,
) -> None:
    """Train reference networks and compare them with the shipped ones; what is finished stays as it is."""
    if find_spec("torch") is None:
        raise InputError("nmbench train", [WITHOUT_TORCH])
    _check_device(device)
    from nmbench.training.tasks import EVERYTHING, tasks, trained_apart

    wanted = tasks(suite, workload, size, data)
    if fresh:
        _forget(wanted, out)
    # a suite goes by its name: provenance travels, folders of this machine do not
    options = f"--suite {Path(suite).name} " if suite != "temporal" else ""
    command = f"nmbench train {{}} --size {{}} {options}--seed {seed} --seeds {seeds}"
    seeds_wanted = list(range(seed, seed + seeds))
    named = workload != EVERYTHING
    apart = [] if named else trained_apart(suite)
    _train(wanted, seeds_wanted, out, data_path, device, command, named=named, apart=apart)


def _check_device(device: str) -> None:
    import torch

    if device not in ("cpu", "cuda"):
        raise InputError("--device", [f"{device!r} is neither 'cpu' nor 'cuda'"])
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device", ["torch finds no CUDA device"])


def _forget(wanted: list[Task], out: Path) -> None:
    """Remove what earlier runs left of these networks in the folder."""
    for task in wanted:
        for path in [*(out / "parts").glob(f"{task.name}-seed*"), *out.glob(f"{task.name}.*")]:
            path.unlink()


def _train(
    wanted: list[Task],
    seeds: list[int],
    out: Path,
    data_path: Path | None,
    device: str,
    command: str,
    *,
    named: bool,
    apart: list[str],
) -> None:
    from nmbench import places
    from nmbench.training.compare import compare
    from nmbench.training.display import Display, show
    from nmbench.training.job import Place
    from nmbench.training.job import train as train_task

    rows, missing = [], None
    with Display() as display:
        for name in apart:
            display.note(f"{name} is trained by: python -m nmbench.training.spotting {name}")
        for task in wanted:
            place = Place(
                out=out,
                cache=places.cache_root(),
                data=data_path or places.data_root(),
                device=device,
                command=command.format(task.workload.name, task.size),
            )
            try:
                made = train_task(task, seeds, place, display, display.training)
            except DataMissing as error:
                if named:
                    raise
                missing = error
                display.note(f"{task.name} is left out: {' '.join(str(error).split())}")
                continue
            display.finished(made)
            rows.append(compare(task, made))
    if missing and not rows:
        raise missing
    show(rows)
    print(out)
    if any(row.fell_short for row in rows):
        raise typer.Exit(FELL_SHORT)
