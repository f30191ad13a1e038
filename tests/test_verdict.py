from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import accuracy, latencies, measured, modelled, packed, side

from nmbench.record import Metric, Noise, Result, Traffic
from nmbench.verdict import Verdict, judge, why_unpaired

SIZES = np.random.default_rng(0).lognormal(0, 0.5, 600)


def timed(factor: float, draw: int, n: int = 600, **changes: Any) -> Result:
    """Queries of like samples, each with a noise of 2 %."""
    return side(
        *latencies(factor * (SIZES * np.random.default_rng(draw).lognormal(0, 0.02, 600))[:n]), **changes
    )


def of(one: Result, other: Result, name: str, starts: float = 0.0) -> Verdict:
    mine, theirs = one.find(name), other.find(name)
    assert mine and theirs
    return judge((one, other), (mine, theirs), starts)


@pytest.mark.parametrize("name", ["latency_p50", "latency_p90", "latency_p99"])
def test_all_percentiles_rest_on_the_pairs_wherever_the_queries_stand(name: str) -> None:
    found = of(timed(1, 1), timed(1.1, 2), name)
    assert (found.finding, found.how) == ("real", "paired: 600 queries of both")
    assert found.effect and found.effect.lo < 1.1 < found.effect.hi
    assert of(timed(1, 1), timed(1, 2), name).finding == "not shown"


def test_a_difference_below_what_starts_differ_by_is_not_real() -> None:
    assert of(timed(1, 1), timed(1.03, 2), "latency_p50").finding == "real"
    found = of(timed(1, 1), timed(1.03, 2), "latency_p50", 0.035)
    assert found.finding == "not shown" and found.effect and found.effect.detectable > 0.1


def test_a_pair_needs_as_many_queries_as_early_stopping() -> None:
    found = of(timed(1, 1, 400), timed(2, 2, 400), "latency_p99")
    assert (found.finding, found.how) == ("undecided", "400 queries are too few for a p99: 459")
    assert of(timed(1, 1, 400), timed(2, 2, 400), "latency_p90").finding == "real"


def test_the_longer_run_is_cut_to_the_shorter() -> None:
    found = of(timed(1, 1), timed(1.1, 2, 300), "latency_p50")
    assert found.how == "paired: the first 300 queries of both"
    assert found.effect and found.effect.value == pytest.approx(1.1, rel=0.02)
    assert found.effect.hi / found.effect.lo < 1.05, "unpaired ones would be four times as wide"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict(seed=1), "seeds differ (0, 1)"),
        (dict(tier="official"), "tiers differ (quick, official)"),
        (dict(workload=dict(data_sha256="f" * 64)), "data differ"),
        (dict(workload=dict(samples=99)), "data differ"),
        (dict(workload=dict(data_sha256=None)), "no hash of the data"),
        (dict(workload=dict(sha256="f" * 64)), "definitions of the workload differ"),
    ],
)
def test_other_queries_are_never_paired(changes: dict[str, Any], reason: str) -> None:
    one, other = timed(1, 1), timed(1.1, 2, **changes)
    assert why_unpaired(one, other) == [reason] and why_unpaired(one, one) == []
    found = of(one, other, "latency_p50")
    assert found.how == f"unpaired: {reason}"
    paired = of(one, timed(1.1, 2), "latency_p50").effect
    assert found.effect and paired and found.effect.hi - found.effect.lo > 2 * (paired.hi - paired.lo)


def test_another_generator_asks_in_another_order() -> None:
    def by(generator: str) -> Result:
        traffic = Traffic(generator=generator, clock="wall", queries=600, samples=600, seconds=1.0)
        return timed(1, 1, traffic=traffic)

    assert why_unpaired(by("nmbench"), by("loadgen 6.0")) == [
        "generators of traffic differ (nmbench, loadgen 6.0)"
    ]
    assert why_unpaired(by("nmbench"), timed(1, 1)) == ["generators of traffic differ (nmbench, none stated)"]


def test_latency_at_another_rate_is_not_judged() -> None:
    def at(rate: float) -> Result:
        traffic = Traffic(generator="nmbench", clock="wall", queries=9, samples=9, seconds=1.0, rate=rate)
        return timed(rate / 100, 1, traffic=traffic)

    found = of(at(100), at(150), "latency_p99")
    assert (found.finding, found.how) == ("undecided", "asked at different rates (100/s, 150/s)")


