"""Workloads as files that the peers read: arrays in .npz, without pickle.

``structure``: JSON (below). ``offsets``, ``index``: the input spikes, as in `nmbench.spikes.SpikeBatch`.
``w0, w1, ..``: weights of each layer, ``[pre, post]`` (``pre`` after pooling) or ``[out, in, k, k]``;
``r0, ..``: within a layer, ``[pre, post]``. ``spikes``: expected spikes, int64 ``[B, T, layer]``, readout
excluded. ``readout``: expected last membranes of the readout, float32 ``[B, C]``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from workloads import BETA, Recipe, Workload

from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate


@dataclass(frozen=True)
class Activity:
    """What a workload makes its network do, means per sample.

    Attributes
    ----------
    density
        Input events per cell of (step, neuron).
    firing
        Spikes per neuron and step, by spiking layer.
    """

    input_events: float
    density: float
    firing: tuple[float, ...]
    synaptic_events: float


def export(workload: Workload, path: Path) -> Activity:
    """Write a workload with what is expected of it, and return its activity.

    The expected spikes are the engine's, after its first sample was found equal to the reference, spike
    for spike and membrane for membrane.

    Raises
    ------
    AssertionError
        The engine differs from the reference.
    """
    recipe, batch = workload.recipe, workload.batch
    run = compile(workload.network).run(batch, threads=2)
    first = simulate(workload.network, batch.take([0]))
    np.testing.assert_array_equal(run.outputs[:1], first.outputs)
    np.testing.assert_array_equal(run.counts.spikes[:1], first.counts.spikes)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "structure": np.array(json.dumps(structure(recipe, len(batch)))),
        "offsets": batch.offsets,
        "index": batch.index,
        "spikes": run.counts.spikes[:, :, 1:-1],
        "readout": run.outputs[:, -1],
    }
    arrays |= {f"w{k}": w for k, w in enumerate(workload.weights)}
    arrays |= {f"r{k}": r for k, r in enumerate(workload.recurrent) if r is not None}
    np.savez(path, allow_pickle=False, **arrays)
    means = run.counts.per_inference()
    cells = recipe.steps * workload.network.populations[0].size
    spikes = run.counts.spikes[:, :, 1:-1].mean(axis=(0, 1))
    firing = tuple(float(n) / layer.size for n, layer in zip(spikes, recipe.layers, strict=False))
    return Activity(means["input_events"], means["input_events"] / cells, firing, means["synaptic_events"])


def structure(recipe: Recipe, samples: int) -> dict[str, object]:
    """Say in JSON what the arrays are of."""
    return {
        "name": recipe.name,
        "steps": recipe.steps,
        "shape": recipe.shape,
        "beta": BETA,
        "samples": samples,
        "layers": [
            {
                "shape": layer.shape,
                "kernel": layer.kernel,
                "stride": layer.stride,
                "pool": layer.pool,
                "recurrent": bool(layer.recurrent),
                "spiking": layer.spiking,
            }
            for layer in recipe.layers
        ],
    }
