"""The networks that are shipped are the ones that their provenance speaks of, and good enough."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nir
import numpy as np
import pytest

from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.registry import SUITES
from nmbench.stats import wilson
from nmbench.training.provenance import SCHEMA, read_provenance
from nmbench.training.tasks import read_recipe, read_workload

SUITE = SUITES / "temporal"
FOLDER = SUITE / "networks"
SPOTTING = "nmbench.spotting-provenance/1"
"""Of words in running audio: `nmbench.training.spotting` writes and its own tests check it."""
SCHEMAS = {
    path: json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["schema"]
    for path in sorted(FOLDER.glob("*.nir"))
    if path.with_suffix(".json").is_file()
}
EARLIER = "nmbench.provenance/1"
"""Of gesture-plain, trained before this package was: `tests/test_workloads.py` checks it."""
NETWORKS = [path for path, schema in SCHEMAS.items() if schema == SCHEMA]


def test_every_network_has_a_provenance_and_every_provenance_a_network() -> None:
    assert NETWORKS and set(SCHEMAS.values()) <= {SCHEMA, SPOTTING, EARLIER}
    assert all(path.stem.startswith("gesture-plain") for path, s in SCHEMAS.items() if s == EARLIER)
    assert sorted(FOLDER.glob("*.json")) == [p.with_suffix(".json") for p in sorted(FOLDER.glob("*.nir"))]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_provenance_is_that_of_the_file(path: Path) -> None:
    assert SCHEMAS[path] == SCHEMA
    made = read_provenance(path.with_suffix(".json"))
    workload = read_workload(SUITE / f"{made.workload}.yaml")
    assert made.network == path.name
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.recipe == read_recipe(SUITE / "recipes" / f"{path.stem}.yaml", workload)
    assert made.accuracy.value >= workload.quality.target
    assert made.test.sha256 == workload.data[made.data].sha256
    for stated in (made.accuracy, made.accuracy_float, made.accuracy_int4):
        assert stated.n == made.test.samples
        assert stated.wilson_95 == pytest.approx(wilson(round(stated.value * stated.n), stated.n))
    assert made.accuracy.value == made.seeds.runs[0].accuracy
    assert [run.seed for run in made.seeds.runs] == list(range(len(made.seeds.runs)))
    assert made.seeds.mean == pytest.approx(np.mean([run.accuracy for run in made.seeds.runs]))

    graph, sha256 = read_nir(path)
    network = lower(graph, workload.dialect, sha256)
    weights = sum(int(np.count_nonzero(p.weight)) for p in network.projections)
    # rounding makes some of the weights zero; none can appear
    assert 0.8 * made.synapses <= weights <= made.synapses


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_weights_are_small_integers_times_a_power_of_two(path: Path) -> None:
    graph, _ = read_nir(path)
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Affine | nir.Linear | nir.Conv2d):
            weight = np.asarray(node.weight, dtype=np.float64)
            assert np.abs(weight / _grid_step(weight)).max() <= 127, name


def _grid_step(values: np.ndarray) -> float:
    """Return the largest power of two that divides every value."""
    # a float32's lowest set bit: mantissa as an integer, times its exponent
    mantissa, exponent = np.frexp(values[values != 0])
    whole = np.ldexp(mantissa, 24).astype(np.int64)
    assert (whole == np.ldexp(mantissa, 24)).all()
    lowest = (whole & -whole).astype(np.float64)
    return float(np.ldexp(lowest, exponent - 24).min())
