from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from golden_files import check
from records import CHIP, HOSTILE, PLATFORMS, Made, made_result, made_suite
from rich.cells import cell_len
from rich.console import Console

from nmbench.record import Result
from nmbench.report import tables
from nmbench.report.frames import frame
from nmbench.report.leaderboard import boards
from nmbench.report.markdown import board_text


def printed(width: int, results: Sequence[Result] | None = None, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, force_terminal=terminal)
    tables.show(made_suite() if results is None else results, console)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_golden(width: int) -> None:
    check(f"terminal-{width}.txt", printed(width))


def test_markdown_golden() -> None:
    check("boards.md", "\n".join(map(board_text, boards(frame(made_suite())))))


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(width: int) -> None:
    text = printed(width)
    assert max(map(cell_len, text.splitlines())) <= width
    if width >= 80:
        for word in ("memristor-rram", "2.20 µJ", "[0.73–6.6]", "98.9 %", "1 (1–2)"):  # noqa: RUF001 - ranges
            assert word in text


def test_piped_output_has_no_escapes_and_says_it_all() -> None:
    text = printed(100)
    assert "\x1b" not in text
    for result in made_suite():
        assert result.platform.name in text
    for word in (
        "SYNTHETIC",
        "never submittable",
        "no meter could be read",
        "recurrent",
        "95.08 % under 98.00 %",
    ):
        assert word in " ".join(text.split())


def test_a_terminal_gets_colours_but_not_the_plug_ins_own() -> None:
    text = printed(100, terminal=True)
    assert "\x1b[" in text and "\x1b[31mred" not in text and "[bold]x[/]" in text


def test_markdown_shows_hostile_text_as_text() -> None:
    plugin = Made("mine", "plug-in", "reported", CHIP, 1, 1, 1)
    (board,) = boards(frame([made_result(plugin, status="failed", error=HOSTILE)]))
    text = board_text(board)
    assert "<script>" not in text and "\\| &lt;script&gt;" in text and "http\\://" in text


def test_a_long_name_breaks_at_hyphens() -> None:
    plugin = Made("laboratory-of-somewhere-prototype-chip", "plug-in", "modelled", CHIP, 1e-6, 1e-3, 2.0)
    text = printed(80, [made_result(plugin), made_result(PLATFORMS[4])])
    assert max(map(cell_len, text.splitlines())) <= 80
    for part in ("laboratory", "somewhere", "prototype"):
        assert part in text


def test_one_result_shows_everything() -> None:
    file, result = io.StringIO(), made_suite()[4]
    tables.show_result(result, Console(file=file, width=120))
    text = file.getvalue()
    for metric in result.metrics:
        assert metric.name in text
    for word in ("synaptic_events", "20.0 % of it", "system with I/O", "reached", "numpy", "card loihi v1"):
        assert word in text
