"""Whole sets: fetched, unpacked, with a receipt, and taken up where something failed."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from hostile_server import Heard, Server, file_of, holding_of, patience, status, whole

from nmbench.datasets.holdings import fetch as fetching
from nmbench.datasets.holdings.catalogue import RECEIPT, File, Holding
from nmbench.datasets.holdings.fetch import fetch
from nmbench.datasets.holdings.receipt import read_receipt
from nmbench.datasets.holdings.state import state
from nmbench.errors import InputError


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/") + ".bin", data)
    return out.getvalue()


TRAIN, TEST = packed(Train__0=b"zero", Train__1=b"one" * 999), packed(Test__0=b"nought")


def tiny(server: Server) -> Holding:
    """A set of two archives on the server."""
    urls = server.serve("/train", whole(TRAIN)), server.serve("/test", whole(TEST))
    files = [
        file_of(TRAIN, urls[0], name="train.zip", unpack="zip"),
        file_of(TEST, urls[1], name="test.zip", unpack="zip"),
    ]
    return holding_of(files, [("Train/*.bin", 2), ("Test/*.bin", 1)])


def run(known: Holding, root: Path, heard: Heard | None = None) -> None:
    fetch([known], root, heard or Heard(), patience())


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_set_is_unpacked_and_has_a_receipt(server: Server, tmp_path: Path) -> None:
    known = tiny(server)
    assert state(known, tmp_path).what == "absent"
    run(known, tmp_path)
    found = contents(tmp_path / "Tiny")
    receipt = read_receipt(tmp_path / "Tiny")
    assert receipt is not None
    assert not receipt.adopted
    assert {f.name: (f.bytes, f.sha256, f.trust) for f in receipt.fetched} == {
        name: (len(data), hashlib.sha256(data).hexdigest(), "digest")
        for name, data in (("train.zip", TRAIN), ("test.zip", TEST))
    }
    assert {f.path: (f.bytes, f.sha256, f.archive) for f in receipt.unpacked} == {
        name: (len(found[name]), hashlib.sha256(found[name]).hexdigest(), archive)
        for name, archive in (
            ("Test/0.bin", "test.zip"),
            ("Train/0.bin", "train.zip"),
            ("Train/1.bin", "train.zip"),
        )
    }
    assert set(found) == {"train.zip", "test.zip", "Test/0.bin", "Train/0.bin", "Train/1.bin", RECEIPT}
    assert state(known, tmp_path).what == "ready"


def test_a_set_that_is_here_is_hashed_and_left_alone(server: Server, heard: Heard, tmp_path: Path) -> None:
    known = tiny(server)
    run(known, tmp_path)
    server.asked.clear()
    run(known, tmp_path, heard)
    assert server.asked == []
    assert [note for note in heard.notes if "here and right" in note] == heard.notes
    assert len(heard.notes) == 2


def test_archives_that_were_placed_by_hand_are_checked_and_unpacked(server: Server, tmp_path: Path) -> None:
    known = tiny(server)
    (tmp_path / "Tiny").mkdir()
    (tmp_path / "Tiny" / "train.zip").write_bytes(TRAIN)
    (tmp_path / "Tiny" / "test.zip").write_bytes(TEST)
    assert state(known, tmp_path).what == "packed"
    run(known, tmp_path)
    assert server.asked == []
    assert state(known, tmp_path).what == "ready"


def test_a_damaged_archive_is_fetched_anew(server: Server, heard: Heard, tmp_path: Path) -> None:
    known = tiny(server)
    (tmp_path / "Tiny").mkdir()
    (tmp_path / "Tiny" / "train.zip").write_bytes(TRAIN[:50] + b"!" + TRAIN[51:])
    run(known, tmp_path, heard)
    assert contents(tmp_path / "Tiny")["train.zip"] == TRAIN
    assert any("train.zip is here, but damaged" in note for note in heard.notes)


def test_files_that_went_missing_are_unpacked_again(server: Server, tmp_path: Path) -> None:
    known = tiny(server)
    run(known, tmp_path)
    (tmp_path / "Tiny" / "Train" / "1.bin").unlink()
    assert state(known, tmp_path).what == "damaged?"
    server.asked.clear()
    run(known, tmp_path)
    assert server.asked == []
    assert state(known, tmp_path).what == "ready"


def test_one_bad_file_does_not_stop_the_others_and_all_faults_are_told(
    server: Server, tmp_path: Path
) -> None:
    known = tiny(server)
    other = holding_of(
        [file_of(b"x", server.serve("/x", whole(b"y")), name="x.bin")], name="other"
    ).model_copy(update={"folder": "Other"})
    server.serve("/train", status(403))
    with pytest.raises(InputError) as raised:
        fetch([other, known], tmp_path, Heard(), patience())
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["other", "tiny"]
    assert "x.bin" in raised.value.faults[0]
    assert "train.zip" in raised.value.faults[1]
    assert "403" in raised.value.faults[1]
    receipt = read_receipt(tmp_path / "Tiny")
    assert receipt is not None
    assert [f.name for f in receipt.fetched] == ["test.zip"]
    assert state(known, tmp_path).what == "incomplete"

    server.serve("/train", whole(TRAIN))
    run(known, tmp_path)
    assert state(known, tmp_path).what == "ready"


def test_an_archive_that_does_not_unpack_is_named(server: Server, tmp_path: Path) -> None:
    bad = packed(a=b"x" * 100)[:-30]
    known = holding_of([file_of(bad, server.serve("/a", whole(bad)), name="a.zip", unpack="zip")], [("a", 1)])
    with pytest.raises(InputError, match=r"a\.zip: not unpacked, it is damaged"):
        run(known, tmp_path)


def test_what_should_have_come_out_is_counted(server: Server, tmp_path: Path) -> None:
    known = tiny(server)
    more = Holding.model_validate(
        {**known.model_dump(), "present": [{"pattern": "Train/*.bin", "at_least": 7}]}
    )
    with pytest.raises(InputError, match=r"only 2 of Train/\*\.bin \(at least 7\)"):
        run(more, tmp_path)


def test_without_a_digest_it_is_believed_and_said(server: Server, heard: Heard, tmp_path: Path) -> None:
    url = server.serve("/a", whole(b"whatever"))
    known = holding_of([file_of(b"", url, md5=None, bytes=None)])
    run(known, tmp_path, heard)
    receipt = read_receipt(tmp_path / "Tiny")
    assert receipt is not None
    assert receipt.fetched[0].trust == "first use"
    assert receipt.fetched[0].mirror == url
    assert any("believed because they came" in note for note in heard.notes)


def contents_file(server: Server, data: bytes, wavs: dict[str, bytes]) -> File:
    digest = hashlib.sha256()
    for name in sorted(wavs):
        digest.update(f"{name}\0{hashlib.sha256(wavs[name]).hexdigest()}\n".encode())
    known = {"pattern": "recordings/*.wav", "members": len(wavs), "sha256": digest.hexdigest()}
    url = server.serve("/a", whole(data))
    return file_of(
        data,
        url,
        name="set-1.zip",
        md5=None,
        bytes=None,
        packed_anew=True,
        contents=known,
        known_as="set*.zip",
    )


def speech(level: int, wavs: dict[str, bytes], top: str = "set-1") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in wavs.items():
            archive.writestr(f"{top}/{name}", data)
    return out.getvalue()


WAVS = {f"recordings/{k}.wav": bytes([k]) * 500 for k in range(4)}


@pytest.mark.parametrize("level", [0, 9])
def test_any_packing_of_the_known_recordings_is_right(server: Server, tmp_path: Path, level: int) -> None:
    known = holding_of([contents_file(server, speech(level, WAVS), WAVS)])
    run(known, tmp_path)
    receipt = read_receipt(tmp_path / "Tiny")
    assert receipt is not None
    assert receipt.fetched[0].trust == "contents"
    assert state(known, tmp_path).what == "ready"


@pytest.mark.parametrize("change", ["bit", "fewer", "garbage"])
def test_other_recordings_are_refused(server: Server, tmp_path: Path, change: str) -> None:
    wavs = dict(WAVS)
    if change == "bit":
        wavs["recordings/2.wav"] = b"\x03" + wavs["recordings/2.wav"][1:]
    if change == "fewer":
        del wavs["recordings/0.wav"]
    data = b"garbage" if change == "garbage" else speech(9, wavs)
    known = holding_of([contents_file(server, data, WAVS)])
    with pytest.raises(InputError, match=r"recordings|not a readable zip"):
        run(known, tmp_path)
    assert state(known, tmp_path).what == "absent"


@pytest.mark.parametrize("place", ["Tiny/set-by-hand.zip", "set-by-hand.zip"])
def test_a_file_of_another_name_does_as_well(server: Server, tmp_path: Path, place: str) -> None:
    known = holding_of([contents_file(server, speech(9, WAVS), WAVS)])
    (tmp_path / "Tiny").mkdir()
    (tmp_path / place).write_bytes(speech(1, WAVS, top="other"))
    assert state(known, tmp_path).what == "by hand"
    run(known, tmp_path)
    assert server.asked == []
    (tmp_path / place).write_bytes(b"nonsense")
    with pytest.raises(InputError, match="take it away first"):
        run(known, tmp_path)


def test_two_fetches_of_one_set_do_not_collide(server: Server, tmp_path: Path) -> None:
    known = tiny(server)
    with (tmp_path / ".Tiny.lock").open("w") as held:
        held.write("4711\n")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match=r"another fetch is at work on it \(process 4711\)"):
            run(known, tmp_path)
    run(known, tmp_path)


def test_no_room_is_said_before_anything_is_asked_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tiny(server)
    real = shutil.disk_usage

    def full(path: Path) -> object:
        return real(path)._replace(free=100)

    monkeypatch.setattr(fetching.shutil, "disk_usage", full)
    with pytest.raises(InputError, match="100 B are free"):
        run(known, tmp_path)
    assert server.asked == []


def test_a_damaged_receipt_is_written_anew(server: Server, heard: Heard, tmp_path: Path) -> None:
    known = tiny(server)
    run(known, tmp_path)
    (tmp_path / "Tiny" / RECEIPT).write_text("{", encoding="utf-8")
    assert state(known, tmp_path).what == "damaged?"
    run(known, tmp_path, heard)
    assert json.loads((tmp_path / "Tiny" / RECEIPT).read_text(encoding="utf-8"))["name"] == "tiny"
    assert state(known, tmp_path).what == "ready"
