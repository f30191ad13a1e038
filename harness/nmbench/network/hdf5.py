"""HDF5 files of strangers, read in a process of their own: a corrupt one can crash or hang the library.

As a script it reads a file's bytes from its input, under limits, and writes what they hold to its output:
a line of JSON for groups, texts, types and shapes, then the arrays' bytes. It imports nothing of nmbench, so
that it starts in a fraction of a second.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MAX_ARRAY_BYTES = 2**30
"""Largest sum of a file's arrays once decompressed: a small gzip stream can claim terabytes."""

MAX_SECONDS = 30
MAX_MEMORY_BYTES = 4 * 2**30
"""Limits of the process that reads: address space, and time both on the clock and of the processor."""

MAX_DEPTH = 64

Tree = dict[str, Any]
"""Group: name to group, text, or array."""


def read_apart(content: bytes) -> Tree:
    """Read a file's bytes in a child process.

    Raises
    ------
    ValueError
        What the child found wrong, or how it ended: killed by a signal, or out of time or memory.
    """
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(Path(__file__))]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=MAX_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"reading it takes longer than {MAX_SECONDS} s") from None
    if done.returncode < 0:
        raise ValueError(f"the HDF5 library crashed on it ({signal.Signals(-done.returncode).name})")
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip()[-500:] or "reading it failed")
    return _unpack(done.stdout)


def read_here(content: bytes) -> Tree:
    """Read a file's bytes in this process, for files that are trusted.

    Raises
    ------
    ValueError, OSError, KeyError
        The file is none, or holds links, data kept elsewhere, or arrays beyond `MAX_ARRAY_BYTES`.
    """
    with h5py.File(io.BytesIO(content), "r") as file:
        return _read_group(file, [0], 0)


def _read_group(group: h5py.Group, total: list[int], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise ValueError(f"groups nested deeper than {MAX_DEPTH} at {group.name}")
    tree: Tree = {}
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{group.name}/{name} is a link to another place")
        item = group[name]
        if isinstance(item, h5py.Group):
            tree[name] = _read_group(item, total, depth + 1)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"{item.name} keeps its data in another file")
            total[0] += item.size * item.dtype.itemsize
            if total[0] > MAX_ARRAY_BYTES:
                raise ValueError(f"arrays of more than {MAX_ARRAY_BYTES} bytes")
            value = item[()]
            tree[name] = value.decode() if isinstance(value, bytes) else value
    return tree


def _pack(tree: Tree) -> bytes:
    """Write a tree as a line of JSON and the bytes of its arrays."""
    arrays: list[bytes] = []

    def describe(value: Any) -> Any:
        if isinstance(value, dict):
            return {"group": {name: describe(item) for name, item in value.items()}}
        if isinstance(value, str):
            return {"text": value}
        array = np.asarray(value)
        if array.dtype.kind in "OS":
            texts = [t.decode() if isinstance(t, bytes) else str(t) for t in array.ravel().tolist()]
            return {"texts": texts, "shape": array.shape}
        if array.dtype.kind not in "biuf":
            raise ValueError(f"an array of type {array.dtype}, not of numbers or texts")
        arrays.append(array.tobytes())
        return {"type": array.dtype.str, "shape": array.shape}

    return b"\n".join([json.dumps(describe(tree)).encode(), b"".join(arrays)])


def _unpack(packed: bytes) -> Tree:
    head, _, body = packed.partition(b"\n")
    memory, at = bytearray(body), 0

    def restore(item: Any) -> Any:
        nonlocal at
        if "group" in item:
            return {name: restore(inner) for name, inner in item["group"].items()}
        if "text" in item:
            return item["text"]
        if "texts" in item:
            texts = np.array([t.encode() for t in item["texts"]], dtype=object)
            return texts.reshape(item["shape"])
        count, kind = math.prod(item["shape"]), np.dtype(item["type"])
        array = np.frombuffer(memory, kind, count, at) if count else np.empty(0, kind)
        at += array.nbytes
        return array.reshape(item["shape"])[()]

    tree: Tree = restore(json.loads(head))
    return tree


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        packed = _pack(read_here(sys.stdin.buffer.read()))
    except Exception as error:  # the library raises whatever it comes across; the parent tells it
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(packed)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
