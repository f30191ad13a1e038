"""What the vector engine runs, and on which processors."""

from __future__ import annotations

import dataclasses

import llvmlite.binding as llvm
import numpy as np

from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Network, Projection

NEEDED = ("avx512f", "avx512bw", "avx512dq", "avx512vl")
MODELS = {"CubaLIF", "CubaLI", "LIF", "LI", "IF", "I", "Threshold"}
SWITCHES = {
    "dt",  # in the coefficients
    "integrator",
    "order",
    "tie",
    "reset",
    "recurrent_delay",  # in the projections' delays
    "recurrent_bias_at_t0",  # in the dynamics' early biases
    "output_delay",
    "v_floor",
}
"""Switches of the dialect that are known here, at all their values."""

FIELDS = {
    *("name", "source", "target", "kind", "weight", "stride", "padding", "delay"),
    *("dilation", "groups", "source_map", "target_map", "macs"),
}
"""Fields of a projection that are known here."""

DYNAMICS = {
    *("syn_decay", "syn_gain", "mem_decay", "mem_gain", "leak", "bias"),
    *("threshold", "v_reset", "spiking", "resets"),
}
"""Fields of a population's dynamics that are known here."""

MOST_BYTES = 2**30
"""Dense weights larger than this are left to engines that keep only the synapses that are there."""


def lacking() -> str | None:
    """Return what this processor lacks, None if nothing."""
    features = llvm.get_host_cpu_features()
    missing = [name for name in NEEDED if not features.get(name, False)]
    return f"this processor lacks {', '.join(missing)}" if missing else None


def uncovered(network: Network) -> str | None:
    """Return what of a network is not covered, None if it is covered whole."""
    for name, field in Dialect.model_fields.items():
        if name == "rereset" and network.dialect.reset == "to_v_reset":
            continue  # a reset to a potential never leaves a neuron above its threshold for another
        if name not in SWITCHES and getattr(network.dialect, name) != field.default:
            return f"dialect.{name} {getattr(network.dialect, name)!r}"
    for population in network.populations[1:]:
        if population.model not in MODELS or population.dynamics is None:
            return f"{population.name}: model {population.model}"
        fault = _unknown(population.dynamics, DYNAMICS)
        if fault:
            return f"{population.name}: {fault}"
    size = 0
    for projection in network.projections:
        fault = _uncovered(network, projection)
        if fault:
            return f"{projection.name}: {fault}"
        if projection.kind == "dense":
            size += 4 * projection.weight.size
    return f"{size / 2**30:.1f} GiB of dense weights" if size > MOST_BYTES else None


def _uncovered(network: Network, projection: Projection) -> str | None:
    if projection.kind not in ("dense", "conv2d"):
        return f"synapses of kind {projection.kind}"
    if projection.delay == 0 and projection.source >= projection.target:
        return "goes backward without a delay"
    if projection.kind == "conv2d" and any(len(m) != 3 for m in network.maps(projection)):
        return "a convolution between what are no maps"
    return _unknown(projection, FIELDS)


def _unknown(record: Dynamics | Projection, known: set[str]) -> str | None:
    """Return what stands in a field that is younger than this engine, unless it is the default."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name not in known and value != field.default:
            return f"{field.name} {value!r}"
    return None


SPARSE_BELOW = 0.03
"""Density below which scattering through indices beats adding whole rows."""


def too_sparse(network: Network) -> str | None:
    """Name a projection for whose few synapses whole rows are a waste, None if there is none."""
    for projection in network.projections:
        density = np.count_nonzero(projection.weight) / max(projection.weight.size, 1)
        if projection.kind == "dense" and projection.weight.size > 2**16 and density < SPARSE_BELOW:
            return f"{projection.name}: density {density:.3f}, rows pay from {SPARSE_BELOW}"
    return None
