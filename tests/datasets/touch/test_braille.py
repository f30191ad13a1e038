from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.datasets.encoders import undo_delta
from nmbench.datasets.touch import braille, taxels
from nmbench.errors import DataMissing, InputError

NAMES = np.array(["Space", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"])


def silent(_done: int, _total: int) -> None:
    pass


def arrays(trials: int = 6) -> dict[str, Any]:
    """Return slides over the first letters: repetitions 38, 39 for training, 40 for the test."""
    rng = np.random.default_rng(trials)
    walk = 200 + np.cumsum(rng.integers(-3, 4, (trials, 76, 12)), axis=1)
    return {
        "x": np.clip(walk, 0, 255).astype(np.uint8),
        "y": (np.arange(trials) // 3).astype(np.uint8),
        "rep": (38 + np.arange(trials) % 3).astype(np.uint8),
        "names": NAMES,
    }


def packed(path: Path, content: Mapping[str, Any]) -> Path:
    np.savez_compressed(path, **content)
    return path


def original(path: Path, readings: Any, protocol: int = 4, mapping: bool = False) -> Path:
    """Write the layout that the tutorial reads: trial -> {"taxel_data": [steps, 12], ...}."""
    items = [
        {
            "letter": str(NAMES[k // 50]),
            "timestamp": np.arange(len(trial)) * 0.025,
            "taxel_data": trial,
        }
        for k, trial in enumerate(readings)
    ]
    content = dict(enumerate(items)) if mapping else items
    path.write_bytes(gzip.compress(pickle.dumps(content, protocol=protocol), 1))
    return path


def full() -> np.ndarray[Any, Any]:
    """Return all 1,350 slides, letter by letter."""
    rng = np.random.default_rng(5)
    return rng.integers(50, 256, (27 * 50, 76, 12)).astype(np.uint8)


def test_slides_become_events(tmp_path: Path) -> None:
    content = arrays()
    path = packed(tmp_path / "braille_taxels.npz", content)
    calls: list[tuple[int, int]] = []
    sets = braille.load(tmp_path, {}, lambda done, total: calls.append((done, total)))
    assert calls == [(i, 6) for i in range(1, 7)]
    assert {split: e.labels.tolist() for split, e in sets.items()} == {"train": [0, 0, 1, 1], "test": [0, 1]}
    assert sets["train"].groups.tolist() == [38, 39, 38, 39] and sets["test"].groups.tolist() == [40, 40]
    for split, events in sets.items():
        assert events.name == f"braille/{split}" and not events.synthetic
        assert events.sensor == (12, 1, 2) and events.classes == tuple(NAMES.tolist())
    for number, place in enumerate((2, 5)):
        x = content["x"][place].astype(int)
        followed = undo_delta(sets["test"][number], x[0], 76, 2, 25_000)
        assert np.abs(followed - x).max() < 2
    assert path == braille.find_archive(tmp_path) == braille.find_archive(path)


def test_a_higher_threshold_gives_fewer_events(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", arrays())
    counts = [len(braille.load(path, {"threshold": n}, silent)["test"].events) for n in (1, 2, 5, 255)]
    assert counts == sorted(counts, reverse=True) and counts[0] > 2 * counts[2] and counts[3] == 0
    for options in ({"threshold": 0}, {"threshold": 256}, {"threshold": 1.5}, {"treshold": 2}):
        with pytest.raises(InputError, match=r"threshold"):
            braille.load(path, options, silent)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["u1", "<i8", ">i4", "<f8", "<f4"])
def test_the_original_file_gives_the_same_events(tmp_path: Path, protocol: int, kind: str) -> None:
    readings = full()
    labels = np.arange(1350)
    content = {"x": readings, "y": labels // 50, "rep": labels % 50, "names": NAMES}
    one = packed(tmp_path / "a.npz", {k: v if k in "x names" else v.astype("u1") for k, v in content.items()})
    two = original(tmp_path / "b.pkl.gz", readings.astype(kind), protocol, mapping=protocol % 2 == 1)
    first, second = taxels.read_trials(one), taxels.read_trials(two)
    for name in ("readings", "letter", "repetition"):
        a, b = getattr(first, name), getattr(second, name)
        assert a.dtype == b.dtype and np.array_equal(a, b), name
    assert np.array_equal(second.readings, readings)


def test_trials_are_cut_to_the_shortest(tmp_path: Path) -> None:
    long = [np.concatenate([trial, trial[:3]]) if k % 2 else trial for k, trial in enumerate(full())]
    trials = taxels.read_trials(original(tmp_path / "b.pkl.gz", long))
    assert np.array_equal(trials.readings, full())
    with pytest.raises(InputError, match="the shortest trial has 75 readings, wanted 76"):
        taxels.read_trials(original(tmp_path / "c.pkl.gz", full()[:, :75]))


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    content = arrays()
    mixed = {k: v if k == "names" else v[::-1] for k, v in content.items()}
    one = braille.load(packed(tmp_path / "a.npz", content), {}, silent)
    two = braille.load(packed(tmp_path / "b.npz", mixed), {}, silent)
    assert [s.sha256() for s in one.values()] == [s.sha256() for s in two.values()]
    assert braille.archive_sha256(tmp_path / "a.npz") != braille.archive_sha256(tmp_path / "b.npz")


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataMissing) as missing:
        braille.load(tmp_path, {}, silent)
    assert "nmbench data fetch braille" in str(missing.value) and str(tmp_path / "braille") in str(
        missing.value
    )
    (tmp_path / "braille").mkdir()
    path = packed(tmp_path / "braille" / "braille_taxels.npz", arrays())
    assert braille.find_archive(tmp_path) == path
    (tmp_path / "tutorial5_braille_spiking_data.pkl.gz").write_bytes(b"")
    with pytest.raises(InputError, match="which file"):
        braille.load(tmp_path, {}, silent)


BROKEN: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "type": ({"x": arrays()["x"].astype(float)}, "x.npy: type '<f8', wanted '|u1'"),
    "shape": ({"x": arrays()["x"][:, :70]}, r"x.npy: shape \[6, 70, 12\], wanted \[6, 76, 12\]"),
    "axes": ({"x": arrays()["x"][0]}, r"x.npy: shape \[76, 12\]"),
    "labels": ({"y": arrays()["y"][:5]}, r"y.npy: shape \[5\], wanted \[6\]"),
    "letter": ({"y": np.full(6, 27, "u1")}, "y.npy: 6 values not below 27, the first is 27"),
    "repetition": ({"rep": np.full(6, 50, "u1")}, "rep.npy: 6 values not below 50"),
    "twice": ({"rep": np.full(6, 40, "u1")}, "letter 'Space', repetition 40: stands there 3 times"),
    "names": ({"names": NAMES[::-1].copy()}, "names.npy: wanted Space, A, B"),
    "objects": ({"names": NAMES.astype(object)}, "names.npy: not an .npy file|names.npy: type '|O'"),
    "order": ({"x": np.asfortranarray(arrays()["x"])}, "Fortran order"),
    "none": (
        {"x": np.zeros((0, 76, 12), "u1"), "y": np.zeros(0, "u1"), "rep": np.zeros(0, "u1")},
        "0 trials",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_arrays(tmp_path: Path, case: str) -> None:
    change, told = BROKEN[case]
    path = packed(tmp_path / "a.npz", {**arrays(), **change})
    with pytest.raises(InputError, match=told) as caught:
        braille.load(path, {}, silent)
    assert caught.value.subject == str(path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    content = {
        **arrays(),
        "y": np.full(6, 99, "u1"),
        "rep": np.full(6, 77, "u1"),
        "names": NAMES[::-1].copy(),
    }
    with pytest.raises(InputError) as caught:
        braille.load(packed(tmp_path / "a.npz", content), {}, silent)
    assert len(caught.value.faults) == 3
    content = {"x": arrays()["x"].astype("u2"), "y": arrays()["y"]}
    with pytest.raises(InputError) as caught:
        braille.load(packed(tmp_path / "b.npz", content), {}, silent)
    assert [f.split(":")[0] for f in caught.value.faults] == ["x.npy", "rep.npy", "names.npy"]


def test_a_file_of_one_split_only(tmp_path: Path) -> None:
    content = {**arrays(3), "rep": np.arange(3, dtype="u1")}
    with pytest.raises(InputError, match="0 of 3 slides are for the test: no split"):
        braille.load(packed(tmp_path / "a.npz", content), {}, silent)


def npy(header: bytes, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + body


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 76, 12), }"), "0 bytes of"),
        (npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 76, 12), }"), "not an .npy"),
        (npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"x"), r"type '\|O'"),
        (npy(b"{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }"), "not an .npy"),
        (npy(b"{'descr': '|u2', 'fortran_order': False, 'shape': (1,), }", b"xx"), r"type '\|u2'"),
        (npy(b"(" * 5000), "not an .npy"),
        (npy(b"{'descr': '|u1'}"), "not an .npy"),
        (b"\x93NUMPY\x03\x00" + b"\0" * 80, "format 1.0"),
        (b"hello", "not an .npy"),
        (b"", "not an .npy"),
    ],
)
def test_hostile_members(tmp_path: Path, member: bytes, told: str) -> None:
    path = packed(tmp_path / "good.npz", arrays())
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(tmp_path / "a.npz", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, member if name == "x.npy" else good.read(name))
    with pytest.raises(InputError, match=told):
        braille.load(tmp_path / "a.npz", {}, silent)


def lie_about_sizes(data: bytearray) -> None:
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.index(signature)
        data[at + place : at + place + 4] = struct.pack("<I", 20)


def flip_a_byte(data: bytearray) -> None:
    data[200] ^= 0xFF


def encrypt(data: bytearray) -> None:
    data[data.index(b"PK\x01\x02") + 8] |= 1


def name_another_method(data: bytearray) -> None:
    data[data.index(b"PK\x01\x02") + 10] = 97


def cut_the_directory(data: bytearray) -> None:
    del data[-30:]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lie_about_sizes, "x.npy: "),
        (flip_a_byte, "x.npy: damaged|x.npy: not an"),
        (encrypt, "x.npy: encrypted"),
        (name_another_method, "compression method 97"),
        (cut_the_directory, "not a readable zip"),
    ],
)
def test_hostile_archives(tmp_path: Path, spoil: Callable[[bytearray], None], told: str) -> None:
    path = packed(tmp_path / "a.npz", arrays())
    data = bytearray(path.read_bytes())
    spoil(data)
    path.write_bytes(data)
    with pytest.raises(InputError, match=told):
        braille.load(path, {}, silent)


