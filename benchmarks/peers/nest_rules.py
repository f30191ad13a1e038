"""Run a sparse network in NEST, drawn by NEST from the same rules: for comparisons of statistics.

Runs in NEST's own environment and imports nothing of nmbench: ``python nest_rules.py IN.json OUT.npz``. The
input is `sparse_reference.recipe`'s; the output lists the spikes after the warm-up.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def main(source: str, target: str) -> None:
    import nest

    given = json.loads(Path(source).read_text(encoding="utf-8"))
    started = time.perf_counter()
    populations, recorder = build(nest, given)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(given["warmup_ms"] + given["duration_ms"])
    ran = time.perf_counter()
    events = recorder.events
    np.savez(
        target, times_ms=events["times"] - given["warmup_ms"], ids=neuron_ids(populations, events["senders"]),
        build_s=built - started, run_s=ran - built, version=nest.__version__,
    )  # fmt: skip


def build(nest, given):
    """Create and connect what the recipe says; return the populations, and a recorder of all spikes."""
    dt_ms = given["dt_ms"]
    nest.ResetKernel()
    nest.SetKernelStatus(
        {"resolution": dt_ms, "local_num_threads": given["threads"], "rng_seed": given["seed"]}
    )
    populations = {}
    for own in given["populations"]:
        made = nest.Create(own["model"], own["size"], params=own["parameters"])
        made.V_m = nest.random.normal(own["v0_mv"]["mean"], own["v0_mv"]["sd"])
        if own["rate_hz"]:
            noise = nest.Create("poisson_generator", params={"rate": own["rate_hz"]})
            nest.Connect(noise, made, syn_spec={"weight": own["outer_weight"], "delay": 1.5})
        populations[own["name"]] = made
    for sign in ("ex", "in"):  # NEST limits connections per thread and synapse model
        nest.CopyModel("static_synapse", f"static_{sign}")
    for own in given["projections"]:
        nest.Connect(
            populations[own["source"]],
            populations[own["target"]],
            own["rule"],
            {
                "synapse_model": "static_ex" if own["weight"]["mean"] >= 0 else "static_in",
                "weight": _weight(nest, own["weight"]),
                "delay": _delay(nest, own["delay_ms"], dt_ms),
            },
        )
    recorder = nest.Create("spike_recorder", params={"start": given["warmup_ms"]})
    for made in populations.values():
        nest.Connect(made, recorder)
    return populations, recorder


def neuron_ids(populations, senders):
    """Return the neurons of spikes, numbered from 0 on, population after population."""
    ids = np.concatenate([np.array(made.tolist()) for made in populations.values()])
    return np.searchsorted(ids, senders)


def _weight(nest, spread):
    if not spread["sd"]:
        return spread["mean"]
    low, high = (0.0, np.inf) if spread["mean"] >= 0 else (-np.inf, 0.0)
    return nest.math.redraw(nest.random.normal(spread["mean"], spread["sd"]), min=low, max=high)


def _delay(nest, spread, dt_ms):
    if not spread["sd"]:
        return spread["mean"]
    # from half a step on a delay rounds to one step or more
    return nest.math.redraw(nest.random.normal(spread["mean"], spread["sd"]), min=0.5 * dt_ms, max=np.inf)


if __name__ == "__main__":
    main(*sys.argv[1:])
