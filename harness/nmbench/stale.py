"""Compiled kernels that are older than what they were compiled from.

Numba renews a cached kernel when the file that it stands in changes, not when a file changes from which it
took a function: after an update of a checkout such a kernel would run on, wrong and unnoticed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

MARK = "kernels.sha256"
"""File in a folder's ``__pycache__`` that says from which sources its kernels were compiled."""


def forget_stale_kernels(package: Path) -> bool:
    """Delete the kernels in a package's caches if any of its sources changed since; say whether it did.

    Parameters
    ----------
    package
        Folder whose Python files, those of its subfolders too, may take functions from one another.
    """
    sources = sorted(package.rglob("*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(str(source.relative_to(package)).encode() + b"\0" + source.read_bytes())
    mark = package / "__pycache__" / MARK
    if mark.is_file() and mark.read_text(encoding="ascii", errors="replace") == digest.hexdigest():
        return False
    if not os.access(package, os.W_OK):
        return False  # installed: all files are as new as one another, and Numba caches elsewhere
    for kernel in package.rglob("__pycache__/*.nb[ic]"):
        kernel.unlink(missing_ok=True)
    mark.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=mark.parent, delete=False, encoding="ascii") as beside:
        beside.write(digest.hexdigest())
    Path(beside.name).replace(mark)
    return True
