"""``nmbench data`` as people type it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_server import Server, file_of, holding_of, running, status, whole
from typer.testing import CliRunner, Result

from nmbench import cli, places
from nmbench.datasets.holdings import catalogue as cataloguing
from nmbench.datasets.holdings.catalogue import Catalogue
from nmbench.errors import InputError

DATA = b"tiny data" * 100


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve a catalogue of two tiny sets, ``tiny`` and ``other``."""
    with running() as found:
        tiny = holding_of([file_of(DATA, found.serve("/tiny", whole(DATA)), name="tiny.bin")])
        second = holding_of(
            [file_of(DATA, found.serve("/other", whole(DATA)), name="other.bin")], name="other"
        )
        other = second.model_copy(update={"folder": "Other", "note": "ask nicely"})
        made = Catalogue(holdings=(tiny, other), not_held={"pokerdvs": "broken"})
        monkeypatch.setattr(cataloguing, "catalogue", lambda: made)
        yield found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["data", *arguments])


def folder() -> Path:
    return places.data_root() / "Tiny"


def test_the_shipped_sets_are_listed() -> None:
    done = run("list")
    assert done.exit_code == 0
    for name in cataloguing.names():
        assert name in done.stdout
    assert "absent" in done.stdout
    assert str(places.data_root()) in done.stdout


def test_a_set_from_nothing_to_verified_and_to_damaged(server: Server) -> None:
    assert "absent" in run("list").stdout
    done = run("fetch", "tiny")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"tiny: ready in {folder()}\n"
    assert "licence CC0 1.0" in done.stderr
    assert "ready" in run("list").stdout

    done = run("verify", "tiny")
    assert done.exit_code == 0
    assert done.stdout == "tiny: verified, 1 files\n"

    data = bytearray(DATA)
    data[77] ^= 1
    (folder() / "tiny.bin").write_bytes(data)
    done = run("verify", "tiny")
    assert done.exit_code == 1
    assert "tiny: tiny.bin: damaged" in done.stderr


def test_all_faults_of_a_fetch_end_in_one_message(server: Server) -> None:
    server.serve("/tiny", status(404))
    server.serve("/other", whole(b"other bytes"))
    done = run("fetch", "all")
    assert done.exit_code == 1
    assert "nmbench data fetch: 2 faults" in done.stderr
    assert f"{server.address}/tiny: HTTP 404" in done.stderr
    assert "note other: ask nicely" in done.stderr


def test_what_is_there_is_verified_and_what_is_not_is_said(server: Server) -> None:
    run("fetch", "other")
    done = run("verify", "all")
    assert done.exit_code == 0, done.output
    assert "tiny: absent, nothing to verify" in done.stdout
    assert "other: verified, 1 files" in done.stdout
    done = run("verify", "tiny")
    assert done.exit_code == 1
    assert "nmbench data fetch tiny" in done.stderr


def test_files_placed_by_hand_are_adopted(server: Server) -> None:
    folder().mkdir(parents=True)
    (folder() / "tiny.bin").write_bytes(DATA)
    assert "by hand" in run("list").stdout
    done = run("verify", "tiny", "--adopt")
    assert (done.exit_code, done.stdout) == (0, "tiny: 1 files adopted as they are now\n")
    assert run("verify", "tiny").exit_code == 0
    assert "a receipt already" in run("verify", "tiny", "--adopt").stderr


def test_the_folder_is_printed_for_scripts(server: Server) -> None:
    assert run("path").stdout == f"{places.data_root()}\n"
    assert run("path", "tiny").stdout == f"{folder()}\n"


@pytest.mark.parametrize("command", [["fetch"], ["verify"], ["path"]])
def test_unknown_names_are_refused(server: Server, command: list[str]) -> None:
    done = run(*command, "tinny")
    assert isinstance(done.exception, InputError)
    assert "did you mean 'tiny'" in str(done.exception)
    assert "broken" in str(run(*command, "pokerdvs").exception)


def test_a_damaged_receipt_is_one_fault_of_list_and_verify(server: Server) -> None:
    run("fetch", "tiny")
    (folder() / cataloguing.RECEIPT).write_text("{}", encoding="utf-8")
    assert "damaged?" in run("list").stdout
    done = run("verify", "all")
    assert done.exit_code == 1
    assert cataloguing.RECEIPT in done.stderr
