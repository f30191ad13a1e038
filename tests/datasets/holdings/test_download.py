"""One file from servers that misbehave: what is kept is whole and right, or nothing."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hostile_server import (
    Behaviour,
    Heard,
    Server,
    chunked,
    endless,
    file_of,
    patience,
    running,
    silent,
    status,
    whole,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmbench.datasets.holdings.catalogue import File
from nmbench.datasets.holdings.download import Patience, download
from nmbench.errors import InputError

DATA = bytes(range(256)) * 1000


def get(file: File, place: Path, heard: Heard, how: Patience | None = None) -> str:
    _, mirror = download(file, place, heard, how or patience(), lambda path: None)
    return mirror


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_file_arrives_with_its_digests_and_nothing_beside_it(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    file = file_of(DATA, server.serve("/a", whole(DATA)))
    found, _ = download(file, tmp_path, heard, patience(), lambda path: None)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert (found.size, found.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert left(tmp_path) == ["data.bin"]
    assert heard.steps[-1] == ("data.bin", len(DATA), len(DATA))


def test_a_broken_connection_is_taken_up_with_a_range(server: Server, heard: Heard, tmp_path: Path) -> None:
    file = file_of(DATA, server.serve("/a", whole(DATA, stop=100_000), whole(DATA, stop=50_000), whole(DATA)))
    get(file, tmp_path, heard)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert [asked.range for asked in server.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert [asked.if_range for asked in server.asked] == [None, '"one"', '"one"']


def test_the_next_command_goes_on_where_the_last_one_was_broken_off(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    url = server.serve("/a", whole(DATA, stop=70_000), status(503), status(503), status(503))
    with pytest.raises(InputError, match="503"):
        get(file_of(DATA, url), tmp_path, heard)
    assert left(tmp_path) == ["data.bin.part", "data.bin.part.json"]
    server.serve("/a", whole(DATA))
    get(file_of(DATA, url), tmp_path, heard)
    assert server.asked[-1].range == "bytes=70000-"
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_last_modified_does_where_there_is_no_strong_etag(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    date = "Mon, 02 Jan 2023 03:04:05 GMT"
    first = whole(DATA, etag='W/"weak"', modified=date, stop=1000)
    file = file_of(DATA, server.serve("/a", first, whole(DATA, etag='W/"weak"', modified=date)))
    get(file, tmp_path, heard)
    assert server.asked[-1].if_range == date


def test_a_server_that_ignores_ranges_is_asked_for_all_and_the_part_begins_anew(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    get(
        file_of(DATA, server.serve("/a", whole(DATA, stop=100_000, ranges=False), whole(DATA, ranges=False))),
        tmp_path,
        heard,
    )
    assert (tmp_path / "data.bin").read_bytes() == DATA


@pytest.mark.parametrize("honours", [True, False])
def test_a_file_that_changed_between_tries_is_never_mixed(
    server: Server, heard: Heard, tmp_path: Path, honours: bool
) -> None:
    new = DATA[::-1]
    first = whole(DATA, etag='"old"', stop=100_000)
    second = whole(new, etag='"new"', honours_condition=honours)
    file = file_of(new, server.serve("/a", first, second))
    get(file, tmp_path, heard)
    assert (tmp_path / "data.bin").read_bytes() == new


def test_a_part_that_is_not_of_the_file_is_begun_anew(server: Server, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"nonsense" * 100)
    get(file_of(DATA, server.serve("/a", whole(DATA))), tmp_path, heard)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert any("begun anew" in note for note in heard.notes)


@pytest.mark.parametrize("size", [len(DATA), len(DATA) + 5])
def test_a_whole_but_wrong_part_is_begun_anew(
    server: Server, heard: Heard, tmp_path: Path, size: int
) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"x" * size)
    get(file_of(DATA, server.serve("/a", whole(DATA))), tmp_path, heard)
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_a_whole_part_is_kept_without_asking(server: Server, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(DATA)
    get(file_of(DATA, server.serve("/a", status(404))), tmp_path, heard)
    assert left(tmp_path) == ["data.bin"]
    assert server.asked == []


def test_a_whole_part_of_unknown_size_is_known_by_its_digest(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    (tmp_path / "data.bin.part").write_bytes(DATA)
    get(file_of(DATA, server.serve("/a", whole(DATA)), bytes=None), tmp_path, heard)
    assert [asked.range for asked in server.asked] == [f"bytes={len(DATA)}-"]  # answered by 416
    assert left(tmp_path) == ["data.bin"]


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        (whole(b"x" * len(DATA)), "damaged, or not the file"),
        (whole(DATA[:-1]), "promises 255,999 bytes, the file has 256,000"),
        (whole(DATA + b"y"), "promises 256,001 bytes, the file has 256,000"),
        (whole(DATA, claim=10), "promises 256,010 bytes"),
        (whole(DATA, claim=-10), "promises 255,990 bytes"),
        (endless(), "more than 256,000 bytes: stopped"),
        (chunked(DATA + b"y"), "more than 256,000 bytes: stopped"),
        (chunked(DATA[:-1]), "255,999 bytes, the file has 256,000"),
        (whole(b"<html>", kind="text/html; charset=utf-8"), "a web page in place of the file"),
        (status(202, X_Amzn_Waf_Action="challenge"), "a firewall's challenge"),
        (status(403), "HTTP 403"),
        (status(404), "HTTP 404"),
        (status(500), "HTTP 500"),
        (status(503), "HTTP 503"),
        (status(204), "HTTP 204 in place of the file"),
        (status(302, Location="/a"), "redirects, or a loop"),
        (status(302, Location="file:///etc/passwd"), "to file:, which is not followed"),
        (status(302, Location="ftp://127.0.0.1/a"), "to ftp:, which is not followed"),
        (status(301, Location="data:,hello"), "to data:, which is not followed"),
        (silent(1.0), "the connection broke"),
        (chunked(DATA[:1000], end=False), "the connection broke"),
    ],
)
def test_a_bad_mirror_is_named_and_the_next_one_is_asked(
    server: Server, heard: Heard, tmp_path: Path, behaviour: Behaviour, fault: str
) -> None:
    bad = server.serve("/a", behaviour)
    how = patience(timeout_s=0.2)
    with pytest.raises(InputError, match=r"data\.bin") as raised:
        get(file_of(DATA, bad), tmp_path, heard, how)
    assert len(raised.value.faults) == 1
    assert raised.value.faults[0].startswith(f"{bad}: ")
    assert fault in raised.value.faults[0]
    assert "data.bin" not in left(tmp_path)

    good = server.serve("/b", whole(DATA))
    assert get(file_of(DATA, bad, good), tmp_path, heard, how) == good
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_the_faults_of_all_mirrors_are_told(server: Server, heard: Heard, tmp_path: Path) -> None:
    urls = server.serve("/a", status(403)), server.serve("/b", whole(DATA[::-1])), server.address + "/c"
    with pytest.raises(InputError) as raised:
        get(file_of(DATA, *urls), tmp_path, heard)
    assert [fault.partition(": ")[0] for fault in raised.value.faults] == list(urls)


def test_a_redirect_is_followed_and_keeps_the_range(server: Server, heard: Heard, tmp_path: Path) -> None:
    server.serve("/there", whole(DATA, stop=1000), whole(DATA))
    get(file_of(DATA, server.serve("/a", status(302, Location="/there"))), tmp_path, heard)
    assert [(asked.path, asked.range) for asked in server.asked] == [
        ("/a", None),
        ("/there", None),
        ("/a", "bytes=1000-"),
        ("/there", "bytes=1000-"),
    ]
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_a_busy_server_is_given_the_time_that_it_asks_for(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    waits: list[float] = []
    behaviours = [status(503, Retry_After="7"), status(429, Retry_After="100000"), status(500), whole(DATA)]
    how = patience(tries=4, sleep=waits.append)
    get(file_of(DATA, server.serve("/a", *behaviours)), tmp_path, heard, how)
    assert waits == [7.0, 60.0, 4.0]


def test_a_mirror_that_is_no_server_is_a_fault(heard: Heard, tmp_path: Path) -> None:
    with running() as gone:
        url = gone.address + "/a"
    with pytest.raises(InputError, match="no connection"):
        get(file_of(DATA, url), tmp_path, heard)


def test_more_than_a_rounded_size_allows_is_refused(server: Server, heard: Heard, tmp_path: Path) -> None:
    large = whole(b"", claim=1 << 40)
    file = file_of(DATA, server.serve("/a", large), bytes=None, about_bytes=1_000_000)
    with pytest.raises(InputError, match=r"promises 1\.1 TB, the file has about 1\.0 MB"):
        get(file, tmp_path, heard)


def test_a_server_that_always_breaks_off_is_left_in_the_end(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    file = file_of(DATA, server.serve("/a", whole(DATA, stop=10)))
    with pytest.raises(InputError, match="the connection broke"):
        get(file, tmp_path, heard, patience(tries_in_all=20))
    assert len(server.asked) == 20
    assert (tmp_path / "data.bin.part").read_bytes() == DATA[:200]


def test_without_a_digest_bytes_of_two_servers_are_never_mixed(
    server: Server, heard: Heard, tmp_path: Path
) -> None:
    first = server.serve("/a", whole(DATA, stop=1000), status(404))
    second = server.serve("/b", whole(DATA[::-1]))
    file = file_of(DATA, first, second, md5=None, bytes=None)
    assert get(file, tmp_path, heard) == second
    assert (tmp_path / "data.bin").read_bytes() == DATA[::-1]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(min_size=1, max_size=3000),
    stops=st.lists(st.tuples(st.integers(0, 1500), st.booleans()), max_size=8),
    digest=st.booleans(),
)
def test_however_it_breaks_off_the_file_is_the_file(
    data: bytes, stops: list[tuple[int, bool]], digest: bool
) -> None:
    """With or without a digest, size known or not, ranges honoured or not, now and then."""
    with running() as server, tempfile.TemporaryDirectory() as folder:
        tries = [whole(data, stop=stop, ranges=ranges) for stop, ranges in stops]
        url = server.serve("/a", *tries, whole(data))
        known = file_of(data, url) if digest else file_of(data, url, md5=None, bytes=None)
        get(known, Path(folder), Heard(), patience(tries=20))
        assert (Path(folder) / "data.bin").read_bytes() == data
        assert left(Path(folder)) == ["data.bin"]
