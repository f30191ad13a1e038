"""Workload and Suite: what is run, read from YAML and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from nmbench.errors import InputError, unknown
from nmbench.network.dialect import Dialect

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Scalar = bool | int | float | str | list[int] | list[str]
Scenario = Literal["SingleStream", "MultiStream", "Server", "Offline", "Streaming"]
"""Who asks, and when: MLPerf's four, and Streaming, whose clock is the sensor's own."""
Tier = Literal["quick", "official"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Allowed:
    """What a workload file may name; handed to the validators as their context by `nmbench.registry`.

    Attributes
    ----------
    sources
        Names of the sources of events.
    transform_faults
        Lists what is wrong with a transform, given its name and options.
    folder, stem
        Where the file lies and what it is called.
    """

    sources: Collection[str]
    transform_faults: Callable[[str, Mapping[str, Any]], list[str]]
    folder: Path
    stem: str


def _allowed(info: ValidationInfo) -> Allowed | None:
    return info.context.get("allowed") if info.context else None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Transform(_Record):
    """One step of `nmbench.datasets.transforms` with its options."""

    name: str
    options: dict[str, int | float] = {}

    @model_validator(mode="after")
    def _is_known(self, info: ValidationInfo) -> Transform:
        allowed = _allowed(info)
        found = allowed.transform_faults(self.name, self.options) if allowed else []
        if found:
            raise ValueError("; ".join(found))
        return self


class Data(_Record):
    """A source of the workload's events, and the networks that were trained for it.

    Attributes
    ----------
    source
        Name in `nmbench.datasets.sources.SOURCES`.
    seed, options
        Of a synthetic source's generator.
    sha256
        Of the test set as published (`EventSet.sha256`); results on other data are not comparable.
    networks
        Size to NIR file, relative to the suite's folder.
    """

    source: str
    seed: int = 0
    options: dict[str, Scalar] = {}
    sha256: Sha256 | None = None
    licence: str
    networks: dict[Name, str] = Field(min_length=1)

    @field_validator("source")
    @classmethod
    def _source_is_known(cls, value: str, info: ValidationInfo) -> str:
        allowed = _allowed(info)
        if allowed and value not in allowed.sources:
            raise ValueError(unknown("source", value, allowed.sources))
        return value

    @field_validator("networks")
    @classmethod
    def _files_are_there(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        allowed = _allowed(info)
        found = [] if allowed is None else [f for f in map(allowed_file(allowed.folder), value.values()) if f]
        if found:
            raise ValueError("; ".join(found))
        return value


class Window(_Record):
    """How long the network sees a sample: steps of the dialect's ``dt``."""

    steps: int = Field(gt=0, le=100_000)


class Server(_Record):
    """What scenario Server asks for.

    Attributes
    ----------
    latency_bound_s
        99 of 100 queries are answered within this time, seconds.
    """

    latency_bound_s: float = Field(gt=0, le=3600)


class Streaming(_Record):
    """What scenario Streaming asks for.

    Attributes
    ----------
    window_steps
        A decision is due at the end of each window of so many steps.
    deadline_s
        How long after its window's end a decision may come, seconds; None: until the next window's end.
    """

    window_steps: int = Field(gt=0, le=100_000)
    deadline_s: float | None = Field(None, gt=0, le=3600)


class Spotting(_Record):
    """When decision ``spotting`` detects a word, and when that is right; see `nmbench.spotting`.

    Attributes
    ----------
    smoothing_steps
        Over which a class's posterior is averaged.
    threshold
        From which on it is detected.
    refractory_s
        After a detection, seconds in which there is no other.
    late_s
        A word is detected rightly from its beginning until so many seconds after its end.
    """

    smoothing_steps: int = Field(gt=0, le=10_000)
    threshold: float = Field(gt=0, lt=1)
    refractory_s: float = Field(ge=0, le=60)
    late_s: float = Field(ge=0, le=60)


class Quality(_Record):
    """The gate: performance counts only where quality on the same outputs reaches the target.

    Attributes
    ----------
    metric
        ``accuracy`` of one decision a sample, or ``f1`` of the detections in long recordings.
    """

    metric: Literal["accuracy", "f1"] = "accuracy"
    target: float = Field(gt=0, le=1)


