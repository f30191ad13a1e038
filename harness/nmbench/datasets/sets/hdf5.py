"""HDF5 files of strangers: opened with checks, no link followed out of the file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nmbench.datasets.sets.files import stated
from nmbench.errors import InputError

FILE_MAX = 16 << 30
VALUES_MAX = 1 << 28
"""Most values that one dataset is read to: a packed one may promise any number."""


class Hdf5:
    """One file, opened when it is first read and then kept open; any number of threads may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file; it is opened again where it is read again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def get(self, name: str) -> Any:
        """Return a dataset that is stored in the file itself.

        Raises
        ------
        InputError
            If the file cannot be read, or the name is missing, a link, or its values lie elsewhere.
        """
        file = self._opened()
        where = ""
        for part in name.split("/"):
            where = f"{where}/{part}"
            try:
                link = file.get(where, getlink=True)
            except (OSError, RuntimeError, KeyError, ValueError) as error:
                raise self.fault(f"{where}: {error}") from error
            if link is None:
                raise self.fault(f"has no {where}")
            if not isinstance(link, h5py.HardLink):
                raise self.fault(f"{where} is a link ({type(link).__name__}): links are not followed")
        return self._checked(name, file)

    def _checked(self, name: str, file: Any) -> Any:
        try:
            found = file[name]
            if not isinstance(found, h5py.Dataset):
                raise self.fault(f"{name} is no dataset")
            if found.external or found.is_virtual:
                raise self.fault(f"the values of {name} lie in other files: these are not read")
            if found.size is None or found.size > VALUES_MAX:
                raise self.fault(f"{name} has {found.size} values, wanted at most {VALUES_MAX}")
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise self.fault(f"{name}: {error}") from error
        return found

    def names(self, group: str) -> list[str]:
        """Return the names inside a group of the file."""
        file = self._opened()
        try:
            if not isinstance(file.get(group, getlink=True), h5py.HardLink):
                raise self.fault(f"has no group {group}")
            return list(file[group])
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise self.fault(f"{group}: {error}") from error

    def read(self, name: str, kinds: str, ndim: int = 1) -> npt.NDArray[Any]:
        """Read a whole dataset of these kinds of types (NumPy's letters) and this number of dimensions."""
        found = self.get(name)
        if found.ndim != ndim or found.dtype.kind not in kinds:
            raise self.fault(f"{name} is {found.dtype} {found.shape}, wanted {ndim} dimensions of {kinds!r}")
        try:
            return np.asarray(found[()])
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise self.fault(f"{name}: {error}") from error

    def texts(self, name: str) -> list[str]:
        """Read a dataset of texts."""
        found = self.get(name)
        if found.ndim != 1 or found.dtype.kind not in "SO":
            raise self.fault(f"{name} is {found.dtype} with {found.ndim} dimensions, wanted texts")
        if found.dtype.kind == "O" and h5py.check_string_dtype(found.dtype) is None:
            raise self.fault(f"{name} is {found.dtype}, wanted texts")
        try:
            values = found[()]
            return [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise self.fault(f"{name}: {error}") from error

    def element(self, found: Any, index: int) -> npt.NDArray[Any]:
        """Read one element of a dataset of arrays of different lengths."""
        try:
            return np.asarray(found[index])
        except (OSError, RuntimeError, ValueError, MemoryError, IndexError) as error:
            raise self.fault(f"{found.name}[{index}]: {error}") from error

    def fault(self, text: str) -> InputError:
        """Return the error that says so of this file."""
        return InputError(str(self.path), [text])

    def _opened(self) -> Any:
        with self._lock:
            if self._file is None:
                if (size := stated(self.path).size) > FILE_MAX:
                    raise self.fault(f"{size} bytes, more than {FILE_MAX}")
                try:
                    self._file = h5py.File(self.path, "r")
                except (OSError, RuntimeError, ValueError) as error:
                    raise self.fault(f"not a readable HDF5 file: {error}") from error
            return self._file


def ragged(file: Hdf5, name: str, kinds: str) -> Any:
    """Return a dataset of one array a sample, of numbers of these kinds."""
    found = file.get(name)
    inner = h5py.check_vlen_dtype(found.dtype)
    if found.ndim != 1 or inner is None or np.dtype(inner).kind not in kinds:
        raise file.fault(f"{name} is {found.dtype} with {found.ndim} dimensions, wanted one array a sample")
    return found
