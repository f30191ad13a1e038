"""One flipped bit, a missing file, a foreign file: named; what is right is not complained of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_server import Heard, Server, file_of, holding_of, patience, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_fetch import TEST, TRAIN, tiny

from nmbench.datasets.holdings.catalogue import RECEIPT, Holding
from nmbench.datasets.holdings.fetch import fetch
from nmbench.datasets.holdings.receipt import read_receipt
from nmbench.datasets.holdings.state import state
from nmbench.datasets.holdings.verify import adopt, verify
from nmbench.errors import DataMissing, InputError


@pytest.fixture
def known(server: Server, tmp_path: Path) -> Holding:
    made = tiny(server)
    fetch([made], tmp_path, Heard(), patience())
    return made


def flip(path: Path, place: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def test_a_set_as_it_was_fetched_is_verified(known: Holding, heard: Heard, tmp_path: Path) -> None:
    verdict = verify(known, tmp_path, heard)
    assert (verdict.checked, verdict.faults, verdict.notes) == (5, (), ())
    done, total = heard.steps[-1][1:]
    assert done == total > len(TRAIN) + len(TEST)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_is_found_and_named(known: Holding, tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["train.zip", "test.zip", "Train/0.bin", "Train/1.bin", "Test/0.bin"]))
    path = tmp_path / "Tiny" / name
    before = path.read_bytes()
    flip(path, data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 7)))
    verdict = verify(known, tmp_path, Heard())
    path.write_bytes(before)
    assert [fault.partition(":")[0] for fault in verdict.faults] == [name]
    assert verify(known, tmp_path, Heard()).faults == ()


def test_missing_cut_and_foreign_files_are_all_named(known: Holding, tmp_path: Path) -> None:
    folder = tmp_path / "Tiny"
    (folder / "Train" / "0.bin").unlink()
    (folder / "Train" / "1.bin").write_bytes(b"one")
    (folder / "Test" / "0.bin").unlink()
    (folder / "Test" / "0.bin").symlink_to("/etc/passwd")
    (folder / "Test" / "new.bin").write_bytes(b"")
    (folder / "test.zip").unlink()
    faults = verify(known, tmp_path, Heard()).faults
    assert sorted(fault.partition(":")[0] for fault in faults) == [
        *("Test/0.bin", "Test/new.bin", "Train/0.bin", "Train/1.bin", "test.zip")
    ]
    assert "Train/1.bin: 3 bytes, the receipt says 2,997" in faults


def test_a_set_that_is_not_here_is_missing(server: Server, tmp_path: Path) -> None:
    made = tiny(server)
    with pytest.raises(DataMissing, match="nmbench data fetch tiny"):
        verify(made, tmp_path, Heard())
    with pytest.raises(DataMissing):
        adopt(made, tmp_path, Heard())


def by_hand(tmp_path: Path, known: Holding) -> Path:
    folder = tmp_path / "Tiny"
    (folder / RECEIPT).unlink()
    assert state(known, tmp_path).what == "by hand"
    return folder


def test_without_a_receipt_the_archives_are_verified_and_the_rest_is_said(
    known: Holding, tmp_path: Path
) -> None:
    folder = by_hand(tmp_path, known)
    verdict = verify(known, tmp_path, Heard())
    assert (verdict.checked, verdict.faults) == (2, ())
    assert "unpacked files cannot be" in verdict.notes[0]
    flip(folder / "train.zip", 30, 0)
    assert [fault.partition(":")[0] for fault in verify(known, tmp_path, Heard()).faults] == ["train.zip"]


def test_with_nothing_to_compare_with_it_is_a_fault(known: Holding, tmp_path: Path) -> None:
    folder = by_hand(tmp_path, known)
    (folder / "train.zip").unlink()
    (folder / "test.zip").unlink()
    assert "--adopt" in verify(known, tmp_path, Heard()).faults[0]


def test_adopted_files_are_compared_with_what_they_were(known: Holding, tmp_path: Path) -> None:
    folder = by_hand(tmp_path, known)
    receipt = adopt(known, tmp_path, Heard())
    assert receipt == read_receipt(folder)
    assert receipt.adopted
    verdict = verify(known, tmp_path, Heard())
    assert (verdict.checked, verdict.faults) == (5, ())
    assert "adopted" in verdict.notes[0]
    flip(folder / "Train" / "1.bin", 7, 3)
    assert [fault.partition(":")[0] for fault in verify(known, tmp_path, Heard()).faults] == ["Train/1.bin"]


def test_what_is_not_right_is_not_adopted(known: Holding, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a receipt already"):
        adopt(known, tmp_path, Heard())
    folder = by_hand(tmp_path, known)
    flip(folder / "train.zip", 30, 0)
    with pytest.raises(InputError, match=r"train\.zip: damaged"):
        adopt(known, tmp_path, Heard())
    (folder / "Train" / "0.bin").unlink()
    with pytest.raises(InputError, match="only 1 of Train"):
        adopt(known, tmp_path, Heard())
    assert not (folder / RECEIPT).exists()


def test_fetching_an_adopted_set_makes_it_a_verified_one(known: Holding, tmp_path: Path) -> None:
    folder = by_hand(tmp_path, known)
    (folder / "Train" / "0.bin").write_bytes(b"wrong from the start")
    adopt(known, tmp_path, Heard())
    fetch([known], tmp_path, Heard(), patience())
    receipt = read_receipt(folder)
    assert receipt is not None
    assert not receipt.adopted
    assert (folder / "Train" / "0.bin").read_bytes() == b"zero"


def test_a_file_believed_on_first_use_is_held_to_it(server: Server, tmp_path: Path) -> None:
    made = holding_of([file_of(b"", server.serve("/a", whole(b"whatever")), md5=None, bytes=None)])
    fetch([made], tmp_path, Heard(), patience())
    verdict = verify(made, tmp_path, Heard())
    assert (verdict.checked, verdict.faults) == (1, ())
    assert "no digest of it is published" in verdict.notes[0]
    flip(tmp_path / "Tiny" / "data.bin", 0, 0)
    assert "is not what it was" in verify(made, tmp_path, Heard()).faults[0]


def test_another_file_that_does_as_well_is_verified_by_its_own_digest(server: Server, tmp_path: Path) -> None:
    own = file_of(b"instead", "https://example.org/x", name="instead.npz")
    instead = {"name": own.name, "bytes": own.bytes, "md5": own.md5}
    made = holding_of([file_of(b"", server.address, md5=None, bytes=None, instead=instead)])
    (tmp_path / "instead.npz").write_bytes(b"instead")
    assert verify(made, tmp_path, Heard()).checked == 1
    (tmp_path / "instead.npz").write_bytes(b"instaed")
    assert "instead.npz: damaged" in verify(made, tmp_path, Heard()).faults[0]
