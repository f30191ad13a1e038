"""What a sheet says of networks that spot words in running recordings."""

from __future__ import annotations

from collections.abc import Sequence

from nmbench.report.engineering import percent, percent_bounds
from nmbench.report.markdown import plain, table
from nmbench.sheets.baseline import Spotter

SHARES = ("f1", "precision", "recall")


def share_cell(spotter: Spotter, name: str) -> str:
    """Return a share with its interval, or a dash."""
    found = spotter.quality.get(name)
    if found is None:
        return "-"
    return plain(f"{percent(found.value)} {percent_bounds(found.lo, found.hi)}")


def spotted(spotters: Sequence[Spotter]) -> list[str]:
    """Return the paragraphs of the section of baselines."""
    head = ("Size", "Synapses", "F1", "Precision", "Recall", "False alarms a second", "Delay, median / 90 %")
    rows = [
        (
            one.size,
            f"{one.synapses:,}",
            *(share_cell(one, name) for name in SHARES),
            _alarms(one),
            f"{1e3 * one.detection_delay_s.p50:.0f} / {1e3 * one.detection_delay_s.p90:.0f} ms",
        )
        for one in spotters
    ]
    return [
        "On the test recordings by the simulator, int8 weights, with 95 % intervals. A word counts as found "
        "where its class is said while it lasts or soon after; the delay is from its end.",
        table(head, rows),
        "Made by: " + "; ".join(f"`{one.command}` ({one.cpu_s:.0f} s of CPU)" for one in spotters) + ".",
    ]


def _alarms(spotter: Spotter) -> str:
    found = spotter.quality.get("false_alarm_rate")
    return "-" if found is None else plain(f"{found.value:.3f} [{found.lo:.3f} to {found.hi:.3f}]")
