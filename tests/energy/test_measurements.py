"""Files of measurements: what they mean, and what is said of broken ones."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nmbench.energy.activity import Activity, expected_counts
from nmbench.energy.conditions import Conditions
from nmbench.energy.described import NO_INPUT, DescribedNetwork, outlined
from nmbench.energy.measurements import (
    QUANTITIES,
    SHIPPED,
    Measurement,
    Options,
    chosen,
    read_measurements,
)
from nmbench.energy.outline import outline
from nmbench.errors import InputError
from nmbench.network.connectivity import dense_macs, fan_out

FACTS = Path(__file__).parents[3] / "shared" / "facts"

# word for word MODELS.md, "File of measurements"
EXAMPLE = """
schema: nmbench.measurements/1
rows:
  - id: blouw2019-loihi-base
    platform: loihi
    boundary: system_with_io
    source: "Blouw et al. 2019, logs"
    evidence: primary
    network:            # populations and projections are enough: no weights needed
      populations: [{name: in, neurons: 390}, {name: h1, neurons: 256}, {name: h2, neurons: 256}, {name: out, neurons: 29}]
      projections: [{from: in, to: h1, synapses: dense}, {from: h1, to: h2, synapses: dense}, {from: h2, to: out, synapses: dense}]
    activity: {steps: 10, spike_probability: {in: 0.1, h1: 0.08, h2: 0.08, out: 0.0}}   # assumed: the rates were not logged
    options: {host_io: true, input_cores: 2}
    measured: {energy_dynamic_J: 2.7e-4, latency_s: 3.37e-3}
