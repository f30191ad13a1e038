"""``nmbench list``: what there is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.table import Table

from nmbench import registry
from nmbench.errors import InputError, unknown
from nmbench.report.asking import plain
from nmbench.spec import Workload

METRICS = (
    ("accuracy", "1", "share of right decisions on the whole test set, Wilson 95 % interval"),
    ("f1, precision, recall", "1", "of words spotted in running audio, 95 % interval over recordings"),
    ("false_alarm_rate", "1/s", "detections without a word, by time of audio, 95 % interval over recordings"),
    (
        "detection_delay_p50, _p90",
        "s",
        "from a word's end to the moment at which its detection is there, over the words detected",
    ),
    (
        "energy_per_inference",
        "J",
        "mean over the samples asked for, at each boundary that the platform states, by term",
    ),
    (
        "energy_per_decision",
        "J",
        "Streaming: energy of the whole run by decision: of work, and of what flows while it waits",
    ),
    (
        "latency_p50, _p90, _p99",
        "s",
        "percentile over queries, from the scheduled moment; modelled SingleStream: over the samples",
    ),
    (
        "latency_p90_estimate, latency_p99_estimate",
        "s",
        "measured: what the percentile is below with 99 % confidence (MLPerf's early stopping)",
    ),
    ("server_rate", "1/s", "Server: highest Poisson rate that meets the workload's latency bound at p99"),
    ("throughput", "1/s", "Offline: samples per second in calls of the best size"),
    ("utilisation", "1", "Server, Streaming: share of the time in which the platform worked"),
    ("decision_latency_p50, _p90, _p99", "s", "Streaming: from a window's end to its decision"),
    ("deadline_misses", "1", "Streaming: share of decisions after their deadline"),
    (
        "time_to_first_correct",
        "s",
        "Streaming: from a recording's start to its first right decision, median over recordings",
    ),
    ("never_correct", "1", "Streaming: share of recordings that are decided rightly at no window's end"),
    ("decisions_per_second", "1/s", "Streaming: decisions over the time of the run"),
    ("power_mean", "W", "Streaming, modelled: energy over the time of the run, at each boundary"),
    ("loadgen_valid", "1", "LoadGen's own verdict on its test, 1 or 0; the reason says why"),
    ("scheduled_rate", "1/s", "Server by LoadGen: queries per second as they came, by its count"),
    (
        "power_idle, power_active, power_dynamic",
        "W",
        "where a meter was read: medians of windows before and during the traffic, and their difference",
    ),
    ("footprint", "B", "bytes of weights and neuron state (NeuroBench)"),
    ("connection_sparsity", "1", "share of zero weights (NeuroBench)"),
    ("activation_sparsity", "1", "1 - spikes / (neurons x steps) (NeuroBench)"),
    ("synaptic_operations_*", "1", "effective ACs and MACs, and dense ones, per inference (NeuroBench)"),
    ("membrane_updates", "1", "neuron updates per inference (NeuroBench)"),
)


def show(what: str, plugins: Iterable[Path]) -> None:
    """Print one of the lists as a table.

    Raises
    ------
    InputError
        If there is no such list.
    """
    lists = {"suites": _suites, "workloads": _workloads, "platforms": _platforms, "metrics": _metrics}
    if what not in lists:
        raise InputError("nmbench list", [unknown("list", what, lists)])
    console = Console(highlight=False)
    console.print(lists[what](plugins))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _suites(plugins: Iterable[Path]) -> Table:
    table = _table("suite", "version", "workloads", "what")
    for name in registry.suite_names():
        suite = registry.read_suite(name)
        table.add_row(name, str(suite.file.version), ", ".join(suite.file.workloads), suite.file.title)
    return table


def _workloads(plugins: Iterable[Path]) -> Group:
    table = _table("workload", "suite", "what", "data", "sizes", "target")
    asks = _table("workload", "scenarios", "Server: 99 of 100 within", "Streaming: a decision every")
    for name in registry.suite_names():
        for workload in registry.read_suite(name).workloads:
            data = ", ".join(f"{key} ({d.source})" for key, d in workload.data.items())
            sizes = sorted({size for d in workload.data.values() for size in d.networks})
            target = f"{workload.quality.metric} >= {100 * workload.quality.target:g} %"
            table.add_row(
                f"{workload.name} v{workload.version}", name, workload.title, data, ", ".join(sizes), target
            )
            asks.add_row(workload.name, ", ".join(workload.scenarios), *_asked(workload))
    return Group(table, asks)


def _asked(workload: Workload) -> tuple[str, str]:
    """Say what a workload asks for in Server, and in Streaming."""
    server, streaming = workload.server, workload.streaming
    bound = plain(server.latency_bound_s) if server else "-"
    if streaming is None:
        return bound, "-"
    window_s = streaming.window_steps * workload.dialect.dt
    return bound, f"{plain(window_s)}, due within {plain(streaming.deadline_s or window_s)}"


def _platforms(plugins: Iterable[Path]) -> Table:
    table = _table("platform", "family", "kind", "run", "what", "from")
    for entry in registry.platforms(plugins).values():
        info = entry.make().info
        what_if = info.card is not None and info.card.status == "what-if"
        kind = "measured" if info.clock == "wall" else "what-if" if what_if else "modelled"
        run = "by default" if entry.by_default else "if named"
        table.add_row(entry.name, entry.family, kind, run, info.summary, entry.origin)
    return table


def _metrics(plugins: Iterable[Path]) -> Table:
    table = _table("metric", "unit", "what")
    for row in METRICS:
        table.add_row(*row)
    return table
