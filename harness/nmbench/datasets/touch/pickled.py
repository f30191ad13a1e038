"""Plain values out of a pickle, without unpickling it.

Python's unpickler calls what the file names; leaving out some names has been got round before. Here the
opcodes are read one by one and nothing of Python is looked up or called by name: a global is a word, and the
few words that NumPy writes for an array, a type or a scalar have their own arm below. Everything else is
refused by its name.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

OPCODES_MAX = 1_000_000
INTEGER_BITS_MAX = 64
ARRAY_BYTES_MAX = 256 << 20
"""Of all arrays together: a pickle may name the same bytes again and again."""

AXES_MAX = 8
AXIS_MAX = 1 << 31
ORDERS: Mapping[str, Literal["<", ">", "="]] = {"<": "<", ">": ">", "=": "=", "|": "="}
KINDS = "biufSU"
"""Kinds of types that an array may have: truths, numbers and text, never objects or records."""


class Untrusted(Exception):
    """A pickle that holds anything but plain values and arrays; the message says what."""


@dataclass(frozen=True)
class Name:
    """A global as the pickle calls it."""

    module: str
    name: str


@dataclass
class Type:
    """A NumPy type before its state is known."""

    text: str
    order: str = "="

    def dtype(self) -> np.dtype[Any]:
        """Return the type; `Untrusted` unless it is one of `KINDS`."""
        if not re.fullmatch(f"[{KINDS}][1-9][0-9]{{0,3}}", self.text, re.ASCII) or self.order not in ORDERS:
            raise Untrusted(f"an array of type {self.text[:40]!r}")
        try:
            return np.dtype(self.text).newbyteorder(ORDERS[self.order])
        except (TypeError, ValueError) as error:
            raise Untrusted(f"an array of type {self.text[:40]!r}: {error}") from error


@dataclass
class Blank:
    """An array before its state is known; once it is, ``value`` holds it."""

    value: np.ndarray[Any, Any] | None = None


_RECONSTRUCT = {Name(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
_FROM_BUFFER = {Name(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")}
_SCALAR = {Name(f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")}
_NDARRAY = {Name("numpy", "ndarray")}
_DTYPE = {Name("numpy", "dtype")}
_ENCODE = {Name("_codecs", "encode")}
_BYTES = {Name("__builtin__", "bytes"), Name("builtins", "bytes")}
ALLOWED = _BYTES | _RECONSTRUCT | _FROM_BUFFER | _SCALAR | _NDARRAY | _DTYPE | _ENCODE


def read_pickle(data: bytes) -> Any:
    """Read a pickle that holds lists, tuples, mappings, text, bytes, numbers, None and NumPy arrays.

    Parameters
    ----------
    data
        The whole pickle, as long as the caller allows.

    Raises
    ------
    Untrusted
        If it holds anything else, is damaged, or takes more than `OPCODES_MAX` opcodes.
    """
    machine = _Machine()
    try:
        for number, (opcode, argument, place) in enumerate(pickletools.genops(data)):
            if number >= OPCODES_MAX:
                raise Untrusted(f"a pickle of more than {OPCODES_MAX} opcodes")
            if opcode.name == "STOP":
                return _finished(machine.pop())
            act = _ACTS.get(opcode.name)
            if act is None:
                raise Untrusted(f"a pickle with opcode {opcode.name} at byte {place}, which is refused")
            act(machine, argument)
    # Python warns of an escape that is none in a name; where warnings are errors it comes here
    except (ValueError, IndexError, KeyError, OverflowError, DeprecationWarning) as error:
        said = f"{type(error).__name__}: {error}"
        raise Untrusted(f"a damaged pickle: {said[:200]}") from error
    raise Untrusted("a damaged pickle: it does not stop")


def _finished(value: Any) -> Any:
    """Put the arrays where their blanks stand, in containers at any depth, each once."""
    waiting, done = [value], set()
    while waiting:
        holder = waiting.pop()
        if id(holder) in done or not isinstance(holder, list | dict | tuple):
            continue
        done.add(id(holder))
        if isinstance(holder, tuple):
            waiting.extend(holder)
            continue
        for key in range(len(holder)) if isinstance(holder, list) else list(holder):
            holder[key] = _plain(holder[key])
            waiting.append(holder[key])
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Blank):
        if value.value is None:
            raise Untrusted("a damaged pickle: an array without content")
        return value.value
    if isinstance(value, Name | Type):
        raise Untrusted(f"a pickle that holds a {type(value).__name__}")
    return value


@dataclass
class _Machine:
    """The stack, the marks on it and the memo of the pickle's own machine."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    copied: int = 0

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("the stack is empty")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        value = self.pop()
        self.push(value)
        if not isinstance(value, kind):
            raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
        return value

    def copies(self, size: int) -> None:
        """Count bytes that are about to be copied."""
        self.copied += size
        if self.copied > ARRAY_BYTES_MAX:
            raise Untrusted(f"a pickle with arrays of more than {ARRAY_BYTES_MAX} bytes")

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values


