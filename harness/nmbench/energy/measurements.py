"""Published measurements as files: ``nmbench.measurements/1``, read strictly, all faults at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StrictBool, ValidationError

from nmbench.documents import check, read_document
from nmbench.energy.activity import MOST_EVENTS, Activity, DescribedActivity, activity_faults, resolved
from nmbench.energy.card import Card, Evidence, find_card
from nmbench.energy.conditions import Conditions
from nmbench.energy.described import Count, Described, DescribedNetwork, Number, network_faults, outlined
from nmbench.energy.models import MODELS
from nmbench.energy.outline import Outline
from nmbench.errors import InputError, unknown
from nmbench.quantity import BOUNDARIES, Boundary

SHIPPED = Path(__file__).with_name("measurements.yaml")
"""The published measurements that nmbench ships."""

MOST_ROWS = 50_000
MAX_BYTES = 16 << 20
"""Largest file that is read: some ten thousand rows of small networks; ours has 100 kB."""
Split = Literal["fit", "test"]
Quantity = Literal[
    "energy_dynamic_J",
    "energy_total_J",
    "energy_J",
    "latency_s",
    "step_s",
    "power_total_W",
    "power_W",
    "power_dynamic_W",
    "power_static_W",
    "energy_per_synaptic_event_J",
    "real_time_factor",
    "inferences_per_s",
    "cores",
    "chips",
    "boards",
]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
"""What a row may have measured; docs/validation.md says what each means in terms of a cost."""


def _known(kind: str, names: Sequence[str]) -> Callable[[object], object]:
    """Return a check that refuses a name that is not among the known ones, with the near misses."""

    def checked(value: object) -> object:
        if isinstance(value, str) and value not in names:
            raise ValueError(unknown(kind, value[:100], names))
        return value

    return checked


Positive = Annotated[Number, Field(gt=0)]
Several = Annotated[Count, Field(ge=1)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Named = Annotated[Quantity, BeforeValidator(_known("quantity", QUANTITIES))]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=100)]


class Options(Described):
    """Conditions of a run; see `nmbench.energy.conditions.Conditions`."""

    host_io: StrictBool = False
    input_cores: Several | None = None
    boards: Several | None = None
    chips: Several | None = None
    batch: Several = 1
    step_s: Positive | None = None
    input_bits: Several | None = None
    output_bits: Several | None = None


class Row(Described):
    """One published measurement as the file states it."""

    id: Id
    platform: Annotated[str, Field(min_length=1, max_length=100)]
    boundary: Annotated[Boundary, BeforeValidator(_known("boundary", BOUNDARIES))]
    source: Text
    evidence: Annotated[Evidence, BeforeValidator(_known("evidence", get_args(Evidence)))]
    network: DescribedNetwork
    activity: DescribedActivity
    options: Options = Options()
    measured: Annotated[dict[Named, Positive], Field(min_length=1)]
    split: Split | None = None
    notes: Text | None = None
    reference: Text | None = None


class LeftOut(Described):
    """A published measurement that cannot be stated as a row, and why."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Text


class _File(Described):
    """A file of measurements; rows are checked one by one, so that one row's faults hide no other's."""

    schema_: Literal["nmbench.measurements/1"] = Field(alias="schema")
    about: Text | None = None
    rows: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MOST_ROWS)]
    left_out: Annotated[tuple[LeftOut, ...], Field(max_length=MOST_ROWS)] = ()


@dataclass(frozen=True)
class Measurement:
    """A published measurement, ready to be compared with what a card predicts.

    Attributes
    ----------
    platform
        As the file names it; ``card`` is the card that it means.
    step_s
        Biological or real time of a step; None where neither activity nor options say.
    measured
        Values by quantity, in the SI unit that the name ends in.
    split
        ``fit``: constants were fitted on it; ``test``: they were not; None: the file does not say.
    """

    id: str
    platform: str
    card: Card
    boundary: Boundary
    source: str
    evidence: str
    outline: Outline
    activity: Activity
    step_s: float | None
    conditions: Conditions
    measured: Mapping[Quantity, float]
    split: Split | None = None
    notes: str | None = None
    reference: str | None = None

    @property
    def unheeded(self) -> list[str]:
        """Name the options that the card's equation does not heed; a step's time serves rates as well."""
        return sorted(self.conditions.stated - MODELS[self.card.model].heeds - {"step_s"})


