"""MLCommons' own reader reads what is written for it, without an error or a warning."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from nmbench import registry
from nmbench.sheets.croissant import croissant_text
from nmbench.sheets.prose import Original, read_sheet
from nmbench.sheets.statistics import read_statistics

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
mlc = pytest.importorskip("mlcroissant")

SHEETS = Path(__file__).parents[2] / "docs" / "datasets"


def validated(path: Path, caplog: pytest.LogCaptureFixture, **how: Any) -> Any:
    with caplog.at_level(logging.WARNING):
        dataset = mlc.Dataset(path, **how)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings and not caplog.records
    return dataset


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_it_is_valid_and_its_records_are_read(
    built: tuple[Path, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = built[1].out / "digits.croissant.json"
    dataset = validated(path, caplog)
    rows = list(dataset.records("samples"))
    table = (built[1].out / "digits.samples.csv").read_text().splitlines()[1:]
    assert [text(row["samples/sample"]) for row in rows] == [line.split(",")[0] for line in table]
    assert {row["classes/label"] for row in dataset.records("classes")} == set(range(10))
    assert {text(row["splits/name"]) for row in dataset.records("splits")} == {"train", "test"}
    assert len(list(dataset.records("event-example"))) == 8


def test_no_address_is_claimed_that_is_not_there(built: tuple[Path, Any]) -> None:
    document = json.loads((built[1].out / "digits.croissant.json").read_text())
    for file in document["distribution"]:
        assert (built[1].out / file["contentUrl"]).is_file()
    assert document["rai:hasSyntheticData"] is True
    assert document["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html"]


@pytest.mark.parametrize("path", sorted(SHEETS.glob("*.croissant.json")), ids=lambda p: p.name)
def test_committed_ones_are_valid(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = validated(path, caplog)
    for record in ("samples", "classes", "splits", "event-example"):
        assert list(dataset.records(record))


def test_makers_files_are_named_by_repository_and_commit() -> None:
    with pytest.raises(ValueError, match="commit"):
        original("main")


def test_makers_files_are_described_in_their_repository(
    built: tuple[Path, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    suite, places = built
    read = registry.read_suite(str(suite))
    workload = read.workload("digits")
    sheet = read_sheet(read.folder, workload).model_copy(update={"original": original(40 * "a")})
    found = read_statistics(places.out / "digits.stats.json")
    tables = {"digits.samples.csv": (places.out / "digits.samples.csv").read_bytes()}
    (tmp_path / "digits.samples.csv").write_bytes(tables["digits.samples.csv"])
    path = tmp_path / "digits.croissant.json"
    path.write_text(croissant_text(workload, sheet, found, tables))
    dataset = validated(path, caplog)  # mlcroissant 1.1 has no reader of WAV files: described, not read
    files = {node.uuid: node for node in dataset.metadata.distribution}
    assert files["original-files"].includes == ["recordings/*.wav"]
    assert "commit " + 40 * "a" in str(files["repository"].description)
    assert "originals" in {record.uuid for record in dataset.metadata.record_sets}


def original(commit: str) -> Original:
    return Original(
        repository="https://github.com/a/b",
        commit=commit,
        includes="recordings/*.wav",
        media="audio/wav",
        fields={"digit": r"^(\d)_[a-z]+_\d+\.wav$"},
    )
