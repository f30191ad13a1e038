"""Strangers' packed files: MATLAB, IDX, AEDAT and LZ4."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tonic_files_packed as packed
from hypothesis import given, settings
from hypothesis import strategies as st
from spoilt_files import faults_of, refused

from nmbench.datasets.sets import aedat4, lz4, mat, smnist
from nmbench.errors import InputError


def signs(**changed: object) -> bytes:
    columns = {name: np.array([[1], [0], [1]], np.uint8) for name in ("ts", "x", "y", "pol")}
    columns["ts"] = np.array([[1], [2], [3]], np.uint32)
    target = io.BytesIO()
    kept = {k: v for k, v in (columns | changed).items() if v is not None}
    scipy.io.savemat(target, kept, do_compression=True)
    return target.getvalue()


def bomb() -> bytes:
    packed_ = zlib.compress(bytes(mat.FILE_MAX + 1), 9)
    return signs()[:128] + struct.pack("<II", mat.PACKED, len(packed_)) + packed_


SIGNS: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb": (bomb, "larger than"),
    "cut off": (lambda: signs()[:-9], "cut off"),
    "another": (lambda: b"hello" * 100, "no MATLAB 5 file"),
    "no polarity": (lambda: signs(pol=None), "no arrays of numbers pol"),
    "text": (lambda: signs(x="abc"), "no arrays of numbers x"),
    "complex": (lambda: signs(x=np.array([1j, 2, 3])), "no arrays of numbers x"),
    "table": (lambda: signs(x=np.zeros((3, 2))), "6 x"),
    "fewer": (lambda: signs(x=np.zeros(2)), "columns of unequal lengths"),
    "outside": (lambda: signs(x=np.array([240, 0, 0])), "x in 0..240"),
    "below": (lambda: signs(y=np.array([180, 0, 0])), "y in -1..179"),
    "backwards": (lambda: signs(ts=np.array([90_000, 3, 4])), "runs back"),
    "polarity": (lambda: signs(pol=np.array([-1, 0, 1])), "p in -1..1"),
    "infinite": (lambda: signs(ts=np.array([1, 2, np.inf])), "not finite"),
    "none": (lambda: signs(**{k: np.zeros((0, 1)) for k in ("ts", "x", "y", "pol")}), "no events"),
}


@pytest.mark.parametrize("spoil", sorted(SIGNS))
def test_spoilt_signs(tmp_path: Path, spoil: str) -> None:
    folder = packed.make_asldvs(tmp_path, each=5)
    (folder / "c" / "c_0005.mat").write_bytes(SIGNS[spoil][0]())
    refused("asldvs", tmp_path, "c/c_0005.mat", SIGNS[spoil][1])


def test_signed_polarities_are_off_and_on(tmp_path: Path) -> None:
    place = tmp_path / "a.mat"
    place.write_bytes(signs(pol=np.array([-1, 1, 1])))
    assert mat.read_mat(place, (240, 180, 2))["p"].tolist() == [0, 1, 1]


def test_spoilt_pictures(tmp_path: Path) -> None:
    pictures = np.zeros((4, 28, 28), np.uint8)
    folder = packed.make_smnist(tmp_path, "test", pictures, packed=True)
    images, labels = (folder / f"t10k-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
    whole = images.read_bytes()
    for content, says in (
        (whole[:-9], "cut off"),
        (whole[:20] + b"\0" + whole[21:], "damaged"),
        (labels.read_bytes(), "not an IDX file"),
    ):
        images.write_bytes(content)
        refused("smnist", tmp_path, images.name, says)
    packed.make_smnist(tmp_path, "test", pictures[:3])  # unpacked ones are taken first
    (folder / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 2) + b"\0\x0a")
    told = faults_of("smnist", tmp_path)
    assert "2 labels for 3 pictures" in told[1] and "class 10" in told[2]
    assert smnist.IMAGES_MAX < 1 << 20


DV_EVENTS = np.array([(7, 1, 2, 1, (0, 0, 0)), (9, 127, 0, 0, (0, 0, 0))] * 40, packed.DV)
DV_EVENTS["t"] = np.arange(80) * 3


def read_dv(tmp_path: Path, data: bytes) -> list[int]:
    path = tmp_path / "a.aedat4"
    path.write_bytes(data)
    times: list[int] = aedat4.read_aedat4(path, (128, 128, 2))["t"].tolist()
    return times


def test_spoilt_aedat4(tmp_path: Path) -> None:
    whole = packed.aedat4_bytes([DV_EVENTS], lz4=True)
    assert read_dv(tmp_path, whole) == (np.arange(80) * 3).tolist()
    spoils = {
        whole[:-7]: "cut off",
        b"#!AER-DAT2.0" + whole[12:]: "does not begin with",
        whole.replace(b"IOHE", b"IOHF"): "no header",
        packed.aedat4_bytes([]): "0 events",
        whole.replace(struct.pack("<iiq", 16, 1, -1), struct.pack("<iiq", 16, 3, -1)): "packed in a way",
        packed.aedat4_bytes([DV_EVENTS]).replace(struct.pack("<I", 80), struct.pack("<I", 81)): "promises 81",
    }
    for data, says in spoils.items():
        with pytest.raises(InputError, match=says) as caught:
            read_dv(tmp_path, data)
        assert caught.value.subject.endswith("a.aedat4")
    outside = DV_EVENTS.copy()
    outside["x"][3] = -5
    with pytest.raises(InputError, match=r"x in -5\.\.127"):
        read_dv(tmp_path, packed.aedat4_bytes([outside]))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_aedat4_never_does_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(packed.aedat4_bytes([DV_EVENTS], lz4=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.aedat4"
    path.write_bytes(whole)
    try:
        assert len(aedat4.read_aedat4(path, (128, 128, 2))) >= 1
    except InputError as error:
        assert error.subject == str(path)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"abcd", b"\0" * 40, b"xyz", bytes(range(60))]), max_size=400))
def test_lz4_unpacks_what_was_packed(parts: list[bytes]) -> None:
    data = b"".join(parts)
    frame = np.frombuffer(packed.lz4_frame(data, block=3_000), np.uint8)
    assert lz4.unpack(frame, len(data)).tobytes() == data
    if len(data) > 1:
        with pytest.raises(ValueError, match="unpacks to more"):
            lz4.unpack(frame, len(data) - 1)


def test_spoilt_aedat2(tmp_path: Path) -> None:
    folder = packed.make_cifar10dvs(tmp_path, ".aedat")
    place = folder / "cat" / "cifar10_cat_9.aedat"
    for data, says in (
        (packed.aedat2_bytes([(1, 5)])[:-3], "cut off"),
        (packed.aedat2_bytes([(1 << 15, 5), (3, 6)]), "1 addresses that are no pixel"),
        (packed.aedat2_bytes([(1, 90_000), (3, 6)]), "t"),
        (b"#!AER-DAT2.0 without an end", "does not end"),
        (b"#!AER-DAT3.1\r\n", "does not begin"),
        (packed.aedat2_bytes([]), "cut off"),
    ):
        place.write_bytes(data)
        refused("cifar10dvs", tmp_path, "cat/cifar10_cat_9.aedat", says)