@dataclass(frozen=True)
class Measurements:
    """All that a file states."""

    rows: tuple[Measurement, ...]
    left_out: tuple[LeftOut, ...] = ()


def read_measurements(path: Path) -> Measurements:
    """Read a file of measurements.

    Raises
    ------
    InputError
        With every fault, the file and the place inside it.
    """
    subject = str(path)
    file = read_document(path, _File, max_bytes=MAX_BYTES)
    rows: list[Measurement] = []
    faults: list[str] = []
    for i, content in enumerate(file.rows):
        try:
            rows.append(_measurement(check(content, Row, subject)))
        except InputError as error:
            faults += [f"rows.{i}.{fault.replace('.[key]', '')}" for fault in error.faults]
            faults += [f"rows.{i}.{fault}" for fault in _hidden(content) if f"rows.{i}.{fault}" not in faults]
    named = [content["id"] for content in file.rows if isinstance(content.get("id"), str)]
    named += [out.id for out in file.left_out]
    faults += [f"id {name!r} stands {n} times" for name, n in Counter(named).items() if n > 1]
    if faults:
        raise InputError(subject, faults)
    return Measurements(tuple(rows), file.left_out)


def chosen(rows: Sequence[Measurement], platforms: Sequence[str]) -> list[Measurement]:
    """Return the rows of the named platforms (cards, or other names of them); of all where none is named.

    Raises
    ------
    InputError
        If a name is no row's.
    """
    known = {row.card.name for row in rows}
    wanted: set[str] = set()
    faults: list[str] = []
    for name in platforms:
        try:
            wanted.add(find_card(name).name)
        except InputError as error:
            faults += error.faults
    faults += [f"no row of {name} (there are rows of {', '.join(sorted(known))})" for name in wanted - known]
    if faults:
        raise InputError("--platform", faults)
    return [row for row in rows if not platforms or row.card.name in wanted]


def _hidden(content: Mapping[str, Any]) -> list[str]:
    """List the faults that a row's broken fields would hide: those of its platform and its network."""
    faults: list[str] = []
    if isinstance(content.get("platform"), str):
        _card(content["platform"], faults)
    try:
        network = DescribedNetwork.model_validate(content.get("network"))
    except ValidationError:
        return faults  # told already, with the row's fields
    return faults + [f"network.{fault}" for fault in network_faults(network)]


def _measurement(row: Row) -> Measurement:
    """Return a row ready for use.

    Raises
    ------
    InputError
        With all that is wrong beyond the fields.
    """
    conditions = Conditions(**row.options.model_dump())
    faults: list[str] = []
    card = _card(row.platform, faults)
    steps_s = {row.activity.step_s, conditions.step_s} - {None}
    step_s = next(iter(steps_s), None)
    if len(steps_s) > 1:
        faults.append("activity.step_s: differs from options.step_s")
    broken = [f"network.{fault}" for fault in network_faults(row.network)]
    faults += broken or [f"activity.{f}" for f in activity_faults(row.activity, row.network, step_s)]
    if "real_time_factor" in row.measured and step_s is None:
        faults.append("measured.real_time_factor: needs activity.step_s, the time that a step stands for")
    if faults or card is None:
        raise InputError(row.id, faults)
    outline, at = outlined(row.network)
    activity = resolved(row.activity, row.network, outline, at, step_s)
    if max(*activity.spikes, *activity.neuron_updates, *activity.synaptic_events, 0.0) > MOST_EVENTS:
        raise InputError(row.id, [f"activity: more than {MOST_EVENTS:g} events of one sort"])
    if MODELS[card.model].real_time:
        conditions = replace(conditions, step_s=step_s)
    return Measurement(
        id=row.id,
        platform=row.platform,
        card=card,
        boundary=row.boundary,
        source=row.source,
        evidence=row.evidence,
        outline=outline,
        activity=activity,
        step_s=step_s,
        conditions=conditions,
        measured=row.measured,
        split=row.split,
        notes=row.notes,
        reference=row.reference,
    )


def _card(platform: str, faults: list[str]) -> Card | None:
    """Find the card that a platform's name means; why there is none is added to the faults."""
    if platform.endswith((".yaml", ".yml")):
        faults.append("platform: the name of a card, not of a file")
        return None
    try:
        card = find_card(platform)
    except InputError as error:
        faults += [f"platform: {fault}" for fault in error.faults]
        return None
    if card.model not in MODELS:
        faults.append(f"platform: {card.name} has no model of its cost, only a price of its wall time")
        return None
    return card
