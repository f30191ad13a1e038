"""Result, Metric, System: the record of one cell, schema ``nmbench.result/1``."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, model_validator

from nmbench.network.dialect import Dialect
from nmbench.quantity import Boundary, Kind, Quantity
from nmbench.spec import Name, Scalar, Scenario, Sha256, Tier

Number = Annotated[float, AllowInfNan(False)]
Status = Literal["ok", "failed", "unsupported"]
"""``unsupported``: the platform said, with its reason, that it cannot run the network; not a fault."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Metric(_Record):
    """One number of a result; a missing one is null and says why.

    Attributes
    ----------
    unit
        ``s``, ``J``, ``W``, ``B`` (bytes), ``1`` or ``1/s``.
    lo, hi
        95 % interval of a measurement, 90 % of a model.
    n
        Samples that the value rests on.
    samples
        Raw repetitions, in the order of the queries.
    breakdown
        Terms that add up to the value.
    causes
        Share of the interval's variance by constant of the card; ``equation``: what the equation leaves out.
    """

    name: str
    unit: Literal["s", "J", "W", "B", "1", "1/s"]
    kind: Kind
    boundary: Boundary | None = None
    value: Number | None
    lo: Number | None = None
    hi: Number | None = None
    n: int | None = Field(None, ge=0)
    samples: tuple[Number, ...] | None = None
    breakdown: dict[str, Number] | None = None
    causes: dict[str, Number] | None = None
    source: str
    reason: str | None = None

    @property
    def quantity(self) -> Quantity:
        """The number itself, with what it takes to compare it."""
        return Quantity(
            self.value, self.unit, self.kind, self.boundary, self.lo, self.hi, self.source, self.reason
        )

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Metric:
        if self.value is None and not self.reason:
            raise ValueError(f"{self.name}: a missing value needs a reason")
        numbers = [n for n in (self.lo, self.value, self.hi) if n is not None]
        if numbers != sorted(numbers):
            raise ValueError(f"{self.name}: {self.value} outside [{self.lo}, {self.hi}]")
        return self


class WorkloadId(_Record):
    """Which workload was run, on which data.

    Attributes
    ----------
    data
        Key of the source in the workload; ``source`` is its name in the table of sources.
    published_data
        True where the data are, to the byte, those that the workload names; None where it names none.
    covered
        Share of the events that fall into the workload's window.
    """

    name: Name
    version: int
    sha256: Sha256
    data: str
    source: str
    synthetic: bool
    data_sha256: Sha256 | None = None
    published_data: bool | None = None
    samples: int | None = None
    covered: Number | None = None


class NetworkId(_Record):
    """Which network was run."""

    name: str
    sha256: Sha256
    dialect: Dialect
    neurons: int | None = None
    parameters: int | None = None


class PlatformId(_Record):
    """Which platform answered.

    Attributes
    ----------
    what_if
        No such chip was measured: its card holds estimates alone, and its numbers are never ranked.
    caveat
        What of the answers is not its own.
    """

    name: Name
    version: int
    family: str
    kind: Kind
    origin: str
    card_sha256: Sha256 | None = None
    what_if: bool = False
    options: dict[str, Scalar] = {}
    tuned: bool = False
    caveat: str | None = None


class Gate(_Record):
    """Quality against its target; performance of a result that missed it is not ranked."""

    metric: str
    target: Number
    value: Number
    reached: bool


class Software(_Record):
    """What ran: our version, Python, the packages that make the numbers, the commit."""

    nmbench: str
    python: str
    packages: dict[str, str]
    commit: str | None
    dirty: bool | None


class Noise(_Record):
    """How busy the machine was before the cell; null where the kernel does not say.

    Attributes
    ----------
    load1
        Load average of the last minute.
    cpu_pressure
        Share of the last ten seconds in which a task waited for a CPU.
    marks
        Why the record counts as noisy; empty where it does not.
    """

    load1: Number | None
    cpu_pressure: Number | None
    marks: tuple[str, ...] = ()


