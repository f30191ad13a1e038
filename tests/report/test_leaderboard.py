from __future__ import annotations

import math
from collections import Counter
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import CHIP, PLATFORMS, WORKLOADS, Made, made_result, made_suite

from nmbench.quantity import Boundary
from nmbench.record import Metric, Result
from nmbench.report.board import Row, Stated
from nmbench.report.frames import COLUMNS, frame, terms
from nmbench.report.leaderboard import _placed, boards, leaderboard
from nmbench.report.sections import notes, sections

ANY_PLATFORM = st.builds(
    Made,
    name=st.text("abcdefgh", min_size=1, max_size=3),
    family=st.sampled_from(["cpu", "loihi", "plug-in"]),
    kind=st.sampled_from(["measured", "modelled"]),
    boundaries=st.lists(st.sampled_from(get_args(Boundary)), min_size=1, max_size=5, unique=True).map(tuple),
    energy_j=st.floats(1e-9, 1),
    latency_s=st.floats(1e-6, 1),
    factor=st.floats(1, 5),
)
ANY_RESULT = st.one_of(
    st.builds(
        made_result,
        ANY_PLATFORM,
        st.sampled_from(WORKLOADS),
        right=st.one_of(st.none(), st.integers(0, 264)),
        data_sha256=st.sampled_from([None, None, None, "0" * 64]),
        tier=st.sampled_from(["quick", "official"]),
    ),
    st.builds(
        made_result,
        ANY_PLATFORM,
        st.sampled_from(WORKLOADS),
        status=st.sampled_from(["failed", "unsupported"]),
        error=st.text("xyz", min_size=1),
    ),
)
ANY_RESULTS = st.lists(
    ANY_RESULT, min_size=1, max_size=12, unique_by=lambda r: (r.platform.name, r.workload.name)
)


def numbers(row: Row) -> list[Stated]:
    return [row.energy, row.score]


@given(ANY_RESULTS)
@settings(max_examples=60, deadline=None)
def test_ranks_never_mix_kinds_or_boundaries(results: list[Result]) -> None:
    for board in boards(frame(results)):
        for index in range(2):
            stated = [numbers(row)[index] for row in board.rows]
            for number in stated:
                if number.place is None:
                    continue
                peers = [
                    s for s in stated if s.place and (s.kind, s.boundary) == (number.kind, number.boundary)
                ]
                assert number.value is not None and number.place.of == len(peers)
                assert number.place.rank == 1 + sum(
                    p.value < number.value for p in peers if p.value is not None
                )


@given(ANY_RESULTS)
@settings(max_examples=60, deadline=None)
def test_only_what_reached_its_quality_is_ranked_and_the_rest_says_why(results: list[Result]) -> None:
    for board in boards(frame(results)):
        for row in board.rows:
            for number in numbers(row):
                assert (number.place is None) == bool(number.unranked)
                if row.status != "ok" or not row.reached:
                    assert number.place is None


@given(ANY_RESULTS)
@settings(max_examples=60, deadline=None)
def test_every_result_stands_exactly_once(results: list[Result]) -> None:
    found = boards(frame(results))
    shown = Counter(row.id for board in found for section in sections(board) for row in section.rows)
    barred = Counter(row.id for board in found for row in board.rows if row.status != "ok")
    assert shown + barred == Counter(result.id for result in results)
    for board in found:
        told = {note.platform for note in notes(board)}
        assert {row.platform for row in board.rows if row.not_ranked} <= told


@given(ANY_RESULTS)
@settings(max_examples=30, deadline=None)
def test_no_section_mixes_kinds_or_boundaries(results: list[Result]) -> None:
    for board in boards(frame(results)):
        for section in sections(board):
            for index in range(2):
                stated = [numbers(row)[index] for row in section.rows]
                assert len({(n.kind, n.boundary) for n in stated if n.value is not None}) <= 1


def test_the_frame_loses_nothing() -> None:
    results = made_suite()
    found = frame(results)
    assert list(found.columns) == list(COLUMNS)
    assert set(found["id"]) == {result.id for result in results}
    assert len(found) == sum(max(1, len(r.metrics)) for r in results)
    barred = found[found["status"] != "ok"]
    assert barred["metric"].isna().all() and barred["error"].notna().all() and barred["value"].isna().all()


