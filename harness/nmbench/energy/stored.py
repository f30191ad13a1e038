"""Counts in a file: what a run counted and the network's outline, enough to price it again without a run.

One ``.npz`` (zip of plain arrays, no pickle) a network and test set, shared by all platforms that ran it,
named by the SHA-256 of what it says:

=================== =========== ================================================================
array               shape       what
=================== =========== ================================================================
``header``          ``[n]``     UTF-8 JSON: schema, names of populations and projections, outline
``spikes``          ``[B,T,P]``
``synaptic_events`` ``[B,T,R]``
``neuron_updates``  ``[P]``     where every sample and step has the same, else ``[B,T,P]``
``dense_macs``      ``[R]``
``effective_macs``  ``[B,T,R]`` only where projections are graded
=================== =========== ================================================================
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from nmbench.counts import EventCounts
from nmbench.energy.outline import Outline
from nmbench.errors import InputError

SCHEMA = "nmbench.counts/1"
MAX_BYTES = 2 << 30
"""Most bytes that a file may hold once it is unpacked."""

ARRAYS = frozenset({"header", "spikes", "synaptic_events", "neuron_updates", "dense_macs", "effective_macs"})
_OUTLINE = TypeAdapter(Outline)
FAULTS = (ValueError, KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, ValidationError)
"""What a file of something else raises; a false shape asks for memory that is not there."""
Unsigned = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, eq=False)
class Counted:
    """A network's outline and what was counted on it."""

    outline: Outline
    counts: EventCounts

    @cached_property
    def sha256(self) -> str:
        """Hash what the file says; it does not depend on how that is compressed."""
        digest = hashlib.sha256()
        for name, array in sorted(self._arrays.items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def pack(self) -> bytes:
        """Return the file's bytes."""
        target = io.BytesIO()
        np.savez_compressed(target, allow_pickle=False, **self._arrays)
        return target.getvalue()

    @cached_property
    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        counts = self.counts
        header = {
            "schema": SCHEMA,
            "populations": counts.populations,
            "projections": counts.projections,
            "outline": _OUTLINE.dump_python(self.outline, mode="json"),
        }
        updates = counts.neuron_updates
        same = len(counts) > 0 and bool((updates == updates[0, 0]).all())
        arrays = {
            "spikes": counts.spikes,
            "synaptic_events": counts.synaptic_events,
            "neuron_updates": updates[0, 0] if same else updates,
            "dense_macs": counts.dense_macs,
        }
        if counts.effective_macs is not None:
            arrays["effective_macs"] = counts.effective_macs
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        return {"header": np.frombuffer(text, np.uint8), **{n: _narrow(a) for n, a in arrays.items()}}


def unpack(data: bytes, subject: str) -> Counted:
    """Read a file's bytes.

    Raises
    ------
    InputError
        It is no such file, too large, or says what cannot be; ``subject`` names it.
    """
    try:
        arrays = _read(data)
        header = json.loads(arrays["header"].tobytes().decode())
        if not isinstance(header, dict) or header.get("schema") != SCHEMA:
            raise ValueError(f"no {SCHEMA}")
        outline = _OUTLINE.validate_python(header["outline"])
        spikes = arrays["spikes"]
        counts = EventCounts(
            tuple(map(str, header["populations"])),
            tuple(map(str, header["projections"])),
            spikes,
            np.broadcast_to(arrays["neuron_updates"], spikes.shape),
            arrays["synaptic_events"],
            arrays["dense_macs"],
            arrays.get("effective_macs"),
        )
    except FAULTS as error:
        raise InputError(subject, [f"no file of counts: {error}"]) from None
    names = tuple(g.name for g in outline.groups), tuple(link.name for link in outline.links)
    if names != (counts.populations, counts.projections):
        raise InputError(subject, ["the outline's names are not those of the counts"])
    return Counted(outline, counts)


def _read(data: bytes) -> dict[str, npt.NDArray[np.int64]]:
    """Return the arrays, int64 but for the header's bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        size = sum(member.file_size for member in zipped.infolist())
        strange = {member.filename.removesuffix(".npy") for member in zipped.infolist()} - ARRAYS
    if size > MAX_BYTES:
        raise ValueError(f"{size} bytes unpacked; at most {MAX_BYTES} are read")
    if strange:
        raise ValueError(f"unknown arrays {sorted(strange)}")
    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        found = {name: loaded[name] for name in loaded.files}
    wrong = [name for name, array in found.items() if array.dtype.kind != "u"]
    if wrong:
        raise ValueError(f"not unsigned: {wrong}")
    return {n: a if n == "header" else a.astype(np.int64) for n, a in found.items()}


def _narrow(values: npt.NDArray[np.int64]) -> Unsigned:
    """Return counts in the narrowest unsigned type that holds them, little-endian."""
    if values.size and int(values.min()) < 0:
        raise ValueError("counts are not negative")
    most = int(values.max()) if values.size else 0
    narrow: Unsigned = np.ascontiguousarray(values, np.min_scalar_type(most).newbyteorder("<"))
    return narrow
