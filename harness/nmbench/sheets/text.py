"""A data sheet as Markdown, in the order of Gebru et al. 2021, "Datasheets for Datasets" (CACM 64:86)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nmbench.datasets.holdings.catalogue import holding, size_text
from nmbench.report.engineering import percent, percent_bounds
from nmbench.report.escape import markdown
from nmbench.report.markdown import plain, table
from nmbench.sheets.baseline import Accuracy, Baseline, Networks, Spotter
from nmbench.sheets.names import Names
from nmbench.sheets.prose import Sheet
from nmbench.sheets.spotted import spotted
from nmbench.sheets.statistics import Spread, Statistics
from nmbench.spec import Workload

SATURATED = 0.99
"""Accuracy from which a workload no longer tells good networks from better ones."""
NO_TIME = 0.02
"""Temporal gain below which a sheet says that time adds nothing."""


def sheet_text(workload: Workload, sheet: Sheet, found: Statistics, networks: Networks) -> str:
    """Return the whole sheet."""
    names = Names(workload.name)
    parts = [
        f"# {workload.name}: {workload.title}",
        workload.summary.strip(),
        _picture(sheet.picture, names.sample),
        _facts(workload, sheet, found, networks),
        "## Motivation",
        sheet.motivation,
        "## Composition",
        sheet.composition,
        sheet.splits,
        _counts(sheet, found),
        _picture(
            "Left: events per sample. Middle: mean rate over the workload's window. Right: events by class.",
            names.statistics,
        ),
        sheet.personal,
        "## Collection",
        sheet.collection,
        "## Preprocessing",
        sheet.preprocessing,
        _seen(workload, found),
        "## Uses",
        "For:",
        _bullets(sheet.uses),
        "Not for:",
        _bullets(sheet.misuses),
        "## Known limits",
        _bullets([*_told(networks, found), *sheet.limits]),
        "## Baselines",
        *(spotted(networks.spotters) if networks.spotters else _baselines(networks.classifiers, names)),
        "## Distribution",
        sheet.distribution,
        *_fetched(sheet),
        _get(workload, sheet),
        _bullets(f"{licence.covers}: [{licence.spdx}]({licence.url})" for licence in sheet.licences),
        "## Maintenance",
        sheet.maintenance,
        "## Citation",
        f"```bibtex\n{sheet.citation}\n```",
        *([_bullets(sheet.references)] if sheet.references else []),
        _made(workload, names),
    ]
    return "\n\n".join(parts) + "\n"


def accuracy_cell(accuracy: Accuracy | float | None) -> str:
    """Return an accuracy with its interval, or a dash."""
    if accuracy is None:
        return "-"
    if isinstance(accuracy, float):
        return percent(accuracy)
    return plain(f"{percent(accuracy.value)} {percent_bounds(*accuracy.wilson_95)}")


def gain_cell(baseline: Baseline) -> str:
    """Return the temporal gain in points."""
    return f"{100 * baseline.temporal_gain:+.1f}"


def _picture(words: str, name: str) -> str:
    return f"![{markdown(words, None)}]({name})\n\n*{words}*"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _facts(workload: Workload, sheet: Sheet, found: Statistics, networks: Networks) -> str:
    width, height, polarities = found.sensor
    test = found.splits["test"]
    base = networks.base
    rows = [
        ("Data", "synthetic" if found.synthetic else "real recordings"),
        ("Classes", f"{len(found.classes)}"),
        ("Samples", ", ".join(f"{split.samples:,} {name}" for name, split in found.splits.items())),
        ("Sensor", f"{width} x {height}, {polarities} {'polarity' if polarities == 1 else 'polarities'}"),
        ("Events per sample", f"{_number(test.events_per_sample.median)} (median, test)"),
        ("Window", f"{1e3 * found.window_s:g} ms in {workload.window.steps} steps"),
        ("Licence", ", ".join(f"[{li.spdx}]({li.url})" for li in sheet.licences)),
        ("Get it", f"`{_command(sheet, workload)}`"),
    ]
    if base:
        rows.insert(
            6,
            (
                "Base network",
                f"{accuracy_cell(base.accuracy)}; event counts alone {percent(base.counts_only.accuracy)}",
            ),
        )
    return table(("", ""), rows)


def _counts(sheet: Sheet, found: Statistics) -> str:
    head = ("Split", "Samples", sheet.unit.capitalize(), "Events", "Empty", "Addresses used", "On", "SHA-256")
    addresses = found.sensor[0] * found.sensor[1] * found.sensor[2]
    rows = [
        (
            name,
            f"{split.samples:,}",
            "not known" if split.groups is None else f"{split.groups:,}",
            f"{split.events:,}",
            f"{split.empty:,}",
            f"{split.addresses:,} of {addresses:,}",
            "-" if split.on_share is None else percent(split.on_share),
            f"`{split.sha256[:16]}`",
        )
        for name, split in found.splits.items()
    ]
    spreads = [
        row
        for name, split in found.splits.items()
        for row in (
            (name, "events per sample", *_spread(split.events_per_sample)),
            (name, "last event, ms", *_spread(split.last_event_s, 1e3)),
            (name, "events per second", *_spread(split.rate_hz)),
        )
    ]
    ends = ("Least", "5 %", "Median", "Mean", "95 %", "Most")
    return "\n\n".join((table(head, rows), table(("Split", "Of a sample", *ends), spreads), _balance(found)))


def _balance(found: Statistics) -> str:
    """Say how many samples (or marks) a class has; in a table where classes differ."""
    what = "Marks" if found.marked else "Samples"
    sizes = {name: [c.samples for c in split.classes] for name, split in found.splits.items()}
    if all(len(set(s)) == 1 for s in sizes.values()):
        each = ", ".join(f"{s[0]:,} ({name})" for name, s in sizes.items())
        names = ", ".join(map(markdown, found.classes))
        return f"{what} of each class: {each}. Classes: {names}."
    rows = [
        (markdown(label), *(f"{s[k]:,}" for s in sizes.values())) for k, label in enumerate(found.classes)
    ]
    return table(("Class", *(f"{what}, {name}" for name in sizes)), rows)


def _spread(spread: Spread, factor: float = 1.0) -> tuple[str, ...]:
    ends = (spread.low, spread.p5, spread.median, spread.mean, spread.p95, spread.high)
    return tuple(_number(factor * end) for end in ends)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def _seen(workload: Workload, found: Statistics) -> str:
    """Say what of the events reaches a network."""
    steps = [
        f"`{t.name}` ({', '.join(f'{k} {v}' for k, v in t.options.items())})" for t in workload.transforms
    ]
    through = f"transformed by {', '.join(steps)} and " if steps else ""
    covered = found.splits["test"].covered
    rest = "all events are" if covered == 1 else f"{percent(covered)} of the test split's events are"
    return (
        f"A network sees the events {through}cut into {workload.window.steps} steps of "
        f"{1e3 * workload.dialect.dt:g} ms: {rest} inside."
    )


def _told(networks: Networks, found: Statistics) -> list[str]:
    """Say what the figures themselves show: no task in time, or saturated."""
    base, told = networks.base, []
    every: tuple[Baseline | Spotter, ...] = (*networks.classifiers, *networks.spotters)
    elsewhere = [b.size for b in every if b.test.sha256 != found.splits["test"].sha256]
    if elsewhere:
        told.append(
            f"**Other data**: the networks {', '.join(elsewhere)} were measured on another test split."
        )
    if base is None:
        return told
    if base.temporal_gain < NO_TIME:
        told.append(
            f"**Not a temporal task**: a model that sees event counts alone, never when they come, reaches "
            f"{percent(base.counts_only.accuracy)}; time is worth {gain_cell(base)} points."
        )
    if base.accuracy.value >= SATURATED:
        told.append(
            f"**Saturated**: the base network is right in {percent(base.accuracy.value)} of the cases; good "
            "networks differ from better ones in energy and latency alone."
        )
    return told


def _baselines(baselines: Sequence[Baseline], names: Names) -> list[str]:
    if not baselines:
        return ["No reference network yet."]
    head = ["Size", "Parameters", "Accuracy, int8", "float", "int4", "Seeds", "Counts alone", "Time is worth"]
    costs = any(b.activity for b in baselines)
    rows = []
    for b in baselines:
        row = [b.size, f"{b.parameters:,}", accuracy_cell(b.accuracy), accuracy_cell(b.accuracy_float)]
        row += [
            accuracy_cell(b.accuracy_int4),
            _seeds(b),
            f"{percent(b.counts_only.accuracy)} ({b.counts_only.model})",
        ]
        row += [f"{gain_cell(b)} points"]
        if costs:
            row += [f"{b.activity.synaptic_events:,.0f}" if b.activity else "-"]
        rows.append(row)
    words = (
        "Accuracy on the whole test split by the simulator with its Wilson 95 % interval; *float* before the "
        "weights were rounded, *int4* after rounding further without training for it; *counts alone*: the "
        "best of the models that see how often each address fired and never when; *time is worth* the "
        "difference between it and the mean of the seeds."
    )
    return [
        words,
        table([*head, *(["Synaptic events"] if costs else [])], rows),
        _picture(
            "Accuracy by size, and by the time after which the answer is taken where that was measured.",
            names.baseline,
        ),
        "Made by: " + "; ".join(f"`{b.command}` ({b.cpu_s:.0f} s of CPU)" for b in baselines) + ".",
    ]


def _seeds(baseline: Baseline) -> str:
    seeds = baseline.seeds
    if seeds is None:
        return "1"
    spread = "" if seeds.sd is None else f" ± {100 * seeds.sd:.1f}"
    return f"{len(seeds.runs)}: {100 * seeds.mean:.1f}{spread} %"


def _command(sheet: Sheet, workload: Workload) -> str:
    if sheet.holding:
        return f"nmbench data fetch {sheet.holding}"
    return f"nmbench run --workload {workload.name}"


def _get(workload: Workload, sheet: Sheet) -> str:
    run = f"nmbench run --suite temporal --workload {workload.name}"
    if sheet.holding:
        return f"```\nnmbench data fetch {sheet.holding}\n{run}\n```"
    return f"Nothing is downloaded; the events are made on the first run and kept:\n\n```\n{run}\n```"


def _fetched(sheet: Sheet) -> list[str]:
    """Return the files that are fetched, as the catalogue knows them."""
    if sheet.holding is None:
        return []
    rows = []
    for file in holding(sheet.holding).files:
        rows.append((f"`{file.name}`", file.size, file.digest))
        if file.instead:
            known = f"SHA-256 {file.instead.sha256}" if file.instead.sha256 else f"MD5 {file.instead.md5}"
            size = size_text(file.instead.bytes) if file.instead.bytes else "size unknown"
            rows.append((f"or, by hand, `{file.instead.name}`", size, known))
    return [table(("File", "Size", "Known by"), rows)]


def _made(workload: Workload, names: Names) -> str:
    files = (names.croissant, "Croissant 1.1"), (names.samples, "a row a sample"), (names.stats, "all counts")
    links = ", ".join(f"[{name}]({name}) ({words})" for name, words in files)
    return f"---\n\nMade by `nmbench data sheet {workload.name}`. For machines: {links}."
