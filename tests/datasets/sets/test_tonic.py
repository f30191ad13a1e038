"""The loader on files made here, byte for byte as tonic expects them on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tonic_files import make_dvsgesture, make_nmnist, make_shd

from nmbench.datasets.sets import tonic
from nmbench.errors import DataMissing, InputError


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tonic tried to download")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def test_shd(tmp_path: Path) -> None:
    make_shd(tmp_path, "train")
    calls: list[tuple[int, int]] = []
    events = tonic.load("shd", tmp_path, "train", lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert events.name == "shd/train" and not events.synthetic and events.sensor == (700, 1, 1)
    assert events.labels.tolist() == [0, 19, 11, 3] and events.groups.tolist() == [4, 4, 0, 11]
    assert events.classes[11] == "eins" and events.classes[15] == "fünf"
    assert events[1]["t"].tolist() == [62_500, 250_000, 1_000_000]
    assert events[1]["x"].tolist() == [0, 699, 12]
    assert not events.events["y"].any() and not events.events["p"].any()


def test_nmnist(tmp_path: Path) -> None:
    make_nmnist(tmp_path, "test")
    events = tonic.load("nmnist", tmp_path, "test", silent, limit=20)
    assert len(events) == 20 and events.sensor == (34, 34, 2) and set(events.groups) == {-1}
    # spread over the set, which lies sorted by digit
    assert events.labels.tolist() == sorted([*range(10)] * 2)
    sample = events[events.labels.tolist().index(7)]
    assert sample["t"].tolist() == [1, 900, 300_000]  # the first file of digit 7 is 07001.bin
    assert sample["x"].tolist() == [33, 0, 7] and sample["y"].tolist() == [7, 33, 9]
    assert sample["p"].tolist() == [1, 0, 1]
    assert events.classes[7] == "7 - seven"


def test_dvsgesture(tmp_path: Path) -> None:
    make_dvsgesture(tmp_path, "train")
    events = tonic.load("dvsgesture", tmp_path, "train", silent)
    assert len(events) == 110 and events.sensor == (128, 128, 2) and len(events.classes) == 11
    # by path, whatever order the file system lists: user01_led/0, 1, 10, 2, ...
    assert events.groups.tolist() == [user for user in range(1, 11) for _ in range(11)]
    assert events.labels.tolist() == [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9] * 10
    sample = events[11 + 3]
    assert sample["t"].tolist() == [0, 3_000, 1_000_000]  # from ms, and from its own start
    assert sample["x"].tolist() == [127, 2, 5] and sample["y"].tolist() == [0, 2, 127]
    assert sample["p"].tolist() == [1, 0, 1]


@pytest.mark.parametrize("name", sorted(tonic.SETS))
@pytest.mark.parametrize("split", ["train", "test"])
def test_missing_data_are_asked_for(tmp_path: Path, name: str, split: tonic.Split) -> None:
    known = tonic.SETS[name]
    with pytest.raises(DataMissing) as missing:
        tonic.load(name, tmp_path, split, silent)
    text = str(missing.value)
    assert "https://" in text and "MD5" in text and "is not there" in text
    assert str(tmp_path / known.dataset / known.unpacked[split]) in text
    assert not list(tmp_path.iterdir())
    # the archive alone is not enough, and is not asked for twice
    archive = text.split("put it at: ")[1].splitlines()[0]
    Path(archive).parent.mkdir(parents=True)
    Path(archive).write_bytes(b"PK")
    with pytest.raises(DataMissing, match="its unpacked files are not"):
        tonic.load(name, tmp_path, split, silent)


def test_files_without_the_archive_are_missing_too(tmp_path: Path) -> None:
    (make_shd(tmp_path, "test") / "shd_test.h5.zip").unlink()
    with pytest.raises(DataMissing, match="keep the archive"):
        tonic.load("shd", tmp_path, "test", silent)


def test_the_other_splits_file_is_not_taken(tmp_path: Path) -> None:
    folder = make_shd(tmp_path, "test")
    (folder / "shd_train.h5.zip").write_bytes(b"PK")
    with pytest.raises(DataMissing, match=r"shd_train\.h5"):
        tonic.load("shd", tmp_path, "train", silent)


def spoil_shape(folder: Path) -> str:
    np.save(folder / "ibmGestureTest" / "user03_led" / "4.npy", np.zeros((5, 2)))
    return "user03_led/4.npy"


def spoil_pickle(folder: Path) -> str:
    place = folder / "ibmGestureTest" / "user02_natural" / "4.npy"
    np.save(place, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return "user02_natural/4.npy: Object arrays cannot be loaded"


def spoil_place(folder: Path) -> str:
    np.save(folder / "ibmGestureTest" / "user02_natural" / "5.npy", np.array([[-1.0, 0.0, 1.0, 9.0]]))
    return "user02_natural/5.npy: x in -1..-1"


def spoil_class(folder: Path) -> str:
    np.save(folder / "ibmGestureTest" / "user02_natural" / "11.npy", np.array([[1.0, 0.0, 1.0, 9.0]]))
    return "user02_natural/11.npy: class 11"


def spoil_bytes(folder: Path) -> str:
    (folder / "ibmGestureTest" / "user01_led" / "7.npy").write_bytes(b"\x93NUMPY\x01")
    return "user01_led/7.npy"


def test_broken_files_are_all_told(tmp_path: Path) -> None:
    folder = make_dvsgesture(tmp_path, "test")
    spoils: tuple[Callable[[Path], str], ...] = (
        spoil_shape,
        spoil_pickle,
        spoil_place,
        spoil_class,
        spoil_bytes,
    )
    told = [spoil(folder) for spoil in spoils]
    with pytest.raises(InputError) as caught:
        tonic.load("dvsgesture", tmp_path, "test", silent)
    assert len(caught.value.faults) == len(told)
    assert all(any(t in fault for fault in caught.value.faults) for t in told)


def test_a_broken_h5_is_told(tmp_path: Path) -> None:
    folder = make_shd(tmp_path, "train", units=(700, 0, 12))
    with pytest.raises(InputError, match=r"sample 0: x in 0\.\.700, the sensor has 0\.\.699"):
        tonic.load("shd", tmp_path, "train", silent)
    (folder / "shd_train.h5").write_bytes(b"no such thing")
    with pytest.raises(InputError, match="not the Spiking Heidelberg Digits"):
        tonic.load("shd", tmp_path, "train", silent)
    with h5py.File(folder / "shd_train.h5", "w") as file:
        file["labels"] = np.zeros(3)
    with pytest.raises(InputError, match="not the Spiking Heidelberg Digits"):
        tonic.load("shd", tmp_path, "train", silent)


def test_unknown_names_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        tonic.load("nmist", tmp_path, "tran", silent, limit=0)
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "did you mean 'nmnist'" in text and "did you mean 'train'" in text and "limit" in text


@pytest.mark.slow
def test_a_real_recording(tmp_path: Path, real_data: Path) -> None:
    recording = real_data / "events" / "nmnist.bin"
    if not recording.is_file():
        pytest.skip(f"no {recording}")
    folder = make_nmnist(tmp_path, "train")
    (folder / "Train" / "3" / "03001.bin").write_bytes(recording.read_bytes())
    events = tonic.load("nmnist", tmp_path, "train", silent, limit=10)
    assert events.labels.tolist() == [*range(10)]
    sample = events[3]
    assert len(sample) == 4_325  # as SOURCE.md beside the file says
    assert 250_000 < sample["t"][-1] < 350_000 and set(sample["p"]) == {0, 1}
