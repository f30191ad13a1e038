"""Made-up results of plausible size, for the tests of the report: no number here was measured or modelled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nmbench.network.dialect import Dialect
from nmbench.quantity import Boundary, Kind
from nmbench.record import Gate, Metric, NetworkId, Noise, PlatformId, Result, Software, Status, WorkloadId
from nmbench.stats import wilson

HOSTILE = "RuntimeError: \x1b[31mred\x1b[0m [bold]x[/] | <script>alert(1)</script> `rm` $x$ @all http://evil.example"


@dataclass(frozen=True)
class Made:
    """A made-up platform; ``scale`` multiplies energy and latency by workload."""

    name: str
    family: str
    kind: Kind
    boundaries: tuple[Boundary, ...]
    energy_j: float
    latency_s: float
    factor: float
    terms: tuple[tuple[str, float], ...] = ()


CHIP: tuple[Boundary, ...] = ("chip_dynamic", "chip_total")
SYSTEM: tuple[Boundary, ...] = (*CHIP, "system_without_io", "system_with_io")
EVENTS = (
    ("synaptic_events", 0.2),
    ("neuron_updates", 0.3),
    ("spikes", 0.02),
    ("messages", 0.03),
    ("static", 0.45),
)
DENSE = (("call", 0.1), ("launches", 0.5), ("arithmetic", 0.1), ("idle", 0.3))
TILES = (
    ("converters", 0.5),
    ("active_rows", 0.2),
    ("accumulation", 0.1),
    ("routing", 0.05),
    ("beyond_macros", 0.15),
)

PLATFORMS = (
    Made("numba-event", "cpu", "measured", CHIP[1:], 1.9e-2, 2.1e-3, 2.0, (("busy_cores", 1.0),)),
    Made("cpu-dense", "cpu", "modelled", CHIP, 6.4e-2, 1.6e-3, 2.0, DENSE),
    Made("gpu-h100", "gpu", "modelled", CHIP, 2.4e-1, 1.2e-3, 2.0, DENSE),
    Made("gpu-jetson", "gpu", "modelled", CHIP, 3.1e-2, 4.1e-3, 2.0, DENSE),
    Made("loihi", "loihi", "modelled", SYSTEM, 7.1e-5, 9.8e-4, 1.3, EVENTS),
    Made("loihi2", "loihi", "modelled", CHIP, 4.3e-5, 1.8e-4, 1.9, EVENTS),
    Made(
        "spinnaker",
        "spinnaker",
        "modelled",
        ("system_without_io",),
        4.4,
        0.3,
        1.25,
        (("busy_cores", 0.08), ("packets", 0.02), ("chips_idle", 0.5), ("boards_idle", 0.4)),
    ),
    Made(
        "spinnaker2",
        "spinnaker",
        "modelled",
        CHIP,
        1.1e-3,
        1.0e-2,
        4.0,
        (("event_path", 0.01), ("mac_array", 0.05), ("static", 0.94)),
    ),
    Made(
        "akida",
        "akida",
        "modelled",
        ("system_without_io", "system_with_io"),
        1.3e-3,
        1.0e-3,
        3.0,
        (("dynamic", 0.1), ("board", 0.9)),
    ),
    Made("memristor-rram", "memristor", "modelled", CHIP, 2.2e-6, 3.0e-5, 3.0, TILES),
    Made("memristor-pcm", "memristor", "modelled", CHIP, 5.3e-6, 1.3e-5, 3.0, TILES),
)
WORKLOADS: tuple[tuple[str, float, int, int, float], ...] = (
    # name, scale, samples, right answers, target
    ("digits-saccade", 1.0, 360, 356, 0.975),
    ("gesture", 4.7, 264, 262, 0.98),
    ("spoken-digits", 2.6, 1580, 1499, 0.93),
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def energies(made: Made, scale: float) -> list[Metric]:
    """One energy a boundary, each with a breakdown that adds up; the boundaries differ by a factor of 3."""
    found = []
    headline = "chip_total" if "chip_total" in made.boundaries else made.boundaries[-1]
    for boundary in made.boundaries:
        steps = made.boundaries.index(boundary) - made.boundaries.index(headline)
        value = made.energy_j * scale * 3.0**steps
        found.append(
            Metric(
                name="energy_per_inference", unit="J", kind="modelled", boundary=boundary, value=value,
                lo=value / made.factor, hi=value * made.factor, n=264,
                breakdown={term: share * value for term, share in made.terms},
                source=f"card {made.name} v1",
            )
        )  # fmt: skip
    return found


def latencies(made: Made, scale: float) -> list[Metric]:
    measured = made.kind == "measured"
    factor = 1.1 if measured else made.factor
    where: Sequence[Boundary] = ("wall",) if measured else made.boundaries
    return [
        Metric(
            name=name, unit="s", kind=made.kind, boundary=boundary, value=made.latency_s * scale * share,
            lo=made.latency_s * scale * share / factor, hi=made.latency_s * scale * share * factor, n=64,
            source="perf_counter_ns" if measured else f"card {made.name} v1",
        )
        for boundary in where
        for name, share in (("latency_p50", 0.9), ("latency_p90", 1.0))
    ]  # fmt: skip


def made_result(
    made: Made,
    workload: tuple[str, float, int, int, float] = WORKLOADS[0],
    *,
    run: str = "20261124T060000Z-1a2b",
    status: Status = "ok",
    error: str | None = None,
    right: int | None = None,
    energy: Metric | None = None,
    started: str = "2026-11-24T06:00:00Z",
    data_sha256: str | None = None,
    tier: Literal["quick", "official"] = "quick",
) -> Result:
    """One made-up result; ``energy`` stands in for the made-up energies."""
    name, scale, n, usual, target = workload
    hits = usual if right is None else right
    lo, hi = wilson(hits, n)
    accuracy = Metric(
        name="accuracy", unit="1", kind="measured" if made.kind == "measured" else "simulated",
        value=hits / n, lo=lo, hi=hi, n=n, source=f"the whole test set, answered by {made.name}",
    )  # fmt: skip
    metrics = (accuracy, *([energy] if energy else energies(made, scale)), *latencies(made, scale**0.7))
    ok = status == "ok"
    stamp = started.replace("-", "").replace(":", "")
    unique = sha(run + made.name + name + started + tier)
    gate = Gate(metric="accuracy", target=target, value=hits / n, reached=hits / n >= target)
    return Result(
        id=f"{stamp}-temporal-{name}-{made.name}-base-singlestream-s0-{unique[:4]}",
        run=run, cell=sha(name + made.name), status=status, suite="temporal", tier=tier,
        scenario="SingleStream", division="closed",
        workload=WorkloadId(
            name=name, version=1, sha256=sha(name), data="synthetic", source=name, synthetic=True,
            data_sha256=data_sha256 or sha(name + "data"), published_data=True, samples=n, covered=1.0,
        ),
        network=NetworkId(name="base", sha256=sha(name + "net"), dialect=Dialect(dt=0.005)),
        platform=PlatformId(
            name=made.name, version=1, family=made.family, kind=made.kind, origin="built in",
            caveat="another network's" if made.family == "akida" else None,
        ),
        size="base", seed=0, system=f"sha256:{sha('machine')}",
        quality=gate if ok else None,
        counts={"synaptic_events": 1.8e5 * scale, "neuron_updates": 5.1e4, "spikes": 902.0} if ok else None,
        metrics=metrics if ok else (),
        software=Software(
            nmbench="0.1.0", python="3.11.7", packages={"numpy": "2.4.6"}, commit=None, dirty=None
        ),
        noise=Noise(load1=0.4, cpu_pressure=None), started=started, wall_s=3.2, error=error,
    )  # fmt: skip


def made_suite() -> list[Result]:
    """Three workloads on eleven platforms; one refuses, one misses quality, one fails."""
    refusal = "the network has recurrent projections (h1 -> h1); this chip keeps no state between samples"
    plugin = Made("my-lab-chip", "plug-in", "reported", CHIP, 1e-5, 1e-3, 2.0)
    no_meter = Metric(
        name="energy_per_inference", unit="J", kind="measured", boundary="wall", value=None, source="none",
        reason="no meter could be read and the platform has no card with its power",
    )  # fmt: skip
    found = []
    for workload in WORKLOADS:
        for made in PLATFORMS:
            if made.name == "akida" and workload[0] != "digits-saccade":
                found.append(made_result(made, workload, status="unsupported", error=refusal))
            elif made.name == "numba-event" and workload[0] == "spoken-digits":
                found.append(made_result(made, workload, energy=no_meter))
            elif made.name == "memristor-pcm" and workload[0] == "gesture":
                found.append(made_result(made, workload, right=251))
            else:
                found.append(made_result(made, workload))
    found.append(made_result(plugin, WORKLOADS[1], status="failed", error=HOSTILE))
    return found
