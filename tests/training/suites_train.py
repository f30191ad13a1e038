"""A suite in miniature for trainings: ten kinds of digits, five of each, and a network of few neurons."""

from __future__ import annotations

from pathlib import Path

from suites import SUITE
from suites import WORKLOAD as RUN

WORKLOAD = RUN.replace(
    "    networks: {base: base.nir}\n  real:",
    "    networks: {small: networks/digits-small.nir, base: networks/digits-base.nir}\n  real:",
).replace("{base: base.nir}", "{base: networks/digits-base.nir}")

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
