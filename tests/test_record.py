from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from nmbench.record import Metric, Result, System, canonical, readable
from nmbench.sweep import Run

SCHEMAS = Path(__file__).parents[1] / "results" / "schema"


def metric(**changes: object) -> Metric:
    fields = {"name": "m", "unit": "s", "kind": "measured", "value": 1.0, "source": "test", **changes}
    return Metric.model_validate(fields)


def test_a_missing_value_needs_a_reason_and_is_null() -> None:
    with pytest.raises(ValidationError, match="needs a reason"):
        metric(value=None)
    assert json.loads(canonical(metric(value=None, reason="no meter")))["value"] is None


@pytest.mark.parametrize(
    "changes", [{"value": float("nan")}, {"value": float("inf")}, {"unit": "mJ"}, {"vlaue": 1}]
)
def test_what_a_metric_refuses(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        metric(**changes)


def test_the_value_lies_in_its_interval() -> None:
    with pytest.raises(ValidationError, match="outside"):
        metric(lo=2.0, hi=3.0)


def test_a_record_survives_being_written_and_read() -> None:
    one = metric(samples=(1.0, 2.5e-9), breakdown={"static": 0.25})
    assert Metric.model_validate_json(readable(one)) == one
    assert canonical(Metric.model_validate_json(canonical(one))) == canonical(one)


@pytest.mark.parametrize(("name", "model"), [("result", Result), ("system", System), ("run", Run)])
def test_the_published_schemas_are_those_of_the_code(name: str, model: type[BaseModel]) -> None:
    written = json.loads((SCHEMAS / f"nmbench.{name}-1.json").read_text())
    assert written == json.loads(json.dumps(model.model_json_schema(by_alias=True))), f"nmbench schema {name}"
