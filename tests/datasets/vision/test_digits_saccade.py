from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nmbench.datasets.events import EventSet
from nmbench.datasets.vision.digits_saccade import (
    CLASSES,
    SIDE,
    DigitsOptions,
    gaze_path,
    generate,
    render,
    split,
)
from nmbench.errors import InputError


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture(scope="module")
def few() -> dict[str, EventSet]:
    return generate({"limit": 5}, 0, silent)


def test_splits_are_labelled_synthetic_and_balanced(few: dict[str, EventSet]) -> None:
    assert {name: part.name for name, part in few.items()} == {
        "train": "digits_saccade/train",
        "test": "digits_saccade/test",
    }
    for part, each in zip((few["train"], few["test"]), (4, 1), strict=True):
        assert part.sensor == (SIDE, SIDE, 2) == (34, 34, 2)
        assert part.synthetic
        assert part.classes == CLASSES
        assert np.all(part.groups == -1)
        assert np.bincount(part.labels).tolist() == [each] * 10


def test_samples_are_like_those_of_n_mnist(few: dict[str, EventSet]) -> None:
    counts = np.diff(few["train"].offsets)
    assert 3_500 < counts.mean() < 5_500
    assert counts.min() > 2_000
    for sample in few["train"]:
        assert sample["t"].max() < 300_000
        assert 0.4 < sample["p"].mean() < 0.65


def test_camera_rests_between_saccades(few: dict[str, EventSet]) -> None:
    t = few["train"].events["t"]
    rate = np.histogram(t % 100_000, bins=20, range=(0, 100_000))[0]
    assert max(rate[0], rate[-1]) < 0.3 * rate[9:11].mean()


def test_still_camera_sends_noise_only() -> None:
    part = generate({"limit": 5, "span_px": 0.0}, 0, silent)["train"]
    noise = part.sensor[0] * part.sensor[1] * 0.3 * (0.05 + 0.05)
    assert np.diff(part.offsets).mean() < 1.3 * noise


def test_same_bytes_each_time_and_for_a_part_of_the_set(few: dict[str, EventSet]) -> None:
    more = generate({"limit": 6}, 0, silent)
    assert generate({"limit": 5}, 0, silent)["test"].sha256() == few["test"].sha256()
    known = set(more["train"].sample_sha256()) | set(more["test"].sample_sha256())
    assert set(few["train"].sample_sha256()) | set(few["test"].sample_sha256()) <= known
    assert generate({"limit": 5}, 1, silent)["test"].sha256() != few["test"].sha256()


def test_published_split_is_stratified() -> None:
    labels = np.asarray(load_digits().target)
    chosen, test = split(labels, None, 0)
    assert chosen.tolist() == list(range(1_797))
    assert (np.count_nonzero(~test), np.count_nonzero(test)) == (1_437, 360)
    share = np.bincount(labels[test]) - np.bincount(labels) / 5
    assert np.abs(share).max() < 1.0
    assert not np.array_equal(test, split(labels, None, 1)[1])


def test_gaze_goes_round_a_triangle_and_rests_at_its_corners() -> None:
    path = gaze_path(DigitsOptions(span_px=4.0))
    assert path.shape == (301, 2)
    assert path[[0, 100, 200, 300]].tolist() == [[-2.0, 2.0], [0.0, -2.0], [2.0, 2.0], [-2.0, 2.0]]
    speed = np.hypot(*np.diff(path, axis=0).T)
    assert max(speed[[0, 99, 100, 199, 200, 299]]) < 0.05 * speed.max()


def test_picture_passes_through_its_cells_and_moves_with_the_gaze() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((8, 8))
    light = np.arange(2**16 + 1, dtype=np.int32)
    # with cells of 3 pixels, pixel 18 + 3 n lies on the centre of cell 4 + n
    frames = render(picture, np.array([[0.0, 0.0], [2.0, -1.0]]), 3.0, light).reshape(2, SIDE, SIDE)
    edge = np.clip((picture - 0.2) / 0.6, 0.0, 1.0)
    expected = edge * edge * (3.0 - 2.0 * edge) * 2**16
    assert np.abs(frames[0, 6:28:3, 6:28:3] - expected).max() <= 1
    assert np.array_equal(frames[1, 1:, :-2], frames[0, :-1, 2:])
    assert not frames[0, :2].any()


def test_wrong_options_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        generate({"limits": 5, "span_px": 99.0, "camera": {"leak": 1}}, 0, silent)
    assert len(caught.value.faults) == 3
    assert "did you mean 'limit'" in str(caught.value)
    assert "camera.leak: unknown field 'leak': did you mean 'leak_hz'" in str(caught.value)