class Traffic(_Record):
    """Who asked, by which clock, and how the platform behaved.

    Attributes
    ----------
    generator
        ``nmbench``, or ``loadgen`` with its version.
    clock
        ``wall``; ``skipping``: the wall clock without the time in which all wait for the next arrival;
        ``virtual``: discrete events whose durations the platform's model states.
    queries, samples
        How many were asked.
    seconds
        From the first query to the last answer, by that clock.
    batch
        Most samples that were handed over at once.
    rate
        Queries per second that were scheduled; None where the answers set the pace.
    latency_bound_s, window_s, deadline_s
        What the workload asks for, seconds.
    piece_s
        How much of a recording is handed over at once, seconds (Streaming).
    state
        Whether the network's state was kept from piece to piece, or recomputed from the beginning.
    percentile, over, allowed
        Early stopping: of so many queries as were asked, how many were over the bound, and how many may be.
    enough
        Whether the queries suffice for the percentile at 99 % confidence; None where none is asked for.
    conduct
        What of the platform's answers was not as asked, by name; empty where all was.
    """

    generator: str
    clock: Literal["wall", "skipping", "virtual"]
    queries: int = Field(ge=0)
    samples: int = Field(ge=0)
    seconds: Number
    batch: int = Field(1, ge=1)
    rate: Number | None = None
    latency_bound_s: Number | None = None
    window_s: Number | None = None
    deadline_s: Number | None = None
    piece_s: Number | None = None
    state: Literal["kept", "recomputed"] | None = None
    percentile: Number | None = None
    over: int | None = None
    allowed: int | None = None
    enough: bool | None = None
    conduct: dict[str, int] = {}


class Result(_Record):
    """One cell: workload x platform x size x scenario x seed.

    Attributes
    ----------
    run, cell
        The run that it belongs to, and the hash of what the cell is: a second run that takes up the first
        asks by them what is there.
    counts
        Means per inference (`EventCounts.per_inference`), then by population and projection.
    counts_sha256
        Names the file with all counts, ``counts/<sha256>.npz`` beside the results.
    right
        Which test samples were decided rightly: bits in the order of the test set, packed into bytes, in
        hexadecimal.
    first_right
        Of Streaming: the first window at whose end each recording is decided rightly; -1: none is.
    detected
        Of decision ``spotting``: each word that was detected rightly, by recording, window and the word's end
        in seconds.
    log_sha256
        Names the file with every query's times, ``logs/<sha256>.npz`` beside the results.
    repriced_from
        The result whose counts these are, where a later card or equation priced them again.
    system
        ``sha256:...`` of the `System` record beside the results.
    """

    schema_: Literal["nmbench.result/1"] = Field("nmbench.result/1", alias="schema")
    id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]+$", max_length=200)]
    run: str
    cell: Sha256
    status: Status
    suite: Name
    tier: Tier
    scenario: Scenario
    division: Literal["closed", "open"]
    workload: WorkloadId
    network: NetworkId
    platform: PlatformId
    size: Name
    seed: int
    system: str
    quality: Gate | None = None
    right: Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")] | None = None
    first_right: tuple[int, ...] | None = None
    detected: tuple[tuple[int, int, Number], ...] | None = None
    traffic: Traffic | None = None
    log_sha256: Sha256 | None = None
    counts: dict[str, Number] | None = None
    counts_by_part: dict[str, dict[str, Number]] | None = None
    counts_sha256: Sha256 | None = None
    repriced_from: str | None = None
    metrics: tuple[Metric, ...] = ()
    software: Software
    noise: Noise
    started: str
    wall_s: Number
    error: str | None = None

    @model_validator(mode="after")
    def _says_why_it_is_not_ok(self) -> Result:
        if (self.status == "ok") == bool(self.error):
            raise ValueError("a result that is not ok says why in `error`, and only such a one")
        return self

    def find(self, name: str, boundary: Boundary | None = None) -> Metric | None:
        """Return the metric of this name (and boundary), one with a value before one without; or None."""
        found = [m for m in self.metrics if m.name == name and boundary in (None, m.boundary)]
        return next((m for m in found if m.value is not None), found[0] if found else None)


class System(_Record):
    """The machine that the harness ran on; stands once, named by its hash."""

    schema_: Literal["nmbench.system/1"] = Field("nmbench.system/1", alias="schema")
    cpu: str
    architecture: str
    cores: int
    memory_bytes: int
    kernel: str
    distribution: str
    virtual: str | None
    governor: str | None
    packages: dict[str, str]

    @property
    def sha256(self) -> str:
        """Hash of the canonical form."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()


def canonical(record: BaseModel) -> str:
    """Return the one JSON text of a record: sorted keys, no spaces, no NaN."""
    return json.dumps(_content(record), sort_keys=True, separators=(",", ":"), allow_nan=False)


def readable(record: BaseModel) -> str:
    """Return indented JSON in the order of the schema, for files that people read and diff."""
    return json.dumps(_content(record), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _content(record: BaseModel) -> dict[str, Any]:
    return record.model_dump(mode="json", by_alias=True)
