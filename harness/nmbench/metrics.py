"""From a platform's answers to metrics: decisions, accuracy, energy, latency, and NeuroBench's columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.cost import Cost, breakdown
from nmbench.energy.uncertainty import Spread, What
from nmbench.network.network import Network
from nmbench.quantity import NESTED, Boundary, Kind
from nmbench.record import Metric
from nmbench.stats import percentile, percentile_interval, wilson

Outputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

LEAST_SHARE = 0.01

PERCENTILES: Mapping[str, float] = {"latency_p50": 0.5, "latency_p90": 0.9}


def mean_softmax(outputs: Outputs) -> Labels:
    """Decide for the class with the largest time mean of the softmax over ``[B, T, classes]``."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=2, keepdims=True)
    weights = np.exp(shifted)
    return np.asarray(
        (weights / weights.sum(axis=2, keepdims=True)).mean(axis=1).argmax(axis=1), dtype=np.int64
    )


def spike_count(outputs: Outputs) -> Labels:
    """Decide for the class whose neuron spiked most; the lower index wins a tie."""
    return np.asarray(outputs.sum(axis=1).argmax(axis=1), dtype=np.int64)


DECISIONS: Mapping[str, Callable[[Outputs], Labels]] = {
    "mean_softmax": mean_softmax,
    "spike_count": spike_count,
}


def accuracy(decided: Labels, labels: Labels, kind: Kind, source: str) -> Metric:
    """Share of right decisions with its Wilson 95 % interval."""
    right, n = int((decided == labels).sum()), len(labels)
    lo, hi = wilson(right, n)
    return Metric(name="accuracy", unit="1", kind=kind, value=right / n, lo=lo, hi=hi, n=n, source=source)


def measured_latency(seconds: list[float], boundary: Boundary, source: str) -> list[Metric]:
    """Percentiles of timed queries; the raw repetitions stand with the last of them."""
    found = []
    for name, p in PERCENTILES.items():
        lo, hi = percentile_interval(seconds, p)
        raw = tuple(seconds) if name == "latency_p90" else None
        found.append(
            Metric(
                name=name,
                unit="s",
                kind="measured",
                boundary=boundary,
                value=percentile(seconds, p),
                lo=lo,
                hi=hi,
                n=len(seconds),
                samples=raw,
                source=source,
            )
        )
    return found


def modelled_cost(cost: Cost, source: str, spreads: Mapping[What, Spread]) -> list[Metric]:
    """Energy and latency at each boundary that the model states, each with its terms and its 90 % interval.

    Where ``spreads`` has none for a number, the interval is the model's own factor.
    """
    found = []
    for boundary in NESTED:
        if boundary in cost.energy_factor:
            spread = spreads.get(("energy", boundary)) or Spread.by(cost.energy_factor[boundary])
            found.append(_energy(cost, boundary, source, spread))
        if boundary in cost.latency_factor:
            spread = spreads.get(("latency", boundary)) or Spread.by(cost.latency_factor[boundary])
            found += _latency(cost, boundary, source, spread)
    return found


def neurobench(network: Network, counts: EventCounts) -> list[Metric]:
    """NeuroBench's static and activity metrics under its names (Yik et al. 2025, Nat. Commun. 16:1545).

    footprint: bytes of weights (float32) and of neuron state; connection_sparsity: share of zero weights;
    activation_sparsity: 1 - spikes / (neurons x steps) over spiking populations; synaptic operations per
    inference: an AC a spike through a non-zero weight, a MAC a value through one (graded projections: none
    elsewhere), and what a dense engine computes; membrane_updates: neuron updates per inference.
    """
    weights, nonzero = _synapses(network)
    spiking = [i for i, p in enumerate(network.populations) if p.dynamics is not None and p.dynamics.spiking]
    cells = sum(network.populations[i].size for i in spiking) * counts.steps * len(counts)
    means = counts.per_inference()
    values: dict[str, float | None] = {
        "footprint": float(4 * (weights + 2 * network.neurons)),
        "connection_sparsity": 1 - nonzero / weights if weights else None,
        "activation_sparsity": 1 - float(counts.spikes[:, :, spiking].sum()) / cells if cells else None,
        "synaptic_operations_effective_acs": means["synaptic_events"],
        "synaptic_operations_effective_macs": means.get("effective_macs", 0.0),
        "synaptic_operations_dense": means["dense_macs"],
        "membrane_updates": means["neuron_updates"],
    }
    return [
        Metric(
            name=name,
            unit="B" if name == "footprint" else "1",
            kind="simulated",
            value=value,
            n=len(counts),
            source="event counts of the simulator",
            reason=None if value is not None else "the network has none",
        )
        for name, value in values.items()
    ]


def _synapses(network: Network) -> tuple[int, int]:
    """Count weights, and those that are not zero.

    Parallel projections that share a matrix of synapses out among several delays are that one matrix, as
    long as their synapses do not overlap.
    """
    sizes: dict[tuple[int, int, tuple[int, ...]], tuple[int, int]] = {}
    for p in network.projections:
        key = (p.source, p.target, p.weight.shape)
        _, before = sizes.get(key, (0, 0))
        sizes[key] = (p.weight.size, before + int(np.count_nonzero(p.weight)))
    return sum(max(size, there) for size, there in sizes.values()), sum(there for _, there in sizes.values())


def _energy(cost: Cost, boundary: Boundary, source: str, spread: Spread) -> Metric:
    joules = cost.energy(boundary)
    value = float(joules.mean())
    return Metric(
        name="energy_per_inference",
        unit="J",
        kind="modelled",
        boundary=boundary,
        value=value,
        lo=value * spread.lower,
        hi=value * spread.upper,
        n=len(joules),
        breakdown=breakdown(cost.energy_j, boundary),
        causes=main_causes(spread) or None,
        source=source,
    )


def _latency(cost: Cost, boundary: Boundary, source: str, spread: Spread) -> list[Metric]:
    seconds = cost.latency(boundary)
    found = []
    for name, p in PERCENTILES.items():
        value = percentile(seconds.tolist(), p)
        found.append(
            Metric(
                name=name,
                unit="s",
                kind="modelled",
                boundary=boundary,
                value=value,
                lo=value * spread.lower,
                hi=value * spread.upper,
                n=len(seconds),
                causes=main_causes(spread) or None,
                source=source,
            )
        )
    return found


def main_causes(spread: Spread) -> dict[str, float]:
    """Return the causes of an interval by their share of its variance; what is below 1 % is left out."""
    return {name: round(share, 3) for name, share in spread.shares.items() if share >= LEAST_SHARE}
