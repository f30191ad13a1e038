from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# no test fails because the machine is busy
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the places of whoever runs it."""
    place = tmp_path_factory.mktemp("places")
    monkeypatch.setenv("NMBENCH_CACHE", str(place / "cache"))
    monkeypatch.setenv("NMBENCH_DATA", str(place / "data"))
    monkeypatch.setenv("NMBENCH_RESULTS", str(place / "results"))


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real recordings that stands beside a developer's checkout."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NMBENCH_TEST_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder} (set NMBENCH_TEST_DATA)")
    return folder