def _integer(machine: _Machine, value: int) -> None:
    if int(value).bit_length() > INTEGER_BITS_MAX:
        raise Untrusted(f"a pickle with an integer of {int(value).bit_length()} bits")
    machine.push(value)


def _append(machine: _Machine, values: list[Any]) -> None:
    machine.top(list).extend(values)


def _set(machine: _Machine, values: list[Any]) -> None:
    _fill(machine.top(dict), values)


def _fill(mapping: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise ValueError("a key without a value")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str | int):
            raise Untrusted(f"a pickle with a key of type {type(key).__name__}")
        mapping[key] = value
    return mapping


def _pair(machine: _Machine) -> list[Any]:
    value, key = machine.pop(), machine.pop()
    return [key, value]


def _tuple(machine: _Machine, size: int) -> None:
    machine.push(tuple(reversed([machine.pop() for _ in range(size)])))


def _name(machine: _Machine, module: object, name: object) -> None:
    if not isinstance(module, str) or not isinstance(name, str):
        raise Untrusted("a pickle that asks for something without a name")
    word = Name(module, name)
    if word not in ALLOWED:
        raise Untrusted(f"a pickle that asks for {f'{word.module}.{word.name}'[:200]!r}, which is refused")
    machine.push(word)


def _global(machine: _Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    _name(machine, module, name)


def _stack_global(machine: _Machine, _argument: object) -> None:
    name, module = machine.pop(), machine.pop()
    _name(machine, module, name)


def _reduce(machine: _Machine, _argument: object) -> None:
    arguments, word = machine.pop(), machine.pop()
    if not isinstance(word, Name) or not isinstance(arguments, tuple):
        raise Untrusted(f"a pickle that calls a {type(word).__name__}")
    match arguments:
        case (Name() as kind, *_) if word in _RECONSTRUCT and kind in _NDARRAY:
            machine.push(Blank())
        case (str() as text, *_) if word in _DTYPE:
            machine.push(Type(text))
        case (str() as text, "latin1" | "latin-1") if word in _ENCODE:
            machine.copies(len(text))
            machine.push(text.encode("latin-1"))
        case (content, Type() as kind, tuple() as shape, order) if word in _FROM_BUFFER:
            machine.push(_array(machine, shape, kind, order == "F", content))
        case () if word in _BYTES:  # no bytes at all, in protocols below 3
            machine.push(b"")
        case (Type() as kind, content) if word in _SCALAR:
            machine.push(_array(machine, (), kind, False, content).item())
        case _:
            raise Untrusted(f"a pickle that calls {word.module}.{word.name} in another way than NumPy does")


def _build(machine: _Machine, _argument: object) -> None:
    state = machine.pop()
    blank = machine.top(object)
    match blank, state:
        case Type(), (int(), str() as order, None, None, None, *_):
            blank.order = order
        case Blank(), (int(), tuple() as shape, Type() as kind, fortran, content):
            blank.value = _array(machine, shape, kind, fortran is True, content)
        case _:
            raise Untrusted(f"a pickle that sets the state of a {type(blank).__name__}")


def _array(
    machine: _Machine, shape: tuple[Any, ...], kind: Type, fortran: bool, content: object
) -> np.ndarray[Any, Any]:
    dtype = kind.dtype()
    if not isinstance(content, bytes | bytearray | str) or len(shape) > AXES_MAX:
        raise Untrusted(f"an array of {len(shape)} axes in a {type(content).__name__}")
    count = 1
    for size in shape:
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= AXIS_MAX:
            raise Untrusted("an array with an axis that is no size")
        count *= size
    if count * dtype.itemsize != len(content):
        raise Untrusted(f"an array of {count} values of type {dtype} in {len(content)} bytes")
    machine.copies(len(content))
    data = content.encode("latin-1") if isinstance(content, str) else bytes(content)  # Python 2 wrote text
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _memo(machine: _Machine, number: int | None) -> None:
    value = machine.pop()
    machine.push(value)
    machine.memo[len(machine.memo) if number is None else number] = value


_Act = Callable[[_Machine, Any], None]


def _push(machine: _Machine, value: object) -> None:
    machine.push(value)


def _constant(value: object) -> _Act:
    return lambda machine, _: machine.push(value)


_ACTS: Mapping[str, _Act] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _push),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _push),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _push),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), _push),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _integer),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _memo),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, n: machine.push(machine.memo[n])),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: _tuple(machine, 1),
    "TUPLE2": lambda machine, _: _tuple(machine, 2),
    "TUPLE3": lambda machine, _: _tuple(machine, 3),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "DICT": lambda machine, _: machine.push(_fill({}, machine.since_mark())),
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.since_mark()),
    "SETITEM": lambda machine, _: _set(machine, _pair(machine)),
    "SETITEMS": lambda machine, _: _set(machine, machine.since_mark()),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
}
"""What each opcode does; one that is not here is refused."""