class Workload(_Record):
    """A labelled temporal event stream, a reference network and a quality target.

    Attributes
    ----------
    data
        ``synthetic`` needs no download; ``real`` names the first choice of ``--data real``; others by name.
        One of these two is there at least.
    decision
        How a readout trace ``[T, classes]`` becomes a class (`nmbench.metrics.DECISIONS`), or a class at some
        of its windows (``spotting``, by the entry of that name).
    """

    schema_: Literal["nmbench.workload/1"] = Field(alias="schema")
    name: Name
    version: int = Field(ge=1)
    title: str
    summary: str
    modality: Literal["vision", "audio", "touch"]
    data: dict[Name, Data]
    transforms: tuple[Transform, ...] = ()
    window: Window
    dialect: Dialect
    decision: Literal["mean_softmax", "spike_count", "spotting"]
    spotting: Spotting | None = None
    quality: Quality
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    server: Server | None = None
    streaming: Streaming | None = None
    temporal: bool = Field(description="false where event counts alone solve it: a task in event form")

    @field_validator("name")
    @classmethod
    def _name_is_the_files(cls, value: str, info: ValidationInfo) -> str:
        allowed = _allowed(info)
        if allowed and value != allowed.stem:
            raise ValueError(f"{value!r} is not the file's name {allowed.stem!r}")
        return value

    @model_validator(mode="after")
    def _data_is_complete(self) -> Workload:
        if not self.data.keys() & {"synthetic", "real"}:
            raise ValueError("data: synthetic or real missing (every workload has one of them at least)")
        return self

    @model_validator(mode="after")
    def _scenarios_are_complete(self) -> Workload:
        faults = [
            f"scenario {s} needs `{s.lower()}`"
            for s in ("Server", "Streaming")
            if s in self.scenarios and getattr(self, s.lower()) is None
        ]
        if self.streaming and self.window.steps % self.streaming.window_steps:
            faults.append(
                f"streaming.window_steps: {self.window.steps} steps are no multiple of "
                f"{self.streaming.window_steps}"
            )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _spotting_is_complete(self) -> Workload:
        asked = (self.decision == "spotting", self.spotting is not None, self.quality.metric == "f1")
        if any(asked) and not (all(asked) and self.scenarios == ("Streaming",)):
            raise ValueError(
                "decision spotting, `spotting`, quality metric f1 and scenarios [Streaming] go together"
            )
        return self

    @cached_property
    def sha256(self) -> str:
        """Hash of the definition, independent of comments and order."""
        content = self.model_dump(mode="json", by_alias=True)
        if self.spotting is None:
            del content["spotting"]  # hashes from before there was such an entry stand in records
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def data_key(self, name: str) -> str:
        """Return the key of a source, given it or the source's name; `InputError` with the known ones.

        A workload without synthetic data stands for itself with its real ones.
        """
        if name in self.data:
            return name
        if name == "synthetic":
            return "real"
        for key, data in self.data.items():
            if data.source == name:
                return key
        known = {*self.data, *(d.source for d in self.data.values())}
        raise InputError(f"workload {self.name}", [unknown("data", name, known)])


def allowed_file(folder: Path) -> Callable[[str], str | None]:
    """Return a check of a file's name: it stays inside the folder and is there; None is no fault."""

    def fault(name: str) -> str | None:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            return f"{name!r} leaves the folder of the suite"
        return None if (folder / name).is_file() else f"no file {name!r} in the folder of the suite"

    return fault


class SuiteFile(_Record):
    """What ``suite.yaml`` holds."""

    schema_: Literal["nmbench.suite/1"] = Field(alias="schema")
    name: Name
    version: int = Field(ge=1)
    title: str
    summary: str
    workloads: tuple[Name, ...] = Field(min_length=1)


class Suite(_Record):
    """Workloads that are run and ranked together, and the folder that they were read from."""

    file: SuiteFile
    folder: Path
    workloads: tuple[Workload, ...]

    @property
    def name(self) -> str:
        """Name of the suite."""
        return self.file.name

    def workload(self, name: str) -> Workload:
        """Return a workload by name; `InputError` with the near misses."""
        for workload in self.workloads:
            if workload.name == name:
                return workload
        raise InputError(f"suite {self.name}", [unknown("workload", name, [w.name for w in self.workloads])])
