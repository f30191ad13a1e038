"""Sheets of a suite in miniature, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_sheets import write_sheets

from nmbench import registry
from nmbench.progress import Silence
from nmbench.sheets.build import Places, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Places]:
    folder = tmp_path_factory.mktemp("sheets")
    suite = write_sheets(folder / "tiny")
    places = Places(folder / "cache", folder / "no-data", folder / "out")
    build(registry.read_suite(str(suite)), ["digits"], places, Silence())
    return suite, places
