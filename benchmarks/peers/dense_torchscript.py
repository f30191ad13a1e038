"""TorchScript by hand: the loop over the steps compiled, a layer at a time with its products at once."""

from __future__ import annotations

import numpy as np
import torch
from protocol import THREADS, Task, Variant, main

torch.set_num_threads(THREADS)


@torch.jit.script
def feed_forward(arriving: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the spikes [T, B, n] of neurons that receive ``arriving``."""
    v = torch.zeros_like(arriving[0])
    spikes = torch.empty_like(arriving)
    for t in range(arriving.shape[0]):
        v = beta * v + arriving[t]
        above = v >= 1.0
        spikes[t] = above
        v = v.masked_fill(above, 0.0)
    return spikes


@torch.jit.script
def recurrent(arriving: torch.Tensor, within: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the spikes [T, B, n] of neurons that receive ``arriving`` and each other's spikes."""
    v = torch.zeros_like(arriving[0])
    s = torch.zeros_like(v)
    spikes = torch.empty_like(arriving)
    for t in range(arriving.shape[0]):
        v = beta * v + torch.addmm(arriving[t], s, within)
        above = v >= 1.0
        s = above.to(v.dtype)
        spikes[t] = s
        v = v.masked_fill(above, 0.0)
    return spikes


@torch.jit.script
def readout(arriving: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the membranes [T, B, C] of leaky integrators."""
    v = torch.zeros_like(arriving[0])
    trace = torch.empty_like(arriving)
    for t in range(arriving.shape[0]):
        v = beta * v + arriving[t]
        trace[t] = v
    return trace


def build(task: Task) -> dict[str, Variant]:
    weights = [torch.from_numpy(layer.weight) for layer in task.layers]
    within = [None if layer.recurrent is None else torch.from_numpy(layer.recurrent) for layer in task.layers]

    def forward(frames):
        x, spikes = frames, []
        for layer, weight, back in zip(task.layers, weights, within, strict=True):
            arriving = x @ weight
            if not layer.spiking:
                return readout(arriving, task.beta), spikes
            x = feed_forward(arriving, task.beta) if back is None else recurrent(arriving, back, task.beta)
            spikes.append(x)
        raise ValueError("no readout")

    @torch.inference_mode()
    def run(frames):
        return forward(frames)

    def outcome(frames):
        trace, spikes = run(frames)
        fired = torch.stack([s.sum(2) for s in spikes], 2).permute(1, 0, 2)
        return fired.numpy().astype(np.int64), trace[-1].numpy()

    return {"layerwise": Variant(lambda batch: torch.from_numpy(task.frames(batch)), run, outcome)}


if __name__ == "__main__":
    main("TorchScript", ["torch"], build)
