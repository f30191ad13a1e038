"""PyTorch by hand: a plain loop over the steps."""

from __future__ import annotations

import torch
from protocol import Task, Variant, main
from torch_loops import loops


class Neurons:
    def __init__(self, task: Task, k: int) -> None:
        layer = task.layers[k]
        self.beta, self.size, self.spiking = task.beta, layer.size, layer.spiking
        self.within = None if layer.recurrent is None else torch.from_numpy(layer.recurrent)

    def start(self, batch):
        return torch.zeros(batch, self.size), torch.zeros(batch, self.size)

    def step(self, arriving, state):
        v, s = state
        if self.within is not None:
            arriving = torch.addmm(arriving, s, self.within)
        v = self.beta * v + arriving
        if not self.spiking:
            return v, (v, s)
        above = v >= 1
        s = above.to(v.dtype)
        return s, (v.masked_fill(above, 0.0), s)


def build(task: Task) -> dict[str, Variant]:
    matrices = [torch.from_numpy(layer.weight) for layer in task.layers]
    neurons = [Neurons(task, k) for k in range(len(matrices))]
    return loops(task, neurons, [lambda x, w=w: x @ w for w in matrices])


if __name__ == "__main__":
    main("PyTorch loop", ["torch"], build)
