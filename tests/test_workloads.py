"""The workloads that nmbench ships: their networks, provenance, and what they reach."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmbench import metrics, registry
from nmbench.cell import Task
from nmbench.network.network import Network
from nmbench.places import data_root
from nmbench.prepare import prepare, read_network
from nmbench.progress import Silence
from nmbench.simulator.engine import compile

SUITE = registry.read_suite("temporal")
TASKS = [
    Task("temporal", SUITE.folder, workload, data, size, workload.scenarios[0], "quick", 0)
    for workload in SUITE.workloads
    for data, source in workload.data.items()
    for size in source.networks
]
TRAINED = [t for t in TASKS if t.source.sha256]  # networks of other data are borrowed
JUDGED_ONCE = [t for t in TRAINED if t.workload.spotting is None]
"""One decision a sample: `tests/training/test_running.py` looks at the others."""

EARLIER = "nmbench.provenance/1"
"""Of gesture-plain's networks, which were trained before there were seeds in it."""


def name(task: Task) -> str:
    return f"{task.workload.name}-{task.data}-{task.size}"


def provenance(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(task.network_path.with_suffix(".json").read_text())
    return found


@pytest.mark.parametrize("task", JUDGED_ONCE, ids=name)
def test_provenance_is_of_this_network_and_these_data(task: Task) -> None:
    said = provenance(task)
    assert said["sha256"] == hashlib.sha256(task.network_path.read_bytes()).hexdigest()
    assert said["test"]["sha256"] == task.source.sha256, "the data that the workload publishes"
    script = "python workloads/training/train.py " if said["schema"] == EARLIER else "nmbench train "
    assert said["command"].startswith(script) and "/" not in said["command"].removeprefix(script)
    assert said["accuracy"]["n"] == said["test"]["samples"]
    recipe = said["recipe"]
    assert (recipe["dt_s"], recipe["steps"]) == (task.workload.dialect.dt, task.workload.window.steps)
    expected = [{"name": t.name, "options": t.options} for t in task.workload.transforms]
    assert [{"name": n, "options": o} for n, o in recipe["transforms"]] == expected


@pytest.mark.parametrize("task", [t for t in JUDGED_ONCE if t.size == "base"], ids=name)
def test_the_reference_network_reaches_its_target_and_time_is_worth_what_is_said(task: Task) -> None:
    said = provenance(task)
    assert said["accuracy"]["value"] >= task.workload.quality.target
    of_all_seeds = said["accuracy"]["value"] if said["schema"] == EARLIER else said["seeds"]["mean"]
    gain = of_all_seeds - said["counts_only"]["accuracy"]
    assert said["temporal_gain"] == pytest.approx(gain)
    if task.data == task.workload.data_key("synthetic"):
        assert task.workload.temporal == (gain > 0.02)


def grid(network: Network) -> list[float]:
    """Return each projection's step: the largest power of two of which all its weights are multiples."""
    steps = []
    for projection in network.projections:
        weights = projection.weight[projection.weight != 0].astype(np.float64)
        steps.append(max(2.0**-k for k in range(-4, 24) if (weights / 2.0**-k % 1 == 0).all()))
    return steps


@pytest.mark.parametrize("task", TRAINED, ids=name)
def test_weights_are_whole_numbers_of_at_most_16_bits_on_a_power_of_two_grid(task: Task) -> None:
    network, _ = read_network(task)
    for projection, step in zip(network.projections, grid(network), strict=True):
        assert np.abs(projection.weight / step).max() <= 2**15, projection.name


@pytest.mark.parametrize("task", TASKS, ids=name)
def test_files_are_small(task: Task) -> None:
    assert task.network_path.stat().st_size < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("task", JUDGED_ONCE, ids=name)
def test_what_provenance_says_is_what_comes_out(
    task: Task, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = request.getfixturevalue("real_data") if task.data != "synthetic" else data_root()
    shared = tmp_path_factory.getbasetemp() / "built"  # one build for all sizes
    (made,) = prepare([task], shared, Path(root), Silence())
    assert made.workload_id.published_data, "the bytes that were published come out on this machine too"
    run = compile(made.network).run(made.batch, threads=2)
    reached = metrics.accuracy(metrics.mean_softmax(run.outputs), made.labels, "measured", "test")
    assert reached.value == provenance(task)["accuracy"]["value"]
