from __future__ import annotations

from pathlib import Path

import pytest
from suites import SUITE, WORKLOAD, write_suite

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
    found = selection.tasks(suite, wanted(scenarios=["Server", "Offline"], how=How(rate=3.0)), []).tasks
    assert {t.scenario: t.how.rate for t in found} == {"Server": 3.0, "Offline": None}
    assert found[0].identity != selection.tasks(suite, wanted(scenarios=["Server"]), []).tasks[0].identity


def test_the_usual_way_changes_no_identity(suite: Suite) -> None:
    (task,) = selection.tasks(suite, wanted(), []).tasks
    assert not {"rate", "clock", "generator", "power"} & task.identity.keys()


REAL_ONLY = (
    WORKLOAD.replace("name: digits", "name: touch")
    .replace("  synthetic:\n    source: digits-saccade", "  real:\n    source: nmnist")
    .replace("    options: {limit: 5, saccade_us: 10000}\n", "")
    .replace("  real:\n    source: nmnist\n    licence: CC BY-SA 4.0\n    networks: {base: base.nir}\n", "")
)
STREAM_ONLY = WORKLOAD.replace("name: digits", "name: words").replace(
    "[SingleStream, MultiStream, Server, Offline, Streaming]", "[Streaming]"
)


def mixed(folder: Path) -> Suite:
    """Three workloads: one has all, one real data alone, one nothing but Streaming."""
    write_suite(folder, suite=SUITE.replace("[digits]", "[digits, touch, words]"))
    (folder / "touch.yaml").write_text(REAL_ONLY)
    (folder / "words.yaml").write_text(STREAM_ONLY)
    return registry.read_suite(str(folder))


def test_a_workload_without_synthetic_data_stands_for_itself_with_its_real_ones(tmp_path: Path) -> None:
    faults: list[str] = []
    chosen = selection.tasks(mixed(tmp_path / "mixed"), wanted(), faults)
    assert not faults
    assert {t.workload.name: t.data for t in chosen.tasks} == {"digits": "synthetic", "touch": "real"}


@pytest.mark.parametrize("scenarios", [[], ["SingleStream"]])
def test_a_run_does_without_a_workload_that_lacks_its_scenario(tmp_path: Path, scenarios: list[str]) -> None:
    suite, faults = mixed(tmp_path / "mixed"), list[str]()
    chosen = selection.tasks(suite, wanted(scenarios=scenarios), faults)
    assert not faults and chosen.left_out.keys() == {"words"} and "Streaming" in chosen.left_out["words"]
    assert {t.workload.name for t in chosen.tasks} == {"digits", "touch"}
    assert {t.scenario for t in chosen.tasks} == {"SingleStream"}


def test_a_workload_that_is_named_is_not_left_out(tmp_path: Path) -> None:
    suite, faults = mixed(tmp_path / "mixed"), list[str]()
    selection.tasks(suite, wanted(workloads=["words", "digits"]), faults)
    assert len(faults) == 1 and "words" in faults[0] and "Streaming" in faults[0]
    faults = []
    (task,) = selection.tasks(suite, wanted(workloads=["words"], scenarios=[]), faults).tasks
    assert not faults and task.scenario == "Streaming", "the first that it has, where none is named"
    every = selection.scenarios(["all"], faults)
    (task,) = selection.tasks(suite, wanted(workloads=["words"], scenarios=every), faults).tasks
    assert not faults and task.scenario == "Streaming"
    selection.tasks(suite, wanted(workloads=["words"], scenarios=["Server", "Streaming"]), faults)
    assert len(faults) == 1 and "Server" in faults[0] and "words" in faults[0]


def test_data_that_one_workload_has_leave_out_the_others(tmp_path: Path) -> None:
    mixed(tmp_path / "mixed")
    other = WORKLOAD.replace("  real:\n    source: nmnist", "  shd:\n    source: shd")
    three = SUITE.replace("[digits]", "[digits, touch, words]")
    suite = registry.read_suite(str(write_suite(tmp_path / "mixed", other, three)))
    faults: list[str] = []
    chosen = selection.tasks(suite, wanted(data="shd"), faults)
    assert not faults and [t.workload.name for t in chosen.tasks] == ["digits"]
    assert chosen.left_out.keys() == {"touch", "words"}
    selection.tasks(suite, wanted(data="shdd"), faults)
    assert len([f for f in faults if "'shdd'" in f]) == 3, "a word that none knows is a fault"
