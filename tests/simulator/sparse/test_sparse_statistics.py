"""The microcircuit's statistics against NEST's, stored: no further from a NEST run than another NEST run is.

``workloads/scaling/reference/microcircuit-0.2.json`` was made by benchmarks/sparse_reference.py.
"""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest

from nmbench.network.microcircuit import PATH, microcircuit, read_microcircuit
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.spiketrains import PopulationStatistics, ks_distance, population_statistics

REFERENCE = json.loads((PATH.parent / "reference" / "microcircuit-0.2.json").read_text(encoding="utf-8"))
NAMES = [p.name for p in read_microcircuit().populations]
MEASURES = ["rates_hz", "cvs", "correlations"]


@pytest.fixture(scope="module")
def ours() -> dict[str, PopulationStatistics]:
    network = microcircuit(read_microcircuit(), REFERENCE["scale"], REFERENCE["scale"])
    simulator = compile_sparse(network, 2, seed=1)
    warmup = simulator.run(round(REFERENCE["warmup_ms"] / network.dt_ms), record=False)
    run = simulator.run(round(REFERENCE["duration_ms"] / network.dt_ms))
    sizes = [p.size for p in network.populations]
    times_ms = run.times_ms - warmup.end * network.dt_ms
    found = population_statistics(times_ms, run.ids, sizes, REFERENCE["duration_ms"])
    return dict(zip(NAMES, found, strict=True))


def on_grid(values: np.ndarray) -> np.ndarray:
    """The same quantiles as are stored."""
    count = REFERENCE["quantiles"]
    return np.array([float(f"{v:.5g}") for v in np.quantile(values, (np.arange(count) + 0.5) / count)])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", NAMES)
def test_distance_is_that_between_nest_seeds(
    ours: dict[str, PopulationStatistics], name: str, measure: str
) -> None:
    theirs = [np.array(run["populations"][name][measure]) for run in REFERENCE["runs"]]
    own = on_grid(getattr(ours[name], measure))
    between = [ks_distance(a, b) for a, b in combinations(theirs, 2)]
    assert np.median([ks_distance(own, other) for other in theirs]) <= max(between)


@pytest.mark.parametrize("name", NAMES)
def test_mean_rate_is_nests(ours: dict[str, PopulationStatistics], name: str) -> None:
    theirs = [run["populations"][name]["mean_rate_hz"] for run in REFERENCE["runs"]]
    # means of networks drawn anew: within four standard deviations of those of NEST's seeds
    spread = max(np.std(theirs, ddof=1), 0.005 * np.mean(theirs))
    assert abs(ours[name].rates_hz.mean() - np.mean(theirs)) < 4 * spread
