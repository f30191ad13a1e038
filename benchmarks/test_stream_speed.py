"""What a piece of a recording costs beside its steps, on the temporal workloads' networks.

A recording of 100 steps is fed in pieces of 10; ``extra_info`` of each benchmark holds microseconds a piece,
what the piece's steps take within one run of the whole, and the difference: the price of a call. Results
are compared with the oracle's before anything is timed.
"""

from __future__ import annotations

import os
import timeit
from pathlib import Path

import numpy as np
import pytest

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.simulator.engine import EngineName, compile
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch

NETWORKS = Path(__file__).parents[1] / "workloads" / "temporal" / "networks"
STEPS, PIECE, DT_S = 100, 10, 0.01
DENSITY = 0.02
"""Of input neurons that spike in a step."""


def recording(shape: tuple[int, ...]) -> SpikeBatch:
    """Draw one sample, each cell of neuron and step at most once."""
    cells = np.random.default_rng(0).random((STEPS, int(np.prod(shape)))) < DENSITY
    offsets = np.concatenate([[0], np.cumsum(cells.sum(axis=1))]).astype(np.int64)
    return SpikeBatch(DT_S, STEPS, shape, offsets, np.nonzero(cells)[1].astype(np.int32))


@pytest.mark.parametrize("engine", ["auto", "plain"])
@pytest.mark.parametrize("path", sorted(NETWORKS.glob("*-base.nir")), ids=lambda path: path.stem)
def test_piece(benchmark, path: Path, engine: EngineName) -> None:
    graph, sha256 = read_nir(path)
    network = lower(graph, Dialect(dt=DT_S), sha256)
    whole = recording(network.populations[0].shape)
    pieces = [whole.part(0, first, first + PIECE) for first in range(0, STEPS, PIECE)]
    simulator = compile(network, engine)
    stream = simulator.stream()
    outputs = np.concatenate([stream.feed(piece).outputs for piece in pieces], axis=1)
    np.testing.assert_array_equal(outputs, simulate(network, whole).outputs)

    def feed() -> None:
        stream.rest()
        for piece in pieces:
            stream.feed(piece)

    benchmark(feed)
    piece_s = benchmark.stats.stats.min / len(pieces)
    steps_s = min(timeit.repeat(lambda: simulator.run(whole), number=1, repeat=300)) / len(pieces)
    benchmark.extra_info |= {
        "engine": simulator.engine,
        "us_per_piece": round(piece_s * 1e6, 2),
        "us_of_steps": round(steps_s * 1e6, 2),
        "us_per_call": round((piece_s - steps_s) * 1e6, 2),
        "load1": os.getloadavg()[0],
    }
