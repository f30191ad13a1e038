from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nmbench.datasets import transforms
from nmbench.datasets.audio import running_words
from nmbench.datasets.audio.running_words import CLASSES, NOTHING, TEST_FILLERS, TRAIN_FILLERS, generate
from nmbench.datasets.audio.spoken_digits import TEST_VOICES, TRAIN_VOICES, VOICES
from nmbench.datasets.cache import cached
from nmbench.datasets.events import EventSet
from nmbench.datasets.reproducible import Draws
from nmbench.errors import InputError
from nmbench.progress import Silence

SMALL = {"train": 2, "test": 3, "seconds": 4.0}
GOLDEN = "2b4861266a3ad331a23cc98ce1871553cd50f82955ff6ea5c7e868fc1033cda2"


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def sets() -> dict[str, EventSet]:
    return generate(SMALL, 0, silent)


def test_voices_and_other_words_of_the_test_are_unseen(sets: dict[str, EventSet]) -> None:
    assert {VOICES[g] for g in sets["train"].groups} <= set(TRAIN_VOICES)
    assert {VOICES[g] for g in sets["test"].groups} <= set(TEST_VOICES)
    seen, unseen = (
        {word.lower() for _, words in side for word in words.split()}
        for side in (TRAIN_FILLERS, TEST_FILLERS)
    )
    assert not seen & unseen
    assert not (seen | unseen) & {word.lower() for word in CLASSES}
    published = running_words.Options()
    assert {running_words.voice(i, test=True) for i in range(published.test)} == set(TEST_VOICES)
    assert {running_words.voice(i, test=False) for i in range(published.train)} == set(TRAIN_VOICES)


def test_marks_lie_inside_their_recordings_and_do_not_touch(sets: dict[str, EventSet]) -> None:
    for events in sets.values():
        marks = events.marks
        assert marks is not None and len(marks) and (events.labels == -1).all()
        assert events.classes[-1] == NOTHING and marks["label"].max() < len(CLASSES) - 1
        assert (marks["start_us"] >= 0.5e6).all() and (marks["end_us"] <= 3.5e6 + 1).all()
        length = marks["end_us"] - marks["start_us"]
        assert (length > 0.1e6).all() and (length < 2e6).all()
        for sample in range(len(events)):
            own = marks[marks["sample"] == sample]
            assert (own["start_us"][1:] - own["end_us"][:-1] >= 0.1e6).all()
        assert events.events["t"].max() < 4e6


def test_the_ear_fires_where_words_are(sets: dict[str, EventSet]) -> None:
    events = sets["test"]
    assert events.marks is not None
    for sample, start, end, _ in events.marks.tolist():
        t = events[sample]["t"]
        within = ((t >= start) & (t < end)).sum() / (end - start)
        before = (t < 0.4e6).sum() / 0.4e6
        assert within > 3 * before


def test_the_same_bytes_alone_or_among_others_and_in_another_process(sets: dict[str, EventSet]) -> None:
    fewer = generate({**SMALL, "train": 1, "test": 1}, 0, silent)
    assert fewer["test"].sample_sha256() == sets["test"].sample_sha256()[:1]
    assert generate({**SMALL, "train": 1, "test": 1}, 1, silent)["test"].sha256() != fewer["test"].sha256()
    code = (
        "from nmbench.datasets.audio.running_words import generate;"
        f"print(generate({SMALL!r}, 0, lambda a, b: None)['test'].sha256())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sets["test"].sha256() == GOLDEN


def test_marks_outlast_the_cache_and_go_with_their_samples(sets: dict[str, EventSet], tmp_path: Path) -> None:
    key = {"source": "running-words"}
    for _ in range(2):
        kept = cached(tmp_path, key, lambda: sets, ("test",), Silence())["test"]
        assert kept.marks is not None and kept.sha256() == sets["test"].sha256()
        np.testing.assert_array_equal(kept.marks, sets["test"].marks)
    turned = transforms.apply(kept, [("pool", {"x": 5})]).take([2, 0])
    assert turned.marks is not None
    for place, sample in enumerate((2, 0)):
        own, before = (
            m[m["sample"] == at][["start_us", "end_us", "label"]]
            for m, at in ((turned.marks, place), (kept.marks, sample))
        )
        np.testing.assert_array_equal(own, before)


def test_marks_are_part_of_the_hash(sets: dict[str, EventSet]) -> None:
    from dataclasses import replace

    events = sets["test"]
    assert events.marks is not None
    moved = events.marks.copy()
    moved["end_us"][0] += 1
    assert replace(events, marks=moved).sha256() != events.sha256()


def test_noise_is_as_loud_as_asked_and_falls_towards_high_pitch() -> None:
    made = running_words.noise(Draws(1), 1 << 16, -50.0)
    assert 20 * np.log10(made.std()) == pytest.approx(-50, abs=1.0)
    power = np.abs(np.fft.rfft(made)) ** 2
    assert power[64:128].mean() > 4 * power[1024:2048].mean() > 16 * power[16384:].mean() / 4


def test_faulty_options_are_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        generate({"train": 0, "seconds": 1.0, "tset": 3}, 0, silent)
    assert all(word in str(error.value) for word in ("train", "seconds", "tset"))
