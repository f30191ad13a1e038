"""How fast the sparse engine is: SPEED.md's W3 and W3-DC, and the cortical microcircuit.

Correctness is checked before anything is timed, and nothing is compiled or built inside a time.
``extra_info`` of each benchmark holds what was run: synaptic events, rates, bytes a synapse, build time,
real-time factor, and the load of the machine before.
"""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest
from driven import Cell, driven
from published import real_time_factors

from nmbench.network.brunel import brunel
from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.engine import SparseRun, SparseSimulator, compile_sparse
from nmbench.simulator.sparse.listing import synapse_list
from nmbench.simulator.sparse.reference import poisson_noise, simulate

CHECKED_STEPS = 200
SECOND = 10_000
"""Steps of 0.1 ms."""

LARGE = [
    pytest.param(neurons, marks=pytest.mark.slow) if neurons > 10_000 else neurons
    for neurons in (1_000, 4_000, 10_000, 30_000, 100_000)
]


def check(network: SparseNetwork) -> None:
    """The engine equals the oracle on this network for some steps."""
    simulator = compile_sparse(network, 1)
    layout = simulator.layout
    noise = poisson_noise(layout) if network.populations[0].drive.rate_hz else None
    expected = simulate(
        network,
        synapse_list(layout),
        layout.seed,
        CHECKED_STEPS,
        unit=layout.unit,
        arithmetic="fixed",
        noise=noise,
    )
    run = simulator.run(CHECKED_STEPS)
    np.testing.assert_array_equal(run.steps, expected[0])
    np.testing.assert_array_equal(run.ids, expected[1])


def described(run: SparseRun, simulator: SparseSimulator, load: float) -> dict[str, object]:
    sizes = np.array([p.size for p in run.network.populations])
    return {
        "real_time_factor": round(run.real_time_factor, 4),
        "core_s_per_biological_s": round(run.real_time_factor * run.threads, 4),
        "synaptic_events": int(run.synaptic_events.sum()),
        "rates_hz": (run.spikes / sizes / run.biological_s).round(3).tolist(),
        "synapses": simulator.layout.synapses,
        "bytes_per_synapse": round(simulator.layout.bytes_per_synapse, 3),
        "build_s": round(simulator.build_s, 2),
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "load_before": load,
    }


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("drive", ["poisson", "current"])
@pytest.mark.parametrize("neurons", LARGE)
def test_brunel(benchmark, neurons: int, drive: str, threads: int) -> None:
    network = brunel(neurons, poisson=drive == "poisson")
    if neurons <= 10_000:
        check(network)
    simulator = compile_sparse(network, threads)
    simulator.warmup()
    load, runs = os.getloadavg()[0], []
    benchmark.pedantic(lambda: runs.append(simulator.run(SECOND, record=False)), rounds=3)
    benchmark.extra_info |= described(min(runs, key=lambda r: r.wall_s), simulator, load)


@pytest.mark.parametrize("arithmetic", ["fixed", "double"])
@pytest.mark.parametrize("scale", [0.1, pytest.param(1.0, marks=pytest.mark.slow)])
def test_microcircuit(benchmark, scale: float, arithmetic: str) -> None:
    check(microcircuit(read_microcircuit(), 0.02, 0.2))
    network = microcircuit(read_microcircuit(), scale, scale)
    simulator = compile_sparse(network, 2, arithmetic=arithmetic)
    simulator.warmup()
    load, runs = os.getloadavg()[0], []
    benchmark.pedantic(lambda: runs.append(simulator.run(SECOND)), rounds=3)
    benchmark.extra_info |= described(min(runs, key=lambda r: r.wall_s), simulator, load)
    benchmark.extra_info["published_real_time_factors"] = real_time_factors()


@pytest.mark.parametrize("rate_hz", [0.01, 0.1, 1.0, 4.0, 10.0, 30.0])
@pytest.mark.parametrize("fan_out", [10, 100, 1000, 10_000])
def test_selection(benchmark, fan_out: int, rate_hz: float) -> None:
    """Both engines on a grid of rates and fan-outs, and whether the one that is chosen is the faster one."""
    network = driven(Cell(10_000, fan_out, rate_hz, threads=1, spread=False, alike=True))
    best, spikes = {}, {}
    for engine in ("clock", "lazy"):
        simulator = compile_sparse(network, 1, engine=engine)
        spikes[engine] = simulator.run(1000).spikes.sum()
        best[engine] = min(simulator.run(SECOND // 2).wall_s for _ in range(3))
    assert spikes["lazy"] == pytest.approx(spikes["clock"], rel=0.02, abs=2)
    chosen = compile_sparse(network, 1)
    benchmark.pedantic(lambda: chosen.run(SECOND // 2), rounds=3, warmup_rounds=1)
    benchmark.extra_info |= {
        "chosen": chosen.engine,
        "right": chosen.engine == min(best, key=lambda e: best[e]),
        "clock_s": round(best["clock"], 5),
        "lazy_s": round(best["lazy"], 5),
        "lazy_speedup": round(best["clock"] / best["lazy"], 2),
        "load_before": os.getloadavg()[0],
    }
