"""What a stranger's process says, made fit for a record: short, harmless to a terminal, without places."""

from __future__ import annotations

import re
import socket

LINES, LENGTH = 8, 1000
"""Most lines and characters that are kept."""

FATAL = "Fatal Python error"
"""Begins the stack that Python leaves where a signal ended it; the innermost frames follow."""

NOISE = ("Extension modules:", "<no Python frame>")
"""Lines of that stack that say nothing."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_FOLDERS = re.compile(r"(?<![\w.])(?:~|[A-Za-z]:)?(?:[/\\][\w.+@~-]+)*[/\\](?=[\w.+@~-])")


def last_words(output: bytes) -> str:
    """Return the lines of an output that tell best why it ended, joined by `` | ``; empty where it is.

    Those are its last ones, or where Python left a stack, what came just before it and its innermost frames.
    """
    lines = [harmless(line) for line in output.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(NOISE)]
    at = next((i for i, line in enumerate(lines) if line.startswith(FATAL)), None)
    kept = lines[-LINES:] if at is None else lines[max(0, at - 3) : at + LINES - 3]
    return " | ".join(kept)[-LENGTH if at is None else 0 :][:LENGTH]


def harmless(text: str, length: int = LENGTH) -> str:
    """Return text without control characters, folders of files and the name of this host."""
    text = _ESCAPE.sub("", text.replace("\t", " "))
    text = "".join(c if c.isprintable() else "?" for c in text.strip())
    text = _FOLDERS.sub("", text)
    host = socket.gethostname()
    if len(host) > 2:
        text = re.sub(rf"(?<!\w){re.escape(host)}(?!\w)", "(host)", text)
    return text if len(text) <= length else text[: length - 3] + "..."
