"""The networks that are shipped are the ones that their provenance speaks of, and good enough."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nir
import numpy as np
import pytest
import yaml

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.stats import wilson
from nmbench.training.recipe import read_recipe

SUITE = Path(__file__).parents[2] / "workloads" / "temporal"
NETWORKS = sorted((SUITE / "networks").glob("*.nir"))


def test_every_network_has_a_provenance_and_every_provenance_a_network() -> None:
    assert NETWORKS
    assert [p.with_suffix(".json") for p in NETWORKS] == sorted((SUITE / "networks").glob("*.json"))


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_provenance_is_that_of_the_file(path: Path) -> None:
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["network"] == path.name
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    recipe = read_recipe(path.stem)
    assert record["recipe"] == recipe.model_dump(mode="json")
    workload = yaml.safe_load((SUITE / f"{record['workload']}.yaml").read_text(encoding="utf-8"))
    accuracy = record["accuracy"]
    assert accuracy["value"] >= workload["quality"]["target"]
    assert accuracy["n"] == record["test"]["samples"]
    right = round(accuracy["value"] * accuracy["n"])
    assert tuple(accuracy["wilson_95"]) == pytest.approx(wilson(right, accuracy["n"]))
    assert record["temporal_gain"] == pytest.approx(accuracy["value"] - record["counts_only"]["accuracy"])

    graph, sha256 = read_nir(path)
    network = lower(graph, Dialect(dt=recipe.dt_s), sha256)
    weights = sum(int(np.count_nonzero(p.weight)) for p in network.projections)
    # rounding makes some of the weights zero; none can appear
    assert 0.8 * record["synapses"] <= weights <= record["synapses"]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_weights_are_small_integers_times_a_power_of_two(path: Path) -> None:
    graph, _ = read_nir(path)
    bits = read_recipe(path.stem).weight_bits
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Affine | nir.Linear | nir.Conv2d):
            weight = np.asarray(node.weight, dtype=np.float64)
            step = _grid_step(weight)
            assert np.abs(weight / step).max() <= 2 ** (bits - 1) - 1, name


def _grid_step(values: np.ndarray) -> float:
    """Return the largest power of two that divides every value."""
    # a float32's lowest set bit: mantissa as an integer, times its exponent
    mantissa, exponent = np.frexp(values[values != 0])
    whole = np.ldexp(mantissa, 24).astype(np.int64)
    assert (whole == np.ldexp(mantissa, 24)).all()
    lowest = (whole & -whole).astype(np.float64)
    return float(np.ldexp(lowest, exponent - 24).min())
