"""Networks that hand on values: who runs them, and who says by name why not."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np
import pytest
import tiny

from nmbench import metrics, registry
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.platforms.base import Platform
from nmbench.simulator.engine import compile

SPIKES_ALONE = {"loihi", "spinnaker"}
"""Chips, in whatever boards and racks (``spinnaker-rack``), that deliver spikes and no values."""

ONE_BIT = {"memristor-rram"}
"""Crossbars whose products are priced for one bit in."""


def graded() -> Network:
    """Input, a leaky integrator that leads to spiking neurons, a readout."""
    nodes = {
        "in": nir.Input({"input": np.array([6])}),
        "w": nir.Linear(np.full((5, 6), 0.5)),
        "slow": nir.LI(tau=np.full(5, 5e-3), r=np.ones(5), v_leak=np.zeros(5)),
        "x": nir.Linear(np.eye(4, 5)),
        "n": nir.LIF(tau=np.full(4, 5e-3), r=np.ones(4), v_leak=np.zeros(4), v_threshold=np.full(4, 0.01)),
        "y": nir.Linear(np.ones((3, 4))),
        "read": nir.LI(tau=np.full(3, 5e-3), r=np.ones(3), v_leak=np.zeros(3)),
        "out": nir.Output({"output": np.array([3])}),
    }
    return lower(
        nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False), Dialect(dt=tiny.DT_S), "0" * 64
    )


@pytest.fixture(params=sorted(registry.platforms()))
def platform(request: pytest.FixtureRequest) -> Platform:
    return registry.platforms()[request.param].make()


def test_a_platform_runs_values_or_says_why_not(platform: Platform) -> None:
    network = graded()
    reason = platform.refuse(network)
    name = platform.info.name
    if name.split("-")[0] in SPIKES_ALONE or name in ONE_BIT:
        assert reason == "projections x carry values: only spikes are delivered and priced"
        with pytest.raises(ValueError, match="projections x carry values"):
            platform.load(network)
    else:
        assert reason is None
        answer = platform.load(network).infer(tiny.spike_batch(network))
        assert answer.outputs.shape == (5, 7, 3)
        assert (answer.cost is not None) == (platform.info.clock == "model")


def test_neurobench_columns_tell_macs_from_acs() -> None:
    network = graded()
    counts = compile(network).run(tiny.spike_batch(network, samples=3)).counts
    assert counts.effective_macs is not None
    found = {m.name: m.value for m in metrics.neurobench(network, counts)}
    assert found["synaptic_operations_effective_macs"] == counts.effective_macs.sum() / 3 > 0
    assert found["synaptic_operations_effective_acs"] == counts.synaptic_events.sum() / 3 > 0
