"""NEST on the cortical microcircuit, drawn by NEST itself from the same rules."""

from __future__ import annotations

import time

import nest
from microcircuit import by_population, compare, finish, memory_gib, read
from nest_rules import build, neuron_ids
from protocol import THREADS, Report, options, versions


def main() -> None:
    task = read(options().path)
    nest.set_verbosity("M_ERROR")
    before_gib, started = memory_gib("VmRSS"), time.perf_counter()
    populations, recorder = build(nest, task.recipe | {"threads": THREADS})
    nest.Prepare()
    build_s = time.perf_counter() - started
    nest.Run(task.recipe["warmup_ms"])
    started = time.perf_counter()
    nest.Run(task.recipe["duration_ms"])
    wall_s = time.perf_counter() - started
    spikes = by_population(task, neuron_ids(populations, recorder.events["senders"]))
    biological_s = task.recipe["duration_ms"] / 1000
    peak_gib = memory_gib("VmHWM")
    check = compare(task, spikes, biological_s) | {
        "biological_s": biological_s,
        "build_s": build_s,
        "peak_gib": peak_gib,
        "bytes_per_synapse": (peak_gib - before_gib) * 2**30 / task.synapses,
    }
    note = "float64; draws its own network from the same rules"
    report = Report("NEST", task.name, THREADS, versions("nest-simulator"), note)
    finish(report, "event-driven", check, wall_s)


if __name__ == "__main__":
    main()
