"""Make the reference statistics of the cortical microcircuit: ``python benchmarks/sparse_reference.py``.

NEST draws the network from the same rules, with several seeds; quantiles of the rates, CVs and correlations
of each population go to ``workloads/scaling/reference/``, so that tests need no NEST. Runs that are there
are kept: with more ``--seeds`` only the new ones are made.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nmbench.network.microcircuit import microcircuit, read_microcircuit
from nmbench.network.sparse import FixedTotal, SparseNetwork
from nmbench.spiketrains import population_statistics

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "workloads" / "scaling" / "reference"
QUANTILES = 200
WARMUP_MS = 500.0


def recipe(network: SparseNetwork, seed: int, threads: int, duration_ms: float) -> dict[str, Any]:
    """What `peers/nest_rules.py` reads."""
    populations = [
        {
            "name": p.name,
            "size": p.size,
            "model": "iaf_psc_exp" if p.neuron.synapse == "exponential" else "iaf_psc_delta",
            "parameters": nest_parameters(p.neuron, p.drive.current_pa),
            "v0_mv": {"mean": p.v0_mv.mean, "sd": p.v0_mv.sd},
            "rate_hz": p.drive.rate_hz,
            "outer_weight": p.drive.weight,
        }
        for p in network.populations
    ]
    projections = [
        {
            "source": q.source,
            "target": q.target,
            "rule": {"rule": "fixed_total_number", "N": q.rule.synapses}
            if isinstance(q.rule, FixedTotal)
            else {"rule": "fixed_indegree", "indegree": q.rule.sources},
            "weight": {"mean": q.weight.mean, "sd": q.weight.sd},
            "delay_ms": {"mean": q.delay_ms.mean, "sd": q.delay_ms.sd},
        }
        for q in network.projections
    ]
    return {
        "dt_ms": network.dt_ms,
        "seed": seed,
        "threads": threads,
        "warmup_ms": WARMUP_MS,
        "duration_ms": duration_ms,
        "populations": populations,
        "projections": projections,
    }


def nest_parameters(neuron: Any, current_pa: float) -> dict[str, float]:
    """A neuron's constants by NEST's names."""
    named = {
        "tau_m": neuron.tau_m_ms,
        "C_m": neuron.c_m_pf,
        "E_L": neuron.e_l_mv,
        "V_th": neuron.v_th_mv,
        "V_reset": neuron.v_reset_mv,
        "t_ref": neuron.t_ref_ms,
        "I_e": current_pa,
    }
    if neuron.synapse == "exponential":
        named |= {"tau_syn_ex": neuron.tau_syn_ms, "tau_syn_in": neuron.tau_syn_ms}
    return named


def quantiles(values: np.ndarray) -> list[float]:
    """Values at equal steps of probability: enough to tell distributions apart to half a percent."""
    return [float(f"{v:.5g}") for v in np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--python", default=HERE.parent / ".venvs" / "nest" / "bin" / "python", type=Path)
    options.add_argument("--scale", default=0.2, type=float)
    options.add_argument("--seeds", default=5, type=int)
    options.add_argument("--threads", default=2, type=int)
    options.add_argument("--duration-ms", default=10_000.0, type=float)
    given = options.parse_args()
    network = microcircuit(read_microcircuit(), given.scale, given.scale)
    sizes = [p.size for p in network.populations]
    path = REFERENCE / f"microcircuit-{given.scale:g}.json"
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"runs": []}
    runs, version = document["runs"], document.get("simulator", "NEST").removeprefix("NEST ")
    for seed in range(len(runs) + 1, given.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.json", Path(folder) / "out.npz"
            source.write_text(json.dumps(recipe(network, seed, given.threads, given.duration_ms)))
            command = [given.python, HERE / "peers" / "nest_rules.py", source, target]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found = np.load(target)
            order = np.argsort(found["times_ms"], kind="stable")
            times_ms, ids, version = found["times_ms"][order], found["ids"][order], str(found["version"])
            print(
                f"seed {seed}: build {found['build_s']:.1f} s, run {found['run_s']:.1f} s, {ids.size} spikes"
            )
        statistics = population_statistics(times_ms, ids, sizes, given.duration_ms)
        runs.append(
            {
                "seed": seed,
                "build_s": round(float(found["build_s"]), 1),
                "run_s": round(float(found["run_s"]), 1),
                "populations": {
                    p.name: {
                        "mean_rate_hz": float(f"{own.rates_hz.mean():.6g}"),
                        "rates_hz": quantiles(own.rates_hz),
                        "cvs": quantiles(own.cvs),
                        "correlations": quantiles(own.correlations),
                    }
                    for p, own in zip(network.populations, statistics, strict=True)
                },
            }
        )
        document |= {
            "made_by": "benchmarks/sparse_reference.py",
            "simulator": f"NEST {version}",
            "scale": given.scale,
            "warmup_ms": WARMUP_MS,
            "duration_ms": given.duration_ms,
            "quantiles": QUANTILES,
            "runs": runs,
        }
        REFERENCE.mkdir(exist_ok=True)
        # after each seed: a run at full scale takes a quarter of an hour
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
