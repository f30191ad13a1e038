"""Norse: `lif_box_feed_forward_step` with weights times tau/dt, `li_box` as the readout."""

from __future__ import annotations

import numpy as np
import torch
from norse.torch.functional.leaky_integrator_box import LIBoxParameters, LIBoxState, li_box_feed_forward_step
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters, lif_box_feed_forward_step
from protocol import Task, Variant, main
from torch_loops import linear, loops

BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
"""Norse spikes above the threshold, the reference at it too: just below 1 the two are the same."""


class Neurons:
    def __init__(self, task: Task, k: int) -> None:
        layer = task.layers[k]
        self.size, self.spiking = layer.size, layer.spiking
        rate = torch.as_tensor(1 - task.beta)  # dt/tau, with dt = 1
        self.spiking_law = LIFBoxParameters(tau_mem_inv=rate, v_th=torch.as_tensor(BELOW_ONE))
        self.readout_law = LIBoxParameters(tau_mem_inv=rate)
        gain = 1 / (1 - task.beta)
        self.within = None if layer.recurrent is None else linear(layer.recurrent * np.float32(gain))

    def start(self, batch):
        zeros = torch.zeros(batch, self.size)
        return zeros, zeros

    def step(self, arriving, state):
        v, spikes = state
        if self.within is not None:
            arriving = arriving + self.within(spikes)
        if not self.spiking:
            _, after = li_box_feed_forward_step(arriving, LIBoxState(v), self.readout_law, 1.0)
            return after.v, (after.v, spikes)
        spikes, after = lif_box_feed_forward_step(arriving, LIFBoxFeedForwardState(v), self.spiking_law, 1.0)
        return spikes, (after.v, spikes)


def build(task: Task) -> dict[str, Variant]:
    gain = np.float32(1 / (1 - task.beta))
    neurons = [Neurons(task, k) for k in range(len(task.layers))]
    return loops(task, neurons, [linear(layer.weight * gain) for layer in task.layers])


if __name__ == "__main__":
    main(
        "Norse",
        ["norse", "torch"],
        build,
        "computes v + (16 I - v)/16: rounds otherwise than 15/16 v + I; threshold at the last float below 1",
    )
