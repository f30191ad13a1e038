"""Run a sparse network in Brian 2, synapse by synapse as it was drawn here: for comparisons spike for spike.

Runs in Brian's own environment and imports nothing of nmbench: ``python brian2_spikes.py IN.npz OUT.npz``.
Delta synapses only; tests/simulator/sparse/other_simulators.py writes the input, in NEST's names.

NEST's conventions in Brian's terms: a step is synapses, integration, threshold, reset. A spike is queued in
the step after it, so a delay is one step shorter; Brian counts the step of the spike as refractory too, so
that is one step longer. What arrives in a step is summed before it moves the membrane, and the membrane is
moved by the exact solution as NEST writes it: Brian's own ``exact`` is the same number rounded otherwise,
and the network is chaotic. Brian's NumPy target rounds each operation by itself, where a C++ compiler may
contract two.
"""

from __future__ import annotations

import json
import sys
import time
from math import exp

import brian2 as b2
import numpy as np

MEMBRANE = """
dv/dt = (drive - v)/tau_m : 1 (unless refractory)
arriving : 1
drive : 1 (constant)
decay : 1 (constant)
constant : 1 (constant)
tau_m : second (constant)
threshold_mv : 1 (constant)
reset_mv : 1 (constant)
held : second (constant)
"""


def exact(*_: object) -> str:
    """Return the membrane's step: its exact solution, and what arrived."""
    return "v = constant + decay*v + arriving\narriving = 0"


def main(source: str, target: str) -> None:
    given = np.load(source)
    populations = json.loads(str(given["populations"]))
    if any(p["model"] != "iaf_psc_delta" for p in populations):
        raise SystemExit("delta synapses only")
    b2.prefs.codegen.target = "numpy"
    step = float(given["dt_ms"]) * b2.ms
    b2.defaultclock.dt = step
    started = time.perf_counter()
    neurons = b2.NeuronGroup(
        sum(p["size"] for p in populations),
        MEMBRANE,
        threshold="v >= threshold_mv",
        reset="v = reset_mv",
        refractory="held",
        method=exact,
    )
    constants(neurons, populations, float(given["dt_ms"]))
    rest = np.repeat([p["parameters"]["E_L"] for p in populations], [p["size"] for p in populations])
    neurons.v = given["v_mv"] - rest
    synapses = b2.Synapses(neurons, neurons, "weight : 1", on_pre="arriving_post += weight")
    synapses.connect(i=given["source"], j=given["target"])
    synapses.weight = given["weight"]
    synapses.delay = given["delay_ms"] * b2.ms - step
    monitor = b2.SpikeMonitor(neurons)
    net = b2.Network(neurons, synapses, monitor)
    net.schedule = ["start", "synapses", "groups", "thresholds", "resets", "end"]
    built = time.perf_counter()
    net.run(int(given["steps"]) * step)
    ran = time.perf_counter()
    steps = np.rint(np.asarray(monitor.t / step)).astype(np.int64)
    ids = np.asarray(monitor.i, dtype=np.int64)
    order = np.lexsort((ids, steps))
    np.savez(
        target, steps=steps[order], ids=ids[order], build_s=built - started, run_s=ran - built,
        version=b2.__version__,
    )  # fmt: skip


def constants(neurons: b2.NeuronGroup, populations: list[dict], dt_ms: float) -> None:
    """Set each neuron's constants; membranes are above rest."""
    columns: dict[str, list[float]] = {}
    for population in populations:
        own = population["parameters"]
        decay = exp(-dt_ms / own["tau_m"])
        named = {
            "drive": own["I_e"] / own["C_m"] * own["tau_m"],
            "decay": decay,
            "constant": own["I_e"] * (own["tau_m"] / own["C_m"] * (1.0 - decay)),
            "tau_m": own["tau_m"] / 1000,
            "threshold_mv": own["V_th"] - own["E_L"],
            "reset_mv": own["V_reset"] - own["E_L"],
            "held": (own["t_ref"] + dt_ms) / 1000,
        }
        for name, value in named.items():
            columns.setdefault(name, []).extend([value] * population["size"])
    for name, values in columns.items():
        getattr(neurons, name + "_")[:] = values


if __name__ == "__main__":
    main(*sys.argv[1:])
