"""The tables that a benchmark run prints."""

from __future__ import annotations

from lineup import BIOLOGICAL, MICROCIRCUIT, OURS
from microcircuit_table import beside, microcircuit, rates
from results import JAX, LAYERWISE, PLAIN, WHATS, Ratio, Results, Timing, fastest, ratios
from rich.console import Console
from rich.table import Table
from wording import amount, duration, verdict

KINDS = (
    "Kinds of peers: stepwise ones take step after step and can stand behind a sensor, as nmbench does; "
    "layerwise ones need the whole recording before they begin."
)


def show(results: Results, console: Console) -> None:
    """Print a table for each workload, the ratios, and what is missing."""
    for workload in dict.fromkeys(t.workload for t in results.timings):
        for make in (microcircuit, rates) if workload in MICROCIRCUIT else (times,):
            console.print(make(results, workload))
    published = beside(results)
    if published is not None:
        console.print(published)
    samples, large = summary(results), summary_of_large(results)
    if samples.row_count:
        console.print(samples)
        console.print(KINDS, markup=False, highlight=False)
    if large.row_count:
        console.print(large)
    for each in results.missing:
        console.print(f"{each['workload']}, {each['peer']}: {each['reason']}", style="yellow", markup=False)
    before, after = results.noise_before, results.noise_after
    console.print(
        f"{results.system.get('cpu')}, {results.system.get('cores')} cores; "
        f"load before {before.get('load1')}, after {after.get('load1')}",
        markup=False,
    )


def times(results: Results, workload: str) -> Table:
    """Return the times on one workload: of a sample, or of a biological second for large networks.

    A row holds the better number of threads for each of its two figures; for large networks threads stand
    apart.
    """
    large = workload in BIOLOGICAL
    ours = own(results, workload)
    table = Table(title=_title(results, workload), title_justify="left")
    for column in ("implementation", "variant", *(() if large else ("kind",))):
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
        first = group[0]
        kind = [] if large else [LAYERWISE if first.variant == LAYERWISE else "stepwise"]
        cells = [first.peer, "" if first.variant in kind else first.variant, *kind, *_latency(quick)]
        cells += [_ratio(quick, mine, first.threads if large else None) for mine in ours.values()]
        cells += [] if large else _throughput(many)
        table.add_row(*cells, verdict(first), style="bold" if first.peer == OURS else None)
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
    """Return how many times faster ours is on samples than the best peer of each kind, and than jax alone."""
    table = Table(title="Times faster than the best peer of each kind, batch 1", title_justify="left")
    for column in ("workload", "nmbench"):
        table.add_column(column, no_wrap=True)
    for what in WHATS:
        table.add_column(what.replace(JAX, "jax"), min_width=14 if what in ("stepwise", "layerwise") else 0)
    table.add_column("/ floor", justify="right")
    rows: dict[tuple[str, str], dict[str, Ratio]] = {}
    for ratio in ratios(results):
        if ratio.workload not in BIOLOGICAL:
            rows.setdefault((ratio.workload, ratio.ours), {})[ratio.what] = ratio
    for (workload, name), row in rows.items():
        floor = next((r.floor for r in row.values() if r.floor is not None), None)
        table.add_row(workload, name, *(_times(row.get(what)) for what in WHATS), amount(floor))
    return table


def summary_of_large(results: Results) -> Table:
    """Return how many times faster ours is on large networks than the best peer with as many threads."""
    table = Table(
        title="Times faster than the best peer on as many threads, a biological second", title_justify="left"
    )
    for column in ("workload", "nmbench"):
        table.add_column(column, no_wrap=True)
    table.add_column("threads", justify="right")
    table.add_column("times faster")
    for ratio in ratios(results):
        if ratio.workload in BIOLOGICAL:
            cells = (ratio.workload, ratio.ours, str(ratio.threads), f"{amount(ratio.ratio)}  ({ratio.peer})")
            table.add_row(*cells)
    return table


def _times(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    if ratio.what.startswith(JAX):  # a column of its own, which needs no name
        return amount(ratio.ratio)
    return f"{amount(ratio.ratio)}  ({ratio.peer.removesuffix(f', {ratio.what}')})"


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
