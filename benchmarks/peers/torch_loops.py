"""Loops over the steps that PyTorch's peers share: step by step, or a layer at a time.

*Stepwise* takes one frame after the other through all layers, as a network that listens to a sensor must.
*Layerwise* multiplies all steps of a layer at once: it needs the whole input beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from protocol import THREADS, Task, Variant

torch.set_num_threads(THREADS)

Forward = Callable[..., tuple[torch.Tensor, torch.Tensor | None]]


class Neurons(Protocol):
    """One layer's neurons, recurrent synapses included."""

    def start(self, batch: int) -> Any:
        """Return the resting state."""

    def step(self, arriving: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """Advance by one step; return the spikes (of the readout: the membranes) and the state."""


def variant(task: Task, forward: Forward) -> Variant:
    """Wrap ``forward(frames, keep)``, which returns the readout ``[T, B, C]`` and, kept, the spikes."""

    @torch.inference_mode()
    def run(frames: torch.Tensor) -> object:
        return forward(frames, False)

    @torch.inference_mode()
    def outcome(frames: torch.Tensor) -> tuple[Any, Any]:
        trace, fired = forward(frames, True)
        assert fired is not None
        return fired.permute(1, 0, 2).numpy().astype(np.int64), trace[-1].numpy()

    return Variant(lambda batch: torch.from_numpy(task.frames(batch)), run, outcome)


def loops(
    task: Task, neurons: list[Neurons], weights: list[Callable[[torch.Tensor], torch.Tensor]]
) -> dict[str, Variant]:
    """Return both ways to run layers of neurons; ``weights`` multiply spikes, the first the input."""

    def stepwise(frames: torch.Tensor, keep: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        states = [each.start(frames.shape[1]) for each in neurons]
        trace, fired = [], []
        for frame in frames:
            x, counts = frame, []
            for k, each in enumerate(neurons):
                x, states[k] = each.step(weights[k](x), states[k])
                if keep:
                    counts.append(x.sum(1))
            trace.append(x)
            if keep:
                fired.append(torch.stack(counts[:-1], 1))
        return torch.stack(trace), torch.stack(fired) if keep else None

    def layerwise(frames: torch.Tensor, keep: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        x, fired = frames, []
        for k, each in enumerate(neurons):
            state, made = each.start(frames.shape[1]), []
            for arriving in weights[k](x):
                out, state = each.step(arriving, state)
                made.append(out)
            x = torch.stack(made)
            fired.append(x)
        return x, torch.stack([f.sum(2) for f in fired[:-1]], 2) if keep else None

    return {"stepwise": variant(task, stepwise), "layerwise": variant(task, layerwise)}


def linear(weight: np.ndarray) -> torch.nn.Linear:
    """Return a Linear without bias of weights [pre, post]."""
    layer = torch.nn.Linear(*weight.shape, bias=False)
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(weight.T))
    return layer
