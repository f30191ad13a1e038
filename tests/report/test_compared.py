from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import accuracy, latencies, measured, modelled, packed, side

from nmbench.comparison import pairs
from nmbench.record import Noise, Result
from nmbench.report.compared import show

SIZES = np.random.default_rng(0).lognormal(0, 0.5, 600)


def full(factor: float, wrong: int, seed: int, **changes: Any) -> Result:
    right = np.ones(200, bool)
    right[:wrong] = False
    seconds = 2e-3 * factor * SIZES * np.random.default_rng(seed).lognormal(0, 0.02, 600)
    metrics = (
        *latencies(seconds), accuracy(right), modelled(1e-6 * factor, 1.2),
        measured("throughput", 500 / factor, 495 / factor, 505 / factor, unit="1/s"),
    )  # fmt: skip
    return side(*metrics, right=packed(right), **changes)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def tell(one: Result, other: Result, width: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        show(pairs([one], [other]))
        return capsys.readouterr().out

    return tell


def line(text: str, name: str) -> str:
    return next(row for row in text.splitlines() if row.startswith(f" {name}"))


def test_real_differences_have_a_size_and_a_direction(told: Any) -> None:
    text = told(full(1, 40, 1), full(0.7, 10, 2))
    assert "30 % shorter, real" in line(text, "latency p50")
    assert "43 % higher, real" in line(text, "throughput")
    assert "+15.0 points" in line(text, "accuracy") and "15.0 points better, real" in line(text, "accuracy")
    assert "intervals overlap: not decided" in line(text, "energy")
    assert "paired: 600 queries of both" in text and "McNemar" in text
    assert "two starts of one program, 3.5 % each" in text
    back = told(full(0.7, 10, 2), full(1, 40, 1))
    assert "43 % longer, real" in line(back, "latency p50") and "15.0 points worse" in line(back, "accuracy")
    assert "3.0 times longer, real" in line(told(full(1, 0, 1), full(3, 0, 2)), "latency p50")


def test_what_is_not_shown_says_what_would_have_been(told: Any) -> None:
    text = " ".join(told(full(1, 20, 1), full(1.01, 20, 2)).split())
    assert "none shown, 15 % would show" in text and "real" not in text


def test_noise_networks_and_missed_quality_stand_below(told: Any) -> None:
    loud = Noise(
        load1=2.0, cpu_pressure=None, marks=("load average 2.00 at the start, over 1.50 for 2 cores",)
    )
    other = full(0.5, 20, 2, noise=loud, tier="official")
    text = told(full(1, 20, 1), other)
    assert "shorter, real, but noisy" in " ".join(text.split())
    assert "B is marked noisy: load average 2.00 at the start" in text
    assert "tiers differ: A quick, B official" in text


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(told: Any, width: int) -> None:
    text = told(full(1, 40, 1), full(0.7, 10, 2), width)
    assert max(map(len, text.splitlines())) <= width


def test_what_strangers_wrote_is_inert(told: Any) -> None:
    mark = "\x1b[31mred [bold]x[/]"
    other = full(1, 20, 2, noise=Noise(load1=None, cpu_pressure=None, marks=(mark,)))
    text = told(full(1, 20, 1), other)
    assert "\x1b[31m" not in text and "[bold]x[/]" in text
