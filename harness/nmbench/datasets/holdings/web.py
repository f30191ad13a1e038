"""Ask a web server for a file, or for the rest of it: http and https alone, few redirects, timeouts."""

from __future__ import annotations

import email.utils
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from nmbench import __version__

REDIRECTS_MAX = 5
TIMEOUT_S = 30.0
PIECE_BYTES = 1 << 18

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PASSES = frozenset({408, 425, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524})


class Refused(Exception):
    """A server does not give the file, and asking it again is no use."""


class Dropped(Exception):
    """The connection broke, or the server is busy: asking again may help.

    Attributes
    ----------
    wait_s
        How long the server asks to wait; None where it does not say.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        self.wait_s = wait_s
        super().__init__(reason)


class Unreachable(Dropped):
    """There is no connection to the server at all."""


class Unranged(Exception):
    """The server cannot give the rest from here: begin anew."""


@dataclass(frozen=True)
class Mark:
    """What a server says of the version of a file, remembered to take a broken download up again.

    Attributes
    ----------
    etag, modified
        Its strong ETag and Last-Modified, where it gives them.
    """

    etag: str | None
    modified: str | None

    @property
    def condition(self) -> str | None:
        """Value of If-Range, which lets the server send all of a file that changed."""
        return self.etag or self.modified


@dataclass(frozen=True)
class Answer:
    """A server's answer.

    Attributes
    ----------
    start
        Place in the file of the first byte that comes.
    total
        Size of the whole file as the server promises it; None where it does not.
    """

    start: int
    total: int | None
    mark: Mark
    _body: http.client.HTTPResponse

    def pieces(self) -> Iterator[bytes]:
        """Read what comes, piece by piece.

        Raises
        ------
        Dropped
            If the connection breaks, or nothing comes for too long.
        """
        try:
            while piece := self._body.read1(PIECE_BYTES):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise Dropped(f"the connection broke: {_words(error)}") from error


@contextmanager
def ask(url: str, start: int, mark: Mark | None, timeout_s: float = TIMEOUT_S) -> Iterator[Answer]:
    """Ask for a file from a place on.

    Parameters
    ----------
    start
        First byte that is wanted.
    mark
        The version that the bytes before it are of; None where their digest will tell.

    Raises
    ------
    Refused, Dropped, Unranged
        Where the server does not give it.
    """
    headers = {"User-Agent": f"nmbench/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if mark is not None and mark.condition:
            headers["If-Range"] = mark.condition
    with _opened(urllib.request.Request(url, headers=headers), timeout_s) as response:
        yield _answer(response, start, mark)


@contextmanager
def _opened(request: urllib.request.Request, timeout_s: float) -> Iterator[http.client.HTTPResponse]:
    try:
        response = _opener().open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            raise _fault_of_status(error) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise Refused(f"its certificate is not valid: {error.reason.verify_message}") from error
        raise Unreachable(f"no connection: {_words(error.reason)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"no connection: {_words(error)}") from error
    with response:
        yield response


def _fault_of_status(error: urllib.error.HTTPError) -> Exception:
    if error.code == 416:
        return Unranged("it has no bytes from there on")
    reason = f"HTTP {error.code} {error.reason}".strip()
    if error.code in _PASSES:
        return Dropped(reason, _retry_after(error.headers))
    return Refused(reason)


def _answer(response: http.client.HTTPResponse, start: int, mark: Mark | None) -> Answer:
    """Read the head of an answer; see `ask`."""
    headers = response.headers
    if response.status not in (200, 206):
        waf = " (a firewall's challenge)" if headers.get("x-amzn-waf-action") else ""
        raise Refused(f"HTTP {response.status} in place of the file{waf}")
    if headers.get_content_type() in ("text/html", "application/xhtml+xml") and "Content-Type" in headers:
        raise Refused("a web page in place of the file (a firewall, a login or a page that asks for a click)")
    if headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise Refused(f"packed on the way as {headers['Content-Encoding']!r}, which was not asked for")
    fresh = _mark(headers)
    length = _length(headers)
    if response.status == 200:
        return Answer(0, length, fresh, response)
    found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if start == 0 or found is None or int(found[1]) != start:
        raise Unranged(f"another part than asked for: {headers.get('Content-Range')!r}")
    if mark is not None and mark.condition and fresh.condition and fresh.condition != mark.condition:
        raise Unranged("the rest of another version of the file")
    total = None if found[3] == "*" else int(found[3])
    if length is not None and int(found[2]) - start + 1 != length:
        raise Refused(f"promises {length} bytes and {headers['Content-Range']!r}")
    return Answer(start, total if total is not None else int(found[2]) + 1, fresh, response)


def _mark(headers: Message) -> Mark:
    etag = headers.get("ETag")
    strong = etag is not None and not etag.startswith("W/")
    return Mark(etag if strong else None, headers.get("Last-Modified"))


def _length(headers: Message) -> int | None:
    """Return the promised length; None where the server sends until it is done."""
    if headers.get("Transfer-Encoding"):
        return None
    text = headers.get("Content-Length", "").strip()
    return int(text) if re.fullmatch(r"\d{1,15}", text) else None


def _retry_after(headers: Message) -> float | None:
    text = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _words(error: object) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow few redirects, to the web alone, and never from https back to http."""

    max_redirections = REDIRECTS_MAX
    max_repeats = 2

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme, new.scheme) == ("https", "http"):
            raise Refused(f"sends us from {old.scheme}: to {new.scheme}:, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any
    ) -> Any:
        """Follow a redirect; urllib's own check of its scheme would call itself an HTTP error."""
        target = urlsplit(headers.get("location") or headers.get("uri") or "")
        if target.scheme not in ("", "http", "https"):
            raise Refused(f"sends us to {target.scheme}:, which is not followed")
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                raise Refused(f"more than {REDIRECTS_MAX} redirects, or a loop of them") from error
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Make an opener that knows the web alone: no file:, ftp: or data:."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
