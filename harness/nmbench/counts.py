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
        Spikes delivered through a non-zero synapse, counted in the step of delivery, int64 ``[B, T, R]``;
        0 for a graded projection.
    dense_macs
        Multiply-accumulates that a dense engine makes for the projection in one step, int64 ``[R]``.
    effective_macs
        Values that are not zero, delivered through a non-zero synapse, counted in the step of delivery,
        int64 ``[B, T, R]``: what graded projections do in place of synaptic events; 0 for the others. None
        where every projection carries spikes: there are none.
    """

    populations: tuple[str, ...]
    projections: tuple[str, ...]
    spikes: Counts
    neuron_updates: Counts
    synaptic_events: Counts
    dense_macs: Counts
    effective_macs: Counts | None = None

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
        macs = self.effective_macs
        if macs is not None and macs.shape != expected["synaptic_events"]:
            raise ValueError(f"effective_macs: shape {macs.shape}, expected {expected['synaptic_events']}")

    @classmethod
    def trusted(
        cls,
        populations: tuple[str, ...],
        projections: tuple[str, ...],
        spikes: Counts,
        neuron_updates: Counts,
        synaptic_events: Counts,
        dense_macs: Counts,
    ) -> EventCounts:
        """Make counts of arrays that agree by construction: a check takes as long as a short run."""
        made = object.__new__(cls)
        made.__dict__.update(
            populations=populations,
            projections=projections,
            spikes=spikes,
            neuron_updates=neuron_updates,
            synaptic_events=synaptic_events,
            dense_macs=dense_macs,
            effective_macs=None,
        )
        return made

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
            effective_macs=None if self.effective_macs is None else self.effective_macs[chosen],
        )

    def cut(self, steps: int) -> EventCounts:
        """Return the counts of pieces of so many steps, a sample's pieces one after the other.

        Raises
        ------
        ValueError
            The samples cannot be cut into whole pieces.
        """
        if self.steps % steps:
            raise ValueError(f"{self.steps} steps are no multiple of {steps}")
        pieces = len(self) * self.steps // steps

        def cut(array: Counts) -> Counts:
            return np.ascontiguousarray(array).reshape(pieces, steps, array.shape[2])

        return replace(
            self,
            spikes=cut(self.spikes),
            neuron_updates=cut(self.neuron_updates),
            synaptic_events=cut(self.synaptic_events),
            effective_macs=None if self.effective_macs is None else cut(self.effective_macs),
        )

    def per_inference(self) -> dict[str, float]:
        """Return the means per sample by NeuroBench's and our own names; ``spikes`` are neurons' alone.

        ``effective_macs`` stands among them only where projections are graded.
        """
        n = len(self)
        if n == 0:
            raise ValueError("no samples were counted")
        means = {
            "input_events": float(self.spikes[:, :, 0].sum() / n),
            "spikes": float(self.spikes[:, :, 1:].sum() / n),
            "neuron_updates": float(self.neuron_updates.sum() / n),
            "synaptic_events": float(self.synaptic_events.sum() / n),
            "dense_macs": float(self.dense_macs.sum() * self.steps),
        }
        if self.effective_macs is not None:
            means["effective_macs"] = float(self.effective_macs.sum() / n)
        return means

    def per_part(self) -> dict[str, dict[str, float]]:
        """Return means per sample: spikes and updates by population, synaptic events by projection.

        So are ``effective_macs``, where projections are graded.
        """
        n = len(self)
        parts = {
            "spikes": (self.populations, self.spikes),
            "neuron_updates": (self.populations, self.neuron_updates),
            "synaptic_events": (self.projections, self.synaptic_events),
        }
        if self.effective_macs is not None:
            parts["effective_macs"] = (self.projections, self.effective_macs)
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
    macs = [p.effective_macs for p in parts if p.effective_macs is not None]
    if len(macs) not in (0, len(parts)):
        raise ValueError(
            "counts of different networks cannot be joined: some of them have graded projections"
        )
    return replace(
        first,
        spikes=np.concatenate([p.spikes for p in parts]),
        neuron_updates=np.concatenate([p.neuron_updates for p in parts]),
        synaptic_events=np.concatenate([p.synaptic_events for p in parts]),
        effective_macs=np.concatenate(macs) if macs else None,
    )


def part_graded(counts: EventCounts, graded: npt.NDArray[np.bool_]) -> EventCounts:
    """Return counts that an engine made in one array, each projection's own sort, with the sorts apart.

    Parameters
    ----------
    counts
        With multiply-accumulates in place of the synaptic events of graded projections.
    graded
        Which projections are, bool ``[R]``.
    """
    operations = counts.synaptic_events
    return replace(
        counts,
        synaptic_events=np.where(graded, 0, operations),
        effective_macs=np.where(graded, operations, 0),
    )
