"""Conditions: under what a network runs that neither the network nor the platform's card says."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Conditions:
    """What a measurement may state; None (or the default) leaves it to the mapper and the card.

    Which ones a cost equation heeds stands in `nmbench.energy.models.MODELS`.

    Attributes
    ----------
    host_io
        The host passes every step's spikes in and out.
    input_cores
        Cores that take in the host's spikes; else as many as the input fills.
    boards, chips
        Switched on, where more than the network needs.
    batch
        Samples that are computed side by side.
    step_s
        Biological or real time of a step, seconds: the tick of a platform that keeps real time.
    input_bits, output_bits
        Of a crossbar's converters.
    """

    host_io: bool = False
    input_cores: int | None = None
    boards: int | None = None
    chips: int | None = None
    batch: int = 1
    step_s: float | None = None
    input_bits: int | None = None
    output_bits: int | None = None

    @property
    def stated(self) -> frozenset[str]:
        """Names of the conditions that differ from the default."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name) != f.default)


USUAL = Conditions()
"""Nothing stated."""
