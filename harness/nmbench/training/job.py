"""Train one network with all its seeds, and write ``<name>.nir`` and its provenance."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from nmbench import __version__
from nmbench.datasets import sources
from nmbench.datasets.events import EventSet
from nmbench.documents import read_document
from nmbench.errors import InputError
from nmbench.network.nir_file import write_nir
from nmbench.progress import Progress
from nmbench.spikes import SpikeBatch
from nmbench.training.baseline import best_on_counts
from nmbench.training.data import Batches, split_held_out
from nmbench.training.export import export
from nmbench.training.fit import Fitted, Listener, evaluate, fit
from nmbench.training.measure import activity, early_answers, mean, measure, neurons, test_spikes
from nmbench.training.parts import Counted, Key, Trained, finished, write
from nmbench.training.provenance import (
    SCHEMA,
    Accuracy,
    CountsOnly,
    HeldOut,
    Provenance,
    SeedRun,
    Seeds,
    Software,
    Split,
)
from nmbench.training.recipe import Dense
from nmbench.training.size import parameters, synapses
from nmbench.training.tasks import Task

DETERMINISM = (
    "one thread, torch.use_deterministic_algorithms(True): the same bytes on the same torch and processor; "
    "another torch or processor may give another network"
)
NO_LABELS = "its samples have no label each; words are trained by python -m nmbench.training.spotting"
PARTS = "parts"
"""Folder within the output: every seed's network, and what was measured of it."""


@dataclass(frozen=True)
class Place:
    """Where to write, where data lie, and on what to train."""

    out: Path
    cache: Path
    data: Path
    device: str
    command: str


@dataclass(frozen=True, eq=False)
class _Given:
    """The data of a task, hashed and encoded once for all seeds."""

    train: EventSet
    test: EventSet
    spikes: SpikeBatch
    key: Key

    @property
    def splits(self) -> tuple[Split, Split]:
        return (
            Split(samples=len(self.train), sha256=self.key.train_sha256),
            Split(samples=len(self.test), sha256=self.key.test_sha256),
        )


def train(
    task: Task,
    seeds: Sequence[int],
    place: Place,
    progress: Progress,
    listener: Callable[[str], Listener],
) -> Provenance:
    """Train a network with each seed and write the first one's; what is finished is taken as it is.

    Parameters
    ----------
    seeds
        The first one's network is the one that is written as ``<name>.nir``.
    listener
        Makes a listener of a training, given what it is called.

    Raises
    ------
    DataMissing
        If a real set is not there.
    InputError
        If the recipe does not fit the data.
    """
    given = _load(task, place, progress)
    parts = place.out / PARTS
    done = []
    for seed in seeds:
        stem = parts / f"{task.name}-seed{seed}"
        if not finished(stem.with_suffix(".json"), Trained, given.key, progress):
            _train_seed(task, seed, given, place, stem, listener(f"{task.name}, seed {seed}"))
        done.append(read_document(stem.with_suffix(".json"), Trained))
    counts = _counts_only(task, given, parts, progress)
    path = place.out / f"{task.name}.nir"
    shutil.copyfile(parts / f"{task.name}-seed{seeds[0]}.nir", path)
    record = _provenance(task, given, place, done, counts, path)
    write(path.with_suffix(".json"), record)
    return record


def _load(task: Task, place: Place, progress: Progress) -> _Given:
    found = sources.load(task.data, ("train", "test"), place.cache, place.data, progress)
    train, test = found["train"], found["test"]
    if not train.classes or train.marks is not None:
        raise InputError(task.workload.name, [NO_LABELS])
    key = Key(recipe_sha256=task.recipe_sha256, train_sha256=train.sha256(), test_sha256=test.sha256())
    return _Given(train, test, test_spikes(task.workload, test), key)


def _train_seed(task: Task, seed: int, given: _Given, place: Place, stem: Path, listener: Listener) -> None:
    recipe, bits = task.recipe, task.recipe.weight_bits
    kept, apart = given.train, None
    if recipe.held_out is not None:
        kept, apart = split_held_out(given.train, recipe.held_out)
    apart_batches = None if apart is None else Batches.of(apart, recipe)
    classes = len(given.train.classes)
    fitted = fit(recipe, Batches.of(kept, recipe), classes, seed, apart_batches, listener, place.device)
    stem.parent.mkdir(parents=True, exist_ok=True)
    path = stem.with_suffix(".nir")
    sha256 = write_nir(path, export(fitted.net, bits, _metadata(task, seed, given)))
    right = _right(path, task, given)
    coarse = stem.with_name(f"{stem.name}-int4.nir")
    write_nir(coarse, export(fitted.net, 4))
    right_int4 = _right(coarse, task, given)
    coarse.unlink()
    fitted.net.quantise(None)
    n = len(given.test)
    right_float = round(n * evaluate(fitted.net, _test_batches(task, given))[0])
    train_split, test_split = given.splits
    run = SeedRun(
        seed=seed,
        accuracy=right / n,
        accuracy_float=right_float / n,
        accuracy_int4=right_int4 / n,
        cpu_s=round(fitted.cpu_s, 1),
        sha256=sha256,
    )
    record = Trained(
        key=given.key,
        run=run,
        right=right,
        right_float=right_float,
        right_int4=right_int4,
        parameters=parameters(fitted.net),
        synapses=synapses(fitted.net),
        held_out=_held_out(task, fitted, apart),
        train=train_split,
        test=test_split,
        software=_software(task, place.device),
    )
    write(stem.with_suffix(".json"), record)


