"""What only people know of a data set: read from ``sheets/<workload>.yaml`` beside the workload."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from nmbench.documents import read_document
from nmbench.errors import InputError, unknown
from nmbench.spec import Name, Workload

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Link = Annotated[str, Field(pattern=r"^https?://[^\s<>()\"']+$", max_length=500)]
SPDX = "https://spdx.org/licenses/{}.html"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Creator(_Record):
    """Who made the data: a person, or an organisation or project."""

    name: Text
    kind: Literal["person", "organization"] = "person"
    url: Link | None = None


class Licence(_Record):
    """A licence by its SPDX identifier, and what it covers."""

    spdx: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]+$", max_length=64)]
    covers: Text

    @property
    def url(self) -> str:
        """The licence's page at SPDX."""
        return SPDX.format(self.spdx)


class Original(_Record):
    """Files as their makers keep them under git, described so that Croissant's readers can read them.

    Attributes
    ----------
    includes
        Which files of the repository, as a glob pattern.
    fields
        Name to a regular expression over a file's name: the first group is the value.
    """

    repository: Annotated[str, Field(pattern=r"^https://github\.com/[\w.-]+/[\w.-]+$")]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    includes: Text
    media: Literal["audio/wav", "application/gzip"]
    fields: dict[Name, Text]


class Sheet(_Record):
    """The prose of a data sheet, after Gebru et al. 2021, "Datasheets for Datasets" (CACM 64:86).

    Attributes
    ----------
    data
        Key of the workload's data that the sheet is of.
    holding
        Entry of the catalogue of data sets; None where nothing is fetched.
    published
        When the data first appeared, a year or a day.
    unit
        What the groups of the samples are, in the plural: ``speakers``.
    derived_from
        Addresses of what the data were made from.
    """

    schema_: Literal["nmbench.sheet/1"] = Field(alias="schema")
    workload: Name
    data: Name
    holding: str | None = None
    published: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}-\d{2})?$")]
    creators: tuple[Creator, ...] = Field(min_length=1)
    licences: tuple[Licence, ...] = Field(min_length=1)
    homepage: Link | None = None
    citation: Text
    references: tuple[Text, ...] = ()
    derived_from: tuple[Link, ...] = ()
    languages: tuple[str, ...] = ()
    keywords: tuple[Text, ...] = Field(min_length=1)
    unit: Text
    motivation: Text
    composition: Text
    splits: Text
    collection: Text
    preprocessing: Text
    personal: Text
    uses: tuple[Text, ...] = Field(min_length=1)
    misuses: tuple[Text, ...] = Field(min_length=1)
    limits: tuple[Text, ...] = Field(min_length=1)
    distribution: Text
    maintenance: Text
    picture: Text
    original: Original | None = None

    @model_validator(mode="after")
    def _original_is_of_a_holding(self) -> Sheet:
        if self.original and not self.holding:
            raise ValueError("original: its archive needs a holding")
        return self


def sheet_path(folder: Path, workload: Workload) -> Path:
    """Return where a workload's sheet lies in the folder of its suite."""
    return folder / "sheets" / f"{workload.name}.yaml"


def read_sheet(folder: Path, workload: Workload) -> Sheet:
    """Read a workload's sheet from the folder of its suite.

    Raises
    ------
    InputError
        With all faults of the file; also where it is of another workload or of data that this one lacks.
    """
    path = sheet_path(folder, workload)
    sheet = read_document(path, Sheet)
    faults = []
    if sheet.workload != workload.name:
        faults.append(f"workload: {sheet.workload!r} is not the file's name {workload.name!r}")
    if sheet.data not in workload.data:
        faults.append(f"data: {unknown('data', sheet.data, workload.data)}")
    if faults:
        raise InputError(str(path), faults)
    return sheet
