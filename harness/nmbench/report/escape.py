"""Text of records made harmless: names, errors and reasons may come from strangers' plug-ins."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 240
"""Characters of an untrusted text that tables and reports show; the record has all of it."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~!$@^])")
_AUTOLINK = re.compile(r":(?=//)|(?<=[wW]{3})\.|(?<=mailto):|(?<=xmpp):")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet take a cell for a formula, in its full-width forms too."""


def inert(text: str, limit: int | None = LONGEST) -> str:
    """Return the text on one line without control, format and direction characters, shortened to a limit.

    What terminals obey (escape sequences), what turns the direction of writing, and what no font has
    (surrogates, private use) is left out.
    """
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " if c.isspace() else "" for c in text)
    line = " ".join(kept.split())
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def markdown(text: str, limit: int | None = LONGEST) -> str:
    """Return the text so that GitHub's Markdown shows it as it is, in a table cell too.

    No markup, HTML, formula, mention or link comes of it.
    """
    escaped = _MARKDOWN.sub(r"\\\1", inert(text, limit).translate(_ENTITIES))
    linkless = _AUTOLINK.sub(lambda found: "\\" + found.group(), escaped)
    return "\\" + linkless if linkless[:1] in ("-", "+", "=") else linkless


def sheet(text: str) -> str:
    """Return the text as a spreadsheet's cell: no formula (a leading apostrophe marks it as text)."""
    line = inert(text, None)
    return f"'{line}" if line.startswith(_FORMULA) else line


def ascii_text(text: str, limit: int = 40) -> str:
    """Return the text in ASCII, `?` for the rest: figures have one font, which lacks most of Unicode."""
    return inert(text, limit).replace("…", "...").encode("ascii", "replace").decode()
