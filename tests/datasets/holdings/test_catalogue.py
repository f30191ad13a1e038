"""The catalogue that nmbench ships, and what is said where a set is not here."""

from __future__ import annotations

import string
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nmbench.datasets.holdings import folder, holding, missing, names
from nmbench.datasets.holdings.belief import contents_of
from nmbench.datasets.holdings.catalogue import CATALOGUE, Catalogue, catalogue, chosen, size_text
from nmbench.documents import parse_document
from nmbench.errors import DataMissing, InputError

NAMES = (
    "nmnist dvsgesture shd ssc cifar10dvs ncaltech101 asldvs dvslip ntidigits18 threeet smnist fsdd braille"
)


def test_every_set_is_in_it() -> None:
    assert names() == tuple(NAMES.split())


@pytest.mark.parametrize("name", NAMES.split())
def test_every_entry_is_whole(name: str) -> None:
    known = holding(name)
    assert known.licence or known.licence_unknown
    for file in known.files:
        for mirror in file.mirrors:
            parts = urlsplit(mirror)
            assert parts.scheme == "https"
            assert parts.hostname and "." in parts.hostname
        assert len(set(file.mirrors)) == len(file.mirrors)
        for digest, size in ((file.md5, 32), (file.sha256, 64)):
            assert digest is None or (len(digest) == size and set(digest) <= set(string.hexdigits.lower()))
        assert file.unknown or (file.bytes and file.sha256)
        assert (
            file.unpack == {"zip": "zip", "gz": "gz"}.get(file.name.rpartition(".")[2], "none")
            or (file.name.endswith(".tar.gz") and file.unpack == "tar.gz")
            or not known.present
        )
        assert not file.inner or file.unpack == "zip"
    assert bool(known.present) == any(file.unpack != "none" for file in known.files) or name == "ntidigits18"
    for present in known.present:
        assert not present.pattern.startswith("/")
        assert ".." not in present.pattern


def test_no_two_sets_share_a_folder() -> None:
    folders = [known.folder for known in catalogue().holdings]
    assert len(set(folders)) == len(folders)


def test_tonic_sets_agree_with_the_installed_tonic() -> None:
    """The independent source of names and digests: tonic's own classes."""
    from tonic import datasets

    classes = {
        "nmnist": datasets.NMNIST,
        "dvsgesture": datasets.DVSGesture,
        "cifar10dvs": datasets.CIFAR10DVS,
        "ncaltech101": datasets.NCALTECH101,
        "asldvs": datasets.ASLDVS,
        "dvslip": datasets.DVSLip,
        "ntidigits18": datasets.NTIDIGITS18,
        "threeet": datasets.ThreeET_Eyetracking,
        "shd": datasets.SHD,
        "ssc": datasets.SSC,
    }
    for name, known in classes.items():
        own = {key: value for key, value in vars(known).items() if isinstance(value, str)}
        digests = {value for key, value in own.items() if key.endswith("md5")}
        archives = {value for key, value in own.items() if key.endswith(("filename", "_zip"))}
        assert {file.md5 for file in holding(name).files} == digests, name
        assert {file.name for file in holding(name).files} == archives - {"Caltech101.zip"}, name
        assert holding(name).folder == known.__name__
    own = {key: value for key, value in vars(datasets.SMNIST).items() if isinstance(value, str)}
    assert {file.md5 for file in holding("smnist").files} == {v for k, v in own.items() if k.endswith("md5")}


def test_the_recordings_of_fsdd_are_known_by_their_digest(real_data: Path) -> None:
    contents = holding("fsdd").files[0].contents
    assert contents is not None
    archive = next(real_data.glob("free-spoken-digit-dataset*.zip"))
    assert contents_of(archive, contents.pattern) == (contents.members, contents.sha256)


def test_unknown_names_are_told_all_at_once() -> None:
    with pytest.raises(InputError) as raised:
        chosen(["nmnits", "shd", "pokerdvs", "POKERDVS", "imagenet"])
    assert "did you mean 'nmnist'" in raised.value.faults[0]
    assert "does not contain them" in raised.value.faults[1]
    assert "does not contain them" in raised.value.faults[2]
    assert "unknown data set 'imagenet'" in raised.value.faults[3]


def test_names_are_taken_once() -> None:
    assert next(known.name for known in chosen(["shd", "all", "shd"])) == "shd"
    assert len(chosen(["all", "all"])) == len(NAMES.split())


@pytest.mark.parametrize("name", NAMES.split())
def test_what_is_missing_is_said_with_all_that_is_needed(name: str, tmp_path: Path) -> None:
    fault = missing(name, tmp_path)
    assert isinstance(fault, DataMissing)
    text = str(fault)
    assert f"nmbench data fetch {name}" in text
    for file in holding(name).files:
        assert file.mirrors[0] in text
        assert str(folder(name, tmp_path) / file.name) in text
        assert file.size in text
        assert file.digest in text
    for present in holding(name).present:
        assert str(folder(name, tmp_path) / present.pattern) in text


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("20959b8e626244a1b502305a9e6e2031", "20959B8E626244A1B502305A9E6E2031", "md5"),
        ("https://zenkelab.org/datasets/shd_test.h5.zip", "file:///etc/passwd", "no address of the web"),
        ("  folder: NMNIST", "  folder: ../NMNIST", "folder"),
        ("  licence: CC BY-SA 4.0\n", "  licence: null\n", "licence"),
        ("    about_bytes: 2400000000", "    about_bytes: -1", "about_bytes"),
        ("  folder: NMNIST", "  folder: NMNIST\n  colour: red", "unknown field"),
    ],
)
def test_a_faulty_entry_is_refused(old: str, new: str, fault: str) -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(InputError, match=fault):
        parse_document(text.replace(old, new, 1), Catalogue, "catalogue.yaml")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_912_422, "9.9 MB"),
        (1_100_000_000, "1.1 GB"),
        (999_999, "1.0 MB"),
    ],
)
def test_sizes_read_well(size: int, text: str) -> None:
    assert size_text(size) == text
