"""Sheets for machines: Croissant 1.1 (MLCommons), a vocabulary over schema.org in JSON-LD.

A set that nmbench makes has no file to download: its `distribution` is the table of samples beside the sheet,
and its events are described by the records of an example. A set that others publish names their repository
too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nmbench.sheets.prose import Original, Sheet
from nmbench.sheets.samples import COLUMNS, MARK_COLUMNS
from nmbench.sheets.statistics import Statistics
from nmbench.spec import Workload

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
NO_CHECKSUM = "https://github.com/mlcommons/croissant/issues/80"
"""Stands for the digest of a repository under git, which has none, as in Hugging Face's descriptions."""
Json = dict[str, Any]

CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The standard's own context, and PROV for how the data came about."""

EVENT_FIELDS: Mapping[str, tuple[str, str]] = {
    "t": ("cr:UInt32", "time from the sample's start, microseconds"),
    "x": ("cr:UInt16", "column of the sensor, or channel, or taxel"),
    "y": ("cr:UInt16", "row of the sensor; 0 where it has one"),
    "p": ("cr:UInt8", "polarity: 1 brighter or growing, 0 darker or falling; 0 where there is one"),
}


def croissant_text(workload: Workload, sheet: Sheet, found: Statistics, tables: Mapping[str, bytes]) -> str:
    """Return the sheet as JSON-LD.

    Parameters
    ----------
    tables
        The table of samples, and that of marks where there is one, by the names of the files beside.
    """
    document: Json = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": f"nmbench-{workload.name}",
        "description": f"{workload.summary.strip()} {sheet.composition}",
        "license": list(dict.fromkeys(licence.url for licence in sheet.licences)),
        "version": f"{workload.version}.0.0",
        "datePublished": sheet.published,
        "creator": [_creator(c.name, c.kind, c.url) for c in sheet.creators],
        "citeAs": sheet.citation,
        "keywords": [*sheet.keywords],
        "isLiveDataset": False,
        **({"url": sheet.homepage} if sheet.homepage else {}),
        **({"inLanguage": [*sheet.languages]} if sheet.languages else {}),
        **_responsible(sheet, found),
        "distribution": [*(_table(*table) for table in tables.items()), *_files(sheet.original)],
        "recordSet": [
            _splits(),
            *([_classes(found.classes)] if found.classes else []),
            *_rows(found, list(tables)),
            *([_originals(sheet.original)] if sheet.original else []),
            _example(found),
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _creator(name: str, kind: str, url: str | None) -> Json:
    return {"@type": f"sc:{kind.capitalize()}", "name": name, **({"url": url} if url else {})}


def _responsible(sheet: Sheet, found: Statistics) -> Json:
    """Return Croissant's RAI properties, and PROV's of how the events were made."""
    return {
        "rai:dataCollection": sheet.collection,
        "rai:dataCollectionType": ["Synthetic" if found.synthetic else "Physical data collection"],
        "rai:hasSyntheticData": found.synthetic,
        "rai:dataPreprocessingProtocol": [sheet.preprocessing],
        "rai:dataUseCases": [*sheet.uses],
        "rai:dataLimitations": [*sheet.limits, *(f"Not for: {use}" for use in sheet.misuses)],
        "rai:personalSensitiveInformation": [sheet.personal],
        "rai:dataReleaseMaintenancePlan": sheet.maintenance,
        **(
            {"prov:wasDerivedFrom": [{"@id": link} for link in sheet.derived_from]}
            if sheet.derived_from
            else {}
        ),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "name": "nmbench",
            "description": f"events of source {found.source!r}, SHA-256 of the test split "
            f"{found.splits['test'].sha256} (nmbench.datasets.events.EventSet.sha256)",
        },
    }