def test_estimates_of_early_stopping_are_judged_by_their_place() -> None:
    """Of 600 queries the estimate of the p90 is the 558th: slow ones above the 92nd percentile are in it."""
    seconds = SIZES * np.where(np.quantile(SIZES, 0.92) < SIZES, 2.0, 1.0)
    sides = [
        side(*latencies(values), measured("latency_p90_estimate", 2.0, n=600)) for values in (SIZES, seconds)
    ]
    estimate, plain = (of(sides[0], sides[1], f"latency_p90{end}") for end in ("_estimate", ""))
    assert estimate.how == plain.how == "paired: 600 queries of both"
    assert estimate.effect and plain.effect
    assert plain.effect.value < 1.2 and estimate.effect.value > 1.5


def test_without_repetitions_the_intervals_decide() -> None:
    def rate(value: float, reach: float | None) -> Result:
        ends = (None, None) if reach is None else (value - reach, value + reach)
        return side(measured("server_rate", value, *ends, unit="1/s"))

    found = of(rate(100, 3), rate(120, 3), "server_rate")
    assert (found.finding, found.how) == ("real", "unpaired: by the two intervals")
    assert of(rate(100, 3), rate(104, 3), "server_rate").finding == "not shown"
    assert of(rate(100, 3), rate(120, None), "server_rate").finding == "undecided"


def test_a_part_of_the_queries_does_not_stand_for_all() -> None:
    def cut(factor: float) -> Result:
        part = tuple(factor * SIZES[:100])
        return side(measured("latency_p50", factor, 0.99 * factor, 1.01 * factor, n=600, samples=part))

    assert of(cut(1), cut(1.1), "latency_p50").how == "unpaired: by the two intervals"


def test_accuracy_is_judged_on_the_same_samples() -> None:
    right, better = np.ones(100, bool), np.ones(100, bool)
    right[:20] = False
    better[:12] = False

    def answered(bits: np.ndarray, **changes: Any) -> Result:
        return side(accuracy(bits), right=packed(bits), **changes)

    found = of(answered(right), answered(better), "accuracy")
    assert found.finding == "real" and found.how == "paired: McNemar's exact test on 100 samples"
    assert found.effect and found.effect.p_value == pytest.approx(2 / 2**8)
    assert of(answered(right), answered(better, seed=7, tier="official"), "accuracy") == found
    for changes in (
        dict(right=None),
        dict(right="ff"),
        dict(right=packed(right)),
        dict(workload=dict(data_sha256="f" * 64)),
    ):
        apart = of(
            answered(right), side(accuracy(better), **dict(right=packed(better)) | changes), "accuracy"
        )
        assert apart.finding == "not shown" and apart.how.startswith("unpaired")


def test_shares_without_numbers_are_not_judged() -> None:
    def late(value: float, n: int | None) -> Result:
        return side(measured("deadline_misses", value, n=n, unit="1"))

    assert of(late(0.0, 1000), late(0.02, 1000), "deadline_misses").finding == "real"
    assert of(late(0.0, 1000), late(0.001, 1000), "deadline_misses").finding == "not shown"
    assert of(late(0.0, None), late(0.02, 1000), "deadline_misses").finding == "undecided"


def test_models_are_apart_or_overlap_and_those_of_one_card_decide_nothing() -> None:
    def priced(value: float, card: str | None) -> Result:
        return side(modelled(value, 1.5), platform=dict(kind="modelled", card_sha256=card))

    a, b = "1" * 64, "2" * 64
    assert of(priced(1, a), priced(3, b), "energy_per_inference").finding == "apart"
    assert of(priced(3, a), priced(1, b), "energy_per_inference").finding == "apart"
    assert of(priced(1, a), priced(2, b), "energy_per_inference").finding == "overlap"
    same = of(priced(1, a), priced(3, a), "energy_per_inference")
    assert same.finding == "undecided" and same.how.startswith("same card") and same.effect is None
    assert of(priced(1, None), priced(3, None), "energy_per_inference").finding == "apart"


def test_noise_spoils_what_is_measured_but_not_answers_or_models() -> None:
    loud = Noise(load1=2.0, cpu_pressure=0.5, marks=("load average 2.00",))
    bits = np.ones(100, bool)

    def full(**changes: Any) -> Result:
        metrics: list[Metric] = [*latencies(SIZES), accuracy(bits), modelled(1, 1.5)]
        return side(*metrics, right=packed(bits), **changes)

    names = ("latency_p90", "accuracy", "energy_per_inference")
    for one, other in ((full(), full(noise=loud)), (full(noise=loud), full())):
        assert [of(one, other, name).noisy for name in names] == [True, False, False]
    assert not of(full(), full(), "latency_p90").noisy


def test_reported_numbers_are_not_judged() -> None:
    one = side(modelled(1, 1.5).model_copy(update={"kind": "reported"}))
    assert of(one, one, "energy_per_inference").finding == "undecided"
