"""nmbench on W3 and W3-DC, timed like a peer.

In float64 its spikes under a constant current are the reference's, exactly; in the arithmetic that is timed,
fixed point with float32 membranes, they are until rounding parts them.
"""

from __future__ import annotations

import numpy as np
from brunel import Brunel, compare, read
from brunel_workload import SEED
from protocol import THREADS, Report, options, versions

from nmbench.network.brunel import brunel
from nmbench.simulator.sparse.engine import SparseSimulator, compile_sparse
from nmbench.simulator.sparse.memory import Arithmetic

ARITHMETIC: tuple[Arithmetic, ...] = ("fixed", "double")


def run(task: Brunel, simulator: SparseSimulator) -> tuple[np.ndarray, float]:
    """Simulate the duration; return the spikes of each step and the seconds of the run."""
    steps = task.steps(task["duration_ms"])
    begin = simulator.step
    done = simulator.run(steps)
    return np.bincount(done.steps - begin, minlength=steps), done.wall_s


if __name__ == "__main__":
    given = options()
    task = read(given.path)
    report = Report("nmbench", task.name, THREADS, versions("nmbench", "numba", "llvmlite"))
    network = brunel(task.size, poisson=task["rate_hz"] > 0)
    for arithmetic in ARITHMETIC:
        compile_sparse(network, THREADS, seed=SEED, arithmetic=arithmetic).run(10)  # compiles
        simulator = compile_sparse(network, THREADS, seed=SEED, arithmetic=arithmetic)
        fired, first_s = run(task, simulator)
        report.checks[arithmetic] = compare(task, fired)
        if report.checks[arithmetic]["accepted"]:
            times = [first_s, *(run(task, simulator)[1] for _ in range(2))]
            report.times[arithmetic] = {1: min(times)}
        report.checks[arithmetic] |= {
            "build_s": simulator.build_s,
            "bytes_per_synapse": simulator.layout.bytes_per_synapse,
        }
    report.print()
