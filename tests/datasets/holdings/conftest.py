from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile_server import Heard, Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def heard() -> Heard:
    return Heard()
