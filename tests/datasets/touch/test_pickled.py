from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nmbench.datasets.touch import pickled
from nmbench.datasets.touch.pickled import Untrusted, read_pickle

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20).filter(lambda text: text.isprintable())
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc", max_size=3) | st.integers(0, 9), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(plain, st.integers(0, 5))
def test_plain_values_come_out_as_from_pickle(value: Any, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol=protocol)) == value


@given(
    hnp.arrays(
        st.sampled_from(["u1", "<i2", ">i4", "<i8", "<f4", ">f8", "?", "<U3", "S4"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=None,
    ),
    st.integers(0, 5),
    st.booleans(),
)
def test_arrays_come_out_as_from_pickle(array: np.ndarray[Any, Any], protocol: int, fortran: bool) -> None:
    written = np.asfortranarray(array) if fortran else array
    (read,) = read_pickle(pickle.dumps([written], protocol=protocol))
    assert read.dtype == written.dtype and read.shape == written.shape
    assert read.tobytes() == written.tobytes()


def test_scalars_and_shared_arrays() -> None:
    array = np.arange(6).reshape(2, 3)
    value = {"a": array, "b": [array, {"c": array}], "d": np.float64(0.5), "e": np.str_("x")}
    read = read_pickle(pickle.dumps(value))
    assert read["a"] is read["b"][0] is read["b"][1]["c"]
    assert np.array_equal(read["a"], array) and (read["d"], read["e"]) == (0.5, "x")


def test_what_python_2_wrote() -> None:
    content = (
        b"\x80\x02]q\x00cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K\x00tb\x89U\x03\x01\xfe\xfftba."
    )
    (read,) = read_pickle(content)
    assert read.tolist() == [1, 254, 255]


class Reduces:
    """Pickles as a call."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.reduced = call, arguments

    def __reduce__(self) -> Any:
        return self.reduced


HOSTILE: dict[str, Callable[[Path], object]] = {
    "shell": lambda mark: Reduces(os.system, f"touch {mark}"),
    "code": lambda mark: Reduces(eval, f"open({str(mark)!r}, 'w')"),
    "nested": lambda mark: [{"taxel_data": [Reduces(exec, f"open({str(mark)!r}, 'w')")]}],
    "import": lambda _: Reduces(__import__, "antigravity"),
    "partial": lambda mark: Reduces(partial, os.system, f"touch {mark}"),
    "getattr": lambda _: Reduces(getattr, "numpy", "load"),
    "objects": lambda mark: np.array([Reduces(os.system, f"touch {mark}")], dtype=object),
    "loader": lambda mark: Reduces(np.load, str(mark), None, True),
    "class": lambda _: OrderedDict(a=1),
    "type": lambda _: np.dtype([("a", "u1")]),
    "record": lambda _: np.zeros(2, [("a", "u1")]),
    "object type": lambda _: np.array([None, 1], dtype=object),
    "set": lambda _: {1, 2},
    "key": lambda _: {(1, 2): 3},
    "big": lambda _: 2**70,
    "function": lambda _: np.zeros,
    "name": lambda _: np.ndarray,
    "complex": lambda _: np.zeros(2, complex),
    "date": lambda _: np.zeros(2, "M8[s]"),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("case", HOSTILE)
def test_everything_else_is_refused_and_nothing_is_run(tmp_path: Path, case: str, protocol: int) -> None:
    mark = tmp_path / "mark"
    data = pickle.dumps(HOSTILE[case](mark), protocol=protocol)
    with pytest.raises(Untrusted):
        read_pickle(data)
    assert not mark.exists()


def text(words: str) -> bytes:
    return b"\x8c" + bytes([len(words)]) + words.encode()


RECONSTRUCT = text("numpy.core.multiarray") + text("_reconstruct") + b"\x93"
NDARRAY = text("numpy") + text("ndarray") + b"\x93"
DTYPE = text("numpy") + text("dtype") + b"\x93"
BYTE = DTYPE + text("u1") + b"\x85R"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "damaged"),
        (b".", "damaged"),
        (b"\x80\x04K\x01", "does not stop|damaged"),
        (b"0.", "opcode POP"),
        (b"cos\nsystem\n(S'true'\ntR.", "'os.system', which is refused"),
        (b"(S'true'\nios\nsystem\n.", "opcode INST"),
        (b"Pabc\n.", "opcode PERSID"),
        (b"\x82\x01.", "opcode EXT1"),
        (text("os") + text("system") + b"\x93.", "'os.system'"),
        (b"K\x01K\x02\x93.", "without a name"),
        (text("numpy") + text("ndarray.__class__") + b"\x93.", "'numpy.ndarray.__class__'"),
        (text("x") + b"K\x01\x85R.", "calls a str"),
        (NDARRAY + b")R.", "in another way"),
        (RECONSTRUCT + DTYPE + b"\x85R.", "in another way"),
        (DTYPE + text("O") + b"\x85R" + b".", "holds a Type"),
        (RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R.", "array without content"),
        (NDARRAY + b".", "holds a Name"),
        (b"]K\x01b.", "sets the state of a list"),
        (b"K\x01a.", "damaged"),
        (b"]e.", "damaged"),
        (b"}(K\x01u.", "damaged"),
        (b"h\x05.", "damaged"),
        (b"I" + b"9" * 5000 + b"\n.", "damaged"),
        (b"\x8b" + struct.pack("<i", 20) + b"\x11" * 20 + b".", "integer of 157 bits"),
        (b"\x8e" + struct.pack("<Q", 2**62) + b"x.", "damaged"),
    ],
)
def test_hostile_opcodes(data: bytes, told: str) -> None:
    with pytest.raises(Untrusted, match=told):
        read_pickle(data)


def array_of(kind: bytes, shape: bytes, content: bytes) -> bytes:
    start = RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"
    return start + b"(K\x01" + shape + kind + b"\x89" + content + b"tb."


@pytest.mark.parametrize(
    ("kind", "shape", "content", "told"),
    [
        (BYTE, b"K\x02\x85", b"C\x03abc", "2 values of type uint8 in 3 bytes"),
        (BYTE, b"J\xff\xff\xff\xff\x85", b"C\x01a", "no size"),
        (BYTE, b"\x8a\x05\x00\x00\x00\x00\x01\x85", b"C\x01a", "no size"),
        (BYTE, b"\x88\x85", b"C\x01a", "no size"),
        (BYTE, b"]\x85", b"C\x01a", "no size"),
        (BYTE, b"K\x01\x85", b"]", "1 axes in a list"),
        (BYTE, b"(" + b"K\x01" * 9 + b"t", b"C\x01a", "9 axes"),
        (DTYPE + text("O8") + b"\x85R", b"K\x01\x85", b"C\x08abcdefgh", "type 'O8'"),
        (DTYPE + text("u1,u1") + b"\x85R", b"K\x01\x85", b"C\x02ab", "type 'u1,u1'"),
        (DTYPE + text("f3") + b"\x85R", b"K\x01\x85", b"C\x03abc", "type 'f3'"),
        (DTYPE + text("U0") + b"\x85R", b"K\x01\x85", b"C\x00", "type 'U0'"),
    ],
)
def test_hostile_arrays(kind: bytes, shape: bytes, content: bytes, told: str) -> None:
    with pytest.raises(Untrusted, match=told):
        read_pickle(array_of(kind, shape, content))


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    shared: Any = "ab"
    for _ in range(200):
        shared = (shared, shared)  # written out it would have 2^200 parts
    assert isinstance(read_pickle(pickle.dumps(shared)), tuple)
    with pytest.raises(Untrusted, match="without a name"):
        read_pickle(pickle.dumps(shared)[:-1] + text("x") + b"\x93.")
    deep = b"]" + b"]" * 100_000 + b"a" * 100_000 + b"."
    read_pickle(deep)
    cycle = b"]\x94h\x00a."
    assert isinstance(read_pickle(cycle), list)
    monkeypatch.setattr(pickled, "OPCODES_MAX", 100)
    with pytest.raises(Untrusted, match="more than 100 opcodes"):
        read_pickle(deep)
    monkeypatch.setattr(pickled, "ARRAY_BYTES_MAX", 1000)
    arrays = pickle.dumps([np.zeros(400, np.uint8) for _ in range(3)])
    with pytest.raises(Untrusted, match="more than"):
        read_pickle(arrays)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        read_pickle(data)
    except Untrusted:
        return


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 5))
def test_one_wrong_byte_is_refused_or_read(place: int, value: int, protocol: int) -> None:
    content = [{"taxel_data": np.arange(24).reshape(2, 12), "letter": "A", "t": np.float64(1)}]
    data = bytearray(pickle.dumps(content, protocol=protocol))
    data[place % len(data)] = value
    try:
        read_pickle(bytes(data))
    except Untrusted:
        return
