"""The tables that a benchmark run prints."""

from __future__ import annotations

from lineup import OURS
from results import PLAIN, Ratio, Results, Timing, fastest, ratios
from rich.console import Console
from rich.table import Table


def show(results: Results, console: Console) -> None:
    """Print a table for each workload, the ratios, and what is missing."""
    for workload in dict.fromkeys(t.workload for t in results.timings):
        console.print(times(results, workload))
    console.print(summary(results))
    for each in results.missing:
        console.print(f"{each['workload']}, {each['peer']}: {each['reason']}", style="yellow", markup=False)
    before, after = results.noise_before, results.noise_after
    console.print(
        f"{results.system.get('cpu')}, {results.system.get('cores')} cores; "
        f"load before {before.get('load1')}, after {after.get('load1')}",
        markup=False,
    )


def times(results: Results, workload: str) -> Table:
    """Return the times on one workload: of a sample, or of a biological second for W3.

    A row holds the better number of threads for each of its two figures; for W3 threads stand apart.
    """
    large = workload.startswith("W3")
    ours = own(results, workload)
    table = Table(title=_title(results, workload), title_justify="left")
    for column in ("implementation", "variant"):
        table.add_column(column, no_wrap=True)
    table.add_column("1 s takes" if large else "batch 1", justify="right")
    table.add_column("threads", justify="right")
    for name in ours:
        table.add_column(f"x {name}", justify="right")
    for column in () if large else ("samples/s", "batch", "threads"):
        table.add_column(column, justify="right")
    table.add_column("spikes", justify="right")
    for group in _rows(results, workload, large):
        quick, many = fastest(group), max(group, key=lambda t: t.throughput or (0, 0))
        cells = [group[0].peer, group[0].variant, *_latency(quick)]
        cells += [_ratio(quick, mine, group[0].threads if large else None) for mine in ours.values()]
        cells += [] if large else _throughput(many)
        table.add_row(*cells, verdict(group[0]), style="bold" if group[0].peer == OURS else None)
    return table


def own(results: Results, workload: str) -> dict[str, list[Timing]]:
    """Return nmbench's timings of the workload's own network, by variant, the plain engine left out."""
    found: dict[str, list[Timing]] = {}
    for timing in results.of(workload):
        if timing.peer == OURS and timing.variant != PLAIN and "another" not in timing.variant:
            found.setdefault(timing.variant, []).append(timing)
    return found


def _rows(results: Results, workload: str, large: bool) -> list[list[Timing]]:
    rows: dict[tuple[object, ...], list[Timing]] = {}
    for timing in results.of(workload):
        rows.setdefault((timing.peer, timing.variant, timing.threads if large else 0), []).append(timing)
    return list(rows.values())


def _latency(timing: Timing | None) -> list[str]:
    return ["-", "-"] if timing is None else [duration(timing.latency_s), str(timing.threads)]


def _throughput(timing: Timing) -> list[str]:
    if timing.throughput is None:
        return ["-", "-", "-"]
    rate, batch = timing.throughput
    return [f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}", str(batch), str(timing.threads)]


def _ratio(timing: Timing | None, mine: list[Timing], threads: int | None) -> str:
    best = fastest(t for t in mine if threads in (None, t.threads))
    if timing is None or best is None or not timing.latency_s or not best.latency_s:
        return "-"
    return f"{timing.latency_s / best.latency_s:.2f}"


def summary(results: Results) -> Table:
    """Return how many times faster ours is than the best peer."""
    table = Table(
        title="Times faster than the best peer of each sort (streaming: takes step after step)",
        title_justify="left",
    )
    for column in ("workload", "nmbench"):
        table.add_column(column, no_wrap=True)
    whats = ("latency", "streaming", "throughput")
    for what in whats:
        table.add_column(what)
    table.add_column("latency / floor", justify="right")
    rows: dict[tuple[str, str], dict[str, Ratio]] = {}
    for ratio in ratios(results):
        name = f"{ratio.ours}, {ratio.threads} threads" if ratio.workload.startswith("W3") else ratio.ours
        rows.setdefault((ratio.workload, name), {})[ratio.what] = ratio
    for (workload, name), row in rows.items():
        floor = row["latency"].floor if "latency" in row else None
        cells = [f"{row[w].ratio:.1f}  ({row[w].peer})" if w in row else "-" for w in whats]
        table.add_row(workload, name, *cells, "-" if floor is None else f"{floor:.2f}")
    return table


def verdict(timing: Timing) -> str:
    """Say what the check of the spikes found."""
    check = timing.check
    if check["exact"]:
        return "equal"
    made, expected = sum(check["spikes"]), sum(check["expected"])
    found = f"{100 * abs(made - expected) / max(1, expected):.1f} % off"
    if check.get("equal_until_ms", 0) >= 1:
        found += f", equal for {check['equal_until_ms']:.0f} ms"
    return found if check["accepted"] else f"{found}: not timed"


def duration(seconds: float | None) -> str:
    """Write a time with three digits and its unit."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            break
    return f"{seconds / size:.3g} {unit}"


def _title(results: Results, workload: str) -> str:
    activity = results.activity.get(workload)
    if not activity:
        return workload
    if "rate_hz" in activity:
        return f"{workload}: {activity['rate_hz']:.1f} spikes per neuron and s"
    firing = ", ".join(f"{100 * f:.1f} %" for f in activity["firing"])
    return (
        f"{workload}: {activity['input_events']:,.0f} input events ({100 * activity['density']:.1f} %), "
        f"firing {firing}, {activity['synaptic_events'] / 1e6:.2f} M synaptic events a sample"
    )
