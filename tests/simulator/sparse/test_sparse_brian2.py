"""Spike for spike as Brian 2, in double precision, on the connections that were drawn here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from other_simulators import BRIAN2, assert_same_spikes

from nmbench.network.brunel import brunel
from nmbench.network.sparse import SparseNetwork, Spread

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(BRIAN2.missing), reason=BRIAN2.missing)]


def with_other_delays() -> SparseNetwork:
    """Delays from one step on, and weights, of each synapse's own."""
    network = brunel(400, 100, poisson=False)
    projections = tuple(
        dataclasses.replace(p, delay_ms=Spread(0.8, 0.5), weight=Spread(p.weight.mean, 0.1))
        for p in network.projections
    )
    return dataclasses.replace(network, projections=projections)


@pytest.mark.parametrize(
    ("network", "steps", "least"),
    [(lambda: brunel(1000, poisson=False), 10_000, 40_000), (with_other_delays, 5_000, 5_000)],
    ids=["W3-DC, N = 1,000", "delays and weights of their own, N = 400"],
)
def test_spikes_are_brians(
    network: Callable[[], SparseNetwork], steps: int, least: int, tmp_path: Path
) -> None:
    assert_same_spikes(network(), BRIAN2, steps, least, tmp_path)
