"""Train a network that spots words in running audio, and write it with its provenance.

    python -m nmbench.training.spotting running-words --size base --seed 0

Every sixth training voice is held out: the rules that are best on these are printed. Smoothing, threshold and
refractory time of the workload were chosen so, never on the test set.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nmbench import __version__, spotting
from nmbench.datasets import sources, transforms
from nmbench.datasets.encode import encode
from nmbench.datasets.events import EventSet
from nmbench.errors import DataMissing, InputError
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir, write_nir
from nmbench.places import cache_root, data_root
from nmbench.progress import Silence
from nmbench.registry import SUITES
from nmbench.simulator.engine import compile
from nmbench.spec import Spotting, Workload
from nmbench.spotting import Rule
from nmbench.training.export import export
from nmbench.training.fit import Moment, fit
from nmbench.training.recipe import Recipe
from nmbench.training.running import Crops
from nmbench.training.tasks import tasks

SUITE = SUITES / "temporal"
EVERY = 6
"""Of the training voices, one in so many is held out to choose the rule."""
SMOOTHING, THRESHOLDS, REFRACTORY_S = (10, 20, 30, 40), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8), (0.3, 0.5, 0.7)


def main() -> None:
    """Read the command line, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workload")
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--data-path", default=data_root(), type=Path)
    parser.add_argument("--size", default="base")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--out", default=SUITE / "networks", type=Path)
    options = parser.parse_args()
    (task,) = tasks("temporal", options.workload, options.size, options.data)
    workload, recipe = task.workload, task.recipe
    found = sources.load(task.data, ("train", "test"), cache_root(), options.data_path, Silence())
    train, test = found["train"], found["test"]
    apart = np.isin(train.groups, np.unique(train.groups)[::EVERY])
    kept, held_out = (train.take(np.flatnonzero(part)) for part in (~apart, apart))
    net, cpu_s = _fitted(recipe, kept, workload, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{task.name}.nir"
    write_nir(path, export(net, recipe.weight_bits))
    _print_rules(held_out, answers(path, workload, held_out), rule_of(workload))
    about = {
        "workload": workload.name,
        "data": task.key,
        "source": task.data.source,
        "size": options.size,
        "command": f"python -m nmbench.training.spotting {workload.name} --data {task.key} "
        f"--size {options.size} --seed {options.seed}",
        "seed": options.seed,
        "cpu_s": round(cpu_s, 1),
    }
    print(write_provenance(path, workload, recipe, (kept, held_out, test), about))


def _fitted(recipe: Recipe, train: EventSet, workload: Workload, seed: int) -> tuple[Any, float]:
    def tell(moment: Moment) -> None:
        if moment.batch == moment.batches:
            print(
                f"epoch {moment.epoch}/{moment.epochs} loss {moment.loss:.3f} right {moment.accuracy:.3f} "
                f"rate {moment.rate:.3f}, {moment.left_s:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    crops = Crops.cut(train, recipe, seconds_of(workload))
    done = fit(recipe, crops, len(train.classes), seed, listener=tell)
    return done.net, done.cpu_s


def answers(path: Path, workload: Workload, events: EventSet) -> npt.NDArray[np.float32]:
    """Run a network's file on the simulator over whole recordings: ``[B, T, classes]``."""
    graph, sha256 = read_nir(path)
    changed = transforms.apply(events, ((t.name, t.options) for t in workload.transforms))
    spikes = encode(changed, workload.dialect.dt, workload.window.steps)
    return compile(lower(graph, workload.dialect, sha256)).run(spikes, threads=1).outputs


def rule_of(workload: Workload) -> Rule:
    """Return the rule by which a workload's words are spotted.

    Raises
    ------
    InputError
        It spots none.
    """
    if workload.spotting is None or workload.streaming is None:
        raise InputError(workload.name, [f"decision {workload.decision} spots no words"])
    return Rule(workload.spotting, workload.streaming.window_steps, workload.dialect.dt)


def seconds_of(workload: Workload) -> float:
    """Return the length of a recording."""
    return workload.window.steps * workload.dialect.dt


def rules(like: Rule) -> Iterator[Rule]:
    """Yield the rules that are tried; windows and tolerance are the workload's."""
    for steps, threshold, pause in itertools.product(SMOOTHING, THRESHOLDS, REFRACTORY_S):
        chosen = Spotting(
            smoothing_steps=steps, threshold=threshold, refractory_s=pause, late_s=like.spotting.late_s
        )
        yield Rule(chosen, like.window_steps, like.dt_s)


def _print_rules(events: EventSet, outputs: npt.NDArray[np.float32], like: Rule) -> None:
    assert events.marks is not None
    tried = []
    for rule in rules(like):
        scored = spotting.score(spotting.detections(outputs, rule), events.marks, rule)
        found, false, missed = (int(part.sum()) for part in (scored.found, scored.false, scored.missed))
        tried.append((2 * found / (2 * found + false + missed), found, false, missed, rule.spotting))
    for f1, found, false, missed, chosen in sorted(tried, key=lambda row: -row[0])[:10]:
        print(f"F1 {f1:.4f}, {found} found, {false} false, {missed} missed: {chosen}")


def write_provenance(
    path: Path,
    workload: Workload,
    recipe: Recipe,
    sets: tuple[EventSet, EventSet, EventSet],
    about: dict[str, object],
) -> Path:
    """Measure a network's file on the test set by the workload's rule; write its ``.json`` beside it.

    ``sets`` are those trained on, held out and tested on.
    """
    test = sets[2]
    assert test.marks is not None
    rule = rule_of(workload)
    graph, sha256 = read_nir(path)
    network = lower(graph, workload.dialect, sha256)
    scored = spotting.score(spotting.detections(answers(path, workload, test), rule), test.marks, rule)
    by = f"nmbench.simulator, int{recipe.weight_bits} weights"
    found = spotting.metrics(scored, seconds_of(workload), "simulated", by)
    delay_s = (scored.hits.window + 1) * rule.window_s - scored.hits.end_s
    content = recipe.model_dump(mode="json")
    record = {
        "schema": "nmbench.spotting-provenance/1",
        "network": path.name,
        "sha256": sha256,
        **about,
        "recipe": content,
        "recipe_sha256": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        "neurons": network.neurons,
        "synapses": sum(int(np.count_nonzero(p.weight)) for p in network.projections),
        "rule": rule.spotting.model_dump(mode="json"),
        **{
            name: {
                "samples": len(part),
                "words": len([] if part.marks is None else part.marks),
                "sha256": part.sha256(),
            }
            for name, part in zip(("train", "held_out", "test"), sets, strict=True)
        },
        "quality": {m.name: {"value": m.value, "lo": m.lo, "hi": m.hi, "n": m.n} for m in found},
        "detection_delay_s": {"p50": float(np.median(delay_s)), "p90": float(np.quantile(delay_s, 0.9))},
        "by": by,
        "software": {
            "nmbench": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    target = path.with_suffix(".json")
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    try:
        main()
    except (InputError, DataMissing) as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(2)
