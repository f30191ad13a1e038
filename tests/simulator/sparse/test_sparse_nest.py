"""Spike for spike as NEST, in double precision, on the connections that were drawn here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from other_simulators import NEST, assert_same_spikes

from nmbench.network.brunel import brunel
from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import SparseNetwork

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NEST.missing), reason=NEST.missing)]


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
    assert_same_spikes(network(), NEST, steps, least, tmp_path)
