"""Brian 2 as a C++ standalone program; batch 1, one sample.

The order of a step is decay, synapses, threshold, reset, as in the reference; a spike takes one step
through every projection, so that a layer runs as many steps late as it is deep, and the counts are compared
shifted by that. What is timed is the program's own figure for its loop over the steps.
"""

from __future__ import annotations

import shutil
import tempfile
from math import log

import brian2 as b2
import numpy as np
from protocol import THREADS, Task, Variant, main

b2.prefs.devices.cpp_standalone.openmp_threads = THREADS if THREADS > 1 else 0


class Model:
    """The program, built once; every run starts from rest and plays sample 0."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.folder = tempfile.mkdtemp(prefix="brian2-")
        b2.set_device("cpp_standalone", directory=self.folder, build_on_run=False)
        b2.defaultclock.dt = 1 * b2.ms
        tau = -1 / log(task.beta) * b2.ms
        at, neuron = zip(*((t, n) for t in range(task.steps) for n in task.row(0, t)), strict=True)
        source = b2.SpikeGeneratorGroup(int(np.prod(task.shape)), neuron, np.array(at) * b2.ms)
        net = b2.Network(source)
        net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
        self.counts, before = [], source
        for layer in task.layers:
            group = b2.NeuronGroup(
                layer.size,
                "dv/dt = -v/tau : 1",
                threshold="v >= 1" if layer.spiking else None,
                reset="v = 0" if layer.spiking else None,
                method="exact",
                namespace={"tau": tau},
            )
            net.add(group, connect(before, group, layer.weight))
            if layer.recurrent is not None:
                net.add(connect(group, group, layer.recurrent))
            if layer.spiking:
                self.counts.append(b2.SpikeMonitor(group, record=True))
                net.add(self.counts[-1])
            self.last = before = group
        net.run((task.steps + len(task.layers)) * b2.ms)
        b2.device.build(directory=self.folder, compile=True, run=False, debug=False)

    def run(self, _: object = None) -> float:
        """Run the program; return the seconds of its loop over the steps."""
        b2.device.run(self.folder, with_output=False, run_args=[])
        return float(b2.device._last_run_time)

    def outcome(self, _: object) -> tuple[np.ndarray, np.ndarray]:
        self.run()
        spikes = np.zeros((1, self.task.steps, len(self.counts)), np.int64)
        for k, monitor in enumerate(self.counts):
            at = np.rint(np.asarray(monitor.t / b2.ms)).astype(np.int64) - 1 - k
            at = at[(at >= 0) & (at < self.task.steps)]
            spikes[0, :, k] = np.bincount(at, minlength=self.task.steps)
        return spikes, np.asarray(self.last.v, np.float32)[None]


def connect(source: b2.Group, target: b2.Group, weight: np.ndarray) -> b2.Synapses:
    synapses = b2.Synapses(source, target, "w : 1", on_pre="v_post += w")
    synapses.connect()
    synapses.w = weight.ravel()
    return synapses


def build(task: Task) -> dict[str, Variant]:
    model = Model(task)
    return {"C++ standalone": Variant(lambda _: None, model.run, model.outcome, batches=(1,), own_clock=True)}


if __name__ == "__main__":
    main(
        "Brian 2",
        ["brian2"],
        build,
        "float64; a delay of one step in every projection; building and loading are not timed",
    )
    shutil.rmtree(b2.device.project_dir, ignore_errors=True)
