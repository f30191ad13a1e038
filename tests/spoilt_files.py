"""What tests of broken files ask: that a set is refused by the file's name and for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmbench.datasets.sets.known import open_set
from nmbench.errors import InputError


def silent(_done: int, _total: int) -> None:
    pass


def faults_of(name: str, root: Path, split: str = "test") -> list[str]:
    """Read a whole set and return what is said of it."""
    with pytest.raises(InputError) as caught:
        open_set(name, root, split).event_set(silent)
    return [caught.value.subject, *caught.value.faults]


def refused(name: str, root: Path, file: str, says: str, split: str = "test") -> None:
    told = faults_of(name, root, split)
    assert any(file in line for line in told), told
    assert any(says in line for line in told), told
