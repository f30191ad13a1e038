"""NEST: `iaf_psc_delta` with a step of 1 ms, fed by spike generators; batch 1, one sample.

A spike takes one step through every projection: a layer runs as many steps late as it is deep, and the
counts are compared shifted by that. What is timed is `nest.Run` of all steps.
"""

from __future__ import annotations

import time
from math import log

import nest
import numpy as np
from protocol import THREADS, Task, Variant, main


class Model:
    """The network; every run starts from rest and plays sample 0."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.steps = task.steps + len(task.layers)  # the last layer's spikes come this much later
        nest.ResetKernel()
        nest.verbosity = nest.VerbosityLevel.ERROR
        nest.resolution, nest.local_num_threads = 1.0, THREADS
        law = {
            "tau_m": -1 / log(task.beta),
            "C_m": 1.0,
            "E_L": 0.0,
            "V_reset": 0.0,
            "V_th": 1.0,
            "t_ref": 0.0,
            "V_m": 0.0,
        }
        self.inputs = nest.Create("spike_generator", int(np.prod(task.shape)))
        self.layers = [
            nest.Create("iaf_psc_delta", layer.size, law | ({} if layer.spiking else {"V_th": 1e9}))
            for layer in task.layers
        ]
        for source, target, layer in zip([self.inputs, *self.layers], self.layers, task.layers, strict=False):
            connect(source, target, layer.weight)
            if layer.recurrent is not None:
                connect(target, target, layer.recurrent)
        self.recorders = [nest.Create("spike_recorder") for _ in self.layers[:-1]]
        for layer, recorder in zip(self.layers[:-1], self.recorders, strict=True):
            nest.Connect(layer, recorder)
        times: list[list[float]] = [[] for _ in range(len(self.inputs))]
        for t in range(task.steps):
            for neuron in task.row(0, t):
                times[neuron].append(t + 1.0)
        far = 1e6  # nothing is played before the first run moves the origin
        self.inputs.set([{"spike_times": each, "origin": far} for each in times])

    def run(self, _: object = None) -> float:
        """Play the sample from rest; return the seconds of `nest.Run` alone."""
        for layer in self.layers:
            layer.V_m = -1e6  # nobody fires while what the last run left on its way arrives
        nest.Simulate(4)
        for layer in self.layers:
            layer.V_m = 0.0
        self.started = nest.biological_time
        self.inputs.origin = self.started
        for recorder in self.recorders:
            recorder.n_events = 0
        with nest.RunManager():
            started = time.perf_counter()
            nest.Run(self.steps)
            return time.perf_counter() - started

    def outcome(self, _: object) -> tuple[np.ndarray, np.ndarray]:
        self.run()
        spikes = np.zeros((1, self.task.steps, len(self.recorders)), np.int64)
        for k, recorder in enumerate(self.recorders):
            # an input at step t is sent at t + 1 and arrives, with it, in the step that ends at t + 2
            at = np.rint(recorder.events["times"] - self.started).astype(np.int64) - 2 - k
            at = at[(at >= 0) & (at < self.task.steps)]
            spikes[0, :, k] = np.bincount(at, minlength=self.task.steps)
        return spikes, np.array(self.layers[-1].V_m, np.float32)[None]


def connect(source: object, target: object, weight: np.ndarray) -> None:
    nest.Connect(
        source,
        target,
        "all_to_all",
        {"synapse_model": "static_synapse", "weight": weight.T.astype(float), "delay": 1.0},
    )


def build(task: Task) -> dict[str, Variant]:
    model = Model(task)
    return {"event-driven": Variant(lambda _: None, model.run, model.outcome, batches=(1,), own_clock=True)}


if __name__ == "__main__":
    main(
        "NEST",
        ["nest-simulator"],
        build,
        "float64; a delay of one step in every projection; building the network is not timed",
    )
