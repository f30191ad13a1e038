"""What a written network does on the test set, by nmbench's simulator: accuracy, early answers, events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.datasets import transforms
from nmbench.datasets.encode import encode
from nmbench.datasets.events import EventSet
from nmbench.metrics import DECISIONS
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.network.nir_file import read_nir
from nmbench.simulator.engine import compile
from nmbench.spec import Workload
from nmbench.spikes import SpikeBatch
from nmbench.training.provenance import Activity, EarlyAnswer, LayerEvents

EARLY_ANSWERS = 40
"""Points of the curve of early answers, at most."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One run of a network over a test set.

    Attributes
    ----------
    outputs
        The readout's membrane, float32 ``[n, T, classes]``.
    right
        Whether each sample was decided rightly, bool ``[n]``.
    """

    network: Network
    outputs: npt.NDArray[np.float32]
    right: npt.NDArray[np.bool_]
    counts: EventCounts


def test_spikes(workload: Workload, test: EventSet) -> SpikeBatch:
    """Transform and encode a test set as the workload says."""
    changed = transforms.apply(test, ((t.name, t.options) for t in workload.transforms))
    return encode(changed, workload.dialect.dt, workload.window.steps)


def measure(path: Path, workload: Workload, spikes: SpikeBatch, labels: npt.NDArray[np.int64]) -> Measured:
    """Run a ``.nir`` file on the test set's spikes."""
    graph, sha256 = read_nir(path)
    network = lower(graph, workload.dialect, sha256)
    run = compile(network).run(spikes, threads=1)
    right = DECISIONS[workload.decision](run.outputs) == labels
    return Measured(network, run.outputs, np.asarray(right, dtype=np.bool_), run.counts)


def early_answers(
    measured: Measured, workload: Workload, labels: npt.NDArray[np.int64]
) -> tuple[EarlyAnswer, ...]:
    """Return how many are right when the decision is taken from the first steps alone."""
    steps = measured.outputs.shape[1]
    decide = DECISIONS[workload.decision]
    stride = -(-steps // EARLY_ANSWERS)
    taken = [*range(stride, steps, stride), steps]
    return tuple(
        EarlyAnswer(
            time_s=round(n * workload.dialect.dt, 9),
            accuracy=float((decide(measured.outputs[:, :n]) == labels).mean()),
        )
        for n in taken
    )


def activity(measured: Measured, test: EventSet, workload: Workload, taps: int | None) -> Activity:
    """Return events per inference, by layer.

    Parameters
    ----------
    test
        The set as the sensor sent it: what the plain form of the input is counted on.
    taps
        Delays of a fully connected first layer; None where the first layer is a convolution.
    """
    counts = measured.counts
    means = counts.per_inference()
    events = counts.per_part()["synaptic_events"]
    layers = _by_layer(measured.network, events, means["synaptic_events"])
    plain = cut = None
    if taps is not None:
        plain = _plain_input(measured.network, test, workload, taps)
        cut = plain / layers[0].feed_forward if layers[0].feed_forward else None
    return Activity(
        input_events=means["input_events"],
        spikes=means["spikes"],
        neuron_updates=means["neuron_updates"],
        synaptic_events=means["synaptic_events"],
        layers=layers,
        plain_input_synaptic_events=plain,
        input_cut=cut,
    )


def _by_layer(network: Network, events: dict[str, float], total: float) -> tuple[LayerEvents, ...]:
    found = []
    for index, population in enumerate(network.populations[1:], start=1):
        into = [p for p in network.projections if p.target == index]
        ahead = sum(events[p.name] for p in into if p.source != index)
        back = sum(events[p.name] for p in into if p.source == index)
        share = (ahead + back) / total if total else 0.0
        found.append(LayerEvents(name=population.name, feed_forward=ahead, recurrent=back, share=share))
    return tuple(found)


def _plain_input(network: Network, test: EventSet, workload: Workload, taps: int) -> float:
    """Count a synapse for every event, neuron and delay: full connections from the sensor's addresses."""
    covered = np.asarray(test.events["t"], dtype=np.int64) < round(
        workload.window.steps * workload.dialect.dt * 1e6
    )
    return float(covered.sum() / len(test) * network.populations[1].size * taps)


def neurons(network: Network) -> int:
    """Count neurons, the readout's among them."""
    return sum(p.size for p in network.populations[1:])


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return float(np.mean(values))
