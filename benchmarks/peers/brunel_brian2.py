"""Brian 2 as a C++ standalone program on W3 and W3-DC.

NEST's conventions in Brian's terms: a step is decay, synapses, threshold, reset; a spike is queued in the
step after it, so the delay is one step shorter; the membrane is held for one step longer, as Brian counts.
"""

from __future__ import annotations

import shutil
import tempfile

import brian2 as b2
import numpy as np
from brunel import Brunel, main
from protocol import THREADS

b2.prefs.devices.cpp_standalone.openmp_threads = THREADS if THREADS > 1 else 0


class Model:
    def __init__(self, task: Brunel) -> None:
        self.folder = tempfile.mkdtemp(prefix="brian2-")
        b2.set_device("cpp_standalone", directory=self.folder, build_on_run=False)
        b2.seed(1)
        step = task["dt_ms"] * b2.ms
        b2.defaultclock.dt = step
        drive = task["current_pa"] / task["c_m_pf"] * task["tau_m_ms"]
        self.neurons = b2.NeuronGroup(
            task.size,
            "dv/dt = (drive - v)/tau : 1 (unless refractory)",
            threshold="v >= threshold",
            reset="v = reset",
            refractory=task["t_ref_ms"] * b2.ms + step,
            method="exact",
            namespace={
                "drive": drive,
                "tau": task["tau_m_ms"] * b2.ms,
                "threshold": task["v_th_mv"],
                "reset": task["v_reset_mv"],
            },
        )
        self.neurons.v = task.v0_mv
        net = b2.Network(self.neurons)
        net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
        for sign in "ei":
            pre, post = task.synapses(sign)
            weight = {"weight": task[f"weight_{sign}_mv"]}
            synapses = b2.Synapses(self.neurons, self.neurons, on_pre="v_post += weight", namespace=weight)
            synapses.connect(i=pre, j=post)
            synapses.delay = task["delay_ms"] * b2.ms - step
            net.add(synapses)
        if task["rate_hz"]:
            trains = 1000  # as many outer neurons, each at a thousandth of the rate
            net.add(
                b2.PoissonInput(self.neurons, "v", trains, task["rate_hz"] / trains * b2.Hz, task["drive_mv"])
            )
        self.monitor = b2.SpikeMonitor(self.neurons)
        net.add(self.monitor)
        net.run(task["duration_ms"] * b2.ms)
        b2.device.build(directory=self.folder, compile=True, run=False, debug=False)

    def run(self, task: Brunel) -> tuple[np.ndarray, float]:
        """Run the program from the start; return spikes of each step and the seconds of its loop."""
        b2.device.run(self.folder, with_output=False, run_args=[])
        at = np.rint(np.asarray(self.monitor.t / b2.ms) / task["dt_ms"]).astype(np.int64)
        return np.bincount(at, minlength=task.steps(task["duration_ms"])), float(b2.device._last_run_time)


if __name__ == "__main__":
    main("Brian 2", ["brian2"], Model, "C++ standalone", "float64; building and loading are not timed")
    shutil.rmtree(b2.device.project_dir, ignore_errors=True)
