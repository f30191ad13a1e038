"""Which cells LoadGen cannot run, and why."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from nmbench.spec import Scenario


def refusal(
    generator: Literal["nmbench", "loadgen"], scenario: Scenario, clock: Literal["wall", "model"]
) -> str | None:
    """Return why a generator cannot make the traffic of a scenario for a platform's clock; None if it can."""
    if generator == "nmbench":
        return None
    if clock == "model":
        return "LoadGen knows the wall clock alone, and this platform's model states its own time"
    if scenario == "Streaming":
        return "LoadGen has no scenario Streaming"
    return None


def missing() -> str | None:
    """Return what to do where LoadGen is not installed; None where it is."""
    if find_spec("mlperf_loadgen"):
        return None
    return (
        "LoadGen is not installed: pip install 'nmbench[loadgen]' "
        "(wheels for Linux x86-64, macOS arm64 and Windows)"
    )
