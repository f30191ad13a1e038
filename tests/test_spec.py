from __future__ import annotations

import re
from pathlib import Path

import pytest
from suites import SUITE, WORKLOAD, write_suite

from nmbench import registry
from nmbench.errors import InputError


def faults(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        registry.read_suite(str(folder))
    return "\n".join(caught.value.faults)


def test_a_good_suite_reads(tmp_path: Path) -> None:
    suite = registry.read_suite(str(write_suite(tmp_path)))
    workload = suite.workload("digits")
    assert workload.data_key("nmnist") == "real" and workload.data_key("real") == "real"
    with pytest.raises(InputError, match="unknown data 'reel': did you mean 'real'"):
        workload.data_key("reel")
    with pytest.raises(InputError, match="unknown workload 'digit'"):
        suite.workload("digit")


def test_the_hash_of_a_workload_is_of_its_content(tmp_path: Path) -> None:
    first = registry.read_suite(str(write_suite(tmp_path / "a"))).workload("digits")
    commented = registry.read_suite(str(write_suite(tmp_path / "b", "# why\n" + WORKLOAD))).workload("digits")
    changed = WORKLOAD.replace("steps: 6", "steps: 9")
    other = registry.read_suite(str(write_suite(tmp_path / "c", changed))).workload("digits")
    assert first.sha256 == commented.sha256 != other.sha256


def test_all_faults_of_a_workload_at_once(tmp_path: Path) -> None:
    broken = (
        WORKLOAD.replace("name: pool, options: {x: 2, y: 2}", "name: poool, options: {x: 2}")
        .replace("source: nmnist", "source: nmnits")
        .replace("steps: 6", "steps: 0")
        .replace("dt: 0.005", "dt: 0.005, integrator: rk4")
        .replace("name: digits", "name: Digits")
        .replace("modality: vision", "modallity: vision")
        .replace(
            "{limit: 5, saccade_us: 10000}\n    networks: {base: base.nir}",
            "{}\n    networks: {base: ../x.nir}",
        )
    )
    found = faults(write_suite(tmp_path, broken))
    for says in (
        "digits.yaml: transforms.0: unknown transform 'poool': did you mean 'pool'?",
        "data.real.source: unknown source 'nmnits': did you mean 'nmnist'",
        "window.steps: ",
        "dialect.integrator: ",
        "name: ",
        "modallity: unknown field 'modallity': did you mean 'modality'",
        "data.synthetic.networks: '../x.nir' leaves the folder",
    ):
        assert says in found
    assert str(tmp_path) in found


def test_a_missing_network_and_a_missing_source(tmp_path: Path) -> None:
    assert "no file 'gone.nir'" in faults(write_suite(tmp_path, WORKLOAD.replace("base.nir", "gone.nir")))


def test_an_unknown_suite_names_the_near_misses() -> None:
    with pytest.raises(InputError, match="unknown suite 'temporl': did you mean 'temporal'"):
        registry.read_suite("temporl")


def test_a_suite_whose_workload_file_is_absent(tmp_path: Path) -> None:
    folder = write_suite(tmp_path, suite=SUITE.replace("[digits]", "[digits, gone]"))
    assert "gone.yaml" in faults(folder) and "No such file" in faults(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("server: {latency_bound_s: 0.1}\n", "", "scenario Server needs `server`"),
        ("streaming: {window_steps: 3}\n", "", "scenario Streaming needs `streaming`"),
        ("window_steps: 3", "window_steps: 4", "6 steps are no multiple of 4"),
        ("latency_bound_s: 0.1", "latency_bound_s: -1", "greater than 0"),
        ("scenarios: [SingleStream, ", "scenarios: [SingelStream, ", "SingleStream"),
    ],
)
def test_scenarios_need_what_they_ask_for(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in WORKLOAD
    with pytest.raises(InputError, match=re.escape(words)):
        registry.read_suite(str(write_suite(tmp_path / "x", WORKLOAD.replace(old, new))))


def test_a_workload_has_synthetic_or_real_data(tmp_path: Path) -> None:
    without = WORKLOAD.replace("  real:\n", "  other:\n")
    assert registry.read_suite(str(write_suite(tmp_path / "one", without))).workloads[0].data.keys() == {
        "synthetic",
        "other",
    }
    assert "synthetic or real missing" in faults(
        write_suite(tmp_path / "none", without.replace("  synthetic:\n", "  another:\n"))
    )
