from __future__ import annotations

from pathlib import Path

import pytest
from suites import WORKLOAD, write_suite

from nmbench import registry, selection
from nmbench.cell import How
from nmbench.selection import Wanted
from nmbench.spec import Suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return registry.read_suite(str(write_suite(tmp_path / "tiny")))


def wanted(**changes: object) -> Wanted:
    usual: dict[str, object] = {
        "workloads": [], "sizes": ["base"], "data": "synthetic", "scenarios": ["SingleStream"],
        "tier": "quick", "seed": 0, "how": How(),
    }  # fmt: skip
    return Wanted(**{**usual, **changes})  # type: ignore[arg-type]


def test_scenarios_by_any_spelling() -> None:
    faults: list[str] = []
    assert selection.scenarios(["server,offline", "single-stream"], faults) == [
        "Server",
        "Offline",
        "SingleStream",
    ]
    assert len(selection.scenarios(["all", "Server"], faults)) == 5
    assert not faults
    assert selection.scenarios(["serve"], faults) == []
    assert "Server" in faults[0]


def test_every_fault_of_a_command_is_told_at_once(suite: Suite) -> None:
    faults: list[str] = []
    how = selection.how(loadgen=True, clock="skip", rate=None, power="raple", faults=faults)
    assert how.clock == "wall"
    selection.tier("oficial", faults)
    selection.tasks(suite, wanted(workloads=["digit"], sizes=["huge"]), faults)
    selection.tasks(suite, wanted(sizes=["huge"]), faults)
    text = "\n".join(faults)
    for word in ("skipping", "rapl", "official", "digits", "base"):
        assert word in text, word


def test_loadgen_knows_no_other_clock() -> None:
    faults: list[str] = []
    selection.how(loadgen=True, clock="skipping", rate=None, power="auto", faults=faults)
    assert faults


def test_a_scenario_that_a_workload_does_not_have_is_a_fault(tmp_path: Path) -> None:
    text = WORKLOAD.replace("Offline, ", "")
    suite = registry.read_suite(str(write_suite(tmp_path / "few", text)))
    faults: list[str] = []
    selection.tasks(suite, wanted(scenarios=["Offline", "Server"]), faults)
    assert len(faults) == 1 and "Offline" in faults[0] and "digits" in faults[0]


def test_a_rate_is_servers_alone(suite: Suite) -> None:
    found = selection.tasks(suite, wanted(scenarios=["Server", "Offline"], how=How(rate=3.0)), [])
    assert {t.scenario: t.how.rate for t in found} == {"Server": 3.0, "Offline": None}
    assert found[0].identity != selection.tasks(suite, wanted(scenarios=["Server"]), [])[0].identity


def test_the_usual_way_changes_no_identity(suite: Suite) -> None:
    (task,) = selection.tasks(suite, wanted(), [])
    assert not {"rate", "clock", "generator", "power"} & task.identity.keys()
