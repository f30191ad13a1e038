"""Published real-time factors of the cortical microcircuit at full density, in steps of 0.1 ms.

From the table of the model's own repository (github.com/INM-6/microcircuit-PD14-model,
``docs/benchmarking/figures/performance_summary.md``), which gathers the studies named here; cores are of the
systems named there. A constant current (``DC``) in place of Poisson spikes makes the model cheaper to run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One figure. ``cores``: of processors alone, None for other hardware."""

    study: str
    simulator: str
    system: str
    drive: str
    real_time_factor: float
    cores: int | None = None

    @property
    def core_seconds(self) -> float | None:
        """Core-seconds per biological second."""
        return None if self.cores is None else self.real_time_factor * self.cores


PUBLISHED = (
    Published("van Albada et al. 2018", "NEST", "12 nodes of 2 Xeon E5-2680v3", "DC", 2.465, 288),
    Published("Kurth et al. 2022", "NEST", "1 node of 2 EPYC 7702", "DC", 0.67, 128),
    Published("Kurth et al. 2022", "NEST", "2 nodes of 2 EPYC 7702", "DC", 0.53, 256),
    Published("Rhodes et al. 2019", "SpiNNaker", "12 boards", "Poisson", 1.0),
    Published("Knight & Nowotny 2018", "GeNN", "Tesla V100", "Poisson", 1.838),
    Published("Golosio et al. 2021", "NEST GPU", "RTX 2080 Ti", "Poisson", 1.055),
    Published("Knight et al. 2021", "GeNN", "Titan RTX", "Poisson", 0.7),
    Published("Golosio et al. 2023", "NEST GPU", "RTX 4090", "DC", 0.386),
    Published("Golosio et al. 2023", "GeNN", "RTX 4090", "Poisson", 0.272),
    Published("Heittmann et al. 2022", "CsNN", "IBM INC-3000, 345 nodes", "Poisson", 0.25),
    Published("Kauth et al. 2023", "neuroAIx", "35 FPGA boards", "DC", 0.05),
)


def real_time_factors() -> dict[str, float]:
    """Return the figures by name, for the record of a benchmark."""
    return {f"{p.simulator}, {p.system} ({p.study})": p.real_time_factor for p in PUBLISHED}
