"""What the peers' scripts share: read a workload, check a peer on it, time it, print one line of JSON.

A script of this folder runs in its peer's own environment, which has NumPy but not nmbench. It calls
`main` with one or several *variants*: ways to write the network in that peer. Each is checked before it
is timed, and only a variant whose spikes are right is timed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

THREADS = int(os.environ.get("BENCH_THREADS", "1"))
"""Threads that this process may use; ``run.py`` gives it as many cores and sets the pools' variables."""

TOLERANCE = 0.01
"""Share of a layer's spikes that a variant may be off by and still be timed: a peer that rounds in another
order (a fused multiply-add, ``v + (x - v)/tau``) puts a few membranes on the other side of the threshold."""

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One layer of the structure, with its weights (see ``exchange.py``)."""

    shape: tuple[int, ...]
    kernel: int
    stride: int
    pool: int
    spiking: bool
    weight: Floats
    recurrent: Floats | None

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Task:
    """A workload as it was written to the file."""

    name: str
    steps: int
    shape: tuple[int, ...]
    beta: float
    samples: int
    layers: tuple[Layer, ...]
    offsets: Counts
    index: npt.NDArray[np.int32]
    spikes: Counts
    readout: Floats

    def row(self, sample: int, step: int) -> npt.NDArray[np.int32]:
        r = sample * self.steps + step
        return self.index[self.offsets[r] : self.offsets[r + 1]]

    def frames(self, batch: int, dtype: type[np.generic] = np.float32) -> npt.NDArray[Any]:
        """Lay the spikes out densely, ``[T, batch, n]``; more samples than there are repeat them."""
        dense = np.zeros((self.steps, batch, int(np.prod(self.shape))), dtype)
        for b in range(batch):
            for t in range(self.steps):
                dense[t, b, self.row(b % self.samples, t)] = 1
        return dense


def read(path: Path) -> Task:
    with np.load(path, allow_pickle=False) as arrays:
        structure = json.loads(str(arrays["structure"]))
        layers = tuple(
            Layer(
                tuple(each["shape"]),
                each["kernel"],
                each["stride"],
                each["pool"],
                each["spiking"],
                arrays[f"w{k}"],
                arrays[f"r{k}"] if each["recurrent"] else None,
            )
            for k, each in enumerate(structure["layers"])
        )
        return Task(
            structure["name"],
            structure["steps"],
            tuple(structure["shape"]),
            structure["beta"],
            structure["samples"],
            layers,
            arrays["offsets"],
            arrays["index"],
            arrays["spikes"],
            arrays["readout"],
        )


@dataclass(frozen=True)
class Variant:
    """One way to write the network in a peer.

    Attributes
    ----------
    load
        Batch -> the input as the peer wants it; not timed.
    run
        Input -> when it returns, the answer is computed; timed.
    outcome
        Input -> spikes of each step and layer ``[B, T, L]`` and last membranes of the readout ``[B, C]``.
    batches
        Batch sizes that make sense for it, None: any.
    own_clock
        ``run`` returns the seconds that count, which leave out what no user would repeat for each sample.
    """

    load: Callable[[int], Any]
    run: Callable[[Any], Any]
    outcome: Callable[[Any], tuple[Counts, Floats]]
    batches: tuple[int, ...] | None = None
    own_clock: bool = False


@dataclass
class Report:
    """What a script prints, as one line of JSON."""

    peer: str
    workload: str
    threads: int
    versions: dict[str, str]
    note: str = ""
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, dict[int, float]] = field(default_factory=dict)  # variant -> batch -> s a batch
    refused: dict[str, str] = field(default_factory=dict)  # variant -> why it cannot run the network

    def print(self) -> None:
        print(json.dumps(self.__dict__), flush=True)


def versions(*packages: str) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in (*packages, "numpy")}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--batches", type=lambda s: tuple(map(int, s.split(","))), default=(1,))
    parser.add_argument("--budget", type=float, default=1.0, help="seconds of repeats for each figure")
    return parser.parse_args()


def compare(task: Task, spikes: Counts, readout: Floats) -> dict[str, Any]:
    """Set what a variant made beside what is expected of the same samples."""
    samples = len(spikes)
    expected, last = task.spikes[:samples], task.readout[:samples]
    off = np.abs(spikes.sum(axis=(0, 1)) - expected.sum(axis=(0, 1))) / np.maximum(
        1, expected.sum(axis=(0, 1))
    )
    return {
        "samples": samples,
        "exact": bool((spikes == expected).all()),
        "spikes": spikes.sum(axis=(0, 1)).tolist(),
        "expected": expected.sum(axis=(0, 1)).tolist(),
        "steps_that_differ": int((spikes != expected).any(axis=2).sum()),
        "steps": int(samples * task.steps),
        "readout_error": float(np.abs(readout - last).max()),
        "accepted": bool((off <= TOLERANCE).all()),
    }


def best(variant: Variant, loaded: Any, budget_s: float) -> float:
    """Return the shortest of the repeats that fit the budget, three at least; two more warm up."""
    variant.run(loaded)
    variant.run(loaded)
    shortest, spent, repeats = float("inf"), 0.0, 0
    while repeats < 3 or spent < budget_s:
        started = time.perf_counter()
        answer = variant.run(loaded)
        took = time.perf_counter() - started
        spent, repeats = spent + took, repeats + 1
        shortest = min(shortest, answer if variant.own_clock else took)
    return shortest


def main(
    peer: str,
    packages: Sequence[str],
    build: Callable[[Task], dict[str, Variant]],
    note: str = "",
    checked: int = 4,
    extra: Callable[[Report, Task, tuple[int, ...], float], None] | None = None,
) -> None:
    """Check and time every variant of a peer on the workload that the command line names.

    ``checked`` samples are compared; ``extra`` adds to the report what is no variant of the same network.
    """
    given = options()
    task = read(given.path)
    report = Report(peer, task.name, THREADS, versions(*packages), note)
    for name, variant in build(task).items():
        samples = min(checked, task.samples) if variant.batches is None else max(variant.batches)
        report.checks[name] = compare(task, *variant.outcome(variant.load(samples)))
        if report.checks[name]["accepted"]:
            report.times[name] = {
                batch: best(variant, variant.load(batch), given.budget)
                for batch in given.batches
                if variant.batches is None or batch in variant.batches
            }
    if extra is not None:
        extra(report, task, given.batches, given.budget)
    report.print()
