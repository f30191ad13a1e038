"""Read and write `.nir` files: untrusted on the way in, byte-stable on the way out."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import h5py
import nir

from nmbench.errors import InputError

MAX_FILE_BYTES = 256 * 2**20
"""Largest file that is read."""

MAX_ARRAY_BYTES = 2**30
"""Largest sum of a file's arrays once decompressed: a small gzip stream can claim terabytes."""


def read_nir(path: Path) -> tuple[nir.NIRGraph, str]:
    """Read a NIR graph and hash its file.

    Shapes are not checked here: `nmbench.network.lower` does it, and names every node at fault.

    Returns
    -------
    graph, sha256
        The graph, and the hash of the file's bytes.

    Raises
    ------
    InputError
        The file is absent, too large, refers to other files, or is no NIR graph; with the reason.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), [error.strerror or str(error)]) from error
    if len(content) > MAX_FILE_BYTES:
        raise InputError(str(path), [f"too large: at most {MAX_FILE_BYTES} bytes are read"])
    try:
        _refuse_traps(content)
        graph = nir.read(io.BytesIO(content), type_check=False)
    except Exception as error:  # the reader raises whatever its parser and its dataclasses do
        raise InputError(str(path), [f"not a NIR graph: {type(error).__name__}: {error}"]) from error
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(str(path), [f"the root is a {type(graph).__name__}, expected a NIRGraph"])
    return graph, hashlib.sha256(content).hexdigest()


def write_nir(path: Path, graph: nir.NIRGraph) -> str:
    """Write a NIR graph, the same bytes for the same nodes and edges in any order; return their sha256.

    The file is complete or absent: it is written beside its place and renamed.
    """
    stable = nir.NIRGraph(
        nodes={name: graph.nodes[name] for name in sorted(graph.nodes)},
        edges=sorted(graph.edges),
        metadata=graph.metadata,
        type_check=False,
    )
    buffer = io.BytesIO()
    nir.write(buffer, stable, compression="gzip", compression_opts=9)
    content = buffer.getvalue()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


def _refuse_traps(content: bytes) -> None:
    """Refuse what HDF5 allows and a network does not need: links, data kept elsewhere, huge arrays."""
    total = 0

    def visit(group: h5py.Group, depth: int) -> None:
        nonlocal total
        if depth > 16:
            raise ValueError(f"groups nested deeper than 16 at {group.name}")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{group.name}/{name} is a link to another place")
            item = group[name]
            if isinstance(item, h5py.Group):
                visit(item, depth + 1)
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise ValueError(f"{item.name} keeps its data in another file")
                total += item.size * item.dtype.itemsize
                if total > MAX_ARRAY_BYTES:
                    raise ValueError(f"arrays of more than {MAX_ARRAY_BYTES} bytes")

    with h5py.File(io.BytesIO(content), "r") as file:
        visit(file, 0)
