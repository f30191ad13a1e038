"""Data flows one way (DESIGN 3): this reads the imports and enforces it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "harness" / "nmbench"

BASE = {
    "errors",
    "quantity",
    "counts",
    "spikes",
    "spec",
    "record",
    "documents",
    "progress",
    "places",
    "stats",
    "stale",
    "bootstrap",
    "arrays",
    "contrast",
    "starts",
    "early_stopping",
    "noise",
    "live",
}
LAYERS = {
    # part: what it may import besides itself and the base
    **{name: {"network.dialect"} for name in BASE},
    "datasets": set(),
    "network": set(),
    "simulator": {"network"},
    "energy": {"network"},
    "platforms": {"network", "simulator", "energy"},
    "registry": {"platforms", "datasets", "energy"},
    "cell": {"registry"},
    "metrics": {"network", "energy"},
    "system": set(),
    "store": {"energy", "scenario"},
    "prepare": {"cell", "datasets", "network"},
    "at_hand": {"cell", "prepare"},
    "training": {"spotting", "datasets", "network", "simulator", "metrics", "registry"},
    "power": set(),
    "scenario": {"platforms", "energy", "metrics", "spotting"},
    "selection": {"cell", "power"},
    "spotting": set(),
    "quality": {"metrics", "prepare", "scenario", "spotting"},
    "perform": {"quality", "cell", "prepare", "metrics", "scenario", "platforms", "energy", "power"},
    "runner": {
        "quality",
        "cell",
        "prepare",
        "metrics",
        "perform",
        "system",
        "scenario",
        "platforms",
        "energy",
    },
    "sweep": {"cell", "store", "runner", "energy"},
    "reprice": {"spotting", "energy", "perform", "platforms", "runner", "scenario", "system"},
    "report": {"registry", "store", "metrics", "energy", "comparison", "verdict"},
    "spiketrains": set(),
    "sheets": {"datasets", "registry", "report"},
    "simulate": {"network", "simulator", "spiketrains", "report"},
    "arguments": set(),
    "data_commands": {"datasets", "report", "sheets"},
    "platform_commands": {"arguments", "registry", "report"},
    "verdict": set(),
    "comparison": {"verdict"},
    "apart": {"cell", "prepare", "registry", "runner", "scenario", "platforms", "store", "system", "energy"},
    "train_commands": {"training"},
    "cost_commands": {"arguments", "comparison", "energy", "registry", "report", "reprice", "store", "sweep"},
    "cli": {
        *("arguments", "cost_commands", "data_commands", "platform_commands", "simulate", "train_commands"),
        *("prepare", "registry", "report", "runner", "selection", "store", "sweep", "system"),
        *("apart", "at_hand", "cell", "scenario"),
    },
}
HEAVY = (
    "numpy",
    "pandas",
    "matplotlib",
    "numba",
    "tonic",
    "scipy",
    "sklearn",
    "h5py",
    "nir",
    "torch",
    "pynvml",
    "rich.live",
)


def modules() -> list[Path]:
    return [p for p in PACKAGE.rglob("*.py") if "workloads" not in p.parts and p.name != "__init__.py"]


def name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=name)
def test_arrows(path: Path) -> None:
    mine = name(path)
    layer = mine.split(".")[0]
    allowed = LAYERS[layer] | BASE | {layer}
    known = {name(p) for p in modules()}
    for target in imports(path):
        inside = target.removeprefix("nmbench.")
        if target.startswith("nmbench.") and inside in known:
            assert inside in allowed or inside.split(".")[0] in allowed, f"{mine} must not import {target}"


def test_only_one_file_imports_tonic() -> None:
    users = {name(p) for p in modules() if any(i.split(".")[0] == "tonic" for i in imports(p))}
    assert users == {"datasets.sets.tonic"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, nmbench.cli; from typer.testing import CliRunner;"
        "assert CliRunner().invoke(nmbench.cli.app, ['--help']).exit_code == 0;"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def dataset_module(imported: str) -> str | None:
    """Return a module's name within the folder of the data sets, if it is one."""
    inside = imported.removeprefix("nmbench.datasets.")
    there = PACKAGE.joinpath("datasets", *inside.split(".")).with_suffix(".py").is_file()
    return inside if inside != imported and there else None


def test_sources_name_every_module_that_their_bytes_depend_on() -> None:
    from nmbench.datasets.sources import SOURCES

    shared = {"events"}  # hashed with every source
    for source in SOURCES.values():
        reached, waiting = set(shared), list(source.files or ())
        while waiting:
            module = waiting.pop()
            if module not in reached:
                reached.add(module)
                path = PACKAGE.joinpath("datasets", *module.split(".")).with_suffix(".py")
                waiting += [i for i in map(dataset_module, imports(path)) if i is not None]
        assert reached - shared == set(source.files or ()), source.summary
