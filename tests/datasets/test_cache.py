from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from nmbench.datasets.cache import cached
from nmbench.datasets.events import EVENT, EventSet, event_set

KEY: Mapping[str, object] = {"source": "toy", "seed": 1}


class Listener:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def step(self, task: str, done: int, total: int) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


class Builder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, EventSet]:
        self.calls += 1
        samples = [np.array([(t, t % 5, 0, 1)], dtype=EVENT) for t in range(6)]
        return {
            s: event_set(s, (5, 1, 2), samples, [0] * 6, [-1] * 6, ("a",), True) for s in ("train", "test")
        }


def test_built_once_and_equal_after_reading(tmp_path: Path) -> None:
    build, listener = Builder(), Listener()
    first = cached(tmp_path, KEY, build, ("test",), listener)["test"]
    again = cached(tmp_path, KEY, build, ("train", "test"), listener)["test"]
    assert build.calls == 1 and listener.notes == []
    assert first.sha256() == again.sha256() == Builder()()["test"].sha256()
    assert again.synthetic and again.classes == ("a",)
    cached(tmp_path, {**KEY, "seed": 2}, build, ("test",), listener)
    assert build.calls == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "no manifest", "bad manifest", "types", "pickle"])
def test_a_damaged_cache_is_built_again_and_said_so(tmp_path: Path, damage: str) -> None:
    build, listener = Builder(), Listener()
    good = cached(tmp_path, KEY, build, ("test",), listener)["test"].sha256()
    (events,) = (tmp_path / "events").glob("toy-*/test-events.npy")
    manifest = events.with_name("manifest.json")
    content = events.read_bytes()
    if damage == "flip":
        events.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    elif damage == "cut":
        events.write_bytes(content[:-9])
    elif damage == "empty":
        events.write_bytes(b"")
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "bad manifest":
        manifest.write_text('{"key": {}}')
    elif damage == "types":
        np.save(events, np.zeros(6, dtype=np.float64))
    else:
        np.save(events, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert cached(tmp_path, KEY, build, ("test",), listener)["test"].sha256() == good
    assert build.calls == 2
    assert len(listener.notes) == 1 and "damaged" in listener.notes[0]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> dict[str, EventSet]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached(tmp_path, KEY, fail, ("test",), Listener())
    assert [p.name for p in (tmp_path / "events").iterdir() if p.is_dir()] == []
