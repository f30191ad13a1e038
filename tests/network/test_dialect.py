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
    "digits-saccade": "5f6dea993fa7ce1b941f579bff6ae5e4b9937ca1943ac91dbe9b023a68fcf0f3",
    "gesture": "487f7db957d1b5185eb4441632d1d39f173e248f6eaedc52674d919304f33d1c",
    "spoken-digits": "c36968f116560d0190f4159bb2de2ddfbc79c26045147286f173e30c7baad091",
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
