"""Provenance of a trained network: how it was made, on which bytes, and how good it is as it is shipped."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from nmbench.datasets import transforms
from nmbench.datasets.encode import encode
from nmbench.datasets.events import EventSet
from nmbench.metrics import mean_softmax
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.simulator.engine import compile
from nmbench.stats import wilson
from nmbench.training.baseline import best_on_counts
from nmbench.training.data import Batches
from nmbench.training.model import ConvSynapses, DenseSynapses, Net, log_mean_softmax
from nmbench.training.recipe import Recipe

DETERMINISM = (
    "one thread, torch.use_deterministic_algorithms(True): the same bytes on the same torch and processor; "
    "another torch or processor may give another network"
)


def write_provenance(
    path: Path, net: Net, recipe: Recipe, train: EventSet, test: EventSet, about: Mapping[str, object]
) -> Path:
    """Measure a shipped network and write ``<its name>.json`` beside it.

    Parameters
    ----------
    path
        The ``.nir`` file, written already: the simulator reads it from there.
    about
        What the training knows: ``workload, data, seed, cpu_s`` and the command.

    Returns
    -------
    Path
        The JSON file.
    """
    train_batches, test_batches = Batches.of(train, recipe), Batches.of(test, recipe)
    right = simulated_hits(path, recipe, test)
    accuracy = float(right.mean())
    counts = best_on_counts(recipe, train_batches, test_batches, len(train.classes), seed=0)
    record = {
        "schema": "nmbench.provenance/1",
        "network": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **about,
        "recipe": recipe.model_dump(mode="json"),
        "parameters": parameters(net),
        "synapses": synapses(net),
        "train": {"samples": len(train), "sha256": train.sha256()},
        "test": {"samples": len(test), "sha256": test.sha256()},
        "accuracy": {
            "value": accuracy,
            "wilson_95": wilson(int(right.sum()), len(right)),
            "n": len(right),
            "by": f"nmbench.simulator, int{recipe.weight_bits} weights",
        },
        "accuracy_float": accuracy_float(net, test_batches),
        "counts_only": asdict(counts),
        "temporal_gain": accuracy - counts.accuracy,
        "software": {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "determinism": DETERMINISM,
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    target = path.with_suffix(".json")
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return target


def simulated_hits(path: Path, recipe: Recipe, test: EventSet) -> npt.NDArray[np.bool_]:
    """Run the ``.nir`` file on the simulator; bool ``[n]``, true where a test sample is right."""
    graph, sha256 = read_nir(path)
    engine = compile(lower(graph, Dialect(dt=recipe.dt_s), sha256))
    spikes = encode(transforms.apply(test, recipe.transforms), recipe.dt_s, recipe.steps)
    return np.asarray(mean_softmax(engine.run(spikes, threads=1).outputs) == test.labels)


def accuracy_float(net: Net, test: Batches) -> float:
    """Return the share of test samples that the torch model gets right, before folding and rounding."""
    right = 0
    with torch.no_grad():
        for spikes, labels in test.all():
            right += int((log_mean_softmax(net(spikes)[0]).argmax(1) == labels).sum())
    return right / len(test.labels)


def parameters(net: Net) -> int:
    """Count what was learned: synapses that exist, biases, norms and time constants."""
    absent = sum(
        int((layer.synapses.mask == 0).sum())
        for layer in net.stack
        if isinstance(layer.synapses, DenseSynapses)
    )
    return sum(p.numel() for p in net.parameters()) - absent


def synapses(net: Net) -> int:
    """Count the weights that exist, shared ones once."""
    total = net.readout.weight.numel()
    for layer in net.stack:
        exist = layer.synapses
        total += exist.conv.weight.numel() if isinstance(exist, ConvSynapses) else int(exist.mask.sum())
        total += 0 if layer.recurrent is None else layer.recurrent.numel()
    return total
