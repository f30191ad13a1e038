"""Spike for spike as NEST, in double precision, on the connections that were drawn here.

NEST lives in its own environment: ``NMBENCH_NEST_PYTHON``, else ``.venvs/nest/bin/python`` (`make peers`).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nmbench.network.brunel import brunel
from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import SparseNetwork, SparsePopulation
from nmbench.simulator.sparse.constants import initial_membranes
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.simulator.sparse.listing import synapse_list

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("NMBENCH_NEST_PYTHON") or ROOT / ".venvs" / "nest" / "bin" / "python")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no NEST at {PYTHON} (NMBENCH_NEST_PYTHON)"),
]


def in_nest(network: SparseNetwork, steps: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    layout = compile_sparse(network, 2).layout
    synapses = synapse_list(layout)
    rest = np.repeat([p.neuron.e_l_mv for p in network.populations], [p.size for p in network.populations])
    np.savez(
        folder / "in.npz",
        populations=json.dumps([described(p) for p in network.populations]),
        dt_ms=network.dt_ms,
        threads=2,
        v_mv=initial_membranes(network, layout.seed) + rest,
        source=synapses.source,
        target=synapses.target,
        weight=synapses.weight,
        delay_ms=synapses.delay * network.dt_ms,
        steps=steps,
    )
    script = ROOT / "benchmarks" / "peers" / "nest_spikes.py"
    command = [PYTHON, script, folder / "in.npz", folder / "out.npz"]
    subprocess.run(command, check=True, capture_output=True)
    found = np.load(folder / "out.npz")
    return found["steps"], found["ids"]


def described(population: SparsePopulation) -> dict[str, object]:
    neuron = population.neuron
    named = {
        "tau_m": neuron.tau_m_ms,
        "C_m": neuron.c_m_pf,
        "E_L": neuron.e_l_mv,
        "V_th": neuron.v_th_mv,
        "V_reset": neuron.v_reset_mv,
        "t_ref": neuron.t_ref_ms,
        "I_e": population.drive.current_pa,
    }
    if neuron.synapse == "exponential":
        named |= {"tau_syn_ex": neuron.tau_syn_ms, "tau_syn_in": neuron.tau_syn_ms}
    model = "iaf_psc_exp" if neuron.synapse == "exponential" else "iaf_psc_delta"
    return {"model": model, "size": population.size, "parameters": named}


@pytest.mark.parametrize(
    ("network", "steps", "least"),
    [
        (lambda: brunel(1000, poisson=False), 10_000, 40_000),
        # 5 % of the neurons, each with all its synapses: a constant current then keeps them firing
        (lambda: microcircuit(read_microcircuit(), 0.05, 1.0, poisson=False), 10_000, 20_000),
    ],
    ids=["W3-DC, N = 1,000", "microcircuit, 5 % of the neurons"],
)
def test_spikes_are_nests(
    network: Callable[[], SparseNetwork], steps: int, least: int, tmp_path: Path
) -> None:
    made = network()
    expected_steps, expected_ids = in_nest(made, steps, tmp_path)
    assert expected_ids.size > least
    run = compile_sparse(made, 2, arithmetic="double").run(steps)
    np.testing.assert_array_equal(run.steps, expected_steps)
    np.testing.assert_array_equal(run.ids, expected_ids)
