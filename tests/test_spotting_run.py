"""Words in running audio, end to end in miniature: run, show, report, priced again."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from suites import SUITE
from test_cli import nmbench, records

from nmbench import registry
from nmbench.errors import InputError
from nmbench.network.nir_file import write_nir

WORKLOAD = """\
schema: nmbench.workload/1
name: words
version: 1
title: Few words in running audio
summary: For tests.
modality: audio
temporal: true
data:
  synthetic:
    source: running-words
    licence: generated
    options: {train: 1, test: 2, seconds: 2.5}
    networks: {base: base.nir}
transforms:
  - {name: pool, options: {x: 10}}
window: {steps: 250}
dialect: {dt: 0.01}
decision: spotting
spotting: {smoothing_steps: 20, threshold: 0.2, refractory_s: 0.3, late_s: 0.4}
quality: {metric: f1, target: 0.99}
scenarios: [Streaming]
streaming: {window_steps: 5}
"""

SAID = 11
"""Class of the first word of the first test recording."""


def network() -> nir.NIRGraph:
    """Return 70 inputs -> 16 CubaLIF -> 21 LI: whatever it hears it takes for the same word."""
    rng = np.random.default_rng(1)
    ones = np.ones(16)
    nodes = {
        "input": nir.Input(input_type={"input": np.array([70])}),
        "w1": nir.Linear(weight=2.0**-4 * rng.integers(-4, 6, (16, 70)).astype(np.float32)),
        "hidden": nir.CubaLIF(
            tau_syn=0.01 * ones, tau_mem=0.02 * ones, r=ones, v_leak=0 * ones, v_threshold=ones,
            v_reset=0 * ones, w_in=ones,
        ),
        "w2": nir.Linear(weight=2.0 * (np.arange(21) == SAID)[:, None] * np.ones((1, 16), np.float32)),
        "readout": nir.LI(tau=0.1 * np.ones(21), r=np.ones(21), v_leak=np.zeros(21)),
        "output": nir.Output(output_type={"output": np.array([21])}),
    }  # fmt: skip
    names = list(nodes)
    return nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "suite.yaml").write_text(SUITE.replace("[digits]", "[words]"))
    (folder / "words.yaml").write_text(WORKLOAD)
    write_nir(folder / "base.nir", network())
    return folder


def named(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {m["name"]: m for m in record["metrics"]}


def test_run_show_report_and_reprice(suite: Path, tmp_path: Path) -> None:
    words = ["run", "--suite", suite, "--workload", "words", "--results", "r", "--clock", "skipping"]
    done = nmbench(
        *words, "--platform", "numba-event", "--platform", "loihi", "--power", "none", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "F1" in done.stdout and "Accuracy" not in done.stdout
    found: list[dict[str, Any]] = records(tmp_path / "r")
    assert {r["platform"]["name"] for r in found} == {"numba-event", "loihi"}
    for record in found:
        metrics, gate = named(record), record["quality"]
        assert record["status"] == "ok" and record["scenario"] == "Streaming"
        assert gate["metric"] == "f1" and gate["value"] == metrics["f1"]["value"] and not gate["reached"]
        assert record["right"] is None and record["first_right"] is None
        words_found = metrics["recall"]["value"] * metrics["recall"]["n"]
        assert len(record["detected"]) == round(words_found) > 0, "the miniature says something"
        assert {"precision", "recall", "false_alarm_rate", "deadline_misses"} <= metrics.keys()
        assert not {"accuracy", "time_to_first_correct", "never_correct"} & metrics.keys()
        assert record["traffic"]["state"] == "kept" and record["traffic"]["window_s"] == pytest.approx(0.05)
    assert len({json.dumps(r["detected"]) for r in found}) == 1, "all platforms decide alike"
    modelled = next(named(r) for r in found if r["platform"]["name"] == "loihi")
    delays = [(w + 1) * 0.05 - end_s for _, w, end_s in found[0]["detected"]]
    assert modelled["detection_delay_p50"]["value"] == pytest.approx(
        sorted(delays)[len(delays) // 2], abs=2 * modelled["decision_latency_p99"]["value"]
    )
    report = nmbench("report", "--results", "r", "-o", "out", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    text = (tmp_path / "out" / "report.md").read_text()
    assert "F1 target 99 %" in text and "quality missed its target: F1" in text
    again = nmbench("reprice", "--results", "r", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    priced = [r for r in records(tmp_path / "r") if r["repriced_from"] and r["platform"]["name"] == "loihi"]
    assert [named(r)["detection_delay_p50"] for r in priced] == [modelled["detection_delay_p50"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("decision: spotting", "decision: mean_softmax"),
        ("{metric: f1, ", "{metric: accuracy, "),
        ("spotting: {smoothing_steps: 20, threshold: 0.2, refractory_s: 0.3, late_s: 0.4}\n", ""),
        ("scenarios: [Streaming]", "scenarios: [Streaming, Offline]"),
    ],
)
def test_what_belongs_together_is_asked_for_together(suite: Path, old: str, new: str) -> None:
    assert old in WORKLOAD
    (suite / "words.yaml").write_text(WORKLOAD.replace(old, new))
    with pytest.raises(InputError, match="go together"):
        registry.read_suite(str(suite))


def test_data_without_marks_are_refused_by_name(suite: Path, tmp_path: Path) -> None:
    text = WORKLOAD.replace("source: running-words", "source: digits-saccade")
    text = text.replace(
        "options: {train: 1, test: 2, seconds: 2.5}", "options: {limit: 5, saccade_us: 10000}"
    )
    (suite / "words.yaml").write_text(text)
    done = nmbench("run", "--suite", suite, "--workload", "words", "--results", "r", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
