"""The committed sheets are those that the command writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nmbench import places, registry
from nmbench.datasets.holdings.catalogue import holding
from nmbench.progress import Silence
from nmbench.sheets.build import Places, build
from nmbench.sheets.prose import Sheet, read_sheet

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "datasets"
SPDX = {"CC BY 4.0": "CC-BY-4.0", "CC BY-SA 4.0": "CC-BY-SA-4.0"}

pytestmark = pytest.mark.skipif(not (COMMITTED / "README.md").is_file(), reason="no sheets in this checkout")


def rebuilt(folder: Path, cache: Path, data: Path, *, kept: bool) -> None:
    shutil.copytree(COMMITTED, folder)
    suite = registry.read_suite("temporal")
    for path in folder.glob("*.md"):
        path.unlink()
    build(suite, [w.name for w in suite.workloads], Places(cache, data, folder), Silence(), kept=kept)
    for path in sorted(COMMITTED.iterdir()):
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_stranger_without_data_gets_the_same_bytes(tmp_path: Path) -> None:
    rebuilt(tmp_path / "out", tmp_path / "cache", tmp_path / "no-data", kept=True)


@pytest.mark.slow
def test_the_data_give_the_same_bytes(tmp_path: Path) -> None:
    rebuilt(tmp_path / "out", places.cache_root(), places.data_root(), kept=False)


def sheets() -> list[Sheet]:
    suite = registry.read_suite("temporal")
    return [read_sheet(suite.folder, workload) for workload in suite.workloads]


def test_every_workload_has_a_sheet_that_agrees_with_the_catalogue() -> None:
    for sheet in sheets():
        if sheet.holding:
            licence = holding(sheet.holding).licence
            assert licence and SPDX[licence] in {one.spdx for one in sheet.licences}


def test_pictures_are_small() -> None:
    assert all(path.stat().st_size < 150_000 for path in COMMITTED.glob("*.svg"))
