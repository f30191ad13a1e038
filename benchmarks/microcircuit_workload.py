"""The cortical microcircuit for the benchmark: what its scripts read, and the rates that are expected.

Expected are the mean rates of NEST's stored runs on the same parameters (see ``sparse_reference.py``). NEST
draws its network itself, from the rules; where the list of synapses is small enough it stands in the file,
for peers that take one.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from lineup import MICROCIRCUIT
from sparse_reference import REFERENCE, recipe

from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.constants import initial_membranes
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.simulator.sparse.listing import synapse_list

SEED = 1
LISTED_SYNAPSES = 10_000_000
OWN_MS = (500.0, 10_000.0)
"""Warm-up and duration of nmbench's run."""

PEERS_MS = {"microcircuit-0.1": (500.0, 5_000.0), "microcircuit": (100.0, 500.0)}
"""Those of its peers: NEST takes minutes for a second at full density."""


def network_of(workload: str) -> SparseNetwork:
    """Return the network of a workload."""
    scale = MICROCIRCUIT[workload]
    return microcircuit(read_microcircuit(), scale, scale)


def expected_hz(workload: str) -> dict[str, float]:
    """Return the mean rate of each population over NEST's stored runs."""
    path = REFERENCE / f"microcircuit-{MICROCIRCUIT[workload]:g}.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    names = runs[0]["populations"]
    return {n: float(np.mean([run["populations"][n]["mean_rate_hz"] for run in runs])) for n in names}


def export(workload: str, path: Path) -> float:
    """Write what the scripts read; return the expected rate over all neurons, Hz."""
    network, rates = network_of(workload), expected_hz(workload)
    warmup_ms, duration_ms = PEERS_MS[workload]
    rules = recipe(network, SEED, 1, duration_ms) | {"warmup_ms": warmup_ms}
    arrays: dict[str, np.ndarray] = {
        "recipe": np.array(json.dumps(rules)),
        "rates_hz": np.array([rates[p.name] for p in network.populations]),
        "synapses": np.array(sum(network.synapses(p) for p in network.projections)),
    }
    if arrays["synapses"] <= LISTED_SYNAPSES:
        layout = compile_sparse(network, 2, seed=SEED).layout
        listed = synapse_list(layout)
        arrays |= {
            "source": listed.source.astype(np.int32),
            "target": listed.target.astype(np.int32),
            "weight_pa": listed.weight,
            "delay_ms": listed.delay * network.dt_ms,
            "v0_mv": initial_membranes(network, SEED),
        }
    np.savez(path, allow_pickle=False, name=np.array(workload), **arrays)
    sizes = np.array([p.size for p in network.populations])
    return float(arrays["rates_hz"] @ sizes / sizes.sum())