def _right(path: Path, task: Task, given: _Given) -> int:
    return int(measure(path, task.workload, given.spikes, given.test.labels).right.sum())


def _test_batches(task: Task, given: _Given) -> Batches:
    return Batches.of(given.test, task.recipe.model_copy(update={"steps": task.workload.window.steps}))


def _held_out(task: Task, fitted: Fitted, apart: EventSet | None) -> HeldOut | None:
    if apart is None or fitted.held_out is None or task.recipe.held_out is None:
        return None
    return HeldOut(
        by=task.recipe.held_out.by,
        samples=len(apart),
        best_epoch=fitted.epoch,
        epochs_run=fitted.epochs_run,
        accuracy=fitted.held_out,
    )


def _metadata(task: Task, seed: int, given: _Given) -> dict[str, str]:
    """Return what the NIR file itself says: the dialect, without which it is ambiguous, and its making."""
    return {
        "dialect": json.dumps(task.workload.dialect.model_dump(mode="json"), sort_keys=True),
        "trained_by": f"nmbench {__version__}",
        "workload": task.workload.name,
        "source": task.data.source,
        "recipe_sha256": task.recipe_sha256,
        "train_sha256": given.key.train_sha256,
        "seed": str(seed),
    }


def _software(task: Task, device: str) -> Software:
    return Software(
        nmbench=__version__,
        torch=torch.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
        products=task.recipe.products,
        device=device,
    )


def _counts_only(task: Task, given: _Given, parts: Path, progress: Progress) -> CountsOnly:
    path = parts / f"{task.workload.name}-{task.key}-counts.json"
    # the data and their augmentation alone: every size has the same
    key = given.key.model_copy(update={"recipe_sha256": _augment_sha256(task)})
    if not finished(path, Counted, key, progress):
        progress.note(f"{task.workload.name}: models on event counts alone")
        train, test = Batches.of(given.train, task.recipe), _test_batches(task, given)
        best = best_on_counts(task.recipe, train, test, len(given.train.classes), seed=0)
        write(path, Counted(key=key, counts_only=best))
    return read_document(path, Counted).counts_only


def _augment_sha256(task: Task) -> str:
    recipe = task.recipe
    content = [recipe.augment.model_dump(mode="json"), recipe.batch, recipe.steps]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _provenance(
    task: Task, given: _Given, place: Place, done: Sequence[Trained], counts: CountsOnly, path: Path
) -> Provenance:
    first, n, bits = done[0], len(given.test), task.recipe.weight_bits
    measured = measure(path, task.workload, given.spikes, given.test.labels)
    layer = task.recipe.layers[0]
    seeds = _seeds([part.run for part in done])
    return Provenance(
        schema_=SCHEMA,
        network=path.name,
        sha256=first.run.sha256,
        workload=task.workload.name,
        data=task.key,
        source=task.data.source,
        options=dict(task.data.options),
        size=task.size,
        command=place.command,
        seed=first.run.seed,
        cpu_s=first.run.cpu_s,
        recipe=task.recipe,
        recipe_sha256=task.recipe_sha256,
        parameters=first.parameters,
        synapses=first.synapses,
        neurons=neurons(measured.network),
        train=first.train,
        test=first.test,
        held_out=first.held_out,
        accuracy=Accuracy.of(int(measured.right.sum()), n, f"nmbench.simulator, int{bits} weights"),
        accuracy_float=Accuracy.of(first.right_float, n, "torch, float32 weights"),
        accuracy_int4=Accuracy.of(
            first.right_int4, n, "nmbench.simulator, int4 weights, rounded after training"
        ),
        seeds=seeds,
        counts_only=counts,
        temporal_gain=seeds.mean - counts.accuracy,
        early_answer=early_answers(measured, task.workload, given.test.labels),
        activity=activity(
            measured, given.test, task.workload, len(layer.delays) if isinstance(layer, Dense) else None
        ),
        software=first.software,
        determinism=DETERMINISM,
        written=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def _seeds(runs: Sequence[SeedRun]) -> Seeds:
    accuracies = [run.accuracy for run in runs]
    return Seeds(
        runs=tuple(runs),
        mean=mean(accuracies),
        sd=float(np.std(accuracies, ddof=1)) if len(runs) > 1 else None,
        mean_float=mean([run.accuracy_float for run in runs]),
        mean_int4=mean([run.accuracy_int4 for run in runs]),
    )
