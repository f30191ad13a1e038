"""Whether `gesture` needs memory: what a 250-ms window, event counts and the whole clip can do.

    python benchmarks/gesture_hardness.py                        # bounds, counts, windows, shipped networks
    python benchmarks/gesture_hardness.py --only bounds,shipped  # seconds

Bounds are of an observer without a fault. Networks on a window are the reference network's structure, trained
anew on windows of 250 ms: one network for each position (it knows which it is), and one for windows at random
positions, tested at every position; the best of all is the figure. One thread; needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from nmbench.datasets import sources
from nmbench.datasets.events import EventSet, event_set
from nmbench.datasets.vision.gesture_score import CLASSES
from nmbench.places import cache_root, data_root
from nmbench.registry import SUITES, read_workload
from nmbench.spec import Workload
from nmbench.training.baseline import best_on_counts
from nmbench.training.data import Batches
from nmbench.training.fit import evaluate, fit
from nmbench.training.measure import measure, test_spikes
from nmbench.training.recipe import Recipe
from nmbench.training.tasks import read_recipe

SUITE = SUITES / "temporal"
WINDOW_US, WINDOW_STEPS = 250_000, 10
PARTS = ("bounds", "counts", "windows", "shipped")


class Quiet:
    """A listener that says nothing of progress."""

    def step(self, task: str, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)


def bound(seen: Iterable[object]) -> float:
    """Return the best accuracy of who sees this of each class (all equally likely), and nothing else."""
    return len(Counter(seen)) / len(CLASSES)


def bounds() -> dict[str, float]:
    """Return the accuracy of observers without a fault, by what they see."""
    strokes = []
    for name in CLASSES:
        first, _, second, tempo = name.split("_")
        speeds = ("slow", "quick") if tempo == "quickening" else ("quick", "slow")
        strokes.append(((first, speeds[0]), (second, speeds[1])))
    return {
        "a window with the first stroke, its place and speed": bound(one for one, _ in strokes),
        "a window with the second stroke, its place and speed": bound(two for _, two in strokes),
        "a window with neither": bound(None for _ in strokes),
        "counts: which strokes": bound(frozenset((one[0], two[0])) for one, two in strokes),
        "both strokes without speeds": bound((one[0], two[0]) for one, two in strokes),
    }


def windows(events: EventSet, starts_us: npt.NDArray[np.int64]) -> EventSet:
    """Cut one window out of each sample and count time from its start."""
    samples = []
    for sample, start in zip(events, starts_us, strict=True):
        inside = sample[(sample["t"] >= start) & (sample["t"] < start + WINDOW_US)].copy()
        inside["t"] -= np.uint32(start)
        samples.append(inside)
    return event_set(
        events.name, events.sensor, samples, events.labels, events.groups, events.classes, events.synthetic
    )


def window_recipe(recipe: Recipe, epochs: int) -> Recipe:
    """Return the reference recipe for windows: the same layers, finer steps, nothing moved in time."""
    still = {"stretch": 0.0, "offset_s": 0.0, "jitter_s": 0.0, "mask_s": 0.0}
    return recipe.model_copy(
        update={
            "dt_s": WINDOW_US / WINDOW_STEPS / 1e6,
            "steps": WINDOW_STEPS,
            "epochs": epochs,
            "quantised_epochs": 0,
            "prune_epochs": None,
            "held_out": None,
            "augment": recipe.augment.model_copy(update=still),
        }
    )


def on_windows(
    recipe: Recipe, train: EventSet, test: EventSet, positions_ms: Sequence[int], copies: int
) -> None:
    """Train on windows and print the accuracy at every position."""

    def all_at(events: EventSet, start_ms: int) -> Batches:
        return Batches.of(windows(events, np.full(len(events), start_ms * 1000)), recipe)

    many = train.take(np.tile(np.arange(len(train)), copies))
    starts = np.random.default_rng(0).integers(0, 2_400_000 - WINDOW_US, len(many))
    anywhere = fit(recipe, Batches.of(windows(many, starts), recipe), len(CLASSES), 0).net
    for at in positions_ms:
        test_batches = all_at(test, at)
        knowing = fit(recipe, all_at(train, at), len(CLASSES), 0).net
        here, there = (evaluate(net, test_batches)[0] for net in (knowing, anywhere))
        print(f"window from {at} ms: {here:.3f} trained here, {there:.3f} trained anywhere", flush=True)


def on_shipped(workload: Workload, test: EventSet) -> None:
    """Print what the shipped networks do on the whole clip, by the simulator."""
    spikes = test_spikes(workload, test)
    for size, path in workload.data["synthetic"].networks.items():
        right = measure(SUITE / path, workload, spikes, test.labels).right
        print(f"shipped {size}: {right.mean():.3f}", flush=True)


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    parser.add_argument("--positions", default="200,400,600,800,1000,1200,1400,1600,1800,2000", help="ms")
    parser.add_argument("--epochs", default=20, type=int, help="of the networks on windows")
    parser.add_argument("--copies", default=3, type=int, help="windows anywhere of each training sample")
    parser.add_argument("--cache", default=cache_root(), type=Path)
    asked = parser.parse_args()
    wanted = asked.only.split(",")
    torch.set_num_threads(1)
    if "bounds" in wanted:
        for what, share in bounds().items():
            print(f"bound, {what}: {share:.3f}")
    workload = read_workload(SUITE / "gesture.yaml")
    made = sources.load(workload.data["synthetic"], ("train", "test"), asked.cache, data_root(), Quiet())
    train, test = made["train"], made["test"]
    print(f"events a sample: {np.diff(test.offsets).mean():.0f}; {len(train)} + {len(test)} samples")
    recipe = read_recipe(SUITE / "recipes" / "gesture-base.yaml", workload)
    started = time.process_time()
    if "shipped" in wanted:
        on_shipped(workload, test)
    if "counts" in wanted:
        pair = Batches.of(train, recipe), Batches.of(test, recipe)
        print(f"counts alone: {best_on_counts(recipe, *pair, len(CLASSES), 0)}", flush=True)
    if "windows" in wanted:
        positions = [int(at) for at in asked.positions.split(",")]
        on_windows(window_recipe(recipe, asked.epochs), train, test, positions, asked.copies)
    print(f"{time.process_time() - started:.0f} s of CPU time")


if __name__ == "__main__":
    main()
