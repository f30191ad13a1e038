"""A stranger's words made fit for a record; limits read from words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nmbench.apart.limits import GIB, Limits, limits, memory_bytes, size_bytes
from nmbench.apart.words import LENGTH, harmless, last_words


@given(st.text())
def test_words_are_harmless(text: str) -> None:
    said = harmless(text)
    assert said.isprintable() and len(said) <= LENGTH
    assert last_words(text.encode("utf-8", "surrogatepass")).isprintable()


def test_words_keep_the_names_of_files_and_lose_their_folders() -> None:
    assert harmless('File "/home/me/chip.py", line 3') == 'File "chip.py", line 3'
    assert harmless("~/.cache/x.so: 1/s, 3 / 4, and/or") == "x.so: 1/s, 3 / 4, and/or"
    assert harmless("\x1b[31mred\x1b[0m \x1b]0;title\x07\x07\tdone\x00") == "red ? done?"
    assert harmless("C:\\Users\\me\\chip.py") == "chip.py"


def test_the_innermost_frames_of_a_stack_are_the_last_words() -> None:
    stack = ["before"] * 50 + ["terminate called", "Fatal Python error: Aborted", "", "Current thread"]
    stack += [f'  File "/a/b/f{i}.py", line {i}' for i in range(30)] + ["Extension modules: numpy (1)"]
    said = last_words("\n".join(stack).encode())
    assert "terminate called | Fatal Python error: Aborted" in said
    assert 'File "f0.py", line 0' in said and "f29" not in said and "Extension" not in said


def test_sizes_and_limits_are_read_from_words() -> None:
    assert [size_bytes(s) for s in ("4G", "512M", "1.5GiB", "100", "2 kB")] == [
        4 * GIB, 512 << 20, 3 * GIB // 2, 100, 2048,
    ]  # fmt: skip
    assert [size_bytes(s) for s in ("", "G", "-1G", "1e9", "4 GG", "0")] == [None] * 6
    faults: list[str] = []
    usual = limits("quick", None, None, faults)
    assert usual == Limits(600.0, int(0.75 * memory_bytes())) and not faults
    assert limits("official", 5.0, "1G", faults) == Limits(5.0, GIB) and not faults
    limits("quick", 0.0, "much", faults)
    assert len(faults) == 2 and "4G" in faults[1]
