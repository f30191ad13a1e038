from __future__ import annotations

import csv
import io
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmbench.report.escape import LONGEST, ascii_text, inert, markdown, sheet
from nmbench.report.sheets import csv_text


@given(st.text())
def test_inert_text_is_one_short_line_that_no_terminal_obeys(text: str) -> None:
    line = inert(text)
    assert len(line) <= LONGEST
    assert all(unicodedata.category(c)[0] != "C" for c in line)
    assert inert(line) == line


def test_inert_keeps_what_people_write() -> None:
    assert inert("  Größe 3 µJ\n\tok ") == "Größe 3 µJ ok"
    assert inert("a\x1b[31mb\u202ec\u2066") == "a[31mbc"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("![x](y)", "\\!\\[x\\](y)"),
        ("`rm` *b* _i_ ~s~ # h $m$", "\\`rm\\` \\*b\\* \\_i\\_ \\~s\\~ \\# h \\$m\\$"),
        ("@all http://a.example www.b.example", "\\@all http\\://a.example www\\.b.example"),
        ("&lt;", "&amp;lt;"),
        ("- item", "\\- item"),
        ("plain text, 4.1 (ok): fine", "plain text, 4.1 (ok): fine"),
    ],
)
def test_markdown(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


@given(st.text())
def test_markdown_leaves_no_bare_pipe_nor_tag(text: str) -> None:
    escaped = markdown(text, None)
    assert "<" not in escaped and ">" not in escaped and "\n" not in escaped
    assert "|" not in escaped.replace("\\\\", "").replace("\\|", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r@", " +", "＝", "＠"])  # noqa: RUF001 - full width
def test_a_sheet_never_begins_with_a_formula(start: str) -> None:
    assert sheet(f"{start}cmd|' /C calc'!A0").startswith("'")


def test_csv_guards_text_and_leaves_numbers() -> None:
    frame = pd.DataFrame({"text": ["=1+1", 'a,"b"\nc', None], "value": [-1.5, float("nan"), 2e-12]})
    rows = list(csv.reader(io.StringIO(csv_text(frame))))
    assert rows == [["text", "value"], ["'=1+1", "-1.5"], ['a,"b" c', ""], ["", "2e-12"]]


@given(st.text())
def test_figures_get_ascii(text: str) -> None:
    assert ascii_text(text).isascii()
