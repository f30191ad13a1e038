"""Plain arrays in a file: a zip without pickle, named by the hash of what it says."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FAULTS = (ValueError, KeyError, TypeError, EOFError, OSError, MemoryError, zipfile.BadZipFile)
"""What a file of something else raises; a false shape asks for memory that is not there."""


def sha256(arrays: Mapping[str, Array]) -> str:
    """Hash names, types, shapes and values in their order; it does not depend on how they are compressed."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def pack(arrays: Mapping[str, Array]) -> bytes:
    """Return the bytes of their file."""
    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=False, **arrays)
    return target.getvalue()


def unpack(data: bytes, known: Collection[str], most_bytes: int) -> dict[str, Array]:
    """Read a file of arrays whose names are known.

    Raises
    ------
    ValueError
        It holds others, or more bytes than it may; anything of `FAULTS` where it is no such file.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        members = {member.filename: member.file_size for member in zipped.infolist()}
    if strange := {name.removesuffix(".npy") for name in members} - set(known):
        raise ValueError(f"unknown arrays {sorted(strange)}")
    if (size := sum(members.values())) > most_bytes:
        raise ValueError(f"{size} bytes unpacked; at most {most_bytes} are read")
    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files}
