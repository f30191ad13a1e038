"""Other simulators on the connections that were drawn here, each in its own environment (`make peers`)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmbench.network.sparse import SparseNetwork, SparsePopulation
from nmbench.simulator.sparse.constants import initial_membranes
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.simulator.sparse.listing import synapse_list

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Peer:
    """A simulator: folder of its environment under ``.venvs``, and its script in ``benchmarks/peers``."""

    name: str
    environment: str
    script: str

    @property
    def python(self) -> Path:
        """Its interpreter: ``NMBENCH_<ENVIRONMENT>_PYTHON``, else that of ``make peers``."""
        given = os.environ.get(f"NMBENCH_{self.environment.upper()}_PYTHON")
        return Path(given or ROOT / ".venvs" / self.environment / "bin" / "python")

    @property
    def missing(self) -> str:
        """Why its tests are left out; empty where it is there."""
        there = self.python.exists()
        return "" if there else f"no {self.name} at {self.python} (NMBENCH_{self.environment.upper()}_PYTHON)"

    def spikes(self, network: SparseNetwork, steps: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
        """Run the network, drawn as nmbench draws it; return steps and neurons of the spikes, sorted."""
        export(network, steps, folder / "in.npz")
        script = ROOT / "benchmarks" / "peers" / self.script
        done = subprocess.run(
            [self.python, script, folder / "in.npz", folder / "out.npz"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found = np.load(folder / "out.npz")
        return found["steps"], found["ids"]


NEST = Peer("NEST", "nest", "nest_spikes.py")
BRIAN2 = Peer("Brian 2", "brian2", "brian2_spikes.py")


def export(network: SparseNetwork, steps: int, path: Path) -> None:
    """Write every synapse, the membranes at the start and the constants, these by NEST's names."""
    layout = compile_sparse(network, 2).layout
    synapses = synapse_list(layout)
    rest = np.repeat([p.neuron.e_l_mv for p in network.populations], [p.size for p in network.populations])
    np.savez(
        path,
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


def assert_same_spikes(network: SparseNetwork, peer: Peer, steps: int, least: int, folder: Path) -> None:
    """Compare nmbench in double precision with a peer: each spike's step and neuron."""
    expected_steps, expected_ids = peer.spikes(network, steps, folder)
    assert expected_ids.size > least
    run = compile_sparse(network, 2, arithmetic="double").run(steps)
    np.testing.assert_array_equal(run.steps, expected_steps)
    np.testing.assert_array_equal(run.ids, expected_ids)
