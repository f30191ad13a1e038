from __future__ import annotations

import pytest
from test_reprice import nmbench, ran, stored  # noqa: F401 - a fixture

from nmbench.comparison import pairs
from nmbench.errors import InputError
from nmbench.record import Result


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
    with pytest.raises(InputError, match="no workload, size, data and platform stands in both"):
        pairs([one, one], [other, results["gpu-h100"]])


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
