from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from records import PLATFORMS, WORKLOADS, Made, made_result, made_suite

from nmbench.errors import InputError
from nmbench.progress import Silence
from nmbench.report import build as build_module
from nmbench.report.build import build
from nmbench.report.markdown import anchor


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(made_suite(), tmp_path_factory.mktemp("report") / "out", Silence())


def test_every_link_of_the_report_leads_to_a_file(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    links = re.findall(r"(?<!\\)\]\(([^)]+)\)", text)
    assert len(links) > 20
    headings = {anchor(line.removeprefix("## ")) for line in text.splitlines() if line.startswith("## ")}
    for link in links:
        if link.startswith("#"):
            assert link[1:] in headings
        else:
            assert (report.parent / link).stat().st_size > 0


def test_each_figure_has_its_numbers_beside_it(report: Path) -> None:
    pictures = sorted((report.parent / "figures").glob("*.svg"))
    assert len(pictures) == 1 + 3 * len(WORKLOADS)
    for picture in pictures:
        for suffix in (".csv", ".pdf"):
            assert picture.with_suffix(suffix).is_file()


def test_the_report_says_what_the_numbers_are_not(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    for words in ("What these numbers are not", "SYNTHETIC", "never submittable", "nobody ran"):
        assert words in text


def test_csv_has_a_row_for_every_result_and_every_metric(report: Path) -> None:
    results = made_suite()
    with (report.parent / "leaderboard.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == sorted(result.id for result in results)
    with (report.parent / "metrics.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == sum(max(1, len(r.metrics)) for r in results)


def test_nothing_is_left_but_the_report_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "report.md").write_text("old")
    build(made_suite()[:3], tmp_path, Silence())
    assert {p.name for p in tmp_path.iterdir()} == {
        "mine.txt", "report.md", "leaderboard.csv", "metrics.csv", "results.csv", "figures",
    }  # fmt: skip
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / "report.md").read_text() != "old"


def test_a_build_that_breaks_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.md").write_text("old")

    def full(figure: Figure, stem: Path, formats: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(build_module, "save", full)
    with pytest.raises(OSError, match="no space"):
        build(made_suite()[:2], tmp_path, Silence())
    assert [p.name for p in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "old"


def test_two_boards_of_one_workload_have_figures_of_their_own(tmp_path: Path) -> None:
    results = [made_result(PLATFORMS[4]), made_result(PLATFORMS[4], tier="official")]
    path = build(results, tmp_path, Silence())
    assert len(set(re.findall(r"figures/latency-[^.]+\.svg", path.read_text()))) == 2


def test_a_report_of_failures_alone(tmp_path: Path) -> None:
    plugin = Made("mine", "plug-in", "reported", ("chip_total",), 1, 1, 1)
    path = build([made_result(plugin, status="failed", error="=cmd|x")], tmp_path, Silence())
    assert "=cmd\\|x" in path.read_text()
    assert "'=cmd|x" in (tmp_path / "leaderboard.csv").read_text()


def test_no_results_are_an_error_of_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no results"):
        build([], tmp_path, Silence())
