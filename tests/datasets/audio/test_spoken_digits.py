from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest

from nmbench.datasets.audio import spoken_digits
from nmbench.datasets.audio.speech import variants
from nmbench.datasets.audio.spoken_digits import CLASSES, TEST_VOICES, TRAIN_VOICES, VOICES, generate
from nmbench.errors import InputError

SMALL: Mapping[str, object] = {
    "voices": ["f2", "klatt2", "Alex", "steph"],
    "renditions": 2,
    "classes": [0, 7, 10, 17],
}


def silent(_done: int, _total: int) -> None:
    pass


def test_the_published_set_is_split_by_voice() -> None:
    assert (len(TRAIN_VOICES), len(TEST_VOICES)) == (63, 16)
    assert len(set(VOICES)) == 79
    assert {v.replace("_", " ") for v in VOICES} <= set(variants())
    assert len(CLASSES) == 20 and CLASSES[3] == "three" and CLASSES[15] == "fünf"
    assert spoken_digits.Options().renditions * 20 * 79 == 6_320


def test_variants_of_one_name_stand_on_one_side() -> None:
    sides: dict[str, set[bool]] = {}
    for voice in VOICES:
        if len(stem := voice.rstrip("0123456789")) > 1:  # f1, m3: numbers are all that these are called
            sides.setdefault(stem, set()).add(voice in TEST_VOICES)
    assert all(len(side) == 1 for side in sides.values())


def test_a_small_set() -> None:
    calls: list[tuple[int, int]] = []
    sets = generate(SMALL, 0, lambda done, total: calls.append((done, total)))
    assert calls == [(i, 32) for i in range(1, 33)]
    assert {split: len(s) for split, s in sets.items()} == {"train": 16, "test": 16}
    assert {VOICES[g] for g in sets["train"].groups} == {"f2", "klatt2"}
    assert {VOICES[g] for g in sets["test"].groups} == {"Alex", "steph"}
    for events in sets.values():
        assert events.synthetic and events.sensor == (700, 1, 1) and events.classes == CLASSES
        assert sorted(events.labels) == sorted([0, 7, 10, 17] * 4)
        counts = np.diff(events.offsets)
        assert counts.min() > 1_000 and counts.max() < 30_000
        # renditions differ, and so do words
        assert len(set(events.sample_sha256())) == len(events)
        for sample in events:
            assert 0.2e6 < sample["t"].max() < 2e6
            assert sample["t"].min() < 0.1e6  # the silence before the word is gone


def test_bytes_do_not_depend_on_process_or_threads() -> None:
    options = {**SMALL, "classes": [6, 12], "renditions": 1}
    code = (
        "import json, os, sys\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from nmbench.datasets.audio.spoken_digits import generate\n"
        "sets = generate(json.loads(sys.argv[1]), 3, lambda done, total: None)\n"
        "print(json.dumps({split: s.sha256() for split, s in sets.items()}))\n"
    )
    alone = subprocess.run(
        [sys.executable, "-c", code, json.dumps(options)], capture_output=True, text=True, check=True
    )
    here = {split: s.sha256() for split, s in generate(options, 3, silent).items()}
    assert json.loads(alone.stdout) == here


def test_a_sample_depends_on_the_seed_and_itself_only() -> None:
    part = generate({**SMALL, "classes": [17], "renditions": 1}, 0, silent)["test"]
    more = generate({**SMALL, "classes": [7, 17], "voices": ["f2", "steph"]}, 0, silent)["test"]
    voice = VOICES.index("steph")
    (mine,) = np.flatnonzero(part.groups == voice)
    theirs = np.flatnonzero((more.groups == voice) & (more.labels == 17))[0]
    assert part.sample_sha256()[mine] == more.sample_sha256()[theirs]
    other = generate({**SMALL, "classes": [17], "renditions": 1}, 1, silent)["test"]
    assert not set(other.sample_sha256()) & set(part.sample_sha256())


def test_another_ear_hears_the_same_words() -> None:
    options = {**SMALL, "classes": [6], "renditions": 1}
    here = generate({**options, "encoder": "hydrodynamic"}, 0, silent)
    there = generate({**options, "encoder": "fast"}, 0, silent)
    assert [s.sha256() for s in there.values()] == [s.sha256() for s in generate(options, 0, silent).values()]
    for split in here:
        assert here[split].groups.tolist() == there[split].groups.tolist()
        assert not set(here[split].sample_sha256()) & set(there[split].sample_sha256())
        assert np.diff(here[split].offsets).min() > 500


def test_all_faults_at_once() -> None:
    with pytest.raises(InputError) as caught:
        generate({"voices": ["Alx", "f2"], "renditions": 0, "classes": [20], "rendition": 3}, 0, silent)
    text = str(caught.value)
    assert len(caught.value.faults) == 4
    assert "did you mean 'Alex'" in text and "none of the test voices" in text
    assert "did you mean 'renditions'" in text and "classes.0" in text
