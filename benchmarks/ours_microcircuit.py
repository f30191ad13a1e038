"""nmbench on the cortical microcircuit, timed like a peer: oracle first, then ten biological seconds.

Seconds follow one another in one run, so that what is timed is all ten; the check holds the fastest and the
slowest. Spikes are recorded.
"""

from __future__ import annotations

import numpy as np
from microcircuit import compare, forget_peak, memory_gib, read
from microcircuit_workload import OWN_MS, SEED, network_of
from oracle import check_sparse
from protocol import THREADS, Report, options, versions

from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import SparseNetwork
from nmbench.simulator.sparse.engine import SparseRun, compile_sparse
from nmbench.simulator.sparse.memory import Arithmetic

ARITHMETICS: tuple[Arithmetic, ...] = ("fixed", "double")
SLICE_MS = 1000.0


def simulate(network: SparseNetwork, arithmetic: Arithmetic) -> tuple[list[SparseRun], dict[str, float]]:
    """Build, warm up, run; return the slices and what was measured besides their time."""
    forget_peak()
    simulator = compile_sparse(network, THREADS, seed=SEED, arithmetic=arithmetic)
    simulator.warmup()
    warmup, duration, steps = (round(ms / network.dt_ms) for ms in (*OWN_MS, SLICE_MS))
    simulator.run(warmup, record=False)
    runs = [simulator.run(steps) for _ in range(duration // steps)]
    wall_s = [run.wall_s / run.biological_s for run in runs]
    return runs, {
        "biological_s": sum(run.biological_s for run in runs),
        "fastest_slice": min(wall_s),
        "slowest_slice": max(wall_s),
        "build_s": simulator.build_s,
        "peak_gib": memory_gib("VmHWM"),
        "bytes_per_synapse": simulator.layout.bytes_per_synapse,
        "synaptic_events": float(sum(run.synaptic_events.sum() for run in runs)),
    }


def main() -> None:
    task = read(options().path)
    report = Report("nmbench", task.name, THREADS, versions("nmbench", "numba", "llvmlite"))
    small, network = microcircuit(read_microcircuit(), 0.02, 0.2), network_of(task.name)
    for arithmetic in ARITHMETICS:
        checked = check_sparse(small, arithmetic, THREADS)
        runs, measured = simulate(network, arithmetic)
        spikes = np.sum([run.spikes for run in runs], axis=0)
        check = compare(task, spikes, measured["biological_s"]) | measured | {"oracle_spikes": checked}
        report.checks[arithmetic] = check
        if check["accepted"]:
            report.times[arithmetic] = {1: sum(run.wall_s for run in runs) / measured["biological_s"]}
    report.print()


if __name__ == "__main__":
    main()
