"""Documents from strangers: YAML and JSON read with limits and checked against a strict schema."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from nmbench.errors import InputError, unknown

MAX_BYTES = 4 << 20
"""Largest YAML or JSON document that is read; the largest real one (a record) has some 100 kB."""

MAX_NODES = 2_000_000
"""Most values of a YAML document once its aliases are written out."""

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML without repeated keys, and with aliases only as far as what they stand for stays small."""

    def get_single_node(self) -> Any:
        root = super().get_single_node()
        if root is not None and _written_out(root, {}) > MAX_NODES:
            problem = f"aliases (*name) stand for more than {MAX_NODES} values"
            raise yaml.constructor.ConstructorError(None, None, problem, root.start_mark)
        return root

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is not text", key_node.start_mark
                )
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", key_node.start_mark
                )
        return super().construct_mapping(node, deep)


def _written_out(node: Any, known: dict[int, float]) -> float:
    """Count the values of a node with every alias written out; infinite where one contains itself."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is known: an alias of what it lies in
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        known[id(node)] = 1 + sum(_written_out(part, known) for part in parts)
    return known[id(node)]


def read_document(
    path: Path,
    model: type[Model],
    context: Mapping[str, object] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Model:
    """Read a YAML (``.yaml``, ``.yml``) or JSON file into a pydantic model.

    ``context`` reaches the model's validators: names that are allowed, the folder that files lie in.

    Raises
    ------
    InputError
        With every fault and its path inside the file; also where the file is absent, too large or no text.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(str(path), [f"{size} bytes; at most {max_bytes} are read"])
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), [error.strerror or str(error)]) from error
    except UnicodeDecodeError as error:
        raise InputError(str(path), [f"not UTF-8 text: {error.reason} at byte {error.start}"]) from error
    return parse_document(text, model, str(path), context, is_yaml=path.suffix in (".yaml", ".yml"))


def parse_document(
    text: str,
    model: type[Model],
    subject: str,
    context: Mapping[str, object] | None = None,
    *,
    is_yaml: bool = True,
) -> Model:
    """Parse text into the model; see `read_document`."""
    try:
        content = (
            yaml.load(text, Loader=_Loader) if is_yaml else json.loads(text, parse_constant=_no_constant)
        )
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}, " if error.problem_mark else ""
        raise InputError(subject, [f"{where}{error.problem or error.context or 'not YAML'}"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(subject, [str(error) or type(error).__name__]) from error
    return check(content, model, subject, context)


def check(
    content: object, model: type[Model], subject: str, context: Mapping[str, object] | None = None
) -> Model:
    """Check parsed content against the model; every fault in one `InputError`."""
    if not isinstance(content, dict):
        raise InputError(subject, [f"expected a mapping of fields, found {type(content).__name__}"])
    try:
        return model.model_validate(content, context=context)
    except ValidationError as error:
        raise InputError(subject, faults(error, model)) from error


def faults(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Put pydantic's findings into our words: path, what is wrong, what is allowed."""
    return [_fault(e["type"], e["loc"], e["msg"], e.get("input"), model) for e in error.errors()]


def _fault(kind: str, loc: tuple[int | str, ...], message: str, value: object, model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        return f"{path}: {unknown('field', str(loc[-1]), known)}" if known else f"{path}: unknown field"
    if kind == "missing":
        return f"{path}: missing"
    message = message.removeprefix("Value error, ")
    shown = "" if isinstance(value, dict | list) or kind == "value_error" else f", not {value!r}"[:120]
    return f"{path}: {message[:1].lower()}{message[1:]}{shown}" if path else message


def _fields_at(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    """Return the fields that are allowed at a place inside the model; empty where that is no model."""
    for part in loc:
        origin, arguments = typing.get_origin(model), typing.get_args(model)
        if isinstance(model, type) and issubclass(model, BaseModel):
            found = model.model_fields.get(str(part))
            model = found.annotation if found else None
        elif origin is dict:
            model = arguments[1]
        elif origin in (tuple, list):
            model = arguments[0]
        if typing.get_origin(model) in (typing.Union, types.UnionType):
            model = next(a for a in typing.get_args(model) if a is not type(None))
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not allowed: numbers are finite")
