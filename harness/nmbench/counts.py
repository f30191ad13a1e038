"""EventCounts: what the simulator counts and the models price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EventCounts:
    """Exact counts per sample and step; they depend neither on the batch nor on its order.

    B samples, T steps, P populations (the input first), R projections.

    Attributes
    ----------
    populations, projections
        Their names, in the order of the network's.
    spikes
        Spikes emitted, int64 ``[B, T, P]``; of the input population: its events.
    neuron_updates
        Neurons advanced by one step, int64 ``[B, T, P]``; 0 for the input population.
    synaptic_events
        Spikes delivered through a non-zero synapse, counted in the step of delivery, int64 ``[B, T, R]``.
    dense_macs
        Multiply-accumulates that a dense engine makes for the projection in one step, int64 ``[R]``.
    """

    populations: tuple[str, ...]
    projections: tuple[str, ...]
    spikes: Counts
    neuron_updates: Counts
    synaptic_events: Counts
    dense_macs: Counts

    def __post_init__(self) -> None:
        """Check that the shapes agree."""
        samples, steps = self.spikes.shape[:2]
        expected = {
            "spikes": (samples, steps, len(self.populations)),
            "neuron_updates": (samples, steps, len(self.populations)),
            "synaptic_events": (samples, steps, len(self.projections)),
            "dense_macs": (len(self.projections),),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name}: shape {getattr(self, name).shape}, expected {shape}")

    def __len__(self) -> int:
        """Count the samples, B."""
        return int(self.spikes.shape[0])

    @property
    def steps(self) -> int:
        """Steps per sample, T."""
        return int(self.spikes.shape[1])

    def take(self, samples: npt.ArrayLike) -> EventCounts:
        """Return the counts of the samples (int, ``[m]``) in that order."""
        chosen = np.asarray(samples, dtype=np.int64)
        return replace(
            self,
            spikes=self.spikes[chosen],
            neuron_updates=self.neuron_updates[chosen],
            synaptic_events=self.synaptic_events[chosen],
        )

    def per_inference(self) -> dict[str, float]:
        """Return the means per sample by NeuroBench's and our own names; ``spikes`` are neurons' alone."""
        n = len(self)
        if n == 0:
            raise ValueError("no samples were counted")
        return {
            "input_events": float(self.spikes[:, :, 0].sum() / n),
            "spikes": float(self.spikes[:, :, 1:].sum() / n),
            "neuron_updates": float(self.neuron_updates.sum() / n),
            "synaptic_events": float(self.synaptic_events.sum() / n),
            "dense_macs": float(self.dense_macs.sum() * self.steps),
        }

    def per_part(self) -> dict[str, dict[str, float]]:
        """Return means per sample: spikes and updates by population, synaptic events by projection."""
        n = len(self)
        parts = {
            "spikes": (self.populations, self.spikes),
            "neuron_updates": (self.populations, self.neuron_updates),
            "synaptic_events": (self.projections, self.synaptic_events),
        }
        return {
            what: dict(zip(names, (array.sum(axis=(0, 1)) / n).tolist(), strict=True))
            for what, (names, array) in parts.items()
        }


def join(parts: Sequence[EventCounts]) -> EventCounts:
    """Join counts of the same network over consecutive samples."""
    first = parts[0]
    if any(
        p.populations != first.populations or p.projections != first.projections or p.steps != first.steps
        for p in parts
    ):
        raise ValueError("counts of different networks cannot be joined")
    return replace(
        first,
        spikes=np.concatenate([p.spikes for p in parts]),
        neuron_updates=np.concatenate([p.neuron_updates for p in parts]),
        synaptic_events=np.concatenate([p.synaptic_events for p in parts]),
    )
