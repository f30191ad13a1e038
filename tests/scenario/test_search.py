from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessions import asked, batching, constant

from nmbench.scenario import modelled
from nmbench.scenario.search import LOWEST, Verdict, highest_rate, saturated, verdict


@given(limit=st.floats(0.002, 1.0), unsure=st.floats(1.0, 1.2), tolerance=st.floats(1.01, 1.3))
def test_bisection_ends_within_its_tolerance_of_the_limit(
    limit: float, unsure: float, tolerance: float
) -> None:
    def probe(rate: float) -> Verdict:
        return "met" if rate <= limit else "undecided" if rate <= limit * unsure else "missed"

    found = highest_rate(probe, 1.0, tolerance)
    assert found.met is not None and found.met <= limit <= found.met * tolerance * (1 + 1e-12)
    assert found.missed is None or found.missed > min(1.0, limit * unsure)
    assert len(found.probes) <= 12 + math.ceil(math.log(2) / math.log(tolerance)) + 1


def test_a_bound_that_is_never_met_ends_the_search() -> None:
    found = highest_rate(lambda rate: "missed", 100.0, 1.1)
    assert found.met is None and found.probes[-1][0] >= 100 * LOWEST


@pytest.mark.parametrize(("load", "full"), [(0.5, False), (0.9, False), (1.1, True), (2.0, True)])
def test_saturation_is_seen_however_short_the_run(load: float, full: bool) -> None:
    _, log = modelled.serve(asked("Server"), constant(1e-3), load / 1e-3, 2000)
    assert saturated(log, 1) is full


def test_a_saturated_platform_misses_a_bound_that_its_queue_has_not_reached_yet() -> None:
    _, log = modelled.serve(asked("Server"), constant(1e-3), 1100.0, 600)
    assert log.latency().max() < 0.5
    assert verdict(log, 0.5, 0.99, 1) == "missed"


def test_few_queries_are_judged_by_the_bound_alone() -> None:
    _, log = modelled.serve(asked("Server"), constant(1e-3), 10.0, 40)
    assert verdict(log, 0.0011, 0.99, 1) in ("met", "missed")
    assert verdict(log, 10.0, 0.99, 1) == "met"
    assert verdict(log, 1e-6, 0.99, 1) == "missed"


def test_the_modelled_rate_is_where_theory_has_it() -> None:
    """M/D/1 with s = 1 ms: at the rate found, 1 % of the waiting times is near to the bound less s."""
    what = asked("Server", percentile=0.99, probe_queries=20_000, least_queries=50_000, tolerance=1.01)
    found = modelled._highest(what, constant(1e-3))
    assert found.met is not None
    for rate, meets in ((found.met * 0.93, True), (found.met * 1.05, False)):
        _, log = modelled.serve(what, constant(1e-3), rate, 200_000)
        share = float((log.latency() > 0.05).mean())
        assert (share <= 0.01) is meets, (rate, share)


@pytest.mark.parametrize(("load", "full"), [(0.9, False), (0.97, False), (1.1, True)])
def test_a_platform_that_takes_many_at_once_is_saturated_when_its_calls_are_full(
    load: float, full: bool
) -> None:
    """Few calls of many queries each: 30 of them show it."""
    service = batching(1e-3, 1e-3, (1, 2, 4, 8, 16, 32, 64))
    _, log = modelled.serve(asked("Server"), service, load * service.capacity, 4000)
    assert saturated(log, 64) is full
