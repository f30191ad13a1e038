"""How well the fsdd network knows a voice that it never heard: one of six speakers left out in turn.

    python benchmarks/unseen_speakers.py [--size base] [--seed 0] [--counts] [--out unseen_speakers.json]

Each training has the recipe of the shipped network, but for the samples that choose the epoch: these are of
another speaker than the one left out, as the test asks for. Finished speakers are not trained again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nmbench.datasets import sources
from nmbench.places import cache_root, data_root
from nmbench.progress import Silence
from nmbench.spec import Data
from nmbench.stats import wilson
from nmbench.training.baseline import best_on_counts
from nmbench.training.data import Batches, split_held_out
from nmbench.training.fit import evaluate, fit
from nmbench.training.recipe import HeldOutRecipe, Recipe
from nmbench.training.tasks import tasks

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
SCHEMA = "nmbench.unseen-speakers/1"


def main() -> None:
    """Train without each speaker, test on this one, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="base")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--counts", action="store_true", help="train models on event counts alone, too")
    parser.add_argument("--data-path", default=data_root(), type=Path)
    parser.add_argument("--out", default=Path("unseen_speakers.json"), type=Path)
    options = parser.parse_args()
    (task,) = tasks("temporal", "fsdd", options.size, None)
    apart = HeldOutRecipe(by="group", share=0.2)
    recipe = Recipe.model_validate(task.recipe.model_dump() | {"held_out": apart.model_dump()})
    head = {"schema": SCHEMA, "recipe": recipe.model_dump(mode="json"), "seed": options.seed}
    found: dict[str, dict[str, object]] = {}
    if options.out.is_file():
        there = json.loads(options.out.read_text(encoding="utf-8"))
        if all(there[key] == json.loads(json.dumps(value)) for key, value in head.items()):
            found = there["speakers"]
    for speaker in SPEAKERS:
        if speaker not in found:
            found[speaker] = unseen(speaker, task.data, recipe, options)
            values = [float(str(one["accuracy"])) for one in found.values()]
            record = head | {"speakers": found, "mean": sum(values) / len(values)}
            options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(speaker, found[speaker], flush=True)
    print(f"mean of {len(found)}: {json.loads(options.out.read_text(encoding='utf-8'))['mean']:.4f}")


def unseen(speaker: str, data: Data, recipe: Recipe, options: argparse.Namespace) -> dict[str, object]:
    """Train without a speaker; return the accuracy on this one's recordings, on the int8 grid."""
    chosen = data.model_copy(update={"options": {**data.options, "unseen_speaker": speaker}})
    seed: int = options.seed
    sets = sources.load(chosen, ("train", "test"), cache_root(), options.data_path, Silence())
    assert recipe.held_out is not None
    kept, apart = split_held_out(sets["train"], recipe.held_out)
    classes = len(sets["train"].classes)
    made = fit(recipe, Batches.of(kept, recipe), classes, seed, Batches.of(apart, recipe))
    test = Batches.of(sets["test"], recipe)
    accuracy = evaluate(made.net, test)[0]
    n = len(sets["test"])
    counts = None
    if options.counts:
        counts = best_on_counts(recipe, Batches.of(sets["train"], recipe), test, classes, seed).accuracy
    return {
        "accuracy": accuracy,
        "wilson_95": wilson(round(accuracy * n), n),
        "n": n,
        "counts_only": counts,
        "held_out": made.held_out,
        "epoch": made.epoch,
        "cpu_s": round(made.cpu_s, 1),
    }


if __name__ == "__main__":
    main()
