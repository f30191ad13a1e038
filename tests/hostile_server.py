"""A web server on this machine that misbehaves as it is told, and catalogue entries that point to it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nmbench.datasets.holdings.catalogue import File, Holding
from nmbench.datasets.holdings.download import Patience


@dataclass
class Heard:
    """A listener that remembers."""

    notes: list[str] = field(default_factory=list)
    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def step(self, task: str, done: int, total: int) -> None:
        self.steps.append((task, done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it."""

    path: str
    range: str | None
    if_range: str | None


Behaviour = Callable[["Handler"], None]


@dataclass
class Server:
    """What is served: by path a list of behaviours, one for each request; the last one goes on for ever."""

    address: str
    served: dict[str, list[Behaviour]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def serve(self, path: str, *behaviours: Behaviour) -> str:
        self.served[path] = list(behaviours)
        return self.address + path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    table: Server

    def do_GET(self) -> None:
        own = self.table.served.get(self.path, [status(404)])
        ranged = self.headers.get("Range"), self.headers.get("If-Range")
        self.table.asked.append(Asked(self.path, *ranged))
        behaviour = own.pop(0) if len(own) > 1 else own[0]
        self.close_connection = True
        behaviour(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def head(self, code: int, **headers: str | int | None) -> None:
        self.send_response(code)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()


@contextmanager
def running() -> Iterator[Server]:
    """Serve on a free port of this machine until the end of the block."""
    own = type("Own", (Handler,), {})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), own)
    httpd.daemon_threads = True
    httpd.block_on_close = False
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign] # clients hang up on purpose
    server = Server(f"http://127.0.0.1:{httpd.server_address[1]}")
    own.table = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def whole(
    data: bytes,
    etag: str | None = '"one"',
    modified: str | None = None,
    stop: int | None = None,
    ranges: bool = True,
    claim: int | None = None,
    kind: str = "application/octet-stream",
    honours_condition: bool = True,
) -> Behaviour:
    """Serve bytes, with ranges; break off after ``stop`` bytes, or promise ``claim`` more than there are."""

    def behave(handler: Handler) -> None:
        start = 0
        asked, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        fits = condition is None or condition in (etag, modified) or not honours_condition
        if ranges and asked and fits:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                handler.head(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
                return
        body = data[start:]
        length = len(body) + (claim or 0)
        versions = {"ETag": etag, "Last_Modified": modified, "Content_Type": kind}
        if start:
            around = f"bytes {start}-{start + length - 1}/{len(data) + (claim or 0)}"
            handler.head(206, Content_Length=length, Content_Range=around, **versions)
        else:
            handler.head(200, Content_Length=length, **versions)
        handler.wfile.write(body if stop is None else body[:stop])

    return behave


def status(code: int, **headers: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.head(code, Content_Length=0, **headers)

    return behave


def endless(piece: bytes = b"x" * 65536) -> Behaviour:
    """Send for ever, without a promise."""

    def behave(handler: Handler) -> None:
        handler.head(200, Content_Type="application/octet-stream")
        while True:
            handler.wfile.write(piece)

    return behave


def silent(seconds: float) -> Behaviour:
    """Say that something comes, and then nothing."""

    def behave(handler: Handler) -> None:
        handler.head(200, Content_Length=256_000, Content_Type="application/octet-stream")
        handler.wfile.flush()
        time.sleep(seconds)

    return behave


def chunked(data: bytes, end: bool = True) -> Behaviour:
    """Send in chunks, with the last one or without."""

    def behave(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked", Content_Type="application/octet-stream")
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" + (b"0\r\n\r\n" if end else b""))

    return behave


def patience(**changes: Any) -> Patience:
    """Wait for nothing."""
    settings: dict[str, Any] = {"tries": 3, "timeout_s": 5.0, "sleep": lambda _: None}
    return Patience(**{**settings, **changes})


def file_of(data: bytes, *mirrors: str, name: str = "data.bin", **changes: Any) -> File:
    """Make a catalogue's entry of a file with these bytes."""
    known = {"bytes": len(data), "md5": hashlib.md5(data).hexdigest(), "unknown": "made by a test"}
    return File.model_validate({**known, "name": name, "mirrors": mirrors, **changes})


def holding_of(files: Sequence[File], present: Sequence[tuple[str, int]] = (), name: str = "tiny") -> Holding:
    """Make a catalogue's entry of a set of these files."""
    return Holding(
        name=name,
        title="A tiny set",
        summary="made by a test",
        modality="vision",
        licence="CC0 1.0",
        citation="nobody",
        doi=None,
        homepage="https://example.org",
        folder="Tiny",
        files=tuple(files),
        present=tuple({"pattern": p, "at_least": n} for p, n in present),  # type: ignore[arg-type]
    )