@given(place=st.integers(0, 5_000), value=st.integers(0, 255))
def test_one_wrong_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays())
    data = bytearray(buffer.getvalue())
    data[place % len(data)] = value
    path = tmp_path_factory.mktemp("one") / "a.npz"
    path.write_bytes(data)
    try:
        trials = taxels.read_trials(path)
    except InputError as error:
        assert error.subject == str(path)
        return
    assert np.array_equal(trials.readings, arrays()["x"])


def test_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "a.npz", arrays())
    bomb = tmp_path / "bomb.pkl.gz"
    bomb.write_bytes(gzip.compress(bytes(10_000)) * 3)
    for limit, value, file, told in (
        ("FILE_BYTES_MAX", 1_000, path, "more than 1000"),
        ("CONTENT_BYTES_MAX", 5_000, path, "x.npy: 5600 bytes, more than 5000"),
        ("CONTENT_BYTES_MAX", 25_000, bomb, "unpacks to more than 25000 bytes"),
        ("TRIALS_MAX", 5, path, "6 trials, wanted 1 to 5"),
    ):
        with monkeypatch.context() as patch, pytest.raises(InputError, match=told):
            patch.setattr(taxels, limit, value)
            braille.load(file, {}, silent)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"hello", "neither a zip"),
        (b"", "neither a zip"),
        (pickle.dumps([]), "neither a zip"),
        (gzip.compress(pickle.dumps([]))[:-9], "cut off|damaged"),
        (gzip.compress(b"hello") + b"\x1f\x8bxx", "not a readable gzip"),
        (gzip.compress(pickle.dumps([])), "0 trials, wanted a list or a mapping of 1350"),
        (gzip.compress(pickle.dumps(7)), "holds int"),
        (gzip.compress(pickle.dumps(dict.fromkeys(range(1, 1351)))), "holds dict"),
        (gzip.compress(pickle.dumps([{}] * 1350)), "no array 'taxel_data'"),
    ],
)
def test_other_files(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "a.pkl.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=told) as caught:
        braille.load(path, {}, silent)
    assert caught.value.subject == str(path)


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        (np.zeros((76, 11)), r"readings \[76, 11\]"),
        (np.zeros(76), r"readings \[76\]"),
        (np.zeros((0, 12)), r"readings \[0, 12\]"),
        (np.full((76, 12), 256), "outside 0..255"),
        (np.full((76, 12), -1), "outside 0..255"),
        (np.full((76, 12), np.nan), "outside 0..255"),
        (np.full((76, 12), 0.5), "no whole numbers"),
        (np.full((76, 12), "a"), "type <U1, wanted numbers"),
        ([[0] * 12] * 76, "no array"),
    ],
)
def test_broken_trials(tmp_path: Path, trial: Any, told: str) -> None:
    readings = [*full()]
    readings[51] = trial
    with pytest.raises(InputError, match=rf"trial 51 \('A', repetition 1\): .*{told}"):
        taxels.read_trials(original(tmp_path / "b.pkl.gz", readings))


@pytest.mark.slow
def test_the_real_file(real_data: Path) -> None:
    path = real_data / "braille_taxels.npz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    sets = braille.load(real_data, {}, silent)
    assert {split: len(events) for split, events in sets.items()} == {"train": 1_080, "test": 270}
    assert np.bincount(sets["test"].labels).tolist() == [10] * 27
    assert sum(len(e.events) for e in sets.values()) == 179_767
    active = np.flatnonzero(np.bincount(sets["test"].events["x"], minlength=12))
    assert set(active) >= {1, 6, 10}


def test_the_source_is_there_under_its_name(tmp_path: Path) -> None:
    from nmbench.datasets import sources
    from nmbench.progress import Silence
    from nmbench.spec import Data

    packed(tmp_path / "braille_taxels.npz", arrays())
    data = Data.model_validate({"source": "braille", "licence": "x", "networks": {"base": "x.nir"}})
    loaded = sources.load(data, ("train", "test"), tmp_path / "cache", tmp_path, Silence())
    built = braille.load(tmp_path, {}, silent)
    assert {k: v.sha256() for k, v in loaded.items()} == {k: v.sha256() for k, v in built.items()}
