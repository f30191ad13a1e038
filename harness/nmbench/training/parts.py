"""Trainings that are finished, one file each in the scratch folder: what a run that was cut off takes up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmbench.documents import read_document
from nmbench.errors import InputError
from nmbench.progress import Progress
from nmbench.spec import Sha256
from nmbench.training.provenance import CountsOnly, HeldOut, SeedRun, Software, Split


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Record):
    """What a training depends on; a finished one with another key is trained again."""

    recipe_sha256: Sha256
    train_sha256: Sha256
    test_sha256: Sha256


class Trained(_Record):
    """One training of one seed, measured."""

    schema_: Literal["nmbench.trained/1"] = "nmbench.trained/1"
    key: Key
    run: SeedRun
    right: int = Field(ge=0)
    right_float: int = Field(ge=0)
    right_int4: int = Field(ge=0)
    parameters: int
    synapses: int
    held_out: HeldOut | None
    train: Split
    test: Split
    software: Software


class Counted(_Record):
    """The models on event counts alone, of one workload's data."""

    schema_: Literal["nmbench.counted/1"] = "nmbench.counted/1"
    key: Key
    counts_only: CountsOnly


def finished(path: Path, model: type[Trained] | type[Counted], key: Key, progress: Progress) -> bool:
    """Tell whether a part is there, readable and of this key; what is there and is not is told."""
    if not path.is_file():
        return False
    try:
        there = read_document(path, model)
    except InputError as error:
        progress.note(f"{error}: it is made again")
        return False
    if there.key != key:
        progress.note(f"{path.name} is of another recipe or other data: it is made again")
    return there.key == key


def write(path: Path, record: BaseModel) -> None:
    """Write a record; the file is complete or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(record.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
    beside.replace(path)
