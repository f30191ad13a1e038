"""sinabs: `LIF`, `LIFRecurrent`, `ExpLeak` as the readout, a layer at a time over [batch, time, neuron]."""

from __future__ import annotations

from math import log

import torch
from protocol import Task, Variant, main
from sinabs.activation import MembraneReset, SingleSpike
from sinabs.layers import LIF, ExpLeak, LIFRecurrent
from torch_loops import linear, variant


def build(task: Task) -> dict[str, Variant]:
    tau = -1 / log(task.beta)  # sinabs decays by exp(-1/tau), steps
    spiking = {"spike_fn": SingleSpike, "reset_fn": MembraneReset(), "norm_input": False}
    weights, cells = [], []
    for layer in task.layers:
        weights.append(linear(layer.weight))
        if not layer.spiking:
            cells.append(ExpLeak(tau_mem=tau, norm_input=False))
        elif layer.recurrent is None:
            cells.append(LIF(tau_mem=tau, **spiking))
        else:
            cells.append(LIFRecurrent(tau_mem=tau, rec_connect=linear(layer.recurrent), **spiking))

    def forward(frames: torch.Tensor, keep: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        x, fired = frames.transpose(0, 1), []
        for weight, cell in zip(weights, cells, strict=True):
            cell.reset_states()
            x = cell(weight(x))
            fired.append(x)
        kept = torch.stack([f.sum(2).T for f in fired[:-1]], 2) if keep else None
        return x.transpose(0, 1), kept

    return {"layerwise": variant(task, forward)}


if __name__ == "__main__":
    main("sinabs", ["sinabs", "torch"], build, "decays by exp(-1/tau), within a float32 step of 15/16")
