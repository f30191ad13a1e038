"""How fast the event-driven engine is: SPEED.md's W1 and a convolutional network, against the oracle.

Correctness is checked before anything is timed; compile time is in no figure. ``extra_info`` of each
benchmark holds the synaptic events a sample, the reference's time in the same run, and the ratio.
"""

from __future__ import annotations

import time
from itertools import pairwise

import nir
import numpy as np
import pytest

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch

GRID = 4096


def on_grid(values: np.ndarray) -> np.ndarray:
    return np.round(values * GRID) / GRID


def spikes(
    rng: np.random.Generator, shape: tuple[int, ...], steps: int, each: int, dt_s: float
) -> SpikeBatch:
    samples = 16
    rows = np.sort(rng.integers(0, samples * steps, samples * each))
    offsets = np.searchsorted(rows, np.arange(samples * steps + 1)).astype(np.int64)
    index = rng.integers(0, int(np.prod(shape)), samples * each).astype(np.int32)
    return SpikeBatch(dt_s, steps, shape, offsets, index)


def recurrent(events: int) -> tuple[Network, SpikeBatch]:
    """W1 (8,005 events) and W1s (1,052): 700 -> 256 recurrent LIF -> 20 LI, 100 steps."""
    rng = np.random.default_rng(0)
    ones = np.ones(256)
    nodes = {
        "in": nir.Input({"input": np.array([700])}),
        "w": nir.Linear(on_grid(rng.normal(0, 0.05, (256, 700)))),
        "h": nir.LIF(tau=0.01 * ones, r=10 * ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones),
        "rec": nir.Linear(on_grid(rng.normal(0, 0.05, (256, 256)))),
        "wo": nir.Linear(on_grid(rng.normal(0, 0.1, (20, 256)))),
        "o": nir.LI(tau=np.full(20, 0.02), r=np.ones(20), v_leak=np.zeros(20)),
        "out": nir.Output({"output": np.array([20])}),
    }
    edges = [*pairwise(["in", "w", "h", "wo", "o", "out"]), ("h", "rec"), ("rec", "h")]
    network = lower(nir.NIRGraph(nodes, edges), Dialect(dt=1e-3), "")
    return network, spikes(rng, (700,), 100, events, 1e-3)


def convolutional(gain: float) -> tuple[Network, SpikeBatch]:
    """34x34x2 -> 12@5x5 s2 -> 32@3x3 s2 -> 64@3x3 s2 -> 10 LI, 60 steps, 4,500 events."""
    rng = np.random.default_rng(0)

    def conv(out: int, channels: int, kernel: int) -> nir.Conv2d:
        spread = gain / np.sqrt(channels * kernel**2)
        weight = on_grid(rng.normal(0, spread, (out, channels, kernel, kernel)))
        return nir.Conv2d(None, weight, 2, kernel // 2, 1, 1, np.zeros(out))

    def cuba(*shape: int) -> nir.CubaLIF:
        ones = np.ones(shape)
        return nir.CubaLIF(0.005 * ones, 0.02 * ones, ones, 0 * ones, ones, 0 * ones, ones)

    nodes = {
        "in": nir.Input({"input": np.array([2, 34, 34])}),
        "c1": conv(12, 2, 5),
        "n1": cuba(12, 17, 17),
        "c2": conv(32, 12, 3),
        "n2": cuba(32, 9, 9),
        "c3": conv(64, 32, 3),
        "n3": cuba(64, 5, 5),
        "flat": nir.Flatten({"input": np.array([64, 5, 5])}, 0),
        "w": nir.Linear(on_grid(rng.normal(0, 0.1, (10, 1600)))),
        "o": nir.LI(tau=np.full(10, 0.02), r=np.ones(10), v_leak=np.zeros(10)),
        "out": nir.Output({"output": np.array([10])}),
    }
    network = lower(nir.NIRGraph(nodes, list(pairwise(nodes))), Dialect(dt=5e-3), "")
    return network, spikes(rng, (2, 34, 34), 60, 4500, 5e-3)


CASES = {
    "W1": lambda: recurrent(8005),
    "W1s": lambda: recurrent(1052),
    "conv quiet": lambda: convolutional(7.0),
    "conv busy": lambda: convolutional(15.0),
}


@pytest.mark.parametrize("threads", [0, 1, 2], ids=["batch 1", "batch 16, 1 thread", "batch 16, 2 threads"])
@pytest.mark.parametrize("case", CASES)
def test_engine(benchmark, case: str, threads: int) -> None:
    network, batch = CASES[case]()
    simulator = compile(network)
    simulator.warmup()
    one = batch.take([0])
    started = time.perf_counter()
    expected = simulate(network, one)
    reference_s = time.perf_counter() - started
    run = simulator.run(batch)
    np.testing.assert_array_equal(run.outputs[:1], expected.outputs)
    np.testing.assert_array_equal(run.counts.spikes[:1], expected.counts.spikes)
    timed = batch if threads else one
    benchmark(simulator.run, timed, threads=max(threads, 1))
    per_sample_s = benchmark.stats.stats.min / len(timed)
    neurons = np.array([p.size for p in network.populations[1:]])
    benchmark.extra_info |= {
        "us_per_sample": round(per_sample_s * 1e6, 1),
        "reference_ms": round(reference_s * 1e3, 1),
        "ratio": round(reference_s / per_sample_s),
        "synaptic_events": run.counts.per_inference()["synaptic_events"],
        "firing": (run.counts.spikes[:, :, 1:].mean(axis=(0, 1)) / neurons).round(3).tolist(),
    }
