from __future__ import annotations

import pytest
from sides import measured, side
from test_reprice import nmbench, ran, stored  # noqa: F401 - a fixture

from nmbench.comparison import pairs
from nmbench.errors import InputError
from nmbench.record import Gate, NetworkId, Noise, Result
from nmbench.starts import Starts


@pytest.fixture
def results(ran) -> dict[str, Result]:  # noqa: F811
    return stored(ran)


def test_two_results_share_the_boundaries_that_both_state(results: dict[str, Result]) -> None:
    (pair,) = pairs([results["gpu-h100"]], [results["loihi"]])
    energy = {line.one.boundary: line for line in pair.lines if line.one.name == "energy_per_inference"}
    assert set(energy) == {"chip_dynamic", "chip_total"}
    line = energy["chip_total"]
    assert line.one.value and line.other.value
    assert line.ratio == line.other.value / line.one.value
    accuracy = [line for line in pair.lines if line.one.name == "accuracy"]
    assert [line.ratio for line in accuracy] == [1.0]


def test_a_measured_latency_is_never_set_beside_a_modelled_one(results: dict[str, Result]) -> None:
    (pair,) = pairs([results["numba-event"]], [results["loihi"]])
    assert not [line for line in pair.lines if line.one.name.startswith("latency")]
    text = " ".join(pair.unlike)
    assert "latency_p90: numba-event states measured at wall" in text and "never compared" in text
    assert "accuracy: kind: simulated against measured is never compared" in text


def test_a_boundary_that_one_does_not_state_is_refused_with_a_message(results: dict[str, Result]) -> None:
    with pytest.raises(InputError) as caught:
        pairs([results["gpu-h100"]], [results["loihi"]], "system_with_io")
    assert any(
        "gpu-h100 states nothing, loihi states modelled at system_with_io" in f for f in caught.value.faults
    )
    with pytest.raises(InputError, match="did you mean 'chip_total'"):
        pairs([results["gpu-h100"]], [results["loihi"]], "chip_totl")


def test_other_workloads_are_refused(results: dict[str, Result]) -> None:
    one = results["loihi"]
    other = one.model_copy(update={"size": "small"})
    with pytest.raises(InputError, match=r"size base, .* against .* size small"):
        pairs([one], [other])
    with pytest.raises(InputError, match="no workload, size, data, scenario and platform stands in both"):
        pairs([one, one], [other, results["gpu-h100"]])


def test_other_scenarios_are_refused(results: dict[str, Result]) -> None:
    one = results["loihi"]
    with pytest.raises(InputError, match=r"SingleStream against .* Offline is never compared"):
        pairs([one], [one.model_copy(update={"scenario": "Offline"})])


def test_runs_are_paired_by_scenario_and_by_seed_where_both_have_it(results: dict[str, Result]) -> None:
    one = results["loihi"]
    seeds = [one.model_copy(update={"seed": seed}) for seed in (0, 1, 2)]
    server = one.model_copy(update={"scenario": "Server"})
    found = pairs([*seeds[:2], server], [server, *seeds[1:]])
    assert [(p.one.scenario, p.one.seed, p.other.seed) for p in found] == [
        ("SingleStream", 0, 2),
        ("SingleStream", 1, 1),
        ("Server", 0, 0),
    ]


def test_equal_answers_of_one_simulator_differ_in_nothing(results: dict[str, Result]) -> None:
    (pair,) = pairs([results["gpu-h100"]], [results["loihi"]])
    verdicts = {(line.one.name, line.one.boundary): line.verdict for line in pair.lines}
    accuracy = verdicts["accuracy", None]
    assert accuracy.finding == "not shown"
    assert accuracy.effect and accuracy.effect.value == 0 and accuracy.effect.p_value in (1.0, None)
    assert verdicts["energy_per_inference", "chip_total"].finding in ("apart", "overlap")


def test_a_card_against_itself_decides_nothing(results: dict[str, Result]) -> None:
    (pair,) = pairs([results["loihi"]], [results["loihi"]])
    energies = [line.verdict for line in pair.lines if line.one.name == "energy_per_inference"]
    assert energies and all(v.finding == "undecided" and v.how.startswith("same card") for v in energies)


def test_the_spread_of_starts_is_the_callers(results: dict[str, Result]) -> None:
    timed = results["numba-event"]
    effects = []
    for spread in (0.0, 0.2):
        (pair,) = pairs([timed], [timed], starts=Starts(spread, "made up"))
        effects += [
            line.verdict.effect
            for line in pair.lines
            if line.one.name == "latency_p50" and line.verdict.effect
        ]
    assert effects[0].value == effects[1].value == 1
    assert effects[0].lo == effects[0].hi == 1 and effects[1].lo < 0.7


def test_a_share_of_nothing_has_no_ratio_but_a_difference() -> None:
    def late(value: float) -> Result:
        misses = measured("deadline_misses", value, n=1000, unit="1")
        return side(measured("latency_p50", 1.0, 0.9, 1.1), misses)

    (pair,) = pairs([late(0.0)], [late(0.1)])
    (line,) = [line for line in pair.lines if line.one.name == "deadline_misses"]
    assert line.ratio is None and line.verdict.finding == "real"
    with pytest.raises(InputError, match="no value: none"):
        pairs([side(measured("latency_p50", None, reason="none"))], [side(measured("latency_p50", 1.0))])


def test_one_reason_is_told_once() -> None:
    latency = measured("latency_p50", 1.0, 0.9, 1.1)
    missing = [measured(f"power_{of}", None, unit="W", reason="no meter") for of in ("idle", "active")]
    one, other = side(latency, *missing), side(latency, measured("power_idle", 1.0, unit="W"), missing[1])
    assert pairs([one], [one])[0].unlike == ("power_idle, power_active: no value: no meter",)
    assert pairs([one], [other])[0].unlike == ("power_idle, power_active: no value: no meter",)


def test_what_is_doubtful_is_noted() -> None:
    one = side(measured("latency_p50", 1.0, 0.9, 1.1))
    other = side(
        measured("latency_p50", 1.0, 0.9, 1.1),
        tier="official",
        system="sha256:" + "f" * 64,
        noise=Noise(load1=2.0, cpu_pressure=None, marks=("load average 2.00",)),
        quality=Gate(metric="accuracy", target=0.9, value=0.5, reached=False),
        network=NetworkId(name="small", sha256="f" * 64, dialect=one.network.dialect),
    )
    (pair,) = pairs([one], [other])
    assert pair.notes == (
        "tiers differ: A quick, B official",
        "networks differ: A base, B small",
        "machines differ",
        "B is marked noisy: load average 2.00",
        "B missed its quality target: its performance does not count",
    )
    assert pairs([one], [one])[0].notes == ()


def test_runs_are_paired_by_platform(results: dict[str, Result]) -> None:
    found = pairs(list(results.values()), list(results.values()))
    assert {pair.one.platform.name for pair in found} == set(results)
    assert all(line.ratio == 1 for pair in found for line in pair.lines)


def test_the_command(ran, results: dict[str, Result]) -> None:  # noqa: F811
    done = nmbench("compare", results["gpu-h100"].id, results["loihi"].id, "--results", "r", cwd=ran)
    assert done.returncode == 0, done.stderr
    assert "Ratio" in done.stdout and "chip total" in done.stdout
    refused = nmbench(
        "compare",
        results["gpu-h100"].id,
        results["loihi"].id,
        "--boundary",
        "wall",
        "--results",
        "r",
        cwd=ran,
    )
    assert refused.returncode == 2 and "neither states one at wall" in refused.stderr
