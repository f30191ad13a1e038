from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from records import CHIP, Made, made_result, made_suite
from scenario_records import made_scenarios

from nmbench.record import Metric
from nmbench.report import figures
from nmbench.report.board import Board
from nmbench.report.breakdown import GROUPS, breakdown, group_of, parts_of
from nmbench.report.decisions import decisions
from nmbench.report.frames import frame, terms
from nmbench.report.lanes import lay_out
from nmbench.report.leaderboard import boards
from nmbench.report.style import FAMILIES, OTHERS, PLATFORMS, look, save


@pytest.fixture(scope="module")
def found() -> list[Board]:
    return boards(frame(made_suite()))


def scenario(name: str) -> Board:
    return next(b for b in boards(frame(made_scenarios())) if b.contest.scenario == name)


def medians() -> dict[str, float]:
    """Medians far from the 99th percentiles, so that their bars are seen."""
    rows = scenario("Streaming").rows
    return {row.id: row.score.value / 20 for row in rows if row.score.value is not None}


def drawn(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


DRAW: dict[str, Callable[[list[Board]], Figure]] = {
    "energy": lambda found: drawn(figures.energy_accuracy(found[1:2])),
    "overview": lambda found: drawn(figures.energy_accuracy(found)),
    "latency": lambda found: drawn(figures.score(found[0])),
    "rate": lambda _: drawn(figures.score(scenario("Server"))),
    "throughput": lambda _: drawn(figures.score(scenario("Offline"))),
    "decisions": lambda _: drawn(decisions(scenario("Streaming"), medians())),
    "decision energy": lambda _: drawn(breakdown(scenario("Streaming"), terms(made_scenarios()))),
    "breakdown": lambda found: drawn(breakdown(found[0], terms(made_suite()))),
}


@pytest.mark.parametrize("name", DRAW)
def test_two_drawings_have_equal_bytes(name: str, found: list[Board], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mpl.rcParams["lines.linewidth"] = 7  # a user's own matplotlibrc changes nothing
    try:
        first = save(DRAW[name](found), tmp_path / "a" / name, ["svg", "pdf"])
    finally:
        mpl.rcdefaults()
    second = save(DRAW[name](found), tmp_path / "b" / name, ["svg", "pdf"])
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in first[0].read_bytes()


@pytest.mark.parametrize("name", DRAW)
def test_no_text_leaves_the_figure_or_hides_another(name: str, found: list[Board]) -> None:
    figure = DRAW[name](found)
    figure.draw_without_rendering()
    edge = figure.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick.label1 for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        texts = [*axes.texts, axes.title, axes.xaxis.label, *ticks, *axes.get_yticklabels()]
        for text in (t for t in texts if t.get_text() and t.get_visible()):
            box = text.get_window_extent()
            assert box.x0 >= edge.x0 - 1 and box.x1 <= edge.x1 + 1, text.get_text()
            assert box.y0 >= edge.y0 - 1 and box.y1 <= edge.y1 + 1, text.get_text()
            boxes.append((text.get_text(), box))
    for index, (one, a) in enumerate(boxes):
        for other, b in boxes[index + 1 :]:
            width = min(a.x1, b.x1) - max(a.x0, b.x0)
            height = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert width < 1 or height < 0.35 * min(a.height, b.height), (one, other)


def test_every_result_has_one_lane_in_each_board(found: list[Board]) -> None:
    lanes = lay_out(found, lambda row: row.energy)
    for index, board in enumerate(found):
        shown = [lane.rows[index] for lane in lanes.lanes]
        assert sorted(row.id for row in shown if row) == sorted(row.id for row in board.rows)
    slots = [lane.slot for lane in lanes.lanes] + [heading.slot for heading in lanes.headings]
    assert sorted(slots) == list(range(lanes.slots))


def test_headings_keep_boundaries_apart(found: list[Board]) -> None:
    lanes = lay_out(found[:1], lambda row: row.energy)
    words = [heading.text for heading in lanes.headings]
    assert words == ["modelled, chip total", "modelled, system without I/O", "modelled, system with I/O"]


def test_a_platform_looks_the_same_everywhere_and_plug_ins_do_too() -> None:
    assert len(set(PLATFORMS.values())) == len(PLATFORMS)
    assert all(look(name, "whatever") == style for name, style in PLATFORMS.items())
    assert look("mine", "loihi").colour == FAMILIES["loihi"]
    assert look("mine", "plug-in") == look("mine", "plug-in") and look("mine", "plug-in").colour == OTHERS


def test_measured_is_filled_and_modelled_is_hollow(found: list[Board]) -> None:
    axes = drawn(figures.score(found[0])).axes[0]
    dots = [line for line in axes.lines if line.get_marker() not in ("None", "x")]
    filled = [dot for dot in dots if dot.get_markerfacecolor() != "white"]
    assert len(filled) == 1 and filled[0].get_marker() == look("numba-event", "cpu").marker


def test_the_best_stands_first_whichever_values_are_better(found: list[Board]) -> None:
    for board in (found[0], *boards(frame(made_scenarios()))):
        better = board.scoring.score.better
        lanes = lay_out([board], lambda row: row.score, better).lanes
        ranks: dict[object, list[int]] = {}
        for lane in lanes:
            row = lane.rows[0]
            if row and row.score.place:
                ranks.setdefault((row.score.kind, row.score.boundary), []).append(row.score.place.rank)
        assert ranks and all(places == sorted(places) for places in ranks.values())


def test_the_deadline_stands_in_the_figure_and_a_miss_is_seen() -> None:
    axes = drawn(decisions(scenario("Streaming"), medians())).axes[0]
    lines = [line for line in axes.lines if list(line.get_xdata()) == [0.1, 0.1]]
    assert len(lines) == 1
    late = {text.get_text(): text.get_color() for text in axes.texts if text.get_text().endswith("%")}
    assert set(late) == {"0 %", "5.3 %"} and late["0 %"] != late["5.3 %"]


def test_the_bound_stands_in_the_title_of_the_rate() -> None:
    title = drawn(figures.score(scenario("Server"))).axes[0].get_title(loc="left")
    assert title.endswith("Server: 99 of 100 within 100 ms")


def test_zero_and_nothing_are_said_and_not_drawn() -> None:
    zero = Metric(
        name="energy_per_inference", unit="J", kind="modelled", boundary="chip_total", value=0.0,
        lo=0.0, hi=0.0, source="a plug-in",
    )  # fmt: skip
    plugin = Made("mine", "plug-in", "modelled", CHIP, 1.0, 1.0, 2.0)
    failed = made_result(Made("other", "plug-in", "reported", CHIP, 1, 1, 1), status="failed", error="no")
    axes = drawn(figures.energy_accuracy(boards(frame([made_result(plugin, energy=zero), failed])))).axes[0]
    assert {"0 J, off the axis", "failed"} <= {text.get_text() for text in axes.texts}


def test_hostile_terms_are_drawn_as_text() -> None:
    odd = Metric(
        name="energy_per_inference", unit="J", kind="modelled", boundary="chip_total", value=2.0,
        breakdown={"$\\frac{": 1.5, "\u202e\U0001f600": 0.5}, source="a plug-in",
    )  # fmt: skip
    results = [made_result(Made("mine", "plug-in", "modelled", CHIP, 1.0, 1.0, 2.0), energy=odd)]
    drawn(breakdown(boards(frame(results))[0], terms(results))).draw_without_rendering()


def test_terms_that_are_no_shares_are_not_drawn_as_such() -> None:
    odd = Metric(
        name="energy_per_inference", unit="J", kind="modelled", boundary="chip_total", value=2.0,
        breakdown={"static": 1.0}, source="a plug-in",
    )  # fmt: skip
    results = [made_result(Made("mine", "plug-in", "modelled", CHIP, 1.0, 1.0, 2.0), energy=odd)]
    figure = drawn(breakdown(boards(frame(results))[0], terms(results)))
    assert "the terms do not add up to the total" in {text.get_text() for text in figure.axes[0].texts}


def test_breakdown_is_of_the_headline_boundary_and_adds_up(found: list[Board]) -> None:
    parts = terms(made_suite())
    for row in found[0].rows:
        assert sum(parts_of(row, parts).values()) == pytest.approx(row.energy.value)


def test_groups_of_terms() -> None:
    assert group_of("static_during_io").name == "input and output"
    assert group_of("unheard-of") is GROUPS[-1]
    named = [term for group in GROUPS for term in group.terms]
    assert len(named) == len(set(named))


def test_nothing_to_show_is_no_figure() -> None:
    failed = made_result(Made("other", "plug-in", "reported", CHIP, 1, 1, 1), status="failed", error="no")
    empty = boards(frame([failed]))
    assert figures.energy_accuracy(empty) is None and figures.score(empty[0]) is None
    assert breakdown(empty[0], terms([failed])) is None


def test_a_refusal_before_all_others_hides_none_of_them() -> None:
    refused = made_result(Made("akida", "akida", "modelled", CHIP, 1, 1, 1), status="unsupported", error="no")
    ran = made_result(Made("mine", "plug-in", "modelled", CHIP, 1.0, 1.0, 2.0))
    side = drawn(figures.energy_accuracy(boards(frame([refused, ran])))).axes[1]
    assert side.get_xlim()[0] < 0.975 < side.get_xlim()[1]
