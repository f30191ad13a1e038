"""How long each scenario runs, and on which percentile of the latency it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from nmbench.spec import Scenario, Tier

OFFLINE_SAMPLES = 24_576
"""Samples of MLPerf's Offline at least, in the official tier."""

SAMPLES_PER_QUERY = 8
"""Of MultiStream."""


@dataclass(frozen=True)
class Settings:
    """When a run of timed queries ends, and what it is judged on.

    Attributes
    ----------
    percentile
        Of the latency; None where it plays no part.
    least_seconds, least_queries
        Both are reached, by the scenario's clock.
    most_queries
        Ends a run before its seconds are over.
    most_seconds
        Ends a run before its queries are asked, by the wall clock; None: nothing does.
    samples_per_query
        Asked for at once.
    patience_s
        How long an answer is waited for.
    probe_queries
        Of each try of Server's search; the rate it finds is run in full.
    probe_seconds
        Longest try by the wall clock.
    tolerance
        Ratio of two neighbouring rates at which Server's search ends.
    """

    percentile: float | None
    least_seconds: float
    least_queries: int
    most_queries: int
    most_seconds: float | None
    samples_per_query: int = 1
    patience_s: float = 10.0
    probe_queries: int = 2010
    probe_seconds: float = 4.0
    tolerance: float = 1.03


QUICK: dict[Scenario, Settings] = {
    # 64 queries are the least that bound a p90 with confidence 0.99 at one over-latency, 662 a p99
    "SingleStream": Settings(0.9, 2.0, 64, 1024, None),
    "MultiStream": Settings(0.99, 1.0, 662, 662, 5.0, SAMPLES_PER_QUERY),
    "Server": Settings(0.99, 1.0, 2010, 20_000, 5.0),
    "Offline": Settings(None, 1.0, 1, 1_000_000, 5.0),
    "Streaming": Settings(0.99, 5.0, 1, 1_000_000, 10.0),
}
"""Tier ``quick``: seconds, never submittable."""

MOST = 1 << 62

OFFICIAL: dict[Scenario, Settings] = {
    "SingleStream": Settings(0.9, 600.0, 64, MOST, None, patience_s=60.0),
    "MultiStream": Settings(0.99, 600.0, 662, MOST, None, SAMPLES_PER_QUERY, patience_s=60.0),
    "Server": Settings(
        0.99,
        600.0,
        662,
        MOST,
        None,
        patience_s=60.0,
        probe_queries=20_140,
        probe_seconds=60.0,
        tolerance=1.01,
    ),
    "Offline": Settings(None, 600.0, OFFLINE_SAMPLES, MOST, None, patience_s=60.0),
    "Streaming": Settings(0.99, 600.0, 1, MOST, None, patience_s=60.0),
}
"""Tier ``official``: 600 s at least, as MLPerf's, and as many queries as early stopping asks for."""


def settings(scenario: Scenario, tier: Tier) -> Settings:
    """Return how a scenario runs in a tier."""
    return (QUICK if tier == "quick" else OFFICIAL)[scenario]
