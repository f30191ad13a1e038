from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import suites

from nmbench import selection
from nmbench.cell import Cell, How
from nmbench.energy.card import CARDS, Card, load_card, read_card
from nmbench.energy.stored import Counted
from nmbench.prepare import prepare
from nmbench.progress import Silence
from nmbench.record import Metric, Result
from nmbench.registry import platforms, read_suite
from nmbench.reprice import Repricer, made
from nmbench.runner import run_cell
from nmbench.selection import Wanted
from nmbench.spec import Scenario
from nmbench.store import Store

ENTRIES = {entry.name: entry.make for entry in platforms().values()}


def nmbench(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nmbench.cli import main; main()", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of one run."""
    folder = tmp_path_factory.mktemp("ran")
    suite = suites.write_suite(folder / "tiny")
    chosen = [w for name in ("numba-event", "loihi", "gpu-h100", "dummy") for w in ("--platform", name)]
    done = nmbench("run", "--suite", suite, *chosen, "--results", "r", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def stored(folder: Path) -> dict[str, Result]:
    return {r.platform.name: r for r in Store(folder / "r").results(pytest.fail)}


def again(folder: Path, *cards: Card) -> tuple[dict[str, Result], dict[str, Result]]:
    old = stored(folder)
    repricer = Repricer(made(ENTRIES, cards), Store(folder / "r").counts, Store(folder / "r").log)
    priced = [r for r in old.values() if not repricer.reason_not(r)]
    return old, {r.platform.name: r for r in repricer.reprice(priced, "run")}


def close(one: Metric, other: Metric) -> None:
    assert one.model_dump(exclude={"value", "lo", "hi", "breakdown"}) == other.model_dump(
        exclude={"value", "lo", "hi", "breakdown"}
    )
    for a, b in ((one.value, other.value), (one.lo, other.lo), (one.hi, other.hi)):
        assert a == (None if b is None else pytest.approx(b, rel=1e-12))
    assert one.breakdown == (pytest.approx(other.breakdown, rel=1e-12) if other.breakdown else None)


def test_the_same_cards_give_the_same_numbers(ran: Path) -> None:
    old, new = again(ran)
    assert set(new) == {"numba-event", "loihi", "gpu-h100"}
    for name, result in new.items():
        assert result.repriced_from == old[name].id
        assert result.counts_sha256 == old[name].counts_sha256
        assert (result.run, result.cell, result.quality) == ("run", old[name].cell, old[name].quality)
        for one, other in zip(result.metrics, old[name].metrics, strict=True):
            close(one, other)


def test_platforms_share_one_file_of_counts(ran: Path) -> None:
    assert len({r.counts_sha256 for r in stored(ran).values() if r.counts_sha256}) == 1
    assert len(list((ran / "r" / "local" / "counts").glob("*.npz"))) == 1


def test_a_card_with_twice_the_leakage_has_twice_that_term_alone(ran: Path) -> None:
    card = load_card("loihi")
    own = card.constants["p_static"]
    twice = own.model_copy(update={name: 2 * getattr(own, name) for name in ("value", "lo", "hi")})
    changed = Card.model_validate(
        {**card.model_dump(), "version": 99, "constants": {**card.constants, "p_static": twice}}
    )
    old, new = again(ran, changed)
    assert new["loihi"].platform.version == 99
    assert new["loihi"].platform.card_sha256 != old["loihi"].platform.card_sha256
    before = old["loihi"].find("energy_per_inference", "chip_total")
    after = new["loihi"].find("energy_per_inference", "chip_total")
    assert before and after and before.breakdown and after.breakdown
    for term, joules in after.breakdown.items():
        assert joules == pytest.approx(before.breakdown[term] * (2 if term == "static" else 1), rel=1e-12)
    close_to_old = new["gpu-h100"].find("energy_per_inference", "chip_total")
    assert close_to_old == old["gpu-h100"].find("energy_per_inference", "chip_total")


def test_the_ways_of_layers_are_those_of_the_new_price(ran: Path) -> None:
    card = load_card("gpu-h100")
    event = card.constants["t_event"]
    slow = event.model_copy(update={name: 1.0 for name in ("value", "lo", "hi")})
    fast = event.model_copy(update={name: 0.0 for name in ("value", "lo", "hi")})
    row = card.constants["t_row"].model_copy(update={name: 0.0 for name in ("value", "lo", "hi")})
    ways = []
    for own in (slow, fast):
        constants = {**card.constants, "t_event": own, "t_row": row}
        _, new = again(ran, Card.model_validate({**card.model_dump(), "constants": constants}))
        ways.append(set(new["gpu-h100"].platform.options))
    assert ways == [{"dense_kernels"}, {"event_kernels"}]


def test_an_id_does_not_grow_from_price_to_price(ran: Path) -> None:
    _, once = again(ran)
    repricer = Repricer(made(ENTRIES, []), Store(ran / "r").counts, Store(ran / "r").log)
    twice = {r.platform.name: r for r in repricer.reprice(once.values(), "later")}
    assert {n: len(r.id) for n, r in twice.items()} == {n: len(r.id) for n, r in once.items()}


def test_values_are_refused_where_only_spikes_are_priced(ran: Path) -> None:
    old = stored(ran)
    counted = Store(ran / "r").counts(old["loihi"].counts_sha256 or "")
    macs = counted.counts.synaptic_events.copy()
    graded = Counted(counted.outline, replace(counted.counts, effective_macs=macs))
    repricer = Repricer(made(ENTRIES, []), lambda sha256: graded, pytest.fail)
    new = {r.platform.name: r for r in repricer.reprice([old["loihi"], old["gpu-h100"]], "run")}
    assert new["loihi"].status == "unsupported" and "carry values" in (new["loihi"].error or "")
    assert new["gpu-h100"].status == "ok"


def test_a_network_that_no_longer_fits_is_said_so(ran: Path) -> None:
    card = load_card("loihi")
    few = card.limits["chips"].model_copy(update={"value": 0.0, "lo": 0.0, "hi": 0.0})
    _, new = again(ran, card.model_copy(update={"limits": {**card.limits, "chips": few}}))
    assert new["loihi"].status == "unsupported" and "chips" in (new["loihi"].error or "")
    assert new["loihi"].metrics == ()


def test_what_cannot_be_priced_again_says_why(ran: Path) -> None:
    def no_counts(sha256: str) -> Counted:
        raise AssertionError

    repricer = Repricer(made(ENTRIES, []), no_counts, pytest.fail)
    old = stored(ran)
    assert repricer.reason_not(old["dummy"]) == "no card of its platform prices it"
    bare = old["loihi"].model_copy(update={"counts_sha256": None})
    assert repricer.reason_not(bare) == "its counts were not stored"
    gone = old["loihi"].model_copy(
        update={"platform": old["loihi"].platform.model_copy(update={"name": "gone"})}
    )
    assert repricer.reason_not(gone) == "no platform 'gone' now"
    failed = old["loihi"].model_copy(update={"status": "failed", "error": "x"})
    assert repricer.reason_not(failed) == "failed: there is nothing to price"


def test_equal_counts_are_read_and_priced_once(ran: Path) -> None:
    old = stored(ran)["loihi"]
    reads: list[str] = []

    def counts(sha256: str) -> Counted:
        reads.append(sha256)
        return Store(ran / "r").counts(sha256)

    new = list(Repricer(made(ENTRIES, []), counts, pytest.fail).reprice([old] * 50, "run"))
    assert len(new) == 50 and len({r.id for r in new}) == 50 and reads == [old.counts_sha256]


def test_the_command_writes_a_run_of_its_own_and_shows_what_changed(ran: Path, tmp_path: Path) -> None:
    text = (CARDS / "loihi.yaml").read_text()
    (tmp_path / "loihi.yaml").write_text(text.replace("version: ", "version: 9", 1))
    assert read_card(tmp_path / "loihi.yaml").version > 9
    before = len(list((ran / "r" / "local" / "runs").glob("*.json")))
    done = nmbench("reprice", "--card", tmp_path / "loihi.yaml", "--results", "r", cwd=ran)
    assert done.returncode == 0, done.stderr
    assert "Before" in done.stdout and "loihi" in done.stdout
    assert "not priced again" in done.stderr and "dummy" in done.stderr
    path = ran / done.stdout.splitlines()[-1]
    assert len(json.loads(path.read_text())["cells"]) == 3
    assert len(list(path.parent.glob("*.json"))) == before + 1
    shown = nmbench("show", path.stem, "--results", "r", cwd=ran)
    assert shown.returncode == 0 and "gpu-h100" in shown.stdout
    for record in (ran / "r" / "local").glob("*/*/*/*.json"):
        if json.loads(record.read_text())["run"] == path.stem:
            record.unlink()
    path.unlink()


def test_nothing_to_price_is_bad_input_with_the_reasons(tmp_path: Path) -> None:
    suite = suites.write_suite(tmp_path / "tiny")
    ran = nmbench("run", "--suite", suite, "--platform", "dummy", "--results", "r", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    done = nmbench("reprice", "--results", "r", cwd=tmp_path)
    assert done.returncode == 2 and "no card of its platform prices it" in done.stderr


@pytest.fixture(scope="module")
def every_scenario(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Result], Store]:
    """Results of a modelled platform of each sort in all scenarios, and a Server at a stated rate."""
    folder, faults = tmp_path_factory.mktemp("scenarios"), list[str]()
    suite = read_suite(str(suites.write_suite(folder / "tiny")))
    usual = Wanted([], ["base"], "synthetic", get_args(Scenario), "quick", 3, How())
    tasks = list(selection.tasks(suite, usual, faults).tasks)
    tasks += selection.tasks(suite, replace(usual, scenarios=["Server"], how=How(rate=50.0)), faults).tasks
    assert not faults
    store, found = Store(folder / "r"), []
    entries = platforms()
    for prepared in prepare(tasks, folder / "cache", folder, Silence()):
        names = [
            "loihi",
            "gpu-h100",
            "akida",
            *(["numba-event"] if prepared.task.scenario == "Offline" else []),
        ]
        for name in names:
            ran = run_cell(Cell(prepared.task, entries[name]), prepared, "run", Silence())
            assert ran.result.status == "ok", ran.result.error
            assert ran.counted is not None
            store.add_counts(ran.counted)
            if ran.log:
                store.add_log(ran.log)
            found.append(ran.result)
    return found, store


def test_traffic_is_made_again_with_the_same_numbers(every_scenario: tuple[list[Result], Store]) -> None:
    old, store = every_scenario
    assert len({r.scenario for r in old}) == 5
    repricer = Repricer(made(ENTRIES, []), store.counts, store.log)
    assert not any(map(repricer.reason_not, old))
    for before, after in zip(old, repricer.reprice(old, "run"), strict=True):
        assert after.traffic == before.traffic
        for one, other in zip(after.metrics, before.metrics, strict=True):
            close(one, other)


def test_a_slower_card_serves_fewer_queries(every_scenario: tuple[list[Result], Store]) -> None:
    old, store = every_scenario
    card = load_card("loihi")
    slower = {
        name: own.model_copy(update={end: 3 * getattr(own, end) for end in ("value", "lo", "hi")})
        for name, own in card.constants.items()
        if name.startswith("t_")
    }
    changed = Card.model_validate(
        {**card.model_dump(), "version": 99, "constants": {**card.constants, **slower}}
    )
    repricer = Repricer(made(ENTRIES, [changed]), store.counts, store.log)
    mine = [r for r in old if r.platform.name == "loihi" and r.scenario in ("Server", "Offline")]
    for before, after in zip(mine, repricer.reprice(mine, "run"), strict=True):
        for name in ("server_rate", "throughput"):
            one, other = before.find(name), after.find(name)
            if one is not None and other is not None and one.value and other.value:
                assert other.value < one.value / 2
