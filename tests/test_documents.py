from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from nmbench import documents
from nmbench.errors import InputError, unknown


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weight: float


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    parts: dict[str, Inner] = {}
    rows: tuple[Inner, ...] = ()
    maybe: Inner | None = None


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        documents.parse_document(text, Outer, "file.yaml")
    return caught.value.faults


def test_all_faults_at_once_with_their_paths_and_near_misses() -> None:
    found = faults("nmae: x\nparts: {a: {wieght: 1}}\nrows: [{weight: heavy}]\nmaybe: {weight: 1, w: 2}\n")
    assert len(found) == 6
    text = "\n".join(found)
    assert "name: missing" in text
    assert "nmae: unknown field 'nmae': did you mean 'name' or 'maybe'?" in text
    assert "parts.a.wieght: unknown field 'wieght': did you mean 'weight'?" in text
    assert "rows.0.weight: " in text and "not 'heavy'" in text
    assert "maybe.w: unknown field 'w': (known: weight)" in text


BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefgh")
)
"""Nine times the line before on each line: ten million values in 300 bytes."""


def test_aliases_that_stand_for_little_are_written_out() -> None:
    found = documents.parse_document(
        "name: x\nparts: {a: &one {weight: 1}, b: *one}\nrows: [*one]\n", Outer, "file.yaml"
    )
    assert found.parts == {"a": Inner(weight=1), "b": Inner(weight=1)} and found.rows == (Inner(weight=1),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: &a [*a]\n", "aliases"),
        (BOMB, "aliases"),
        ("name: x\nname: y\n", "stands twice"),
        ("name: [x\n", "line "),
        ("1: x\n", "is not text"),
        ("- x\n", "expected a mapping"),
        ("name: !!python/object/apply:os.system [true]\n", "could not determine a constructor"),
    ],
)
def test_hostile_or_broken_yaml_is_one_message(text: str, says: str) -> None:
    assert any(says in fault for fault in faults(text))


def test_json_takes_no_nan() -> None:
    with pytest.raises(InputError, match="NaN is not allowed"):
        documents.parse_document('{"name": NaN}', Outer, "x.json", is_yaml=False)


def test_a_deeply_nested_file_is_an_input_error() -> None:
    with pytest.raises(InputError):
        documents.parse_document("[" * 100_000, Outer, "x.json", is_yaml=False)


def test_large_absent_and_binary_files(tmp_path: Path) -> None:
    large, binary = tmp_path / "a.yaml", tmp_path / "b.yaml"
    large.write_bytes(b" " * (documents.MAX_BYTES + 1))
    binary.write_bytes(b"\xff\xfe\x00")
    for path, says in (
        (large, "bytes; at most"),
        (binary, "not UTF-8"),
        (tmp_path / "c.yaml", "No such file"),
    ):
        with pytest.raises(InputError, match=says):
            documents.read_document(path, Outer)


def test_unknown_names_the_near_misses() -> None:
    assert unknown("platform", "loihl", ["akida", "loihi"]) == (
        "unknown platform 'loihl': did you mean 'loihi'? (known: akida, loihi)"
    )
    assert "did you mean" not in unknown("platform", "zzz", ["akida"])
