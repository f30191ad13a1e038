"""Metrics of a meter: names, boundaries, intervals, and nulls with reasons."""

from __future__ import annotations

import pytest
from fake_meters import CHIP

from nmbench.power.meter import MeterInfo
from nmbench.power.stated import no_power, power_metrics
from nmbench.power.windows import Power, Window
from nmbench.record import Metric

PLUG = MeterInfo("csv", "system_with_io", "an external meter, read from its log", 0.1)
REST = [20.0, 20.1, 19.9, 20.2, 19.8]
WORK = [30.0, 30.2, 29.8, 30.1, 29.9]


def power(info: MeterInfo = CHIP, rest: list[float] = REST, work: list[float] = WORK) -> Power:
    beside = {"dram": 4.0}
    return Power(
        info,
        tuple(Window(2.0, 2 * w, beside=beside) for w in rest),
        tuple(Window(2.0, 2 * w, 100, beside) for w in work),
    )


def one(metrics: list[Metric], name: str, boundary: str | None) -> Metric:
    (found,) = (m for m in metrics if m.name == name and m.boundary == boundary)
    return found


def test_a_chips_meter() -> None:
    found = power_metrics(power())
    idle = one(found, "power_idle", "chip_total")
    assert (idle.value, idle.lo, idle.hi, idle.n, idle.unit) == (20.0, 19.8, 20.2, 5, "W")
    assert idle.samples == tuple(REST)
    assert one(found, "power_active", "chip_total").value == 30.0
    above = one(found, "power_dynamic", "chip_dynamic")
    assert above.value == pytest.approx(10.0)
    assert (above.lo, above.hi) == pytest.approx((29.8 - 20.2, 30.2 - 19.8))
    total = one(found, "energy_per_inference", "chip_total")
    assert (total.value, total.lo, total.hi) == pytest.approx((0.6, 0.596, 0.604))
    dynamic = one(found, "energy_per_inference", "chip_dynamic")
    assert (dynamic.value, dynamic.lo, dynamic.hi) == pytest.approx((0.2, 0.192, 0.208))
    assert dynamic.samples == pytest.approx([(w - 20.0) * 2 / 100 for w in WORK])
    assert {m.kind for m in found} == {"measured"}
    assert len({(m.name, m.boundary) for m in found}) == len(found)


def test_the_rule_of_the_interval_is_told() -> None:
    found = power_metrics(power())
    assert "median of 5 windows of at least 2 s" in one(found, "power_idle", "chip_total").source
    assert "93.8 % or more" in one(found, "power_idle", "chip_total").source
    assert "500 inferences" in one(found, "energy_per_inference", "chip_total").source
    assert "87.5 % or more" in one(found, "energy_per_inference", "chip_dynamic").source


def test_a_plug_states_no_chip() -> None:
    found = power_metrics(power(PLUG))
    assert {m.boundary for m in found if m.boundary} == {"system_with_io"}
    assert one(found, "power_dynamic", "system_with_io").value == pytest.approx(10.0)


def test_memory_stands_beside_without_a_boundary() -> None:
    found = power_metrics(power())
    assert one(found, "power_active_dram", None).value == 2.0
    assert "RAPL dram" in one(found, "power_idle_dram", None).source


@pytest.mark.parametrize(
    "work", [[20.1, 20.3, 19.9, 20.2, 20.0], [18.0, 18.1, 18.2, 17.9, 18.3], [19.0, 31.0, 31.0, 31.0, 31.0]]
)
def test_what_the_meter_does_not_resolve_is_null_and_not_zero(work: list[float]) -> None:
    found = power_metrics(power(work=work))
    for name, unit in (("power_dynamic", "W"), ("energy_per_inference", "J")):
        metric = one(found, name, "chip_dynamic")
        assert (metric.value, metric.lo, metric.hi) == (None, None, None)
        assert metric.reason is not None
        assert "below what the meter resolves" in metric.reason
        assert f" {unit} above rest" in metric.reason
        assert metric.samples is not None
        assert min(metric.samples) < 0
    assert one(found, "energy_per_inference", "chip_total").value is not None


@pytest.mark.parametrize("info", [None, CHIP, PLUG])
def test_no_power_has_the_same_names_and_no_number(info: MeterInfo | None) -> None:
    nulls = no_power("no RAPL", info)
    stated = [m for m in power_metrics(power(info or CHIP)) if m.boundary]
    assert [(m.name, m.unit, m.boundary, m.kind) for m in nulls] == [
        (m.name, m.unit, m.boundary, m.kind) for m in stated
    ]
    assert all((m.value, m.lo, m.hi, m.samples, m.reason) == (None,) * 4 + ("no RAPL",) for m in nulls)
