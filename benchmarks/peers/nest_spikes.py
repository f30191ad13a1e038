"""Run a sparse network in NEST, synapse by synapse as it was drawn here: for comparisons spike for spike.

Runs in NEST's own environment and imports nothing of nmbench: ``python nest_spikes.py IN.npz OUT.npz``.
`nmbench.simulator.sparse` writes the input (see tests/simulator/sparse/other_simulators.py).
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main(source: str, target: str) -> None:
    import nest

    given = np.load(source)
    populations = json.loads(str(given["populations"]))
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.SetKernelStatus({"resolution": float(given["dt_ms"]), "local_num_threads": int(given["threads"])})
    started = time.perf_counter()
    neurons = None
    for population in populations:
        made = nest.Create(population["model"], population["size"], params=population["parameters"])
        neurons = made if neurons is None else neurons + made
    neurons.V_m = given["v_mv"]
    ids = np.array(neurons.tolist())
    for sign in (given["weight"] >= 0, given["weight"] < 0):  # NEST limits connections per synapse model
        if sign.any():
            nest.Connect(
                ids[given["source"][sign]],
                ids[given["target"][sign]],
                "one_to_one",
                {"weight": given["weight"][sign], "delay": given["delay_ms"][sign]},
            )
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(float(given["steps"]) * float(given["dt_ms"]))
    ran = time.perf_counter()
    events = recorder.events
    steps = np.round(events["times"] / float(given["dt_ms"])).astype(np.int64) - 1
    spikes = np.searchsorted(ids, events["senders"])
    order = np.lexsort((spikes, steps))
    np.savez(
        target, steps=steps[order], ids=spikes[order], build_s=built - started, run_s=ran - built,
        version=nest.__version__,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
