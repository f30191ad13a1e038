"""PyTorch by hand on the convolution nets: `conv2d` in each step, or a layer's steps at once.

Frames are bytes and laid out beforehand; pooling and conversion to float32 are part of the network and timed.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from protocol import THREADS, Task, Variant, main
from torch.nn import functional

torch.set_num_threads(THREADS)


def build(task: Task) -> dict[str, Variant]:
    weights = [torch.from_numpy(layer.weight) for layer in task.layers]
    layers = range(len(weights))

    def arriving(k, x):
        """Return what layer k receives from spikes [B, C, H, W]."""
        layer = task.layers[k]
        x = x.float()
        if layer.pool > 1:
            x = functional.avg_pool2d(x, layer.pool, divisor_override=1)
        if layer.kernel:
            return functional.conv2d(x, weights[k], None, layer.stride, layer.kernel // 2)
        return x.flatten(1) @ weights[k]

    def fire(k, v, received):
        v = task.beta * v + received
        if not task.layers[k].spiking:
            return v, v
        above = v >= 1
        return v.masked_fill(above, 0.0), above.float()

    def start(k, batch):
        return torch.zeros(batch, *task.layers[k].shape)

    def stepwise(frames, keep=False):
        vs = [start(k, frames.shape[1]) for k in layers]
        trace, fired = [], []
        for frame in frames:
            x, counts = frame, []
            for k in layers:
                vs[k], x = fire(k, vs[k], arriving(k, x))
                if keep:
                    counts.append(x.flatten(1).sum(1))
            trace.append(x)
            if keep:
                fired.append(torch.stack(counts[:-1], 1))
        return torch.stack(trace), torch.stack(fired) if keep else None

    def layerwise(frames, keep=False):
        x, fired = frames, []
        for k in layers:
            v, made = start(k, x.shape[1]), []
            received = arriving(k, x.flatten(0, 1))
            for each in received.unflatten(0, x.shape[:2]):
                v, s = fire(k, v, each)
                made.append(s)
            x = torch.stack(made)
            fired.append(x.flatten(2).sum(2) if keep else None)
        return x, torch.stack(fired[:-1], 2) if keep else None

    def variant(forward):
        run = torch.inference_mode()(forward)

        def load(batch):
            frames = task.frames(batch, np.uint8).reshape(task.steps, batch, *task.shape)
            return torch.from_numpy(frames)

        def outcome(frames):
            trace, fired = partial(run, keep=True)(frames)
            return fired.permute(1, 0, 2).numpy().astype(np.int64), trace[-1].numpy()

        return Variant(load, run, outcome)

    return {"stepwise": variant(stepwise), "layerwise": variant(layerwise)}


if __name__ == "__main__":
    main("PyTorch loop", ["torch"], build, checked=2)
