"""The sparse engine beside its oracle, before anything is timed."""

from __future__ import annotations

import numpy as np

from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.engine import compile_sparse
from nmbench.simulator.sparse.listing import synapse_list
from nmbench.simulator.sparse.memory import Arithmetic
from nmbench.simulator.sparse.reference import poisson_noise, simulate

STEPS = 200


def check_sparse(network: SparseNetwork, arithmetic: Arithmetic = "fixed", threads: int = 1) -> int:
    """Compare the clock engine with `nmbench.simulator.sparse.reference`; return the number of spikes.

    Raises
    ------
    AssertionError
        A spike differs.
    """
    simulator = compile_sparse(network, threads, arithmetic=arithmetic, engine="clock")
    layout = simulator.layout
    steps, ids = simulate(
        network,
        synapse_list(layout),
        layout.seed,
        STEPS,
        unit=layout.unit,
        arithmetic=arithmetic,
        noise=poisson_noise(layout) if any(p.drive.rate_hz for p in network.populations) else None,
    )
    run = simulator.run(STEPS)
    np.testing.assert_array_equal(run.steps, steps)
    np.testing.assert_array_equal(run.ids, ids)
    return int(ids.size)
