"""The tables of the cortical microcircuit: this run, and what others have published."""

from __future__ import annotations

from lineup import MICROCIRCUIT, OURS
from results import FULL, Results, Timing, beside_published, fastest
from rich.table import Table
from wording import amount, verdict

COLUMNS = (
    "threads",
    "real-time factor",
    "core-s / s",
    "biology",
    "bytes a synapse",
    "build",
    "peak memory",
)


def microcircuit(results: Results, workload: str) -> Table:
    """Return the runs of one workload; the ratio in a row is to nmbench's fixed point on as many threads."""
    rate_hz = results.activity.get(workload, {}).get("rate_hz", 0.0)
    share = f"{100 * MICROCIRCUIT[workload]:g} % of the neurons and of the synapses of each"
    share = "full density" if workload == FULL else share
    title = f"{workload}: {share}, Poisson drive, {rate_hz:.2f} spikes per neuron and s by NEST's stored runs"
    table = Table(title=title, title_justify="left")
    for column in ("implementation", "variant"):
        table.add_column(column, no_wrap=True)
    for column in COLUMNS[:3]:
        table.add_column(column, justify="right")
    variants = list(dict.fromkeys(t.variant for t in results.of(workload) if t.peer == OURS))
    for name in variants:
        table.add_column(f"x {name}", justify="right")
    for column in (*COLUMNS[3:], "rates off: all, worst population"):
        table.add_column(column, justify="right")
    for timing in results.of(workload):
        ratios = [_ratio(results, timing, name) for name in variants]
        table.add_row(*_cells(timing, ratios), style="bold" if timing.peer == OURS else None)
    return table


def _cells(timing: Timing, ratios: list[str]) -> list[str]:
    check, factor = timing.check, timing.latency_s
    return [
        timing.peer,
        timing.variant,
        str(timing.threads),
        amount(factor),
        amount(None if factor is None else factor * timing.threads),
        *ratios,
        f"{check['biological_s']:g} s",
        amount(check["bytes_per_synapse"]),
        f"{check['build_s']:.1f} s",
        "-" if check["peak_gib"] is None else f"{check['peak_gib']:.2f} GiB",
        verdict(timing),
    ]


def _ratio(results: Results, timing: Timing, variant: str) -> str:
    same = (t for t in results.of(timing.workload) if t.threads == timing.threads)
    ours = fastest(t for t in same if t.peer == OURS and t.variant == variant)
    if ours is None or ours.latency_s is None or timing.latency_s is None:
        return "-"
    return amount(timing.latency_s / ours.latency_s)


def rates(results: Results, workload: str) -> Table:
    """Return the mean rates of the populations: NEST's stored ones, and those of each run that was timed."""
    runs = {(t.peer, t.variant): t for t in results.of(workload)}  # threads change no rate of ours
    table = Table(title=f"{workload}: mean rates of the populations, Hz", title_justify="left")
    table.add_column("population")
    table.add_column("NEST, stored runs", justify="right")
    for peer, variant in runs:
        table.add_column(f"{peer}, {variant}", justify="right")
    checks = [timing.check for timing in runs.values()]
    for k, name in enumerate(checks[0]["populations"]):
        made = [f"{check['rates_hz'][k]:.3f}" for check in checks]
        table.add_row(name, f"{checks[0]['expected_rates_hz'][k]:.3f}", *made)
    return table


def beside(results: Results) -> Table | None:
    """Return the published figures beside our fastest run at full density, None where there is none."""
    found = beside_published(results)
    if not found:
        return None
    first = found[0]
    table = Table(
        title=f"Published, {FULL} at full density, beside nmbench ({first.ours}, {first.threads} threads)",
        title_justify="left",
    )
    for column in ("study", "simulator", "system", "drive"):
        table.add_column(column)
    for column in ("real-time factor", "x nmbench", "core-s / s", "x nmbench"):
        table.add_column(column, justify="right")
    for each in found:
        other = each.published
        table.add_row(
            other.study,
            other.simulator,
            other.system,
            other.drive,
            amount(other.real_time_factor),
            amount(each.ratio),
            amount(other.core_seconds),
            amount(each.core_ratio),
        )
    return table
