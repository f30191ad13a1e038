"""Read and write `.nir` files: untrusted on the way in, byte-stable on the way out."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import nir

from nmbench.errors import InputError
from nmbench.network.hdf5 import read_apart, read_here

MAX_FILE_BYTES = 256 * 2**20
"""Largest file that is read."""

SHIPPED = Path(__file__).resolve().parents[1] / "workloads"
"""Files below this folder came with nmbench."""


def read_nir(path: Path) -> tuple[nir.NIRGraph, str]:
    """Read a NIR graph and hash its file, in a process of its own where it did not come with nmbench.

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
        shipped = path.resolve().is_relative_to(SHIPPED.resolve())
        tree = (read_here if shipped else read_apart)(content)
        graph = nir.dict2NIRNode(tree["node"] | {"type_check": False})
    except Exception as error:  # the reader raises whatever its parser and its dataclasses do
        reason = f"no {error}" if isinstance(error, KeyError) else f"{error}"
        raise InputError(str(path), [f"not a NIR graph: {reason}"]) from error
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
