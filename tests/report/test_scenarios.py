"""Boards of all scenarios: what is asked, which number answers it, and what has to be said of a run."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pytest
from golden_files import check
from rich.cells import cell_len
from rich.console import Console
from scenario_records import CHIPS, NO_RATE, SLOW, TIMED, made_scenario, made_scenarios

from nmbench.progress import Silence
from nmbench.record import Result
from nmbench.report import listing, tables
from nmbench.report.asking import plain, question, remarks
from nmbench.report.board import Board, Row
from nmbench.report.build import build
from nmbench.report.frames import COLUMNS, frame
from nmbench.report.leaderboard import boards, leaderboard
from nmbench.report.markdown import anchor, board_text
from nmbench.report.overview import groups_of, leaders
from nmbench.report.scoring import ORDER, SCORINGS
from nmbench.report.sections import notes


@pytest.fixture(scope="module")
def found() -> dict[str, Board]:
    return {board.contest.scenario: board for board in boards(frame(made_scenarios()))}


def printed(width: int, results: list[Result]) -> str:
    file = io.StringIO()
    tables.show(results, Console(file=file, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def row_of(board: Board, platform: str) -> Row:
    return next(row for row in board.rows if row.platform == platform)


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_golden(width: int) -> None:
    check(f"scenarios-{width}.txt", printed(width, made_scenarios()))


def test_markdown_golden() -> None:
    check("scenarios.md", "\n".join(map(board_text, boards(frame(made_scenarios())))))


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(width: int) -> None:
    text = printed(width, made_scenarios())
    assert max(map(cell_len, text.splitlines())) <= width
    if width >= 80:
        for word in ("429 /s", "44.4 k/s", "5.3 %", "[2.6–9.5]", "1,024", "1 (1–2)"):  # noqa: RUF001 - ranges
            assert word in text


def test_boards_stand_by_workload_and_then_by_scenario(found: dict[str, Board]) -> None:
    assert tuple(found) == ORDER
    shuffled = boards(frame(list(reversed(made_scenarios()))))
    assert tuple(board.contest.scenario for board in shuffled) == ORDER


def test_the_question_has_the_workloads_numbers(found: dict[str, Board]) -> None:
    assert "99 of 100 are answered within 100 ms" in question(found["Server"])
    assert "Recordings of 600 ms" in question(found["Streaming"])
    assert "a decision every 100 ms, due within 100 ms" in question(found["Streaming"])
    assert question(found["MultiStream"]).startswith("8 samples a query")
    alone = boards(frame([made_scenario(SLOW, "Server")]))[0]
    assert "within the workload's bound" in question(alone)


@pytest.mark.parametrize("scenario", ORDER)
def test_the_first_rank_is_the_best_value(scenario: str, found: dict[str, Board]) -> None:
    board = found[scenario]
    ranked = [row.score for row in board.rows if row.score.place and row.score.kind == "modelled"]
    values = [number.value for number in ranked if number.value is not None]
    best = min(values) if board.scoring.score.better == "lower" else max(values)
    assert len(ranked) > 1
    assert [n.value for n in ranked if n.place and n.place.rank == 1] == [best]


def test_a_platform_that_meets_no_rate_says_so_once(found: dict[str, Board]) -> None:
    row = row_of(found["Server"], SLOW.name)
    assert row.score.place is None and row.energy.place is None
    mine = [(n.what, n.why) for n in notes(found["Server"]) if n.platform == SLOW.name]
    assert mine == [("energy and rate", f"no value: {NO_RATE}")]


def test_a_given_rate_is_no_highest_rate() -> None:
    result = made_scenario(TIMED, "Server")
    fixed = result.model_copy(update={"metrics": tuple(m for m in result.metrics if m.name != "server_rate")})
    (row,) = boards(frame([fixed]))[0].rows
    assert row.score.unranked == "no value: asked at a given rate, 300/s: no highest one was searched"
    assert row.energy.place is not None


REMARKS = {
    "MultiStream": {"traffic": "made by LoadGen 6.0.17"},
    "Server": {
        "queries": "14 of 2010 over the bound; 10 may be, for 99 % confidence",
        "clock": "the wall clock, less the time in which all wait for the next arrival",
    },
    "Offline": {"conduct": "overtaking: 3"},
    "Streaming": {
        "noisy": "load average 2.53 at the start, over 1.50 for 2 cores",
        "queries": "too few for 99 % confidence: 54 queries; 662 are needed",
        "state": "not kept: each decision runs its recording again from its beginning",
    },
}


@pytest.mark.parametrize("scenario", REMARKS)
def test_what_is_unlike_the_usual_is_said_and_still_ranked(scenario: str, found: dict[str, Board]) -> None:
    board = found[scenario]
    row = row_of(board, TIMED.name)
    assert {note.what: note.why for note in remarks(row, board.scoring)} == REMARKS[scenario]
    assert row.score.place is not None and row.energy.place is not None
    usual = row_of(board, CHIPS[0].name)
    assert remarks(usual, board.scoring) == []


def test_missed_deadlines_are_seen_everywhere(found: dict[str, Board]) -> None:
    board = found["Streaming"]
    row = row_of(board, SLOW.name)
    assert row.score.place is not None
    assert [note.what for note in remarks(row, board.scoring)] == ["late"]
    assert "**5.3 %**" in board_text(board)
    file = io.StringIO()
    tables.show(made_scenarios(), Console(file=file, width=100, highlight=False, force_terminal=True))
    assert re.search(r"\x1b\[31m5\.3 %", file.getvalue())


def test_a_model_that_may_miss_deadlines_says_so() -> None:
    result = made_scenario(SLOW, "Streaming")
    metrics = (m.model_copy(update={"hi": 0.2}) if m.name == "deadline_misses" else m for m in result.metrics)
    board = boards(frame([result.model_copy(update={"metrics": tuple(metrics)})]))[0]
    (note,) = remarks(board.rows[0], board.scoring)
    assert note.why == "up to 20.0 % of the decisions, where it is as slow as its interval allows"


def test_the_frame_can_be_filtered_by_traffic() -> None:
    long = frame(made_scenarios())
    assert list(long.columns) == list(COLUMNS)
    noisy = long[long["noisy"]]
    assert set(noisy["platform"]) == {TIMED.name} and noisy["noise"].str.startswith("load").all()
    assert set(long[long["generator"] == "LoadGen 6.0.17"]["scenario"]) == {"MultiStream"}
    assert set(long[long["clock"] == "skipping"]["scenario"]) == {"Server"}
    assert set(long[long["enough"].fillna(True) == False]["platform"]) == {TIMED.name}  # noqa: E712 - a column
    assert long[long["scenario"] == "Offline"]["batch"].eq(1024).all()


OLD = (
    "suite workload workload_version data data_source synthetic size scenario tier division seed "
    "platform family platform_version platform_kind what_if caveat status quality_target "
    "quality_reached accuracy accuracy_lo accuracy_hi accuracy_kind accuracy_source accuracy_missing "
    "accuracy_n energy_j energy_lo_j energy_hi_j energy_kind energy_source energy_missing "
    "energy_boundary energy_rank energy_rank_best energy_rank_worst energy_unranked latency_p90_s "
    "latency_p90_lo_s latency_p90_hi_s latency_p90_kind latency_p90_source latency_p90_missing "
    "latency_p90_boundary latency_p90_rank latency_p90_rank_best latency_p90_rank_worst "
    "latency_p90_unranked error id started"
)


def test_the_wide_frame_keeps_its_columns_and_names_the_score() -> None:
    table = leaderboard(frame(made_scenarios()))
    assert [column for column in table.columns if column in OLD.split()] == OLD.split()
    alone = leaderboard(frame(made_scenarios()[:5]))
    assert not [column for column in alone.columns if column.startswith(("server_rate", "latency_p99"))]
    for scenario, scoring in SCORINGS.items():
        rows = table[table["scenario"] == scenario]
        assert set(rows["score"]) == {scoring.score.column}
        assert set(rows["score_better"]) == {scoring.score.better}
        assert rows[f"{scoring.score.column}{scoring.score.suffix}"].notna().any()
        assert rows[f"{scoring.score.column}_rank"].min() == 1
    assert set(table[table["scenario"] == "Streaming"]["energy_per"]) == {"decision"}
    late = table[table["remarks"].fillna("").str.contains("late: ")]
    assert late["platform"].tolist() == [SLOW.name]
    assert table[table["platform"] == TIMED.name]["noisy"].tolist() == [False, False, False, False, True]


def test_who_is_first_mixes_nothing(found: dict[str, Board]) -> None:
    for board in found.values():
        for group, leader in leaders(board, lambda row: row.score).items():
            row = row_of(board, leader.platform)
            assert (row.score.kind, row.score.boundary) == group
            assert row.score.place and row.score.place.rank == 1 and leader.of == row.score.place.of
            mates = [r.score.place for r in board.rows if (r.score.kind, r.score.boundary) == group]
            assert leader.others == sum(1 for place in mates if place and place.best == 1) - 1
    groups = groups_of(list(found.values()), lambda row: row.score)
    assert groups == [("measured", "wall"), ("modelled", "chip_total")]


def test_the_report_leads_to_every_board(tmp_path: Path) -> None:
    text = build(made_scenarios(), tmp_path, Silence()).read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    contents = text.split("## Contents")[1].split("##")[0]
    for heading in headings:
        assert f"(#{anchor(heading)})" in contents or heading in (
            "Contents",
            "What these numbers are not",
            "Files",
        )
    assert headings.index("Who is first") == 1
    names = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert {
        "latency-spoken-digits", "latency-spoken-digits-multistream", "rate-spoken-digits-server",
        "throughput-spoken-digits-offline", "decisions-spoken-digits-streaming",
        "breakdown-spoken-digits", "breakdown-spoken-digits-streaming",
    } <= names  # fmt: skip
    assert "breakdown-spoken-digits-server" not in names


def test_the_sheets_lose_nothing(tmp_path: Path) -> None:
    results = made_scenarios()
    build(results, tmp_path, Silence())
    each, metrics = (pd.read_csv(tmp_path / name) for name in ("results.csv", "metrics.csv"))
    assert len(each) == len(results) and len(metrics) == sum(len(r.metrics) for r in results)
    joined = metrics.merge(each, on=["id", "workload", "scenario", "platform"], how="left")
    assert set(joined.columns) == set(COLUMNS) and joined["tier"].notna().all()


def test_one_result_shows_its_traffic() -> None:
    def shown(result: Result) -> str:
        file = io.StringIO()
        tables.show_result(result, Console(file=file, width=140))
        return " ".join(file.getvalue().split())

    text = shown(made_scenario(TIMED, "Server", clock="skipping"))
    for words in (
        "nmbench, wall clock less the time of waiting: 2,010 queries on 2,010 samples in 2.00 s",
        "at most 4 at once",
        "300 /s on average, 99 of 100 answers within 100 ms",
        "0 of 2,010; 10 may be, for 99 % confidence",
        "429 /s",
    ):
        assert words in text
    text = shown(made_scenario(SLOW, "Streaming", misses=0.053, marks=("it was loud",)))
    for words in ("600 decisions on 100 recordings", "kept from piece to piece", "it was loud", "5.3 %"):
        assert words in text


def test_every_metric_that_a_board_shows_is_listed() -> None:
    listed = " ".join(name for name, _, _ in listing.METRICS)
    stems = {re.sub(r"_p\d+$", "", m.metric) for s in SCORINGS.values() for m in s.measures}
    assert all(stem in listed for stem in stems)


@pytest.mark.parametrize(("seconds", "text"), [(0.1, "100 ms"), (2.5, "2.5 s"), (1e-4, "100 µs")])
def test_a_chosen_time_has_no_trailing_zeros(seconds: float, text: str) -> None:
    assert plain(seconds) == text
