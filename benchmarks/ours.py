"""nmbench itself, timed like a peer: same checks, same clock, same line of JSON.

int16 and int8 are exact too: the engine takes such weights only where sums cannot overflow. int8 cannot hold
the workloads' weights, so it runs *another network*, whose weights are rounded to what fits 8 bits; what is
expected of that one comes from the reference.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from protocol import THREADS, Report, Task, Variant, best, compare, main
from workloads import make

from nmbench.errors import InputError
from nmbench.network.network import Network
from nmbench.simulator.engine import Dtype, EngineName, compile
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch


def build(task: Task, refused: dict[str, str]) -> dict[str, Variant]:
    """Return the engine with float32 and int16 weights, and the plain engine for other processors.

    What the engine refuses goes into ``refused``, with its reason.
    """
    workload = make(task.name)
    variants = {}
    wanted: dict[str, tuple[EngineName, Dtype]] = {
        "float32": ("auto", "float32"),
        "int16": ("auto", "int16"),
        "plain float32": ("plain", "float32"),
    }
    for name, (engine, dtype) in wanted.items():
        try:
            variants[name] = variant(workload.network, workload.batch, engine, dtype)
        except InputError as error:
            refused[name] = str(error)
    return variants


def variant(network: Network, batch: SpikeBatch, engine: EngineName, dtype: Dtype) -> Variant:
    simulator = compile(network, engine=engine, dtype=dtype)
    simulator.warmup()

    def load(size: int) -> SpikeBatch:
        return batch.take(np.arange(size) % len(batch))

    def outcome(loaded: SpikeBatch) -> tuple[np.ndarray, np.ndarray]:
        run = simulator.run(loaded, threads=THREADS)
        return run.counts.spikes[:, :, 1:-1], run.outputs[:, -1]

    return Variant(load, lambda loaded: simulator.run(loaded, threads=THREADS), outcome)


def in_8_bits(network: Network) -> Network:
    """Round each projection's weights to the finest power-of-two grid on which they fit int8."""
    projections = []
    for projection in network.projections:
        unit = 2.0 ** np.ceil(np.log2(np.abs(projection.weight).max() / 127))
        projections.append(
            replace(
                projection, weight=np.round(projection.weight / unit).astype(np.float32) * np.float32(unit)
            )
        )
    return replace(network, projections=tuple(projections))


def add_int8(report: Report, task: Task, batches: tuple[int, ...], budget_s: float) -> None:
    """Check and time the network with 8-bit weights against its own reference."""
    name = "int8, another network"
    workload = make(task.name)
    network = in_8_bits(workload.network)
    try:
        timed = variant(network, workload.batch, "auto", "int8")
    except InputError as error:
        report.refused[name] = str(error)
        return
    expected = simulate(network, workload.batch.take([0]))
    own = replace(task, spikes=expected.counts.spikes[:, :, 1:-1], readout=expected.outputs[:, -1])
    report.checks[name] = compare(own, *timed.outcome(timed.load(1)))
    if report.checks[name]["accepted"]:
        report.times[name] = {size: best(timed, timed.load(size), budget_s) for size in batches}


if __name__ == "__main__":
    refusals: dict[str, str] = {}

    def finish(report: Report, task: Task, batches: tuple[int, ...], budget_s: float) -> None:
        report.refused |= refusals
        add_int8(report, task, batches, budget_s)

    main("nmbench", ("nmbench", "numba", "llvmlite"), partial(build, refused=refusals), extra=finish)
