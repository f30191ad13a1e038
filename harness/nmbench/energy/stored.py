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

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from nmbench import arrays
from nmbench.counts import EventCounts
from nmbench.energy.outline import Outline
from nmbench.errors import InputError

SCHEMA = "nmbench.counts/1"
MAX_BYTES = 2 << 30
"""Most bytes that a file may hold once it is unpacked."""

ARRAYS = frozenset({"header", "spikes", "synaptic_events", "neuron_updates", "dense_macs", "effective_macs"})
_OUTLINE = TypeAdapter(Outline)
FAULTS = (*arrays.FAULTS, ValidationError)
"""What a file of something else raises."""
Unsigned = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, eq=False)
class Counted:
    """A network's outline and what was counted on it."""

    outline: Outline
    counts: EventCounts

    @cached_property
    def sha256(self) -> str:
        """Hash what the file says; it does not depend on how that is compressed."""
        return arrays.sha256(dict(sorted(self._arrays.items())))

    def pack(self) -> bytes:
        """Return the file's bytes."""
        return arrays.pack(self._arrays)

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
        found = {
            "spikes": counts.spikes,
            "synaptic_events": counts.synaptic_events,
            "neuron_updates": updates[0, 0] if same else updates,
            "dense_macs": counts.dense_macs,
        }
        if counts.effective_macs is not None:
            found["effective_macs"] = counts.effective_macs
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        return {"header": np.frombuffer(text, np.uint8), **{n: _narrow(a) for n, a in found.items()}}


def unpack(data: bytes, subject: str) -> Counted:
    """Read a file's bytes.

    Raises
    ------
    InputError
        It is no such file, too large, or says what cannot be; ``subject`` names it.
    """
    try:
        found = _read(data)
        header = json.loads(found["header"].tobytes().decode())
        if not isinstance(header, dict) or header.get("schema") != SCHEMA:
            raise ValueError(f"no {SCHEMA}")
        outline = _OUTLINE.validate_python(header["outline"])
        spikes = found["spikes"]
        counts = EventCounts(
            tuple(map(str, header["populations"])),
            tuple(map(str, header["projections"])),
            spikes,
            np.broadcast_to(found["neuron_updates"], spikes.shape),
            found["synaptic_events"],
            found["dense_macs"],
            found.get("effective_macs"),
        )
    except FAULTS as error:
        raise InputError(subject, [f"no file of counts: {error}"]) from None
    names = tuple(g.name for g in outline.groups), tuple(link.name for link in outline.links)
    if names != (counts.populations, counts.projections):
        raise InputError(subject, ["the outline's names are not those of the counts"])
    return Counted(outline, counts)


def _read(data: bytes) -> dict[str, npt.NDArray[np.int64]]:
    """Return the arrays, int64 but for the header's bytes."""
    found = arrays.unpack(data, ARRAYS, MAX_BYTES)
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
