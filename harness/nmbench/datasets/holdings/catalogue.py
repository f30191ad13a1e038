"""What is known of each real data set: licence, citation, files, mirrors, digests, what unpacking gives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from nmbench.documents import read_document
from nmbench.errors import InputError, unknown

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
RECEIPT = "nmbench-receipt.json"
"""Name of the receipt in a set's folder; none of the set's files may have it."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Plain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$")]
"""A name without a folder in it."""

Packing = Literal["none", "zip", "tar.gz", "gz"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contents(_Record):
    """A digest of what an archive holds, whoever packed it and how.

    Attributes
    ----------
    pattern
        Which members count, without the archive's outermost folder.
    members
        How many there are.
    sha256
        Of one line for each, sorted: its path, NUL, its SHA-256 in hexadecimal, newline.
    """

    pattern: Text
    members: int = Field(ge=1)
    sha256: Sha256


class Known(_Record):
    """A file that would do: its name, and its size and digests where they are known."""

    name: Plain
    bytes: int | None = Field(default=None, ge=1)
    md5: Md5 | None = None
    sha256: Sha256 | None = None


class File(Known):
    """A file that is fetched.

    Attributes
    ----------
    known_as
        Pattern of the names under which the file also counts, where people put it by hand.
    about_bytes
        A rounded size, where that is all that is stated.
    unknown
        Why the size or a digest is not given.
    packed_anew
        The server packs the file when it is asked: other bytes are no fault, and a digest given here is that
        of one good packing.
    contents
        Digest of what is in it, whatever the packing.
    mirrors
        Addresses, the best first.
    unpack
        How it is packed.
    inner
        Patterns of archives inside that are unpacked too, where they lie.
    instead
        Another file that does as well, placed by hand.
    """

    known_as: Text | None = None
    about_bytes: int | None = Field(default=None, ge=1)
    unknown: Text | None = None
    packed_anew: bool = False
    contents: Contents | None = None
    mirrors: tuple[str, ...] = Field(min_length=1, max_length=8)
    unpack: Packing = "none"
    inner: tuple[Text, ...] = ()
    instead: Known | None = None

    @field_validator("mirrors")
    @classmethod
    def _addresses(cls, mirrors: tuple[str, ...]) -> tuple[str, ...]:
        for mirror in mirrors:
            parts = urlsplit(mirror)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
                raise ValueError(f"{mirror!r} is no address of the web")
        return mirrors

    @model_validator(mode="after")
    def _honest(self) -> Self:
        if self.unknown is None and (self.bytes is None or self.sha256 is None):
            raise ValueError(f"{self.name}: bytes or sha256 is not given, and `unknown` does not say why")
        if self.bytes is not None and self.about_bytes is not None:
            raise ValueError(f"{self.name}: both bytes and about_bytes are given")
        return self

    @property
    def digest_binds(self) -> bool:
        """Whether other bytes than the known ones are a fault."""
        return not self.packed_anew and (self.md5 or self.sha256) is not None

    @property
    def size(self) -> str:
        """The size in words."""
        if self.bytes is not None:
            return size_text(self.bytes)
        return f"about {size_text(self.about_bytes)}" if self.about_bytes else "size unknown"

    @property
    def digest(self) -> str:
        """How the right bytes are known, in words."""
        if self.digest_binds:
            return f"SHA-256 {self.sha256}" if self.sha256 else f"MD5 {self.md5}"
        return "known by the recordings in it" if self.contents else "no digest known"


class Present(_Record):
    """What must be in the set's folder: at least so many files of a pattern."""

    pattern: Text
    at_least: int = Field(ge=1)

    def __str__(self) -> str:
        """Say it in words."""
        return self.pattern if self.at_least == 1 else f"{self.pattern} (at least {self.at_least:,})"


class Holding(_Record):
    """A real data set.

    Attributes
    ----------
    name
        Name of the source (`nmbench.datasets.sources`).
    folder
        Its folder in the data folder: the one where tonic looks, for tonic's sets.
    present
        What must exist after unpacking; empty where the files are read as they are.
    note
        What whoever fetches it should know.
    """

    name: Plain
    title: Text
    summary: Text
    modality: Literal["vision", "audio", "touch", "sequence"]
    licence: Text | None
    licence_unknown: Text | None = None
    citation: Text
    doi: Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")] | None
    homepage: Text
    folder: Plain
    files: tuple[File, ...] = Field(min_length=1)
    present: tuple[Present, ...] = ()
    note: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.licence is None) == (self.licence_unknown is None):
            raise ValueError(
                f"{self.name}: either a licence or `licence_unknown`, which says why there is none"
            )
        names = [file.name for file in self.files]
        if len(set(names)) < len(names) or RECEIPT in names:
            raise ValueError(f"{self.name}: two files of one name, or one called {RECEIPT}")
        return self

    @property
    def size(self) -> str:
        """The size of all files to fetch, in words; with a + where some size is not known."""
        known = [file.bytes or file.about_bytes for file in self.files]
        total = sum(size for size in known if size)
        if not total:
            return "?"
        exact = all(file.bytes for file in self.files)
        return ("" if exact else "~") + size_text(total) + ("" if all(known) else " +")


class Catalogue(_Record):
    """All real data sets, and those that are not offered with the reason."""

    holdings: tuple[Holding, ...]
    not_held: Mapping[str, Text]


@cache
def catalogue() -> Catalogue:
    """Read the catalogue that nmbench ships."""
    return read_document(CATALOGUE, Catalogue)


def names() -> tuple[str, ...]:
    """Return the names of the sets, in the order of the catalogue."""
    return tuple(holding.name for holding in catalogue().holdings)


def holding(name: str) -> Holding:
    """Return what is known of a set.

    Raises
    ------
    InputError
        If there is no such set, with the near misses, or the reason why it is not offered.
    """
    known = {holding.name: holding for holding in catalogue().holdings}
    if name not in known:
        reason = catalogue().not_held.get(name.lower())
        raise InputError("data", [f"{name}: {reason}" if reason else unknown("data set", name, known)])
    return known[name]


def chosen(wanted: tuple[str, ...] | list[str]) -> list[Holding]:
    """Return the sets of these names, each once; ``all`` stands for all.

    Raises
    ------
    InputError
        With a fault for each name that is not known.
    """
    found: list[Holding] = []
    faults: list[str] = []
    for name in wanted:
        try:
            found += catalogue().holdings if name == "all" else [holding(name)]
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError("data", faults)
    return list({holding.name: holding for holding in found}.values())


def folder(name: str, root: Path) -> Path:
    """Return the folder of a set inside the data folder."""
    return root / holding(name).folder


def size_text(size: int) -> str:
    """Write a number of bytes as people do: 940 MB."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 999.5:
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
