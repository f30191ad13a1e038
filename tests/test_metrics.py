from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from nmbench import metrics
from nmbench.energy.cost import Cost, Term
from nmbench.energy.uncertainty import Spread
from nmbench.simulator.engine import compile
from nmbench.stats import percentile


def test_decisions() -> None:
    outputs = np.zeros((2, 3, 4), np.float32)
    outputs[0, :, 2] = 1.0
    outputs[1, 0, 1] = 1000.0  # one loud step has one vote: the softmax saturates
    outputs[1, 1:, 3] = 5.0
    np.testing.assert_array_equal(metrics.mean_softmax(outputs), [2, 3])
    np.testing.assert_array_equal(metrics.spike_count(outputs), [2, 1])


def test_a_decision_does_not_overflow() -> None:
    outputs = np.full((1, 2, 3), 3e38, np.float32)
    outputs[0, :, 1] = -3e38
    assert metrics.mean_softmax(outputs)[0] == 0


def test_accuracy_is_over_the_samples_that_ran() -> None:
    found = metrics.accuracy(np.array([0, 1, 1]), np.array([0, 1, 2]), "measured", "test")
    assert found.value == pytest.approx(2 / 3) and found.n == 3
    assert found.lo is not None and found.hi is not None and found.lo < 2 / 3 < found.hi


def cost() -> Cost:
    return Cost(
        energy_j={
            "events": Term("chip_dynamic", np.array([1.0, 3.0])),
            "static": Term("chip_total", np.array([10.0, 10.0])),
            "host": Term("system_with_io", np.array([100.0, 100.0])),
        },
        latency_s={"busy": Term("chip_dynamic", np.array([1.0, 2.0]))},
        energy_factor={"chip_dynamic": 3.0, "chip_total": 2.0, "system_with_io": 1.5},
        latency_factor={"chip_total": 1.25},
    )


def test_modelled_cost_states_each_boundary_with_its_terms() -> None:
    found = metrics.modelled_cost(cost(), "card x v1", {})
    energy = {m.boundary: m for m in found if m.name == "energy_per_inference"}
    assert {b: m.value for b, m in energy.items()} == {
        "chip_dynamic": 2.0,
        "chip_total": 12.0,
        "system_with_io": 112.0,
    }
    assert energy["chip_total"].breakdown == {"events": 2.0, "static": 10.0}
    assert (energy["chip_total"].lo, energy["chip_total"].hi) == (6.0, 24.0)
    latency = [m for m in found if m.name == "latency_p90"]
    assert [(m.boundary, m.value, m.hi) for m in latency] == [("chip_total", 2.0, 2.5)]
    assert {m.kind for m in found} == {"modelled"}


def test_modelled_cost_has_the_interval_of_its_spread_and_names_the_causes() -> None:
    spread = Spread(0.5, 4.0, {"e_spike": 0.9, "equation": 0.096, "p_static": 0.004})
    found = metrics.modelled_cost(cost(), "card x v1", {("energy", "chip_total"): spread})
    total = next(m for m in found if m.boundary == "chip_total" and m.unit == "J")
    assert (total.lo, total.value, total.hi) == (6.0, 12.0, 48.0)
    assert total.causes == {"e_spike": 0.9, "equation": 0.096}
    inner = next(m for m in found if m.boundary == "chip_dynamic")
    assert (inner.lo, inner.hi) == (pytest.approx(2 / 3), 6.0)
    assert inner.causes == {"equation": 1.0}


def test_measured_latency_keeps_the_raw_repetitions() -> None:
    seconds = np.random.default_rng(1).exponential(size=100).tolist()
    p50, p90 = metrics.measured_latency(seconds, "wall", "clock")
    assert p90.samples == tuple(seconds) and p50.samples is None
    assert p90.value == percentile(seconds, 0.9)
    assert p90.n == 100


def test_neurobench_columns_by_hand() -> None:
    network = tiny.mlp()
    batch = tiny.spike_batch(network, samples=3)
    counts = compile(network).run(batch).counts
    found = {m.name: m.value for m in metrics.neurobench(network, counts)}
    weights = sum(p.weight.size for p in network.projections)
    zeros = sum(int((p.weight == 0).sum()) for p in network.projections)
    assert found["footprint"] == 4 * (weights + 2 * network.neurons)
    assert found["connection_sparsity"] == pytest.approx(zeros / weights)
    assert found["synaptic_operations_effective_acs"] == counts.synaptic_events.sum() / 3
    assert found["synaptic_operations_dense"] == weights * counts.steps
    assert found["membrane_updates"] == network.neurons * counts.steps


def test_delays_that_share_out_one_matrix_are_counted_as_one() -> None:
    network = tiny.mlp()
    whole = network.projections[0]
    rng = np.random.default_rng(0)
    early = rng.random(whole.weight.shape) < 0.5
    halves = [
        replace(
            whole, name=str(delay), weight=np.where(mask, whole.weight, 0).astype(np.float32), delay=delay
        )
        for delay, mask in ((0, early), (2, ~early))
    ]
    split = replace(network, projections=(*halves, *network.projections[1:]))
    assert metrics._synapses(split) == metrics._synapses(network)
