"""Dialects: presets by name, faults by field, and hashes that do not change with new switches."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from nmbench import registry
from nmbench.documents import parse_document
from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.presets import PRESETS

FIRST = ["dt", "integrator", "order", "tie", "reset", "recurrent_delay", "output_delay", "v_floor"]
"""Fields of the dialect in the first published records, in their order."""

HASHES = {
    "braille": "009c2515800b22a83d02016c60bd4671d7aaa3f495f8c532ed08159d332fd267",
    "digits-saccade": "bb96f884e308c450a2387b5e5e71d730d3985df9c0aec2ae832313e4616394bf",
    "fsdd": "2e67626b64a85f743be637db2864299fbf612a387f341a2644694965246bdcb7",
    "gesture": "d2e471beb1283fcd54e37446762c9a1c9412d01af6d028e6ac64d85797f86801",
    "gesture-plain": "c8b851b0e6271ad70377c0a0f1df2245484de52d792646e4bc1d37963f6e0e3f",
    "running-words": "3d6dbc041c62daf88b4c3069f0f839632404b6a3cd317eb386fda23e9008d351",
    "spoken-digits": "f825f06bf3ebfc5b58e85576f1fa2d5e97b9cf36413f4c2ca59bbbc7ecf72e62",
}


class Holder(BaseModel):
    dialect: Dialect


def test_a_default_dialect_is_written_as_it_was() -> None:
    assert list(Dialect(dt=1e-3).model_dump()) == FIRST
    assert list(json.loads(Dialect(dt=1e-3).model_dump_json())) == FIRST
    assert list(Holder(dialect=Dialect(dt=1e-3)).model_dump()["dialect"]) == FIRST


@pytest.mark.parametrize("name", HASHES)
def test_published_workloads_keep_their_hash(name: str) -> None:
    assert registry.read_suite("temporal").workload(name).sha256 == HASHES[name]


@given(st.sampled_from(sorted(PRESETS)), st.sampled_from(["float32", "float64"]))
def test_what_is_written_is_read(name: str, dtype: str) -> None:
    dialect = Dialect.preset(name, 2e-3, dtype=dtype)
    assert Dialect.model_validate_json(dialect.model_dump_json()) == dialect
    assert {k: v for k, v in dialect.model_dump().items() if k in PRESETS[name]} == PRESETS[name]


def test_a_preset_may_be_changed() -> None:
    dialect = Dialect.preset("snntorch", 1e-3, reset="subtract")
    assert (dialect.integrator, dialect.rereset, dialect.reset) == ("euler", True, "subtract")
    assert Dialect.preset("nmbench", 1e-3) == Dialect(dt=1e-3)


def test_a_file_may_name_a_preset() -> None:
    text = "dialect: {preset: spyx, dt: 1.0e-3, tie: ge}"
    expected = Dialect.preset("spyx", 1e-3, tie="ge")
    assert parse_document(text, Holder, "x.yaml").dialect == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("dialect: snntorch", "dialect.dt: missing"),
        ("dialect: {preset: sntorch, dt: 1}", "did you mean 'snntorch'?"),
        ("dialect: {preset: [norse], dt: 1}", "unknown dialect preset"),
        (
            "dialect: {preset: norse, dt: 1, ties: ge}",
            "dialect.ties: unknown field 'ties': did you mean 'tie'",
        ),
        ("dialect: {preset: norse, dt: .nan}", "dialect.dt"),
        ("dialect: {dt: 1, v_floor: .inf}", "dialect.v_floor"),
        ("dialect: {dt: 1, reset: subtract, rereset: true, multispike: true}", "rereset goes with neither"),
        ("dialect: 3", "dialect: "),
    ],
)
def test_a_fault_names_its_field(text: str, fault: str) -> None:
    with pytest.raises(InputError) as error:
        parse_document(text, Holder, "x.yaml")
    assert any(fault in found for found in error.value.faults), error.value


def test_an_unknown_name_is_refused_in_code_too() -> None:
    with pytest.raises(ValidationError, match="did you mean 'sinabs'"):
        Dialect.preset("sinab", 1e-3)


def test_the_schema_knows_the_presets() -> None:
    assert Dialect.model_json_schema()["properties"]["preset"]["enum"] == sorted(PRESETS)
