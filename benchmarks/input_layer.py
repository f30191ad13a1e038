"""What the thinned input layer of a reference network costs in accuracy, and saves in synaptic events.

    python benchmarks/input_layer.py fsdd [--seed 0] [--out input_layer.json]

Trains the plain form of the base recipe (a synapse for every pair of neurons and every delay, none pruned;
all else is equal) and stands it beside the shipped network. Events are counted by nmbench's simulator.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from nmbench.datasets import sources
from nmbench.network.nir_file import write_nir
from nmbench.places import cache_root, data_root
from nmbench.progress import Silence
from nmbench.training.data import Batches, split_held_out
from nmbench.training.export import export
from nmbench.training.fit import fit
from nmbench.training.measure import activity, measure, test_spikes
from nmbench.training.provenance import read_provenance
from nmbench.training.recipe import Recipe
from nmbench.training.tasks import Task, tasks


def main() -> None:
    """Train, measure, print both and write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workload")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--data-path", default=data_root(), type=Path)
    parser.add_argument("--shipped", type=Path, help="folder of the shipped network (the suite's)")
    parser.add_argument("--out", default=Path("input_layer.json"), type=Path)
    options = parser.parse_args()
    (task,) = tasks("temporal", options.workload, "base", None)
    folder = options.shipped or task.shipped.parent
    shipped = read_provenance(folder / f"{task.name}.json")
    ours = {
        "form": "shipped",
        "accuracy": shipped.seeds.runs[0].accuracy,
        "input_synaptic_events": shipped.activity.layers[0].feed_forward,
        "synaptic_events": shipped.activity.synaptic_events,
        "synapses": shipped.synapses,
    }
    rows = [ours, plain(task, options.seed, options.data_path)]
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(row)


def plain(task: Task, seed: int, root: Path) -> dict[str, object]:
    """Train the plain form and count its events."""
    recipe = plain_recipe(task.recipe)
    sets = sources.load(task.data, ("train", "test"), cache_root(), root, Silence())
    train, test = sets["train"], sets["test"]
    apart = None
    if recipe.held_out is not None:
        train, apart = split_held_out(train, recipe.held_out)
    held_out = None if apart is None else Batches.of(apart, recipe)
    net = fit(recipe, Batches.of(train, recipe), len(train.classes), seed, held_out).net
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.nir"
        write_nir(path, export(net, recipe.weight_bits))
        measured = measure(path, task.workload, test_spikes(task.workload, test), test.labels)
    counted = activity(measured, test, task.workload, None)
    return {
        "form": "plain",
        "accuracy": float(measured.right.mean()),
        "input_synaptic_events": counted.layers[0].feed_forward,
        "synaptic_events": counted.synaptic_events,
        "synapses": sum(int((p.weight != 0).sum()) for p in measured.network.projections),
    }


def plain_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe with a synapse for every pair and delay in the first layer, none of them pruned."""
    content = recipe.model_dump(mode="json")
    content["layers"][0] |= {"taps": "every", "density": 1.0}
    if all(layer.get("density", 1.0) == 1.0 for layer in content["layers"]):
        content["prune_epochs"] = None
    return Recipe.model_validate(content)


if __name__ == "__main__":
    main()
