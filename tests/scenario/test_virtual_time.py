"""Discrete events: theory's queues, the wall clock's percentiles, energy of waiting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sessions import Sleeper, asked, batching, bench, constant, settings

from nmbench.scenario import generator, measured, modelled, schedule
from nmbench.scenario.clock import VirtualClock
from nmbench.scenario.desk import Desk
from nmbench.scenario.log import Log
from nmbench.scenario.service import Modelled, Power, Service

MANY = 1 << 40


def served(service: Service, rate: float, n: int, seed: int = 0) -> Log:
    what = replace(asked("Server", seed), samples=service.seconds.shape[1])
    return modelled.serve(what, service, rate, n)[1]


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.8])
def test_waiting_in_an_m_d_1_queue_is_that_of_theory(load: float) -> None:
    """Pollaczek (1930): a constant service s at load r waits r s / (2 (1 - r)) on average."""
    s = 1e-3
    logs = [served(constant(s), load / s, 200_000, seed) for seed in range(8)]
    waited = np.mean([log.started - log.scheduled for log in logs])
    assert waited == pytest.approx(load * s / (2 * (1 - load)), rel=0.02)


def test_waiting_in_an_m_g_1_queue_is_that_of_theory() -> None:
    """Pollaczek-Khinchine: with services of mean s and second moment q, rate x waits x q / (2 (1 - x s))."""
    seconds = np.array([[0.2e-3, 0.4e-3, 3e-3, 0.4e-3]])
    service = Service("chip_total", (1,), seconds, {})
    rate = 0.6 / seconds.mean()
    rng = np.random.default_rng(0)
    waited = []
    for seed in range(8):
        clock = VirtualClock()
        desk = Desk(clock, None)
        n = 200_000
        generator.as_scheduled(
            desk,
            Modelled(service, clock),
            rng.integers(0, 4, n),
            schedule.arrivals(seed, rate, n),
            settings(),
            MANY,
            lambda share: None,
        )
        log = desk.close()
        waited.append((log.started - log.scheduled).mean())
    theory = rate * (seconds**2).mean() / (2 * (1 - rate * seconds.mean()))
    assert np.mean(waited) == pytest.approx(theory, rel=0.02)


@given(
    gaps=st.lists(st.floats(0, 2.0), min_size=1, max_size=60),
    seconds=st.lists(st.floats(1e-6, 2.0), min_size=1, max_size=8),
)
@hypothesis_settings(deadline=None)
def test_a_single_server_follows_lindleys_recursion(gaps: list[float], seconds: list[float]) -> None:
    moments = np.cumsum(gaps)
    samples = np.resize(np.arange(len(seconds)), len(gaps))
    clock = VirtualClock()
    desk = Desk(clock, None)
    service = Service("chip_total", (1,), np.array([seconds]), {})
    generator.as_scheduled(
        desk, Modelled(service, clock), samples, moments, settings(), MANY, lambda share: None
    )
    log = desk.close()
    free = 0.0
    for i, moment in enumerate(moments):
        free = max(free, moment) + seconds[samples[i]]
        assert log.completed[i] == pytest.approx(free, rel=1e-12)
    assert (log.started >= log.scheduled).all() and (log.sample == samples).all()


def test_a_platform_that_takes_several_gets_all_that_are_due() -> None:
    """Arrivals at 0, then ten during the first call: they share the second call."""
    service = batching(1.0, 0.1, (1, 2, 4, 8, 16))
    clock = VirtualClock()
    desk = Desk(clock, None)
    moments = np.array([0.0, *np.linspace(0.1, 1.0, 10), 9.0])
    generator.as_scheduled(
        desk, Modelled(service, clock), np.arange(12) % 10, moments, settings(), MANY, lambda share: None
    )
    log = desk.close()
    assert log.together.tolist() == [1, *[10] * 10, 1]
    assert log.completed[1] == pytest.approx(1.1 + 1.0 + 0.1 * 16), "a call of ten takes the time of sixteen"
    assert log.completed[-1] == pytest.approx(9 + 1.1)


def test_energy_of_a_run_is_its_work_and_what_flows_all_the_time() -> None:
    service = Service(
        "chip_total", (1,), np.full((1, 4), 1e-3),
        {"chip_total": Power(np.array([[1.0, 2.0, 3.0, 4.0]]), 10.0)},
    )  # fmt: skip
    slow, fast = served(service, 10.0, 400), served(service, 500.0, 400)
    for log in (slow, fast):
        joules = service.energy_j(log, "chip_total")
        work = np.array([1.0, 2, 3, 4])[log.sample].sum()
        assert joules.sum() == pytest.approx(work + 10.0 * log.seconds)
    assert service.energy_j(slow, "chip_total").mean() > service.energy_j(fast, "chip_total").mean()


def test_percentiles_are_those_of_an_adapter_that_sleeps_as_modelled() -> None:
    """Services of milliseconds: the wall clock's own noise is far below them."""
    seconds = [0.002 + 0.002 * (s % 5) for s in range(10)]
    what = asked("Server", seed=4)
    rate, n = 100.0, 250
    _, real = measured.serve(bench(Sleeper(seconds), what), rate, n)
    _, model = modelled.serve(what, Service("wall", (1,), np.array([seconds]), {}), rate, n)
    np.testing.assert_array_equal(real.sample, model.sample)
    np.testing.assert_allclose(real.scheduled, model.scheduled, atol=1e-12)
    assert (real.completed >= model.completed - 1e-4).all(), "a sleeper is late, never early"
    late = np.sort(real.latency()) - np.sort(model.latency())
    # half the queries of a shared machine are as prompt as that, however busy it is
    assert np.median(late) < 0.004
    if np.quantile(late, 0.99) < 0.003:  # nothing else ran: then all percentiles are
        for p in (0.5, 0.9, 0.99):
            assert np.quantile(real.latency(), p) == pytest.approx(np.quantile(model.latency(), p), rel=0.1)


def test_skipped_waiting_changes_no_latency() -> None:
    """At one query a second an hour passes at once, and each query still takes its own time."""
    seconds = [0.002] * 10
    what = asked("Server", seed=1)
    _, log = measured.serve(bench(Sleeper(seconds), what, "skipping"), 1.0, 50)
    assert log.seconds > 20
    assert np.median(log.latency()) == pytest.approx(0.002, rel=0.5)
