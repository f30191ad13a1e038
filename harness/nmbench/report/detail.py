"""One result in a terminal: all its metrics, their breakdowns, counts and provenance."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from nmbench.record import Metric, Result, Traffic
from nmbench.report.asking import plain
from nmbench.report.engineering import engineering, interval, percent, significant
from nmbench.report.escape import inert
from nmbench.report.sections import BOUNDARY_WORDS

MAIN_CAUSES = 4
"""Causes of an interval that are named."""

SHARES = ("accuracy", "f1", "precision", "recall", "deadline_misses", "never_correct", "utilisation")
"""Metrics that are shown as percent."""

CLOCKS = {"wall": "wall clock", "skipping": "wall clock less the time of waiting", "virtual": "virtual time"}


@dataclass(frozen=True)
class Detail:
    """A result that rich renders to the width at hand."""

    result: Result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what was run, how it went, the metrics, the counts and the software."""
        yield Text(inert(self.result.id), style="bold")
        yield _pairs(_facts(self.result))
        if self.result.error:
            yield Text.assemble((f"{self.result.status}: ", "red"), inert(self.result.error, None))
        if self.result.metrics:
            yield Text("\nmetrics", style="bold")
            yield _metrics(self.result.metrics)
        if self.result.counts:
            yield Text("\nevents per inference", style="bold")
            counts = {
                inert(k): f"{v:,.0f}" if v >= 100 else significant(v) for k, v in self.result.counts.items()
            }
            yield _pairs(counts)
        yield Text("\nsoftware", style="bold")
        software = self.result.software
        yield _pairs({"nmbench": software.nmbench, "python": software.python, **software.packages})


def value_text(metric: Metric) -> str:
    """Return a metric's value as people read it; the reason where it is missing."""
    if metric.value is None:
        return f"no value: {inert(metric.reason or '')}"
    if metric.unit == "1":
        return percent(metric.value) if metric.name in SHARES else significant(metric.value)
    return engineering(metric.value, metric.unit)


def interval_text(metric: Metric) -> str:
    """Return a metric's interval; empty without one."""
    if metric.lo is None or metric.hi is None:
        return ""
    if metric.unit == "1":
        return f"{percent(metric.lo)} to {percent(metric.hi)}"
    return interval(metric.lo, metric.hi, metric.unit)


def causes_text(causes: dict[str, float]) -> str:
    """Return what an interval comes from, the largest share of its variance first."""
    named = sorted(causes.items(), key=lambda cause: -cause[1])[:MAIN_CAUSES]
    return ", ".join(f"{inert(name)} {percent(share, 0)}" for name, share in named)


def _facts(result: Result) -> dict[str, str]:
    workload, platform, gate = result.workload, result.platform, result.quality
    kind = "SYNTHETIC" if workload.synthetic else "real"
    facts = {
        "workload": f"{result.suite}/{workload.name} v{workload.version}, {kind} data ({workload.source})",
        "network": f"{result.network.name}, size {result.size}, {result.network.sha256[:12]}",
        "platform": f"{platform.name} v{platform.version} "
        f"({platform.family}, {platform.kind}, {platform.origin})",
        "scenario": f"{result.scenario}, {result.tier} tier, {result.division} division, seed {result.seed}",
        **(_traffic(result.traffic) if result.traffic else {}),
        "status": result.status,
        "started": f"{result.started}, took {engineering(result.wall_s, 's')}",
        "system": result.system[:19],
    }
    if result.noise.marks:
        facts["noisy"] = "; ".join(result.noise.marks)
    if platform.options:
        facts["options"] = "; ".join(f"{name}: {value}" for name, value in platform.options.items())
    if result.repriced_from:
        facts["priced again"] = f"from {result.repriced_from}"
    if gate:
        reached = "reached" if gate.reached else "MISSED"
        facts["quality"] = (
            f"{gate.metric} {100 * gate.value:.2f} %, target {100 * gate.target:g} %: {reached}"
        )
    return facts


def _traffic(traffic: Traffic) -> dict[str, str]:
    """Say who asked, what was asked for, and how the answers came."""
    asked, found = [], {}
    if traffic.rate is not None:
        asked.append(f"{engineering(traffic.rate, '1/s')} on average")
    if traffic.latency_bound_s is not None:
        asked.append(f"99 of 100 answers within {plain(traffic.latency_bound_s)}")
    if traffic.window_s is not None:
        asked.append(f"a decision every {plain(traffic.window_s)}")
    if traffic.deadline_s is not None:
        asked.append(f"due within {plain(traffic.deadline_s)}")
    if traffic.piece_s is not None:
        asked.append(f"recordings in pieces of {plain(traffic.piece_s)}")
    queries, samples = ("decisions", "recordings") if traffic.window_s else ("queries", "samples")
    found["traffic"] = (
        f"{traffic.generator}, {CLOCKS[traffic.clock]}: {traffic.queries:,} {queries} on {traffic.samples:,} "
        f"{samples} in {engineering(traffic.seconds, 's')}, at most {traffic.batch:,} at once"
    )
    if asked:
        found["asked for"] = ", ".join(asked)
    if traffic.over is not None:
        may = "none is enough" if traffic.allowed is None else f"{traffic.allowed:,} may be"
        found["over the bound"] = f"{traffic.over:,} of {traffic.queries:,}; {may}, for 99 % confidence"
    if traffic.enough is not None and traffic.over is None:
        found["queries"] = f"{'enough' if traffic.enough else 'TOO FEW'} for 99 % confidence"
    if traffic.state:
        found["state"] = {"kept": "kept from piece to piece", "recomputed": "recomputed from the beginning"}[
            traffic.state
        ]
    if traffic.conduct:
        found["conduct"] = ", ".join(f"{k.replace('_', ' ')}: {n:,}" for k, n in traffic.conduct.items())
    return found


def _metrics(metrics: tuple[Metric, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("name", "value", "interval", "kind, boundary"):
        table.add_column(column, overflow="fold", no_wrap=column in ("name", "interval"))
    table.add_column("source", overflow="fold", style="dim")
    for metric in metrics:
        boundary = f", {BOUNDARY_WORDS[metric.boundary]}" if metric.boundary else ""
        cells = (inert(metric.name), value_text(metric), interval_text(metric), metric.kind + boundary)
        table.add_row(*map(Text, cells), Text(inert(metric.source)))
        for term, value in (metric.breakdown or {}).items():
            share = f"{percent(value / metric.value)} of it" if metric.value else ""
            table.add_row(
                Text(f"  {inert(term)}"), Text(engineering(value, metric.unit)), Text(share), "", ""
            )
        if metric.causes:
            table.add_row(Text("  interval from"), "", "", "", Text(causes_text(metric.causes)))
    return table


def _pairs(pairs: dict[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(Text(inert(name)), Text(inert(value)))
    return table
