"""A suite in miniature for trainings: ten kinds of digits, five of each, and a network of few neurons."""

from __future__ import annotations

from pathlib import Path

SUITE = """\
schema: nmbench.suite/1
name: tiny
version: 1
title: A suite in miniature
summary: For tests.
workloads: [digits]
"""

WORKLOAD = """\
schema: nmbench.workload/1
name: digits
version: 1
title: Few digits
summary: For tests.
modality: vision
temporal: false
data:
  synthetic:
    source: digits-saccade
    licence: generated
    options: {limit: 5, saccade_us: 10000}
    networks: {small: networks/digits-small.nir, base: networks/digits-base.nir}
  real:
    source: nmnist
    licence: CC BY-SA 4.0
    networks: {base: networks/digits-base.nir}
transforms:
  - {name: pool, options: {x: 2, y: 2}}
window: {steps: 6}
dialect: {dt: 0.005}
decision: mean_softmax
quality: {metric: accuracy, target: 0.01}
scenarios: [SingleStream]
"""

RECIPE = """\
layers:
  - {kind: dense, units: UNITS, delays: [0, 1, 2], taps: one_at_random, density: 0.5, recurrent: true}
tau_syn_s: [0.003, 0.02]
tau_mem_s: [0.005, 0.02]
tau_readout_s: 0.05
epochs: 6
quantised_epochs: 3
prune_epochs: [1, 3]
held_out: {by: sample, share: 0.25}
batch: 8
learning_rate: 0.01
"""


def write_suite(folder: Path) -> Path:
    """Write a suite whose networks are not there yet, and return its folder."""
    (folder / "recipes").mkdir(parents=True)
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "digits.yaml").write_text(WORKLOAD)
    for size, units in (("small", 8), ("base", 16)):
        (folder / "recipes" / f"digits-{size}.yaml").write_text(RECIPE.replace("UNITS", str(units)))
    return folder
