"""How fast the clock-driven engines are on SPEED.md's workloads, beside the floor of their memory traffic.

Correctness is checked before anything is timed; compile time is in no figure. ``extra_info`` of each
benchmark holds microseconds a sample, the floor that ``floor.c`` reached in the same process and the ratio
to it, synaptic events a sample, firing, and the machine's load. The peers stand beside it in ``run.py``.

int8 cannot hold the workloads' weights: there the network is another one, rounded to 8 bits.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))

import numpy as np
import pytest
from exchange import export
from floor import DTYPES, measure
from ours import in_8_bits
from protocol import read
from workloads import RECIPES, make

from nmbench.errors import InputError
from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate

BATCH = 64
MODES = {"batch 1": (1, 1), "batch 64, 1 thread": (BATCH, 1), "batch 64, 2 threads": (BATCH, 2)}
ENGINES = {"float32": ("vector", "float32"), "int16": ("vector", "int16"), "int8": ("vector", "int8")} | {
    "plain": ("plain", "float32")
}


@pytest.fixture(scope="module", params=RECIPES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A workload, and the seconds a sample of its floors."""
    workload = make(request.param)
    path = Path(tmp_path_factory.mktemp("floor")) / "task.npz"
    export(workload, path)
    return workload, measure(read(path))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ENGINES)
def test_engine(benchmark, case, name: str, mode: str) -> None:
    workload, floors = case
    engine, dtype = ENGINES[name]
    network = in_8_bits(workload.network) if dtype == "int8" else workload.network
    try:
        simulator = compile(network, engine, dtype)
    except InputError as error:
        pytest.skip(str(error))
    simulator.warmup()
    one = workload.batch.take([0])
    expected, run = simulate(network, one), simulator.run(one)
    np.testing.assert_array_equal(run.outputs, expected.outputs)
    np.testing.assert_array_equal(run.counts.spikes, expected.counts.spikes)
    np.testing.assert_array_equal(run.counts.synaptic_events, expected.counts.synaptic_events)
    samples, threads = MODES[mode]
    timed = workload.batch.take(np.arange(samples) % len(workload.batch))
    benchmark(simulator.run, timed, threads=threads)
    per_sample_s = benchmark.stats.stats.min / samples
    floor_s = floors.get(dtype)
    neurons = np.array([p.size for p in network.populations[1:]])
    benchmark.extra_info |= {
        "us_per_sample": round(per_sample_s * 1e6, 1),
        "floor_us": None if floor_s is None else round(floor_s * 1e6, 1),
        "to_floor": None if floor_s is None else round(per_sample_s / floor_s, 2),
        "synaptic_events": run.counts.per_inference()["synaptic_events"],
        "firing": (run.counts.spikes[:, :, 1:].mean(axis=(0, 1)) / neurons).round(4).tolist(),
        "load1": os.getloadavg()[0],
    }


def test_floors_are_of_the_types_that_are_timed() -> None:
    assert set(DTYPES["dense"]) | set(DTYPES["conv"]) <= set(ENGINES)
