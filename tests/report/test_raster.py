"""Figures of activity: what they show, and that equal runs give equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nmbench.report.raster import DOTS, Activity, RateRow, drawn, raster, rates
from nmbench.report.style import save


def activity(spikes: int) -> Activity:
    rng = np.random.default_rng(0)
    times_ms = np.sort(rng.uniform(0, 100, spikes))
    return Activity(("L4E", "L4I"), (80, 20), (False, True), times_ms, rng.integers(0, 100, spikes))


def test_all_spikes_of_the_window_are_drawn_where_they_are_few() -> None:
    own = activity(500)
    chosen = drawn(own, 20.0, 60.0)
    assert ((own.times_ms[chosen] >= 20) & (own.times_ms[chosen] < 60)).all()
    assert chosen.size == ((own.times_ms >= 20) & (own.times_ms < 60)).sum()
    figure = raster(own, 20.0, 60.0)
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines[:2]) == chosen.size


def test_a_busy_window_shows_whole_neurons() -> None:
    own = activity(10 * DOTS)
    chosen = drawn(own, 0.0, 100.0)
    assert set(own.ids[chosen]) == set(range(0, 100, 10))
    assert "one neuron in 10" in raster(own, 0.0, 100.0).axes[0].get_title(loc="left")


def test_rates_show_the_reference_where_there_is_one() -> None:
    rows = [RateRow("E", False, np.array([1.0, 3.0]), 2.5), RateRow("I", True, np.array([4.0]), None)]
    axes = rates(rows).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["E", "I"]
    assert any(list(line.get_xdata()) == [2.5] for line in axes.lines)


def test_equal_figures_give_equal_bytes(tmp_path: Path) -> None:
    first = [p.read_bytes() for p in save(raster(activity(500), 0.0, 50.0), tmp_path / "a")]
    again = [p.read_bytes() for p in save(raster(activity(500), 0.0, 50.0), tmp_path / "b")]
    assert first == again
