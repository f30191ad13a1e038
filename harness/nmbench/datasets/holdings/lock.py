"""One fetch at a time for a set."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmbench.errors import InputError


@contextmanager
def locked(root: Path, folder: str) -> Iterator[None]:
    """Hold the lock of a set's folder; it goes with the process, however that ends.

    Raises
    ------
    InputError
        If another process holds it.
    """
    path = root / f".{folder}.lock"
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
            raise InputError(
                str(root / folder), [f"another fetch is at work on it (process {holder or 'unknown'})"]
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
