"""``nmbench platforms``: what a stranger sees of a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from nmbench.cli import app
from nmbench.energy.card import CARDS, card_names, load_card
from nmbench.errors import InputError
from nmbench.report.cardsheet import EXACT, CardSheet, interval_text, value_text


def shown(name: str, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(CardSheet(load_card(name)))
    return captured.get()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 150])
@pytest.mark.parametrize("name", card_names())
def test_a_sheet_holds_the_whole_card(name: str, width: int) -> None:
    card, sheet = load_card(name), shown(name, width)
    assert max(map(len, sheet.splitlines())) <= width
    for constant, own in {**card.constants, **card.limits}.items():
        assert constant in sheet
        assert value_text(own) in sheet, constant
    assert "…" not in sheet, "nothing is cut"
    for text in (*card.notes, *card.sources):
        assert words(text) in words(sheet.replace("\n- ", "\n")).replace("  ", " "), text
    assert card.summary in words(sheet) and all(alias in sheet for alias in card.aliases)


def test_values_have_prefixes_and_intervals() -> None:
    loihi = load_card("loihi")
    assert value_text(loihi.constants["e_update"]) == "72.8 pJ"
    assert interval_text(loihi.constants["e_update"]) == "56\N{EN DASH}95 pJ"
    assert value_text(loihi.limits["synapse_bytes_per_core"]) == "131,072 B"
    assert interval_text(loihi.limits["synapse_bytes_per_core"]) == EXACT
    assert value_text(load_card("akida").constants["clock"]) == "300 M/s"
    assert value_text(load_card("hala-point-capacity").limits["word_bytes"]) == "0.125 B"


def test_a_variant_says_what_differs() -> None:
    assert "loihi2, differs in" in words(shown("hala-point", 80))
    assert "no synapse_bytes_per_core" in words(shown("hala-point-capacity", 80))


@pytest.mark.parametrize("name", ["loihi", "SpiNN-3", str(CARDS / "akida.yaml")])
def test_show(name: str) -> None:
    done = CliRunner().invoke(app, ["platforms", "show", name])
    assert done.exit_code == 0, done.output
    assert "constants, with 90 % intervals" in done.output


def test_show_as_json_is_the_whole_card() -> None:
    done = CliRunner().invoke(app, ["platforms", "show", "loihi1", "--json"])
    content = json.loads(done.stdout)
    card = load_card("loihi")
    assert content.pop("sha256") == card.sha256
    assert content == card.model_dump(mode="json")


def test_a_faulty_file_is_told_with_all_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nbase: loihl\nconstants: {p_static: {value: 1}}\n")
    done = CliRunner().invoke(app, ["platforms", "show", str(path)])
    assert isinstance(done.exception, InputError)
    assert len(done.exception.faults) > 10


def test_list_marks_what_runs_by_default() -> None:
    lines = CliRunner().invoke(app, ["platforms", "list"], env={"COLUMNS": "150"}).output.splitlines()
    by_name = {line.split()[0]: line for line in lines if line.split()}
    assert "by default" in by_name["loihi2"] and "if named" in by_name["hala-point"]
    assert "measured" in by_name["numba-event"]
