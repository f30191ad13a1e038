"""Sheets are built from data, then again without them, byte for byte."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_sheets import SHEET, write_sheets

from nmbench import registry
from nmbench.datasets import sources
from nmbench.errors import InputError
from nmbench.progress import Silence
from nmbench.sheets.build import Places, build
from nmbench.sheets.statistics import read_statistics


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_all_files_are_there_and_small(built: tuple[Path, Places]) -> None:
    found = files(built[1].out)
    assert set(found) == {
        "README.md", "temporal-gain.svg", "digits.md", "digits.stats.json", "digits.samples.csv",
        "digits.croissant.json", "digits.sample.svg", "digits.statistics.svg", "digits.baseline.svg",
    }  # fmt: skip
    assert all(len(content) < 150_000 for content in found.values())


def test_the_same_bytes_again_with_and_without_data(built: tuple[Path, Places]) -> None:
    suite, places = built
    first = files(places.out)
    read = registry.read_suite(str(suite))
    for kept in (False, True):
        build(read, ["digits"], places, Silence(), kept=kept)
        assert files(places.out) == first


def test_what_cannot_be_seen_without_data_is_written_new(built: tuple[Path, Places], tmp_path: Path) -> None:
    suite, places = built
    out = tmp_path / "out"
    out.mkdir()
    for name in ("digits.stats.json", "digits.samples.csv", "digits.sample.svg"):
        (out / name).write_bytes((places.out / name).read_bytes())
    build(registry.read_suite(str(suite)), ["digits"], replace(places, out=out), Silence(), kept=True)
    assert files(out) == files(places.out)


def test_statistics_agree_with_the_events_and_the_table(built: tuple[Path, Places]) -> None:
    suite, places = built
    workload = registry.read_suite(str(suite)).workload("digits")
    found = read_statistics(places.out / "digits.stats.json")
    sets = sources.load(workload.data["synthetic"], ("train", "test"), places.cache, places.data, Silence())
    rows = list(csv.DictReader((places.out / "digits.samples.csv").read_text().splitlines()))
    for name, events in sets.items():
        split, mine = found.splits[name], [row for row in rows if row["split"] == name]
        assert split.samples == len(events) == len(mine) == sum(split.histogram)
        assert split.events == len(events.events) == sum(int(row["events"]) for row in mine)
        assert split.sha256 == events.sha256()
        assert split.groups is None  # the writers are not named
        assert [c.samples for c in split.classes] == np.bincount(events.labels, minlength=10).tolist()
        assert [int(row["label"]) for row in mine] == events.labels.tolist()
        assert max(int(row["last_event_us"]) for row in mine) == events.events["t"].max()
        window = events.events["t"] < 1e6 * found.window_s
        curve = np.array(split.rate_curve_hz) * found.window_s / len(split.rate_curve_hz) * len(events)
        assert curve.sum() == pytest.approx(window.sum(), rel=1e-4)


def test_a_changed_kept_file_is_refused(built: tuple[Path, Places], tmp_path: Path) -> None:
    suite, places = built
    out = tmp_path / "out"
    out.mkdir()
    for path in places.out.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    (out / "digits.samples.csv").write_text("sample\n")
    (out / "digits.sample.svg").unlink()
    with pytest.raises(InputError) as error:
        build(registry.read_suite(str(suite)), ["digits"], replace(places, out=out), Silence(), kept=True)
    assert "digits.samples.csv beside it is absent or changed" in str(error.value)
    assert "digits.sample.svg beside it is absent or changed" in str(error.value)


def test_data_that_are_not_the_published_ones_have_no_sheet(tmp_path: Path) -> None:
    suite = write_sheets(tmp_path / "tiny")
    path = suite / "digits.yaml"
    path.write_text(path.read_text().replace("licence: generated\n", f"licence: g\n    sha256: {64 * 'a'}\n"))
    places = Places(tmp_path / "cache", tmp_path / "no-data", tmp_path / "out")
    with pytest.raises(InputError, match="a sheet is of published data"):
        build(registry.read_suite(str(suite)), ["digits"], places, Silence())
    assert not (tmp_path / "out" / "digits.md").exists()


def test_data_that_were_never_counted_are_asked_for(tmp_path: Path) -> None:
    sheet = SHEET.replace("data: synthetic", "data: real")
    suite = write_sheets(tmp_path / "tiny", sheet)
    places = Places(tmp_path / "cache", tmp_path / "no-data", tmp_path / "out")
    with pytest.raises(InputError, match=r"nmnist|NMNIST|N-MNIST"):
        build(registry.read_suite(str(suite)), ["digits"], places, Silence())


def test_all_faults_of_a_sheet_are_told(tmp_path: Path) -> None:
    sheet = SHEET.replace("unit: writers\n", "").replace("CC-BY-4.0", "CC BY 4.0") + "colour: red\n"
    suite = write_sheets(tmp_path / "tiny", sheet)
    places = Places(tmp_path / "cache", tmp_path / "no-data", tmp_path / "out")
    with pytest.raises(InputError) as error:
        build(registry.read_suite(str(suite)), ["digits"], places, Silence())
    for words in ("unit: missing", "licences.0.spdx", "colour"):
        assert words in str(error.value)
