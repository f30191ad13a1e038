"""NEST on W3 and W3-DC: `iaf_psc_delta`, the drawn list of synapses, one Poisson generator for all."""

from __future__ import annotations

import time

import nest
import numpy as np
from brunel import Brunel, main
from protocol import THREADS


class Model:
    def __init__(self, task: Brunel) -> None:
        nest.verbosity = nest.VerbosityLevel.ERROR
        nest.ResetKernel()
        nest.resolution, nest.local_num_threads, nest.rng_seed = task["dt_ms"], THREADS, 1
        law = {
            "tau_m": task["tau_m_ms"],
            "C_m": task["c_m_pf"],
            "E_L": 0.0,
            "V_th": task["v_th_mv"],
            "V_reset": task["v_reset_mv"],
            "t_ref": task["t_ref_ms"],
            "I_e": task["current_pa"],
        }
        self.neurons = nest.Create("iaf_psc_delta", task.size, law)
        for sign in "ei":
            pre, post = task.synapses(sign)
            synapse = {
                "synapse_model": "static_synapse",
                "weight": np.full(len(pre), task[f"weight_{sign}_mv"]),
                "delay": np.full(len(pre), task["delay_ms"]),
            }
            nest.Connect(pre + 1, post + 1, "one_to_one", synapse)
        if task["rate_hz"]:
            drive = nest.Create("poisson_generator", params={"rate": task["rate_hz"]})
            nest.Connect(
                drive, self.neurons, "all_to_all", {"weight": task["drive_mv"], "delay": task["dt_ms"]}
            )
        self.recorder = nest.Create("spike_recorder")
        nest.Connect(self.neurons, self.recorder)
        self.start_mv = task.v0_mv

    def run(self, task: Brunel) -> tuple[np.ndarray, float]:
        """Simulate the duration on from where the last run ended; return spikes of each step and seconds."""
        if nest.biological_time == 0:
            self.neurons.V_m = self.start_mv
        begin = nest.biological_time
        self.recorder.n_events = 0
        with nest.RunManager():
            started = time.perf_counter()
            nest.Run(task["duration_ms"])
            took = time.perf_counter() - started
        at = np.rint((self.recorder.events["times"] - begin) / task["dt_ms"]).astype(np.int64) - 1
        return np.bincount(at, minlength=task.steps(task["duration_ms"])), took


if __name__ == "__main__":
    main("NEST", ["nest-simulator"], Model, "event-driven", "float64; building the network is not timed")
