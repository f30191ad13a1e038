"""Archives of strangers: unpacked whole and inside their folder, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.datasets.holdings import unpack as unpacking
from nmbench.datasets.holdings.catalogue import RECEIPT
from nmbench.datasets.holdings.unpack import Unsafe, safe_path, unpack
from nmbench.errors import InputError

FILES = {"Train/0/a.bin": b"aaa", "Train/1/b.bin": b"b" * 5000, "readme.txt": b"read me"}


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def linked_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def encrypted_zip() -> bytes:
    data = bytearray(zipped({"a.bin": b"secret"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def run(place: Path, data: bytes, packing: str = "zip", inner: tuple[str, ...] = ()) -> dict[str, bytes]:
    suffix = {"zip": "set.zip", "tar.gz": "set.tar.gz", "gz": "data.gz"}[packing]
    place.mkdir(exist_ok=True)
    (place / suffix).write_bytes(data)
    found = unpack(place / suffix, packing, inner, place, lambda count: None)  # type: ignore[arg-type]
    assert list(place.glob(".*")) == []
    for file in found:
        content = (place / file.path).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert file.archive == suffix
    return {file.path: (place / file.path).read_bytes() for file in found}


def refused(place: Path, data: bytes, packing: str = "zip", inner: tuple[str, ...] = ()) -> str:
    with pytest.raises(InputError) as raised:
        run(place, data, packing, inner)
    assert [path.name for path in place.iterdir()] == [Path(raised.value.subject).name]
    return raised.value.faults[0]


def test_a_zip_and_a_tar_give_their_files(tmp_path: Path) -> None:
    assert run(tmp_path / "zip", zipped(FILES)) == FILES
    members = [(member(f"./{name}"), data) for name, data in FILES.items()]
    assert run(tmp_path / "tar", tarred((member("Train", tarfile.DIRTYPE), b""), *members), "tar.gz") == FILES
    assert run(tmp_path / "gz", gzip.compress(b"images"), "gz") == {"data": b"images"}


def test_inner_archives_are_unpacked_where_they_lie_and_taken_away(tmp_path: Path) -> None:
    deep = zipped({"cat/2.bin": b"2"})
    outer = zipped({"cats/cat.zip": zipped({"cat/1.bin": b"1", "more.zip": deep}), "readme": b"r"})
    assert run(tmp_path, outer, inner=("*.zip",)) == {
        "cats/cat/1.bin": b"1",
        "cats/cat/2.bin": b"2",
        "readme": b"r",
    }


def test_what_was_there_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "Train" / "0").mkdir(parents=True)
    (tmp_path / "Train" / "0" / "half.bin").write_bytes(b"half")
    (tmp_path / "other.txt").write_bytes(b"mine")
    run(tmp_path, zipped(FILES))
    assert not (tmp_path / "Train" / "0" / "half.bin").exists()
    assert (tmp_path / "other.txt").read_bytes() == b"mine"


def test_notes_of_macos_are_left_out(tmp_path: Path) -> None:
    assert run(tmp_path, zipped({**FILES, "__MACOSX/Train/._a": b"junk"})) == FILES


@pytest.mark.parametrize(
    ("make", "packing", "fault"),
    [
        (lambda: zipped({"../evil": b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({"a/../../evil": b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({"/tmp/evil": b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({"a\\..\\evil": b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({"C:evil": b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({"x" * 300: b"x"}), "zip", "leads out of the folder"),
        (lambda: zipped({RECEIPT: b"{}"}), "zip", "leads out of the folder"),
        (lambda: zipped({"set.zip": b"x"}), "zip", "a name that is not for members"),
        (lambda: zipped({"a": b"x", "a/b": b"x"}), "zip", "not unpacked"),
        (lambda: zipped({"z.bin": bytes(20 << 20)}), "zip", "more than 100 times the archive"),
        (lambda: zipped({}), "zip", "no file in it"),
        (linked_zip, "zip", "a link or a device"),
        (encrypted_zip, "zip", "encrypted"),
        (lambda: zipped(FILES)[:-40], "zip", "damaged"),
        (lambda: flipped(zipped(FILES), 50), "zip", "damaged"),
        (lambda: b"<html>no</html>", "zip", "damaged"),
        (lambda: tarred((member("../evil"), b"x")), "tar.gz", "leads out of the folder"),
        (lambda: tarred((member("/evil"), b"x")), "tar.gz", "leads out of the folder"),
        (lambda: tarred((member("l", tarfile.SYMTYPE, "/etc"), b"")), "tar.gz", "a link, a device"),
        (lambda: tarred((member("l", tarfile.LNKTYPE, "/etc/passwd"), b"")), "tar.gz", "a link, a device"),
        (lambda: tarred((member("d", tarfile.CHRTYPE), b"")), "tar.gz", "a link, a device"),
        (lambda: tarred((member("d", tarfile.FIFOTYPE), b"")), "tar.gz", "a link, a device"),
        (lambda: tarred((member("a"), b"1"), (member("a"), b"2")), "tar.gz", "twice"),
        (lambda: tarred((member("z"), bytes(20 << 20))), "tar.gz", "more than 100 times the archive"),
        (lambda: tarred((member("a"), b"a" * 9000))[:-12], "tar.gz", "damaged"),
        (lambda: flipped(tarred((member("a"), b"a" * 9000)), -6), "tar.gz", "damaged"),
        (lambda: b"\x00" * 100, "tar.gz", "damaged"),
        (lambda: gzip.compress(bytes(20 << 20)), "gz", "more than 100 times the archive"),
        (lambda: gzip.compress(b"abc")[:-3], "gz", "damaged"),
    ],
)
def test_hostile_archives_leave_nothing(
    tmp_path: Path, make: Callable[[], bytes], packing: str, fault: str
) -> None:
    assert fault in refused(tmp_path / "set", make(), packing)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_bad_inner_archive_leaves_nothing(tmp_path: Path) -> None:
    fault = refused(tmp_path, zipped({"good.bin": b"1", "bad.zip": b"nonsense"}), inner=("*.zip",))
    assert "bad.zip in it" in fault


def test_archives_in_archives_end_somewhere(tmp_path: Path) -> None:
    nest = zipped({"core": b"1"})
    for k in range(6):
        nest = zipped({f"{k}.zip": nest})
    assert "more than 3 deep" in refused(tmp_path, nest, inner=("*.zip",))


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MEMBERS_MAX", 5)
    assert "more than 5 members" in refused(tmp_path, zipped({f"{k}": b"x" for k in range(9)}))


def test_no_room_on_the_disc_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = unpacking.shutil.disk_usage

    def full(path: Path) -> object:
        return real(path)._replace(free=10)

    monkeypatch.setattr(unpacking.shutil, "disk_usage", full)
    assert "10 B are free" in refused(tmp_path, zipped(FILES))


@given(st.text(max_size=40))
def test_a_safe_path_stays_inside(name: str) -> None:
    try:
        path = safe_path(name)
    except Unsafe:
        return
    root = Path("/root/of/all")
    assert root in (root / path).parents or (root / path) == root
    assert ".." not in path.parts
