from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import measured, side

from nmbench.record import Noise, Result
from nmbench.starts import starts_of


def started(seconds: float, **changes: Any) -> Result:
    return side(measured("latency_p50", seconds), **changes)


def test_the_spread_is_pooled_over_cells_and_not_between_them() -> None:
    one = [started(s) for s in (1.00, 1.02, 1.04, 0.98)]
    other = [started(s, cell="f" * 64) for s in (9.0, 9.2, 9.1)]
    logs = [np.log([1.00, 1.02, 1.04, 0.98]), np.log([9.0, 9.2, 9.1])]
    plain = np.sqrt(sum(((x - x.mean()) ** 2).sum() for x in logs) / 5)
    found = starts_of([*one, *other, started(5.0, cell="0" * 64)])
    assert found and found.spread == pytest.approx(plain * 2.570582 / 1.959964)  # t(5) against normal
    assert found.source == "from 7 records of 2 cells"


def test_few_noisy_failed_or_modelled_records_say_nothing() -> None:
    good = [started(1.0 + i / 100) for i in range(4)]
    assert starts_of(good) is None and starts_of([]) is None
    loud = started(2.0, noise=Noise(load1=2.0, cpu_pressure=None, marks=("load average 2.00",)))
    failed = started(2.0, status="failed", error="x")
    elsewhere = started(2.0, system="sha256:" + "f" * 64)
    model = side(measured("latency_p50", 2.0, kind="modelled"))
    assert starts_of([*good, loud, failed, elsewhere, model, side()]) is None
    assert starts_of([*good, started(1.05)]) is not None


def test_the_spread_covers_the_true_one_well_enough_for_its_use() -> None:
    """Differences of two starts stay within 1.96 sqrt(2) spreads in 95 of 100 draws, few records or not."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(1000):
        found = starts_of([started(float(s)) for s in rng.lognormal(0, 0.03, 5)])
        assert found
        inside += abs(float(np.diff(rng.normal(0, 0.03, 2))[0])) <= 1.959964 * np.sqrt(2) * found.spread
    assert 930 <= inside <= 970