def _table(name: str, content: bytes) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": "A table of what the set has. The events themselves are made by nmbench.",
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "text/csv",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _files(original: Original | None) -> list[Json]:
    """Return the makers' repository and the files in it."""
    if original is None:
        return []
    repository: Json = {
        "@type": "cr:FileObject",
        "@id": "repository",
        "name": "repository",
        "description": f"The makers' repository under git; nmbench takes commit {original.commit}.",
        "contentUrl": original.repository,
        "encodingFormat": "git+https",
        "sha256": NO_CHECKSUM,
    }
    files: Json = {
        "@type": "cr:FileSet",
        "@id": "original-files",
        "name": "original-files",
        "description": "The data as their makers published them.",
        "containedIn": {"@id": "repository"},
        "encodingFormat": original.media,
        "includes": original.includes,
    }
    return [repository, files]


def _field(record: str, name: str, kind: str, words: str, **more: Any) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"{record}/{name}",
        "name": name,
        "description": words,
        "dataType": kind,
        **more,
    }


def _records(name: str, words: str, fields: Sequence[Json], **more: Any) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": words,
        **more,
        "field": [*fields],
    }


def _splits() -> Json:
    rows = [("train", "cr:TrainingSplit"), ("test", "cr:TestSplit")]
    return {
        **_records(
            "splits",
            "The splits that results are comparable on.",
            [
                _field("splits", "name", "sc:Text", "name of the split"),
                _field("splits", "url", "sc:URL", "what it is for"),
            ],
            dataType="cr:Split",
            key={"@id": "splits/name"},
        ),
        "data": [{"splits/name": name, "splits/url": url} for name, url in rows],
    }


def _classes(classes: Sequence[str]) -> Json:
    return {
        **_records(
            "classes",
            "The classes by number.",
            [
                _field("classes", "label", "sc:Integer", "number of the class"),
                _field("classes", "name", "sc:Text", "name of the class"),
            ],
            dataType="sc:Enumeration",
            key={"@id": "classes/label"},
        ),
        "data": [{"classes/label": label, "classes/name": name} for label, name in enumerate(classes)],
    }


def _rows(found: Statistics, tables: Sequence[str]) -> list[Json]:
    """Return the records of the table of samples, and those of marks where they stand for labels."""
    label = {"label": "classes/label"} if found.classes else {}
    samples = _columns(
        "samples", tables[0], COLUMNS, {"split": "splits/name", **({} if found.marked else label)}
    )
    known = [_records("samples", "One record a sample.", samples, key={"@id": "samples/sample"})]
    if found.marked:
        marks = _columns("marks", tables[1], MARK_COLUMNS, label)
        known.append(_records("marks", "What stands in a recording, and when.", marks))
    return known


def _columns(
    record: str, table: str, columns: Mapping[str, tuple[str, str]], references: Mapping[str, str]
) -> list[Json]:
    fields = []
    for column, (kind, words) in columns.items():
        more: Json = {"source": {"fileObject": {"@id": table}, "extract": {"column": column}}}
        if column in references:
            more["references"] = {"field": {"@id": references[column]}}
        fields.append(_field(record, column, kind, words, **more))
    return fields


def _originals(original: Original) -> Json:
    source = {"fileSet": {"@id": "original-files"}}

    def part(name: str, kind: str, words: str, **how: Any) -> Json:
        return _field("originals", name, kind, words, source={**source, **how})

    fields = [part("file", "sc:Text", "name of the file", extract={"fileProperty": "filename"})]
    fields += [
        part(
            name, "sc:Text", f"{name}, from the file's name",
            extract={"fileProperty": "filename"}, transform={"regex": pattern},
        )
        for name, pattern in original.fields.items()
    ]  # fmt: skip
    words = "The files as their makers published them, before nmbench makes events of them."
    return _records("originals", words, fields, key={"@id": "originals/file"})


def _example(found: Statistics) -> Json:
    width, height, polarities = found.sensor
    fields = [_field("event-example", name, *about) for name, about in EVENT_FIELDS.items()]
    return {
        **_records(
            "event-example",
            f"The first events of sample test-0, to show what an event is; all events of all samples are "
            f"made by nmbench. The sensor has {width} x {height} addresses of {polarities} "
            f"{'polarity' if polarities == 1 else 'polarities'}.",
            fields,
        ),
        "data": [
            {f"event-example/{name}": value for name, value in zip(EVENT_FIELDS, event, strict=True)}
            for event in found.example
        ],
    }