"""  # noqa: E501 (the document's own lines)


def row(**changes: Any) -> dict[str, Any]:
    """Return a row as YAML gives it, with changes; a key with __ reaches inside."""
    made: dict[str, Any] = copy.deepcopy(yaml.safe_load(EXAMPLE)["rows"][0])
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = made
        for parent in parents:
            place = place[parent]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def read(tmp_path: Path, *rows: Any, **top: Any) -> tuple[Measurement, ...]:
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"schema": "nmbench.measurements/1", "rows": rows} | top))
    return read_measurements(path).rows


def faults(tmp_path: Path, *rows: Any, **top: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, *rows, **top)
    assert caught.value.subject == str(tmp_path / "file.json")
    return caught.value.faults


def test_the_example_of_the_specification_reads(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLE)
    (one,) = read_measurements(path).rows
    assert one.card.name == "loihi"
    assert one.conditions == Conditions(host_io=True, input_cores=2)
    assert one.outline == tiny_with_arrows()
    assert one.activity.steps == 10
    assert one.activity.spikes == pytest.approx((390, 204.8, 204.8, 0))
    assert one.activity.neuron_updates == pytest.approx((0, 2560, 2560, 290))
    assert one.activity.synaptic_events == pytest.approx((390 * 256, 204.8 * 256, 204.8 * 29))
    assert one.measured == {"energy_dynamic_J": 2.7e-4, "latency_s": 3.37e-3}
    assert one.split is None


def tiny_with_arrows() -> Any:
    plain = tiny.keyword_spotter()
    named = [dataclasses.replace(x, name=x.name.replace("-", "->")) for x in plain.links]
    return dataclasses.replace(plain, links=tuple(named))


def test_options_are_the_conditions() -> None:
    conditions = {f.name: f.default for f in dataclasses.fields(Conditions)}
    assert {name: field.default for name, field in Options.model_fields.items()} == conditions


@pytest.mark.parametrize("text", ["1e1", "10.0", "1.0e+1"])
def test_numerals_that_yaml_takes_for_text_or_fractions(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(EXAMPLE.replace("steps: 10,", f"steps: {text},").replace("2.7e-4", "27e-5"))
    (one,) = read_measurements(path).rows
    assert one.activity.steps == 10
    assert one.measured["energy_dynamic_J"] == pytest.approx(2.7e-4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"platform": "loihl"}, "platform: unknown card 'loihl': did you mean 'loihi'"),
        ({"platform": "../cards/loihi.yaml"}, "platform: the name of a card, not of a file"),
        ({"platform": "cpu-host"}, "platform: cpu-host has no model"),
        ({"boundary": "system_with_oi"}, "boundary: unknown boundary 'system_with_oi': did you mean"),
        ({"evidence": "hearsay"}, "evidence: unknown evidence 'hearsay'"),
        ({"id": "../../etc"}, "id: string should match pattern"),
        ({"source": None}, "source: missing"),
        ({"colour": "red"}, "colour: unknown field 'colour'"),
        ({"measured": {}}, "measured: dictionary should have at least 1 item"),
        ({"measured__energy_dyn_J": 1.0}, "unknown quantity 'energy_dyn_J': did you mean 'energy_dynamic_J'"),
        ({"measured__latency_s": 0.0}, "measured.latency_s: input should be greater than 0"),
        ({"measured__latency_s": "fast"}, "measured.latency_s: input should be a valid number"),
        ({"measured__real_time_factor": 1.0}, "measured.real_time_factor: needs activity.step_s"),
        ({"options__host_oi": True}, "options.host_oi: unknown field 'host_oi': did you mean 'host_io'"),
        ({"options__host_io": "yes"}, "options.host_io: input should be a valid boolean"),
        ({"options__input_cores": 0}, "options.input_cores: input should be greater than or equal to 1"),
        ({"activity__steps": 0}, "activity.steps: input should be greater than or equal to 1"),
        ({"activity__steps": 10**12}, "activity.steps: input should be less than or equal to"),
        ({"activity__spike_probability__h1": 1.5}, "h1: input should be less than or equal to 1"),
        ({"activity__spike_probability__h3": 0.5}, "activity.spike_probability: unknown population 'h3'"),
        ({"activity__spike_probability__h1": None}, "activity.h1: no spike_probability, rate_hz or spikes"),
        ({"activity__rate_hz": 3}, "activity.rate_hz: needs step_s"),
        ({"activity__spikes": {"in": 5}}, "activity.in: its spikes are given by both spikes and spike_prob"),
        ({"activity__synaptic_events": {"in->h2": 5}}, "unknown projection 'in->h2': did you mean"),
        ({"activity__counts": {"spikes": {"hh": 5}}}, "activity.spikes: unknown population 'hh'"),
        ({"activity__step_s": 1e-3, "options__step_s": 2e-3}, "activity.step_s: differs from options.step_s"),
        ({"network__populations": []}, "network.populations: tuple should have at least 1 item"),
        ({"network__projections": [{"from": "in", "to": "h9"}]}, "projections.0.to: unknown population 'h9'"),
    ],
)  # fmt: skip
def test_faults_name_their_place(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    told = faults(tmp_path, row(**changes))
    assert any(said in fault for fault in told), told
    assert all(fault.startswith("rows.0.") for fault in told), told


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ({"name": "h1"}, "needs neurons or a shape"),
        ({"name": "h1", "neurons": 5, "shape": [2, 3]}, "5 neurons, but its shape has 6"),
        ({"name": "h1", "neurons": 0}, "greater than or equal to 1"),
        ({"name": "h1", "neurons": 10**10}, "less than or equal to"),
        ({"name": "h1", "shape": [60000, 60000]}, "3600000000 neurons; at most"),
        ({"name": "h1", "shape": [1, 1, 1, 1]}, "at most 3 items"),
        ({"name": "in", "neurons": 256}, "several are called 'in'"),
        ({"name": "h1", "neurons": 256, "input": True}, "h1 is an input, but a projection enters it"),
    ],
)
def test_populations_that_cannot_be(tmp_path: Path, population: dict[str, Any], said: str) -> None:
    broken = row()
    broken["network"]["populations"][1] = population
    told = faults(tmp_path, broken)
    assert any(said in fault for fault in told), told


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "needs synapses, probability, fan_out, fan_in or a kernel"),
        ({"synapses": "dens"}, "unknown synapses 'dens': did you mean 'dense'"),
        ({"synapses": -1}, "a count of at least 0"),
        ({"synapses": 1.5}, "dense, one_to_one or a whole number"),
        ({"synapses": 390 * 256 + 1}, "99841 synapses, but there are 99840 pairs"),
        ({"synapses": "one_to_one"}, "one_to_one, but 390 neurons meet 256"),
        ({"synapses": "dense", "probability": 0.5}, "needs one of"),
        ({"probability": 1.5}, "less than or equal to 1"),
        ({"fan_out": 257}, "pairs"),
        ({"synapses": "dense", "stride": 2}, "stride: of a convolution, but there is no kernel"),
        ({"kernel": 3}, "a convolution needs a shape of (channels, rows, columns) at both ends"),
        ({"kernel": 300}, "less than or equal to 255"),
        ({"synapses": "dense", "delay": -1}, "greater than or equal to 0"),
    ],
)
def test_projections_that_cannot_be(tmp_path: Path, how: dict[str, Any], said: str) -> None:
    broken = row()
    broken["network"]["projections"][0] = {"from": "in", "to": "h1", **how}
    told = faults(tmp_path, broken)
    assert any(said in fault for fault in told), told


def test_an_option_that_the_equation_does_not_heed_is_named(tmp_path: Path) -> None:
    (read_row,) = read(tmp_path, row(options__input_bits=8, options__host_io=True))
    assert read_row.unheeded == ["input_bits"]
    (read_row,) = read(tmp_path, row())
    assert read_row.unheeded == []


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    """A row's broken fields hide neither its own platform and network nor other rows."""
    first = row(platform="loihl", boundary="inside", measured__latency_s=-1)
    first["network"]["projections"][0]["to"] = "h9"
    told = faults(tmp_path, first, row(options__boards=3, activity__rate_hz=1), {"id": "c"})
    expected = (
        "rows.0.platform",
        "rows.0.boundary",
        "rows.0.measured.latency_s",
        "rows.0.network.projections.0.to",
        "rows.1.activity.rate_hz",
        "rows.2.network: missing",
    )
    assert not [place for place in expected if not any(f.startswith(place) for f in told)], told