def test_a_missing_value_is_nan_with_its_reason_and_never_zero() -> None:
    found = frame(made_suite())
    missing = found[found["metric"].notna() & found["value"].isna()]
    assert len(missing) == 1 and missing["reason"].iloc[0].startswith("no meter")
    wide = leaderboard(frame(made_suite()))
    row = wide[(wide["workload"] == "spoken-digits") & (wide["platform"] == "numba-event")].iloc[0]
    assert pd.isna(row["energy_j"]) and pd.isna(row["energy_rank"])
    assert row["energy_unranked"].startswith("no value: no meter")
    assert row["latency_p90_rank"] == 1


def test_a_frame_of_nothing_has_its_columns() -> None:
    assert list(frame([]).columns) == list(COLUMNS) and boards(frame([])) == []


def test_breakdowns_add_up() -> None:
    found = terms(made_suite())
    sums = found.groupby(["id", "metric", "boundary"]).agg(parts=("value", "sum"), total=("total", "first"))
    assert all(math.isclose(p, t, rel_tol=1e-9) for p, t in zip(sums["parts"], sums["total"], strict=True))


@pytest.mark.parametrize(
    ("platform", "energy", "latency"),
    [("numba-event", "chip_total", "wall"), ("loihi", "chip_total", "chip_total"),
     ("spinnaker", "system_without_io", "system_without_io"), ("akida", "system_with_io", "system_with_io")],
)  # fmt: skip
def test_headline_boundaries(platform: str, energy: str, latency: str) -> None:
    wide = leaderboard(frame(made_suite()))
    row = wide[(wide["workload"] == "digits-saccade") & (wide["platform"] == platform)].iloc[0]
    assert (row["energy_boundary"], row["latency_p90_boundary"]) == (energy, latency)


def test_a_number_without_a_boundary_is_not_ranked() -> None:
    bare = Metric(name="energy_per_inference", unit="J", kind="modelled", value=1e-12, source="a plug-in")
    row = boards(frame([made_result(PLATFORMS[4], energy=bare)]))[0].rows[0]
    assert row.energy.place is None and row.energy.unranked == "no boundary stated: it may include anything"


def test_the_latest_result_stands_and_a_later_failure_is_not_hidden() -> None:
    loihi = PLATFORMS[4]
    first = made_result(loihi)
    later = made_result(loihi, run="later", started="2026-11-25T06:00:00Z", status="failed", error="it broke")
    for results in ([first, later], [later, first]):
        (board,) = boards(frame(results))
        assert [row.status for row in board.rows] == ["failed"] and board.superseded == 1


def test_results_on_other_data_are_not_ranked() -> None:
    old = made_result(PLATFORMS[4], data_sha256="0" * 64)
    new = made_result(PLATFORMS[5], started="2026-11-25T06:00:00Z")
    (board,) = boards(frame([old, new]))
    assert board.rows[0].energy.unranked == "another data than the latest result's: not comparable"
    assert board.rows[1].energy.place is not None and board.rows[1].energy.place.of == 1


def test_tiers_have_boards_of_their_own() -> None:
    results = [made_result(PLATFORMS[4]), made_result(PLATFORMS[5], tier="official")]
    assert [len(board.rows) for board in boards(frame(results))] == [1, 1]


def test_one_platform_that_fails_makes_a_board() -> None:
    alone = Made("mine", "plug-in", "reported", CHIP, 1, 1, 1)
    (board,) = boards(frame([made_result(alone, status="failed", error="no")]))
    assert sections(board) == [] and [n.why for n in notes(board)] == ["no"]


def test_a_number_that_leaves_something_out_is_shown_and_not_ranked() -> None:
    partial = Stated(1e-6, kind="modelled", boundary="chip_total", reason="work alone")
    whole = Stated(2e-6, kind="modelled", boundary="chip_total")
    first, second = _placed([(partial, None), (whole, None)], "lower")
    assert first.place is None and first.unranked == "work alone"
    assert second.place is not None and str(second.place) == "1 of 1"
