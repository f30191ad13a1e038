"""SpikingJelly: `LIFNode` in multi-step mode, single-step where recurrent; `NonSpikingLIFNode` reads out."""

from __future__ import annotations

import numpy as np
import torch
from protocol import Task, Variant, main
from spikingjelly.activation_based import functional, neuron
from torch_loops import linear, variant


def build(task: Task) -> dict[str, Variant]:
    tau = 1 / (1 - task.beta)
    weights, nodes, within = [], [], []
    for layer in task.layers:
        # the readout decays its input: v + (x - v)/tau
        gain = np.float32(1 if layer.spiking else tau)
        weights.append(linear(layer.weight * gain))
        within.append(None if layer.recurrent is None else linear(layer.recurrent))
        if layer.spiking:
            mode = "m" if layer.recurrent is None else "s"
            nodes.append(neuron.LIFNode(tau, decay_input=False, v_threshold=1.0, v_reset=0.0, step_mode=mode))
        else:
            nodes.append(neuron.NonSpikingLIFNode(tau))

    def forward(frames: torch.Tensor, keep: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        x, fired = frames, []
        for weight, node, back, layer in zip(weights, nodes, within, task.layers, strict=True):
            arriving = weight(x)
            if not layer.spiking:
                x = torch.stack(node(arriving))
                continue
            functional.reset_net(node)
            if back is None:
                x = node(arriving)
            else:
                spikes, made = torch.zeros_like(arriving[0]), []
                for each in arriving:
                    spikes = node(each + back(spikes))
                    made.append(spikes)
                x = torch.stack(made)
            fired.append(x)
        return x, torch.stack([f.sum(2) for f in fired], 2) if keep else None

    return {"layerwise": variant(task, forward)}


if __name__ == "__main__":
    main(
        "SpikingJelly",
        ["spikingjelly", "torch"],
        build,
        "computes v - v/16 + I: rounds otherwise than 15/16 v + I",
    )
