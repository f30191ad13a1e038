"""``nmbench list``: what there is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from nmbench import registry
from nmbench.errors import InputError, unknown

METRICS = (
    ("accuracy", "1", "share of right decisions on the whole test set, Wilson 95 % interval"),
    (
        "energy_per_inference",
        "J",
        "mean over the test set, at each boundary that the platform states, by term",
    ),
    ("latency_p50, latency_p90", "s", "percentile over single queries; modelled: over the samples"),
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


def _workloads(plugins: Iterable[Path]) -> Table:
    table = _table("workload", "suite", "what", "data", "sizes", "target")
    for name in registry.suite_names():
        for workload in registry.read_suite(name).workloads:
            data = ", ".join(f"{key} ({d.source})" for key, d in workload.data.items())
            sizes = sorted({size for d in workload.data.values() for size in d.networks})
            target = f"{workload.quality.metric} >= {100 * workload.quality.target:g} %"
            table.add_row(
                f"{workload.name} v{workload.version}", name, workload.title, data, ", ".join(sizes), target
            )
    return table


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
