"""snnTorch: `Leaky`, `RLeaky` for the recurrent layer, `Leaky` without reset as the readout."""

from __future__ import annotations

from math import inf

import numpy as np
import snntorch
import torch
from protocol import Task, Variant, main
from torch_loops import linear, loops

BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
"""snnTorch spikes above the threshold, the reference at it too: just below 1 the two are the same."""


class Neurons:
    def __init__(self, task: Task, k: int) -> None:
        layer = task.layers[k]
        self.size, self.spiking = layer.size, layer.spiking
        self.recurrent = layer.recurrent is not None
        if self.recurrent:
            # its reset_delay=True would drop what arrives in the step after a spike
            self.cell = snntorch.RLeaky(
                task.beta,
                linear_features=layer.size,
                threshold=BELOW_ONE,
                reset_mechanism="zero",
                reset_delay=False,
            )
            self.cell.recurrent = linear(layer.recurrent)
        else:
            self.cell = snntorch.Leaky(
                task.beta,
                threshold=BELOW_ONE if self.spiking else inf,
                reset_mechanism="zero" if self.spiking else "none",
            )

    def start(self, batch):
        zeros = torch.zeros(batch, self.size)
        return (zeros, zeros) if self.recurrent else (zeros,)

    def step(self, arriving, state):
        spikes, v = self.cell(arriving, *state)
        if not self.spiking:
            return v, (v,)
        return spikes, (spikes, v) if self.recurrent else (v,)


def build(task: Task) -> dict[str, Variant]:
    neurons = [Neurons(task, k) for k in range(len(task.layers))]
    return loops(task, neurons, [linear(layer.weight) for layer in task.layers])


if __name__ == "__main__":
    main(
        "snnTorch",
        ["snntorch", "torch"],
        build,
        "threshold at the last float below 1 (it spikes above, not at); RLeaky with reset_delay=False",
    )
