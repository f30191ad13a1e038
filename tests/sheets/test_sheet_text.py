"""What a sheet says of its networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_sheets import provenance, write_sheets

from nmbench import registry
from nmbench.progress import Silence
from nmbench.report.engineering import RANGE
from nmbench.sheets.baseline import Baseline, Networks, read_networks
from nmbench.sheets.build import Places
from nmbench.sheets.prose import read_sheet
from nmbench.sheets.statistics import Statistics, read_statistics
from nmbench.sheets.text import sheet_text
from nmbench.spec import Workload


@pytest.fixture
def parts(built: tuple[Path, Places]) -> tuple[Workload, Path, Statistics]:
    suite, places = built
    read = registry.read_suite(str(suite))
    found = read_statistics(places.out / "digits.stats.json")
    return read.workload("digits"), read.folder, found


def page(parts: tuple[Workload, Path, Statistics], **fields: object) -> str:
    workload, folder, found = parts
    same = found.splits["test"].sha256
    baseline = Baseline.model_validate({**provenance(same), **fields})
    return sheet_text(workload, read_sheet(folder, workload), found, Networks((baseline,)))


def test_the_order_of_datasheets(parts: tuple[Workload, Path, Statistics]) -> None:
    found = [line[3:] for line in page(parts).splitlines() if line.startswith("## ")]
    assert found == [
        "Motivation", "Composition", "Collection", "Preprocessing", "Uses", "Known limits", "Baselines",
        "Distribution", "Maintenance", "Citation",
    ]  # fmt: skip


def test_a_task_without_time_and_a_saturated_one_are_called_so(
    parts: tuple[Workload, Path, Statistics],
) -> None:
    text = page(parts)
    assert "**Not a temporal task**" in text and "**Saturated**" in text and "**Other data**" not in text
    hard = {"value": 0.9, "wilson_95": [0.85, 0.93], "n": 200}
    text = page(parts, temporal_gain=0.4, accuracy=hard, test={"samples": 200, "sha256": 64 * "1"})
    assert "**Not a temporal task**" not in text and "**Saturated**" not in text and "**Other data**" in text


def test_the_table_has_every_number(parts: tuple[Workload, Path, Statistics]) -> None:
    row = next(line for line in page(parts).splitlines() if line.startswith("| base |"))
    for cell in (
        "1,234",
        f"99.5 % \\[98.0{RANGE}99.9\\]",
        f"90.0 % \\[85.0{RANGE}94.0\\]",
        "2: 99.0 ± 0.4 %",
        "+1.0",
        "4,567",
    ):
        assert cell in row


def test_a_network_without_provenance_is_told_and_left_out(tmp_path: Path) -> None:
    suite = write_sheets(tmp_path / "tiny")
    (suite / "base.json").unlink()
    told: list[str] = []

    class Ear(Silence):
        def note(self, text: str) -> None:
            told.append(text)

    read = registry.read_suite(str(suite))
    workload = read.workload("digits")
    assert read_networks(suite, workload, workload.data["synthetic"], Ear()) == Networks()
    assert "base.json" in told[0]
