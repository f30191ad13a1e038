"""Brian 2 as a C++ standalone program on a small microcircuit, with the synapses that nmbench drew.

The list stands in memory several times while the program is made: at full density that is out of reach here.
"""

from __future__ import annotations

import shutil
import tempfile
import time

import brian2 as b2
import numpy as np
from microcircuit import Circuit, by_population, compare, finish, read
from protocol import THREADS, Report, options, versions

b2.prefs.devices.cpp_standalone.openmp_threads = THREADS if THREADS > 1 else 0

NEURON = """
dv/dt = -v/tau_m + (current + i_dc)/(c_m*ms) : 1 (unless refractory)
dcurrent/dt = -current/tau_syn : 1
i_dc : 1 (constant)
mean : 1 (constant)
"""
NOTE = "float64; nmbench's list of synapses; memory is not measured: the program is a process of its own"


def program(task: Circuit, folder: str) -> b2.SpikeMonitor:
    """Write and compile the program."""
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.seed(1)
    given, first = task.recipe, task.recipe["populations"][0]
    own = first["parameters"]
    b2.defaultclock.dt = given["dt_ms"] * b2.ms
    neurons = b2.NeuronGroup(
        int(task.sizes.sum()),
        NEURON,
        threshold="v >= threshold",
        reset="v = reset",
        refractory=own["t_ref"] * b2.ms,
        method="exact",
        namespace={
            "tau_m": own["tau_m"] * b2.ms,
            "tau_syn": own["tau_syn_ex"] * b2.ms,
            "c_m": own["C_m"],
            "threshold": own["V_th"] - own["E_L"],
            "reset": own["V_reset"] - own["E_L"],
            "outer": first["outer_weight"],
        },
    )
    neurons.v = task.listed["v0_mv"]
    neurons.i_dc = np.repeat([p["parameters"]["I_e"] for p in given["populations"]], task.sizes)
    neurons.mean = np.repeat([p["rate_hz"] * given["dt_ms"] / 1000 for p in given["populations"]], task.sizes)
    neurons.run_regularly("current += outer*poisson(mean)", when="synapses")
    synapses = b2.Synapses(neurons, neurons, "weight : 1 (constant)", on_pre="current_post += weight")
    synapses.connect(i=task.listed["source"], j=task.listed["target"])
    synapses.weight = task.listed["weight_pa"]
    synapses.delay = task.listed["delay_ms"] * b2.ms
    monitor = b2.SpikeMonitor(neurons)
    net = b2.Network(neurons, synapses, monitor)
    for name in ("warmup_ms", "duration_ms"):
        net.run(given[name] * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False, debug=False)
    return monitor


def main() -> None:
    task = read(options().path)
    started = time.perf_counter()
    folder = tempfile.mkdtemp(prefix="brian2-")
    monitor = program(task, folder)
    build_s = time.perf_counter() - started
    b2.device.run(folder, with_output=False, run_args=[])
    wall_s = float(b2.device._last_run_time)
    ids = np.asarray(monitor.i)[np.asarray(monitor.t / b2.ms) >= task.recipe["warmup_ms"]]
    biological_s = task.recipe["duration_ms"] / 1000
    check = compare(task, by_population(task, ids), biological_s) | {
        "biological_s": biological_s,
        "build_s": build_s,
        "peak_gib": None,
        "bytes_per_synapse": None,
    }
    shutil.rmtree(folder, ignore_errors=True)
    report = Report("Brian 2", task.name, THREADS, versions("brian2"), NOTE)
    finish(report, "C++ standalone", check, wall_s)


if __name__ == "__main__":
    main()