def test_an_id_stands_once(tmp_path: Path) -> None:
    left = [{"id": "b", "reason": "no network"}, {"id": "a", "reason": "no card"}]
    assert faults(tmp_path, row(id="a"), row(id="b"), row(id="b"), left_out=left) == (
        "id 'a' stands 2 times",
        "id 'b' stands 3 times",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "schema: nmbench.measurements/2\nrows: []",
        EXAMPLE.replace("platform: loihi", "platform: !!python/object/apply:os.system ['true']"),
        "schema: nmbench.measurements/1\nrows: " + "[" * 5000,
        "a: &a [x]\nb: [*a, *a]\nschema: nmbench.measurements/1\nrows: []",
        EXAMPLE.replace("steps: 10", "steps: 10, steps: 11"),
        EXAMPLE.replace("2.7e-4", ".nan"),
        EXAMPLE.replace("2.7e-4", ".inf"),
        EXAMPLE.replace("390", "9" * 5000),
        EXAMPLE.replace("390", "1e400"),
        EXAMPLE.replace("platform: loihi", "platform: [loihi]"),
        EXAMPLE.replace("name: in,", "name: 5,"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"file\.yaml"):
        read_measurements(path)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    with pytest.raises(InputError, match="at most"):
        read_measurements(path)


def test_rates_and_probabilities_agree(tmp_path: Path) -> None:
    shares = {"in": 0.1, "h1": 0.08, "h2": 0.08}
    rates = {name: share / 1e-3 for name, share in shares.items()}
    (by_share,) = read(tmp_path, row(activity={"steps": 10, "spike_probability": shares}))
    for options in ({}, {"step_s": 1e-3}):
        activity = {"steps": 10, "rate_hz": rates} | ({} if options else {"step_s": 1e-3})
        (by_rate,) = read(tmp_path, row(activity=activity, options=options))
        assert by_rate.activity.spikes == pytest.approx(by_share.activity.spikes)
        assert by_rate.activity.synaptic_events == pytest.approx(by_share.activity.synaptic_events)
        assert by_rate.step_s == 1e-3


@pytest.mark.parametrize(("platform", "pace"), [("loihi", None), ("spinnaker", 1e-4)])
def test_a_steps_own_time_sets_the_pace_of_real_time_platforms_alone(
    tmp_path: Path, platform: str, pace: float | None
) -> None:
    changed = row(platform=platform, options={}, activity__step_s=1e-4)
    assert read(tmp_path, changed)[0].conditions.step_s == pace


def test_exact_counts_stand_in_either_place(tmp_path: Path) -> None:
    exact = {"spikes": {"in": 7, "h1": 5, "h2": 3}, "synaptic_events": {"h1->h2": 99}}
    (direct,) = read(tmp_path, row(activity={"steps": 10, **exact}))
    (under,) = read(tmp_path, row(activity={"steps": 10, "counts": exact}))
    assert direct.activity == under.activity
    assert direct.activity.spikes == (7, 5, 3, 0)
    assert direct.activity.synaptic_events == (7 * 256, 99, 3 * 29), "those not named follow from spikes"
    told = faults(tmp_path, row(activity={"steps": 10, **exact, "counts": exact}))
    assert told[0] == "rows.0.activity.spikes: stands twice, also under counts"


def test_names_that_events_go_by(tmp_path: Path) -> None:
    for name in ("h1->h2", "h1-h2", "h2"):
        activity = {"steps": 10, "spike_probability": 0.1, "synaptic_events": {name: 99}}
        assert read(tmp_path, row(activity=activity))[0].activity.synaptic_events[1] == 99
    twice = {"steps": 10, "spike_probability": 0.1, "synaptic_events": {"h2": 99, "h1->h2": 98}}
    assert "rows.0.activity.synaptic_events: h1->h2 is counted 2 times" in faults(
        tmp_path, row(activity=twice)
    )


def test_events_in_all_are_shared_out_by_the_spikes(tmp_path: Path) -> None:
    shares = {"in": 0.5, "h1": 0.01, "h2": 0.2}
    (plain,) = read(tmp_path, row(activity={"steps": 10, "spike_probability": shares}))
    (one,) = read(tmp_path, row(activity={"steps": 10, "spike_probability": shares, "synaptic_events": 1e6}))
    assert sum(one.activity.synaptic_events) == pytest.approx(1e6)
    ratios = np.divide(one.activity.synaptic_events, plain.activity.synaptic_events)
    assert ratios == pytest.approx([ratios[0]] * 3)
    silent = {"steps": 10, "spike_probability": 0, "synaptic_events": 99840 + 65536 + 7424}
    assert read(tmp_path, row(activity=silent))[0].activity.synaptic_events == pytest.approx(
        (99840, 65536, 7424)
    )


def test_exact_updates_replace_every_neuron_every_step(tmp_path: Path) -> None:
    activity = {"steps": 10, "spike_probability": 0.1, "neuron_updates": {"h2": 77}}
    assert read(tmp_path, row(activity=activity))[0].activity.neuron_updates == (0, 2560, 77, 290)


@pytest.mark.parametrize(
    ("how", "synapses"),
    [
        ({"synapses": "dense"}, 1200),
        ({"synapses": 77}, 77),
        ({"probability": 0.1}, 120),
        ({"fan_out": 3}, 90),
        ({"fan_in": 3}, 120),
    ],
)
def test_ways_to_count_synapses(how: dict[str, Any], synapses: int) -> None:
    sizes, _ = outlined(
        DescribedNetwork.model_validate(
            {
                "populations": [{"name": "a", "neurons": 30}, {"name": "b", "neurons": 40}],
                "projections": [{"from": "a", "to": "b", **how}],
            }
        )
    )
    assert sizes.links[0].synapses == synapses


def test_a_described_convolution_is_the_networks() -> None:
    """Against the network with real weights: its outline, its work and its synapses."""
    network = tiny.cnn()
    made = outline(network)
    sizes, _ = outlined(
        DescribedNetwork.model_validate(
            {
                "populations": [
                    {"name": "in", "shape": [2, 8, 8]},
                    {"name": "conv", "shape": [4, 4, 4], "model": "CubaLIF"},
                    {"name": "out", "neurons": 3, "model": "LI"},
                ],
                "projections": [
                    {"name": "in-conv", "from": "in", "to": "conv", "kernel": 3, "stride": 2, "padding": 1},
                    {"name": "conv-out", "from": "conv", "to": "out", "synapses": "dense"},
                ],
            }
        )
    )
    assert sizes.groups == made.groups
    assert sizes.links[0].synapses == int(fan_out(network, network.projections[0]).sum())
    bare = [dataclasses.replace(link, maps=None) for link in made.links]
    assert list(sizes.links) == bare
    counts = expected_counts(sizes, Activity(1, (0.0,) * 3, (0.0,) * 3, (0.0,) * 2), 1)
    assert counts.dense_macs.tolist() == dense_macs(network).tolist()


def test_the_published_pilotnet_can_be_described(tmp_path: Path) -> None:
    shipped = {one.id: one for one in read_measurements(SHIPPED).rows}
    described = shipped["lava-loihi2-pilotnet-sdnn-chip"].outline
    expected = tiny.pilotnet_sdnn()
    assert [g.shape for g in described.groups] == [g.shape for g in expected.groups]
    assert [(x.kernel, x.stride, x.padding) for x in described.links] == [
        (x.kernel, x.stride, x.padding) for x in expected.links
    ]


def test_inputs_are_those_that_projections_only_leave() -> None:
    def groups(*populations: dict[str, Any], links: list[tuple[str, str]]) -> list[tuple[str, int]]:
        projections = [{"from": a, "to": b, "synapses": "dense"} for a, b in links]
        network = DescribedNetwork.model_validate({"populations": populations, "projections": projections})
        return [(g.name, g.size) for g in outlined(network)[0].groups]

    a, b, c = ({"name": n, "neurons": s} for n, s in (("a", 2), ("b", 3), ("c", 4)))
    assert groups(b, a, links=[("a", "b")]) == [("a", 2), ("b", 3)]
    assert groups(a, b, links=[("a", "b"), ("b", "a")]) == [(NO_INPUT, 1), ("a", 2), ("b", 3)]
    assert groups(a, links=[]) == [(NO_INPUT, 1), ("a", 2)]
    assert groups(a | {"input": False}, b, links=[("a", "b")])[0] == (NO_INPUT, 1)
    assert groups(a, b, c, links=[("a", "c"), ("b", "c")]) == [("a+b", 5), ("c", 4)]


def test_several_inputs_keep_their_own_events(tmp_path: Path) -> None:
    network = {
        "populations": [{"name": n, "neurons": s} for n, s in (("a", 10), ("b", 100), ("c", 4), ("d", 5))],
        "projections": [{"from": a, "to": b, "synapses": "dense"} for a, b in (("a", "c"), ("b", "d"))],
    }
    activity = {"steps": 10, "spike_probability": {"a": 0.5, "b": 0.01}}
    (one,) = read(tmp_path, row(network=network, activity=activity, options={}))
    assert one.activity.spikes == pytest.approx((50 + 10, 0, 0))
    assert one.activity.synaptic_events == pytest.approx((50 * 4, 10 * 5))


@given(
    steps=st.integers(1, 60),
    spikes=st.lists(st.floats(0, 500), min_size=3, max_size=3),
    ratio=st.floats(0, 40),
)
def test_expected_counts_keep_their_totals(steps: int, spikes: list[float], ratio: float) -> None:
    sizes = tiny.chain(10, 20, 30)
    activity = Activity(
        steps, tuple(spikes), (0.0, 20.0 * steps, 30.0 * steps), (spikes[0] * ratio, spikes[1])
    )
    counts = expected_counts(sizes, activity, steps)
    assert len(counts) == 1 and counts.steps == steps
    assert counts.spikes.min() >= 0 and counts.synaptic_events.min() >= 0
    total = counts.spikes.sum(axis=(0, 1))
    assert np.abs(total - spikes).max() <= 0.5 + 1e-3 * max(spikes) + 1e-6
    events = counts.synaptic_events.sum(axis=(0, 1))
    caused = np.array([total[0] * ratio, float(total[1])])
    near = 0.5 + 2e-3 * max(activity.synaptic_events) + 1e-6
    assert np.minimum(np.abs(events - caused), np.abs(events - activity.synaptic_events)).max() <= near
    assert counts.neuron_updates.sum(axis=(0, 1)).tolist() == [0, 20 * steps, 30 * steps]


def test_rare_spikes_fall_on_single_steps_with_their_events() -> None:
    counts = expected_counts(tiny.chain(1, 1000), Activity(100, (10.0, 0.0), (0.0, 1e5), (1e4,)), 100)
    assert sorted(set(counts.spikes[0, :, 0].tolist())) == [0, 1]
    assert (counts.synaptic_events[0, :, 0] == 1000 * counts.spikes[0, :, 0]).all()


def test_a_billion_neurons_take_no_room(tmp_path: Path) -> None:
    """Hala Point's 1.15e9 neurons and 1.28e11 synapses, ten thousand steps."""
    network = {
        "populations": [{"name": "a", "neurons": 575_000_000}, {"name": "b", "neurons": 575_000_000}],
        "projections": [
            {"from": a, "to": b, "synapses": 32_000_000_000} for a in ("a", "b") for b in ("a", "b")
        ],
    }
    big = row(network=network, activity={"steps": 10_000, "spike_probability": 0.001}, options={})
    tracemalloc.start()
    (one,) = read(tmp_path, big)
    counts = expected_counts(one.outline, one.activity, 10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6
    assert counts.spikes.strides[1] == 0
    assert counts.spikes[0, 0].tolist() == [0, 575_000, 575_000]
    assert counts.synaptic_events[0, 0].tolist() == [32_000_000] * 4
    assert counts.dense_macs.min() == 575_000_000**2


def test_pairs_beyond_int64_are_refused(tmp_path: Path) -> None:
    network = {
        "populations": [{"name": n, "neurons": 2_000_000_000} for n in "abc"],
        "projections": [{"from": a, "to": b, "fan_out": 1} for a in "abc" for b in "abc"],
    }
    told = faults(tmp_path, row(network=network, activity={"steps": 1, "spike_probability": 0}))
    assert told == (
        "rows.0.network.projections: 36000000000000000000 pairs of neurons in all; at most "
        + str(9 * 10**18),
    )


def test_chosen_platforms(tmp_path: Path) -> None:
    rows = read(
        tmp_path, row(id="a"), row(id="b", platform="loihi-1"), row(id="c", platform="loihi2", options={})
    )
    assert [one.id for one in chosen(rows, [])] == ["a", "b", "c"]
    assert [one.id for one in chosen(rows, ["loihi"])] == ["a", "b"]
    assert [one.id for one in chosen(rows, ["Loihi 1", "loihi-2"])] == ["a", "b", "c"]
    with pytest.raises(InputError) as caught:
        chosen(rows, ["loihi3", "akida"])
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "unknown card 'loihi3'",
        "no row of akida (there are rows of loihi, loihi2)",
    ]


def test_shipped_rows_are_sorted_split_and_sourced() -> None:
    rows = read_measurements(SHIPPED).rows
    assert [(one.card.name, one.id) for one in rows] == sorted((one.card.name, one.id) for one in rows)
    assert {one.split for one in rows} == {"fit", "test"}
    assert all(one.notes for one in rows)
    assert {quantity for one in rows for quantity in one.measured} <= set(QUANTITIES)


def test_repetitions_of_a_setup_stay_together() -> None:
    splits: dict[str, set[str | None]] = {}
    for one in read_measurements(SHIPPED).rows:
        splits.setdefault(one.id.split("-run0")[0], set()).add(one.split)
    assert all(len(own) == 1 for own in splits.values())


def test_no_published_row_is_dropped_silently() -> None:
    """Every row of the facts is a row of ours, or is left out with a reason."""
    if not FACTS.is_dir():
        pytest.skip("no shared facts beside this checkout")
    text = SHIPPED.read_text(encoding="utf-8")
    read_out = read_measurements(SHIPPED)
    named = {out.id for out in read_out.left_out}
    for fact in table("measurements.csv"):
        assert fact["id"] in named or f"({fact['id']}" in text or f", {fact['id']}" in text, fact["id"]
    ids = {one.id for one in read_out.rows}
    for run in table("blouw2019_runs.csv"):
        assert run["run"] in named or any(_matches(run["run"], one) for one in ids), run["run"]
    keys = {
        (r["device"], r["key"])
        for r in table("ostrau2022_microbenchmarks.csv")
        if r["kind"] == "measured_power" and r["device"] != "Spikey"
    }
    assert len(keys) == sum(one.startswith("ostrau2022-") for one in ids)


def table(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _matches(run: str, id_: str) -> bool:
    kind, _, rest = run.partition("_")
    if kind == "loihi":
        copies, number = rest.split("C")[1][:2], run[-5:]
        return id_ == f"blouw2019-loihi-scaled-{int(copies)}x-{number}"
    name = f"batch-{int(rest.split('_')[1]):02d}" if rest.startswith("bsize") else rest.replace("_", "-")
    return id_ == f"blouw2019-{kind}-{name}"
