"""A suite in miniature for tests: real code on few samples, a network without training."""

from __future__ import annotations

from pathlib import Path

import nir
import numpy as np

from nmbench.network.nir_file import write_nir

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
    networks: {base: base.nir}
  real:
    source: nmnist
    licence: CC BY-SA 4.0
    networks: {base: base.nir}
transforms:
  - {name: pool, options: {x: 2, y: 2}}
window: {steps: 6}
dialect: {dt: 0.005}
decision: mean_softmax
quality: {metric: accuracy, target: 0.01}
scenarios: [SingleStream, MultiStream, Server, Offline, Streaming]
server: {latency_bound_s: 0.1}
streaming: {window_steps: 3}
"""


def write_suite(folder: Path, workload: str = WORKLOAD, suite: str = SUITE) -> Path:
    """Write the suite into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(suite)
    (folder / "digits.yaml").write_text(workload)
    write_nir(folder / "base.nir", network())
    return folder


def network() -> nir.NIRGraph:
    """Return 2x17x17 inputs -> 20 CubaLIF -> 10 LI with random weights on a grid."""
    rng = np.random.default_rng(0)
    dt, ones = 0.005, np.ones(20)
    grid = 2.0**-5
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(input_type={"input": np.array([2, 17, 17])}),
            "flatten": nir.Flatten(input_type={"input": np.array([2, 17, 17])}, start_dim=0, end_dim=-1),
            "w1": nir.Linear(weight=grid * rng.integers(-8, 12, (20, 578)).astype(np.float32)),
            "hidden": nir.CubaLIF(
                tau_syn=0.005 * ones,
                tau_mem=0.02 * ones,
                r=ones,
                v_leak=0 * ones,
                v_threshold=ones,
                v_reset=0 * ones,
                w_in=ones * 0.005 / dt,
            ),
            "w2": nir.Linear(weight=grid * rng.integers(-8, 9, (10, 20)).astype(np.float32)),
            "readout": nir.LI(tau=0.02 * np.ones(10), r=np.ones(10), v_leak=np.zeros(10)),
            "output": nir.Output(output_type={"output": np.array([10])}),
        },
        edges=[
            ("input", "flatten"),
            ("flatten", "w1"),
            ("w1", "hidden"),
            ("hidden", "w2"),
            ("w2", "readout"),
            ("readout", "output"),
        ],
    )
