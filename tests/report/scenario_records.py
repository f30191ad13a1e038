"""Made-up results of the scenarios beside SingleStream: no number here was measured or modelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records import CHIP, PLATFORMS, WORKLOADS, Made, energies, made_result

from nmbench.quantity import Boundary
from nmbench.record import Metric, Result, Traffic
from nmbench.spec import Scenario

SCENARIOS: tuple[Scenario, ...] = ("MultiStream", "Server", "Offline", "Streaming")
SLOW = Made("spinnaker", "spinnaker", "modelled", CHIP, 4.4, 0.3, 2.0, (("work", 0.1), ("standing", 0.9)))
TIMED = next(made for made in PLATFORMS if made.kind == "measured")
CHIPS = tuple(made for made in PLATFORMS if made.name in ("loihi", "loihi2", "gpu-h100", "cpu-dense"))
BOUND_S = WINDOW_S = DEADLINE_S = 0.1
NO_RATE = "no rate meets the bound of 0.1 s at p99"


def boundary(made: Made) -> Boundary:
    return "wall" if made.kind == "measured" else "chip_total"


def metric(made: Made, name: str, value: float | None, factor: float | None = None, **more: Any) -> Metric:
    """A metric in the unit of its name; the interval is a factor either way."""
    unit = "s" if "latency" in name or "time" in name else "1/s" if name.endswith(("rate", "put")) else "1"
    if factor is not None and value is not None:
        more = {"lo": value / factor, "hi": value * factor, **more}
    source = "perf_counter" if made.kind == "measured" else f"card {made.name} v1, in virtual time"
    found = {"name": name, "unit": unit, "kind": made.kind, "boundary": boundary(made), "value": value}
    return Metric.model_validate({**found, "source": source, **more})


def latencies(made: Made, scale: float, factor: float, prefix: str = "latency") -> list[Metric]:
    ends = (("p50", 0.9), ("p90", 1.0), ("p99", 1.2))
    return [
        metric(made, f"{prefix}_{name}", scale * share * made.latency_s, factor, n=662)
        for name, share in ends
    ]


def server(made: Made, factor: float) -> list[Metric]:
    """The highest rate at a utilisation of 90 %; a platform slower than the bound has none."""
    if made.latency_s > BOUND_S:
        return [metric(made, "server_rate", None, reason=NO_RATE)]
    rate = metric(made, "server_rate", 0.9 / made.latency_s, factor)
    return [rate, *latencies(made, 8, factor), metric(made, "utilisation", 0.9, n=2010)]


def streaming(made: Made, factor: float, misses: float) -> list[Metric]:
    return [
        *latencies(made, 0.2, factor, "decision_latency"),
        metric(made, "deadline_misses", misses, lo=misses / 2, hi=2 * misses, n=600),
        metric(made, "time_to_first_correct", WINDOW_S + made.latency_s, 1.01, n=100),
        metric(made, "never_correct", 0.02, 2.0, n=100),
    ]


def made_metrics(made: Made, scenario: Scenario, misses: float) -> list[Metric]:
    factor = 1.1 if made.kind == "measured" else made.factor
    if scenario == "Server":
        return server(made, factor)
    if scenario == "Offline":
        return [metric(made, "throughput", 8 / made.latency_s, factor, n=24_576)]
    if scenario == "Streaming":
        return streaming(made, factor, misses)
    return latencies(made, 8, factor)


TRAFFIC: Mapping[str, Mapping[str, object]] = {
    "MultiStream": {"queries": 662, "samples": 8 * 662, "batch": 8, "percentile": 0.99, "enough": True},
    "Server": {
        "queries": 2010, "samples": 2010, "batch": 4, "rate": 300.0, "percentile": 0.99, "over": 0,
        "allowed": 10, "enough": True, "latency_bound_s": BOUND_S,
    },
    "Offline": {"queries": 24_576, "samples": 24_576, "batch": 1024},
    "Streaming": {
        "queries": 600, "samples": 100, "window_s": WINDOW_S, "deadline_s": DEADLINE_S, "piece_s": 0.01,
        "state": "kept", "percentile": 0.99,
    },
}  # fmt: skip


def made_scenario(
    made: Made,
    scenario: Scenario,
    *,
    misses: float = 0.0,
    few: bool = False,
    marks: tuple[str, ...] = (),
    started: str = "2026-11-24T06:00:00Z",
    **traffic: Any,
) -> Result:
    """One made-up result of a scenario; ``traffic`` stands in for fields of its traffic."""
    plain = made_result(made, WORKLOADS[2], started=started)
    found = made_metrics(made, scenario, misses)
    ran = any(m.name != "server_rate" for m in found)
    if few:
        estimate = f"{'decision_' if scenario == 'Streaming' else ''}latency_p99_estimate"
        found.append(metric(made, estimate, None, reason="54 queries; 662 are needed"))
    if ran:
        name = "energy_per_decision" if scenario == "Streaming" else "energy_per_inference"
        found += [m.model_copy(update={"name": name}) for m in energies(made, 1.0)]
    clock = "wall" if made.kind == "measured" else "virtual"
    asked = {"generator": "nmbench", "clock": clock, "seconds": 2.0, **TRAFFIC[scenario], **traffic}
    return plain.model_copy(
        update={
            "id": plain.id.replace("singlestream", scenario.lower()),
            "scenario": scenario,
            "metrics": (plain.metrics[0], *found),
            "traffic": Traffic.model_validate(asked) if ran else None,
            "noise": plain.noise.model_copy(update={"marks": marks}),
        }
    )


def made_scenarios() -> list[Result]:
    """All scenarios on some platforms: one too slow, one that misses deadlines, one run unlike the others."""
    found = [made_result(made, WORKLOADS[2]) for made in (TIMED, *CHIPS, SLOW)]
    for scenario in SCENARIOS:
        found += [made_scenario(made, scenario) for made in CHIPS]
        found.append(made_scenario(SLOW, scenario, misses=0.053))
    noisy = ("load average 2.53 at the start, over 1.50 for 2 cores",)
    found += [
        made_scenario(TIMED, "MultiStream", generator="LoadGen 6.0.17"),
        made_scenario(TIMED, "Server", clock="skipping", over=14, enough=False),
        made_scenario(TIMED, "Offline", conduct={"overtaking": 3}),
        made_scenario(TIMED, "Streaming", few=True, marks=noisy, state="recomputed"),
    ]
    return found
